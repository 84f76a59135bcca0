"""Export of the SR network and the task network to files that run without OpenMMLab."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..errors import SR4IRError
from ..models import SR4IR
from .failures import named_failure
from .formats import check_format, load, save, trace
from .nets import Chain, parts

#: batch, height and width of the images that are traced and compared, at scale 4
EXAMPLE, CHECKS = (2, 36, 44), ((1, 40, 56), (2, 33, 47), (3, 52, 29))
#: largest difference from PyTorch, as a share of the largest absolute value
TOLERANCE = 1e-4
Size = tuple[int, int, int]


@dataclass
class Difference:
    """Difference between one output of a file and PyTorch's, for images of one size.

    Args:
        size (tuple[int, int, int]): Batch, height and width of the input.
        output (str): Name of the output, e.g. 'sr' or 'logits'.
        difference (float): Largest absolute difference.
        largest (float): Largest absolute value of PyTorch's output.

    Example:
        >>> max(row.difference for row in export(model, 'model.onnx')[Path('model.onnx')])
    """

    size: Size
    output: str
    difference: float
    largest: float


def export(
    model: SR4IR, out: str | Path, split: bool = False, shape: tuple[int, int] | None = None
) -> dict[Path, list[Difference]]:
    """Write both networks to one file, or each to its own, and compare the files with PyTorch.

    Args:
        model (SR4IR): Model with weights, on the CPU.
        out (str or Path): File to write; its suffix, '.onnx' or '.pt2', is the format.
        split (bool): Whether to write <out>_sr (LR to SR image) and <out>_task (SR image to the outputs of the task
            network) instead.
        shape (tuple[int, int], optional): Height and width of all LR images, for a network that takes no other size. By
            default any size; the batch size is always free.

    Returns:
        dict[Path, list[Difference]]: For each file, the differences at three sizes.

    Raises:
        SR4IRError: If a package is missing, a network cannot be exported (the message names the part of it and the
            remedy), or an output differs from PyTorch's by more than 1e-4 of its largest value.
    """
    out = Path(out)
    check_format(out)
    model.eval()
    reports = {}
    for suffix, (net, factor) in parts(model, split).items():
        path = out.with_stem(out.stem + suffix)
        example, *sizes = _sizes(model.scale, factor, shape)
        with named_failure(path):
            image = _image(example)
            with torch.no_grad():
                outputs = list(net(image))  # first PyTorch alone: its own message is the best
            save(trace(net, image, free=shape is None), path, outputs)
            reports[path] = _compare(net, path, sizes)
        _check_differences(reports[path], path)
    return reports


def _sizes(scale: int, factor: int, shape: tuple[int, int] | None) -> list[Size]:
    """List the sizes of the example and of the compared images: SR images of at least 116 px, or the one shape."""
    if shape:
        return [(batch, *(factor * side for side in shape)) for batch in (2, 1, 2, 3)]
    factor *= -(-4 // scale)
    return [(batch, factor * height, factor * width) for batch, height, width in (EXAMPLE, *CHECKS)]


@torch.no_grad()
def _compare(net: Chain, path: Path, sizes: list[Size]) -> list[Difference]:
    run, rows = load(path), []
    for size in sizes:
        image = _image(size)
        found = run(image)
        for name, expected in net(image).items():
            if found[name].shape != expected.shape:
                raise ValueError(f"'{name}' is {tuple(found[name].shape)}, not {tuple(expected.shape)}, at {size}")
            difference = (found[name] - expected).abs().max()
            rows.append(Difference(size, name, float(difference), float(expected.abs().max())))
    return rows


def _check_differences(rows: list[Difference], path: Path) -> None:
    wrong = [row for row in rows if not row.difference <= TOLERANCE * row.largest]  # also if it is not a number
    if wrong:
        path.unlink()
        raise SR4IRError(
            f"'{path}' differs from PyTorch by {wrong[0].difference:.1e} in '{wrong[0].output}' at {wrong[0].size} and "
            'has been removed. If the network computes each size in another way, use one size: --shape H W'
        )


def _image(size: Size) -> Tensor:
    batch, height, width = size
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(0))
