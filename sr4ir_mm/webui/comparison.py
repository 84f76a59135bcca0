"""Comparison of two runs on one LR image."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..config.stored import is_checkpoint
from ..errors import SR4IRError
from ..inference.images import SUFFIXES, read_image, unique_names
from ..inference.inferencer import SR4IRInferencer
from ..models.scheme import SCHEMES

#: the baseline unless another run is chosen
SAME_TASK_NET = 'same task network, bilinear input'
#: titles of what the task network receives, by ``Scheme.test_input``
INPUT_TITLES = dict(sr='super-resolution', bilinear='bilinear up-sampling', hr='the image itself')
Picture = tuple[str, np.ndarray]  # a label, and H x W x 3, uint8, RGB


class Comparison:
    """Trained runs, of which any two can be compared on an image that anybody may send.

    Args:
        runs (dict[str, SR4IRInferencer]): Runs that the user can choose from, by name.
        max_side (int): Longest side of an image, in px; larger images are refused.

    Example:
        >>> comparison = Comparison(load_runs(['work_dirs/sr4ir', 'work_dirs/l2t']))
        >>> pictures = comparison('lr.png', 'sr4ir', 'l2t')
    """

    def __init__(self, runs: dict[str, SR4IRInferencer], max_side: int = 512) -> None:
        self.runs = runs
        self.max_side = max_side

    def first(self, test_input: str) -> str | None:
        """Return the first run whose task network receives 'sr', 'bilinear' or 'hr', or None."""
        return next((name for name, run in self.runs.items() if run.model.scheme.test_input == test_input), None)

    def __call__(self, path: str, run: str, baseline: str) -> list[Picture]:
        """Run both on one image.

        Args:
            path (str): Image file.
            run (str): Name of a run.
            baseline (str): Name of the run to compare with, or :data:`SAME_TASK_NET`.

        Returns:
            list[tuple[str, np.ndarray]]: Labels and pictures, H x W x 3, uint8, RGB: the LR image, what the task
            network of the baseline received and predicted, and the same of the run.

        Raises:
            SR4IRError: If the image cannot be read or is too large.
        """
        lr = self.load(path)
        inferencer = self.runs[run]
        other = on_bilinear(inferencer) if baseline == SAME_TASK_NET else self.runs[baseline]
        # under the scheme 'S' the task network is not trained, whatever it receives
        draws = baseline != SAME_TASK_NET or inferencer.model.scheme.uses_task_net
        pictures = [(f'LR image, {_size(lr)}', lr[..., ::-1])]
        for compared in (other, inferencer):
            pictures += _predict(compared, lr, draws)
        return pictures

    def load(self, path: str) -> np.ndarray:
        """Read an image file as h x w x 3, uint8, BGR; its size is checked before it is decoded.

        Raises:
            SR4IRError: If the image cannot be read or is too large.
        """
        name = Path(path).name
        try:
            with Image.open(path) as image:
                size = image.size
        except Image.DecompressionBombError as error:
            raise SR4IRError(f"'{name}' is too large: {error}") from error
        except OSError as error:
            raise SR4IRError(f"'{name}' is not an image, or it is damaged. Try {', '.join(SUFFIXES)}.") from error
        if max(size) > self.max_side:
            raise SR4IRError(
                f"'{name}' is {size[0]} x {size[1]} px, but this page takes images of up to {self.max_side} px: "
                'crop it, start the page with a larger --max-side, or use tools/infer.py.'
            )
        try:
            return read_image(path)
        except SR4IRError as error:
            raise SR4IRError(f"'{name}' {error}") from error


def load_runs(paths: Sequence[str], **options: Any) -> dict[str, SR4IRInferencer]:
    """Load runs under unique names.

    Args:
        paths (Sequence[str]): Work dirs, whose last checkpoint is taken; checkpoints; or configs. A checkpoint may
            follow each work dir and must follow each config.
        **options: Arguments of :class:`SR4IRInferencer`, which predicts whole images alone.

    Raises:
        SR4IRError: If a config or a checkpoint is missing.
    """
    pairs: list[list[str]] = []
    for path in paths:
        if is_checkpoint(path) and pairs and len(pairs[-1]) == 1 and not is_checkpoint(pairs[-1][0]):
            pairs[-1].append(path)
        else:
            pairs.append([path])
    found = unique_names([_run_name(Path(pair[0]).resolve()) for pair in pairs])
    options |= dict(show_progress=False, window=0)  # of windows there is no picture of the task network's input
    return {name: SR4IRInferencer(*pair, **options) for name, pair in zip(found, pairs)}


def _run_name(path: Path) -> str:
    if is_checkpoint(path):
        return f'{path.parent.name} {path.stem}'
    return path.name if path.is_dir() else path.stem


def on_bilinear(inferencer: SR4IRInferencer) -> SR4IRInferencer:
    """Return an inferencer with the same task network, which receives bilinear up-sampling instead of SR images."""
    twin = copy.copy(inferencer)
    twin.model, twin.pipeline = copy.copy(inferencer.model), copy.copy(inferencer.pipeline)
    twin.model.scheme = SCHEMES['L->T']
    twin.pipeline.model = twin.model
    return twin


def _predict(inferencer: SR4IRInferencer, lr: np.ndarray, draws: bool) -> list[Picture]:
    scheme = inferencer.model.scheme
    (result,) = inferencer.stream(lr, return_vis=draws, coords='sr')
    task_input, title = result['task_input'], INPUT_TITLES[scheme.test_input]
    if draws and scheme.uses_task_net:
        prediction = f'prediction on {title}', result['visualization']
    else:
        prediction = 'no prediction: only the SR network was trained', task_input
    return [(f'{title}, {_size(task_input)}', task_input), prediction]


def _size(image: np.ndarray) -> str:
    return f'{image.shape[1]} x {image.shape[0]} px'
