"""Comparison of a file with the task network's own prediction, on noise and on images of the data set."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..errors import SR4IRError
from ..models import SR4IR
from ..utils import to_uint8
from .box_differences import box_differences
from .formats import load
from .reference import Reference, to_tensor

#: largest difference from PyTorch, as a share of the largest absolute value
TOLERANCE = 1e-4
#: the same for networks in float16, which has 11 bits
HALF_TOLERANCE = 5e-2
#: longest side of an LR image of the data set, at scale 4
LONGEST = 96
Size = tuple[int, int, int]


@dataclass
class Difference:
    """Difference between one output of a file and the prediction in PyTorch, for images of one size.

    Args:
        size (tuple[int, int, int]): Batch, height and width of the input.
        output (str): Name of the output, e.g. 'sr' or 'logits'.
        difference (float): Largest absolute difference.
        largest (float): Largest absolute value in PyTorch.
        image (str): 'noise', or the name of an image.

    Example:
        >>> max(row.difference for row in export(model, 'model.onnx')[Path('model.onnx')])
    """

    size: Size
    output: str
    difference: float
    largest: float
    image: str = 'noise'


def allowed(half: bool) -> float:
    """Return the largest share of the largest value by which a file may differ."""
    return HALF_TOLERANCE if half else TOLERANCE


def read(file: str | Path, model: SR4IR, factor: int, shape: tuple[int, int] | None) -> np.ndarray:
    """Read an HR image as an input: degraded if it is to be an LR image, and not larger than needed."""
    hr = cv2.imread(str(file))
    if hr is None:
        raise SR4IRError(f"Image '{file}' cannot be read, but the file would be compared on it: replace or remove it.")
    height, width = hr.shape[:2]
    longest = LONGEST * 4 / max(height, width)
    sides = shape or [max(round(side * min(longest, 1) / model.scale), 8) for side in (height, width)]
    hr = cv2.resize(hr, [side * model.scale for side in sides[::-1]], interpolation=cv2.INTER_AREA)
    if factor > 1 or model.scheme.test_input == 'hr':
        return hr
    return to_uint8(model.data_preprocessor.degradation(to_tensor([hr]))[0])[..., ::-1]


def compare(
    reference: Reference, path: Path, inputs: dict[str, list[np.ndarray]], tolerance: float
) -> list[Difference]:
    """Run a file on images, and list its differences from the reference; ``inputs`` are images of one size by name."""
    run, rows = load(path), []
    for name, images in inputs.items():
        size, image = (len(images), *images[0].shape[:2]), name.partition(' (')[0]
        found, wanted = run(to_tensor(images)), reference(images)
        if 'boxes' in wanted:
            boxes = {key: wanted.pop(key)[0] for key in ('boxes', 'scores', 'labels')}
            for output, values in box_differences(found, boxes, tolerance).items():
                rows.append(Difference(size, output, *values, image))
        for output, (expected, convert) in wanted.items():
            if output not in found:
                raise ValueError(f"the file has no output '{output}', but {', '.join(found)}")
            ours = convert(found[output])
            if ours.shape != expected.shape:
                raise ValueError(f"'{output}' is {tuple(ours.shape)}, not {tuple(expected.shape)}, at {size}")
            difference = (ours - expected).abs().max()
            rows.append(Difference(size, output, float(difference), float(expected.abs().max()), image))
    return rows


def check_repeats(reference: Reference, size: Size) -> None:
    """Check that two predictions of an image are equal: no file can hold random numbers that PyTorch draws."""
    first, second = reference(images := noise(size)), reference(images)
    for name, (expected, _) in first.items():
        if not expected.numel():
            continue  # no boxes
        difference = float((second[name][0] - expected).abs().max())
        if difference > TOLERANCE * float(expected.abs().max()):
            raise SR4IRError(
                f"The prediction of one image differs from call to call, by {difference:.1e} in '{name}': the network "
                'draws random numbers. For SegNeXt, use the same ones each time: '
                '--cfg-options model.task.decode_head.ham_kwargs.rand_init=False'
            )


def check_differences(rows: list[Difference], path: Path, tolerance: float, remedy: str) -> None:
    """Remove a file that differs by more than a share of the largest value.

    Raises:
        SR4IRError: If it does; ``remedy`` ends the message.
    """
    wrong = [row for row in rows if not row.difference <= tolerance * row.largest]  # also if it is not a number
    if wrong:
        path.unlink()
        raise SR4IRError(
            f"'{path}' differs from the prediction in PyTorch by {wrong[0].difference:.1e} in '{wrong[0].output}' at "
            f'{wrong[0].size} ({wrong[0].image}) and has been removed.{remedy}'
        )


def noise(size: Size) -> list[np.ndarray]:
    """Make images h x w x 3, uint8, the same ones each time."""
    batch, height, width = size
    return list(np.random.default_rng(0).integers(0, 256, (batch, height, width, 3), np.uint8))
