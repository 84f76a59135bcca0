"""What S and T make of an LR image, beside what a baseline makes of it."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..errors import SR4IRError
from ..inference.images import SUFFIXES, names, read
from ..inference.inferencer import SR4IRInferencer
from ..models.scheme import SCHEMES

#: The baseline unless a run is chosen as such.
SAME_T = 'the same T on bilinear'
#: What T sees, by ``Scheme.test_input``.
SEEN = dict(sr='super-resolution', bilinear='bilinear up-sampling', hr='the image itself')


class Comparison:
    """Runs trained nets on images that anybody may send.

    Args:
        runs (dict[str, SR4IRInferencer]): What the user can choose from, by name.
        max_side (int): Images with a longer side, in px, are refused.
    """

    def __init__(self, runs: dict[str, SR4IRInferencer], max_side: int = 512) -> None:
        self.runs = runs
        self.max_side = max_side

    def first(self, test_input: str) -> str | None:
        """The first run whose T sees 'sr', 'bilinear' or 'hr', if there is one."""
        return next((name for name, run in self.runs.items() if run.model.scheme.test_input == test_input), None)

    def __call__(self, path: str, run: str, baseline: str) -> list[tuple[str, np.ndarray]]:
        """Run both on one image.

        Args:
            path (str): Image file.
            run (str): Name of a run.
            baseline (str): Name of the one to compare with, or :data:`SAME_T`.

        Returns:
            list[tuple[str, np.ndarray]]: A label and a picture, H x W x 3, uint8, RGB, of the LR image, what T of the
            baseline sees, what T of the run sees, and their predictions on these.

        Raises:
            SR4IRError: If the image cannot be read or is too large.
        """
        lr = self.load(path)
        inferencer = self.runs[run]
        other = on_bilinear(inferencer) if baseline == SAME_T else self.runs[baseline]
        draws = (
            baseline != SAME_T or inferencer.model.scheme.uses_task_net
        )  # under the scheme 'S' T has not been trained
        pictures = [(f'LR image, {_size(lr)}', lr[..., ::-1])]
        for net in (other, inferencer):
            (entry,) = net.stream(lr, return_vis=draws, coords='sr')
            seen, title = entry['task_input'], SEEN[net.model.scheme.test_input]
            pictures.append((f'{title}, {_size(seen)}', seen))
            if draws and net.model.scheme.uses_task_net:
                pictures.append((f'prediction on {title}', entry['visualization']))
            else:
                pictures.append(('no prediction: only S was trained', seen))
        return pictures

    def load(self, path: str) -> np.ndarray:
        """An image file as h x w x 3, uint8, BGR; its size is looked at before it is decoded."""
        name = Path(path).name
        try:
            with Image.open(path) as image:
                size = image.size
        except Image.DecompressionBombError as error:
            raise SR4IRError(f"'{name}' is too large: {error}") from error
        except OSError as error:
            raise SR4IRError(f"'{name}' is not an image, or a damaged one. Try {', '.join(SUFFIXES)}.") from error
        if max(size) > self.max_side:
            raise SR4IRError(
                f"'{name}' is {size[0]} x {size[1]} px, but this page takes images of up to {self.max_side} px: "
                'crop it, start the page with a larger --max-side, or use tools/infer.py.'
            )
        try:
            return read(path)
        except SR4IRError as error:
            raise SR4IRError(f"'{name}' {error}") from error


def load_runs(paths: Sequence[str], **options: Any) -> dict[str, SR4IRInferencer]:
    """Load runs, by names that tell them apart.

    Args:
        paths (Sequence[str]): Work dirs, whose last checkpoint is taken, or configs. A checkpoint may follow each work
            dir and has to follow each config.
        **options: For :class:`SR4IRInferencer`.

    Raises:
        SR4IRError: If a config or a checkpoint is missing.
    """
    pairs: list[list[str]] = []
    for path in paths:
        if path.endswith('.pth') and pairs:
            pairs[-1].append(path)
        else:
            pairs.append([path])
    for pair in pairs:
        if len(pair) != 2 and not Path(pair[0]).is_dir():
            raise SR4IRError(f"'{pair[0]}' is no work dir: give one, or a config with one checkpoint after it.")
    found = names([str(Path(pair[0]).resolve()) for pair in pairs])
    return {name: SR4IRInferencer(*pair, show_progress=False, **options) for name, pair in zip(found, pairs)}


def on_bilinear(inferencer: SR4IRInferencer) -> SR4IRInferencer:
    """The same T, weights and all, on bilinear up-sampling instead of what S makes."""
    twin = copy.copy(inferencer)
    twin.model, twin.pipeline = copy.copy(inferencer.model), copy.copy(inferencer.pipeline)
    twin.model.scheme = SCHEMES['L->T']
    twin.pipeline.model = twin.model
    return twin


def _size(image: np.ndarray) -> str:
    return f'{image.shape[1]} x {image.shape[0]} px'
