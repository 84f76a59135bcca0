"""Checks of right results."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import cv2


def metrics(folder: str) -> dict[str, float]:
    """Return the metrics of the latest test below a folder."""
    paths = [path for path in Path(folder).rglob('*.json') if path.stem == path.parent.name]
    return json.loads(max(paths, key=os.path.getmtime).read_text().splitlines()[-1])


def same_as_training(run: str, folder: str | None = None, *keys: str) -> Callable[[str], None]:
    """Check that a test gives the values of the validation during the training."""

    def check(output: str) -> None:
        log = max(Path(f'runs/{run}').glob('*/vis_data/scalars.json'), key=os.path.getmtime)
        wanted = json.loads(log.read_text().splitlines()[-1])
        found = metrics(folder or f'runs/{run}/test')
        for key in keys or [key for key in wanted if key in found and 'time' not in key]:
            assert abs(found[key] - wanted[key]) < 1e-6, f'{key}: {found[key]}, not {wanted[key]}'

    return check


def sr_size(name: str, width: int, height: int) -> Callable[[str], None]:
    """Check the size of an SR image."""

    def check(output: str) -> None:
        image = cv2.imread(f'outputs/sr/{name}.png')
        assert image is not None and image.shape[:2] == (height, width), image is not None and image.shape

    return check


def trained(run: str, **values: object) -> Callable[[str], None]:
    """Check that a training has written its checkpoint, with entries of its config."""

    def check(output: str) -> None:
        import torch
        from mmengine.config import Config

        state = torch.load(f'{run}/epoch_1.pth', weights_only=False)
        cfg = Config.fromstring(state['meta']['cfg'], '.py')
        for key, value in values.items():
            node = cfg
            for part in key.split('__'):
                node = node[int(part)] if isinstance(node, (list, tuple)) else node[part]
            assert node == value, f'{key} is {node}'

    return check
