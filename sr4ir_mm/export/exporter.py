"""Export of the SR network and the task network to files that run without OpenMMLab."""

from collections.abc import Sequence
from pathlib import Path

import torch

from ..models import SR4IR
from .comparison import Difference, Size, allowed, check_differences, check_repeats, compare, noise, read
from .detectors import warn_of_masks
from .failures import named_failure
from .formats import check_format, save, trace
from .nets import parts
from .reference import Reference, other_steps, to_tensor, warn_of_sizes

#: batch, height and width of the images that are traced and compared, at scale 4
EXAMPLE, CHECKS = (2, 36, 44), ((1, 40, 56), (2, 33, 47), (3, 52, 29))


def export(
    model: SR4IR,
    out: str | Path,
    split: bool = False,
    shape: tuple[int, int] | None = None,
    pipeline: Sequence[dict] | None = None,
    images: Sequence[str | Path] = (),
    raw: bool = False,
    half: bool = False,
    meta: dict[str, str] | None = None,
) -> dict[Path, list[Difference]]:
    """Write both networks to one file, or each to its own, and compare the files with predictions in PyTorch.

    The files are compared with the task network's own prediction, on the way of ``tools/infer.py``.

    Args:
        model (SR4IR): Model with weights, on the CPU.
        out (str or Path): File to write; its suffix, '.onnx' or '.pt2', is the format.
        split (bool): Whether to write <out>_sr (LR to SR image) and <out>_task (SR image to the outputs of the task
            network) instead.
        shape (tuple[int, int], optional): Height and width of all LR images, for a network that takes no other size. By
            default any size; the batch size is free, too, but for boxes.
        pipeline (Sequence[dict], optional): Test pipeline of the task network.
        images (Sequence[str or Path]): Files of HR images to compare on, in addition to noise.
        raw (bool): Whether detectors return what their heads return, for any batch size, instead of boxes, scores and
            labels of one image.
        half (bool): Whether convolutions and matrix products compute in float16, with weights of float16.
        meta (dict[str, str], optional): Entries of the metadata of ONNX files.

    Returns:
        dict[Path, list[Difference]]: For each file, the differences at three sizes and for each image.

    Raises:
        SR4IRError: If a package is missing, a network cannot be exported (the message names the part of it and the
            remedy), or an output differs from PyTorch's by more than 1e-4 of its largest value (float16: 5e-2).
    """
    out = Path(out)
    check_format(out, half)
    model.eval()
    tolerance = allowed(half)
    warn_of_sizes(pipeline or ())
    warn_of_masks(None if raw else model.task)
    reports = {}
    for suffix, (net, factor, scheme) in parts(model, split, raw).items():
        path = out.with_stem(out.stem + suffix)
        example, *sizes = _sizes(model.scale, factor, shape, net.takes_batches)
        with named_failure(path, split, shape is not None):
            # between two files, users apply the pipeline
            reference = Reference(model, scheme, None if split else pipeline, raw)
            net.check_sizes(shape)
            check_repeats(reference, example)
            image = to_tensor(noise(example))
            with torch.no_grad():
                outputs = list(net(image))  # first PyTorch alone: its own message is the best
            axes = [0] * net.takes_batches + [2, 3] * (shape is None)
            save(trace(net, image, axes), path, outputs, half, meta)
            inputs = {f'noise {size}': noise(size) for size in sizes}
            inputs |= {Path(file).name: [read(file, model, factor, shape)] for file in images}
            reports[path] = compare(reference, path, inputs, tolerance)
        check_differences(reports[path], path, tolerance, _remedy(() if split else pipeline or (), shape is not None))
    return reports


def _sizes(scale: int, factor: int, shape: tuple[int, int] | None, batches: bool) -> list[Size]:
    """List the sizes of the example and of the compared images: SR images of at least 116 px, or the one shape."""
    if shape:
        return [(batch, *(factor * side for side in shape)) for batch in ((2, 1, 2, 3) if batches else (1, 1))]
    factor *= -(-4 // scale)
    sizes = [(batch if batches else 1, height, width) for batch, height, width in (EXAMPLE, *CHECKS)]
    return [(batch, factor * height, factor * width) for batch, height, width in sizes]


def _remedy(pipeline: Sequence[dict], fixed: bool) -> str:
    if steps := other_steps(pipeline):
        return f' The test pipeline changes images by {", ".join(steps)}, which a file cannot hold: use --split.'
    return '' if fixed else ' If the network computes each size in another way, use one size: --shape H W'
