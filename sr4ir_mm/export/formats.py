"""The two formats, ONNX and PyTorch's own .pt2: tracing, writing and loading."""

import importlib.util
import logging
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import torch
from torch import Tensor, nn

from ..compat.torch_export import drop_casts, free_sizes
from ..errors import SR4IRError
from ..inference.backends import open_file
from .half import to_half

_PACKAGES = {'.onnx': ('onnx', 'onnxscript', 'onnxruntime'), '.pt2': ()}


def check_format(path: Path, half: bool = False) -> None:
    """Check the suffix of a file, and that the packages for its format are installed.

    Args:
        path (Path): File to write.
        half (bool): Whether it is to compute in float16.

    Raises:
        SR4IRError: If the suffix is unknown or has no float16, a package is missing, or PyTorch is too old.
    """
    if path.suffix not in _PACKAGES:
        raise SR4IRError(f"'{path}' has no suffix of a known format: name it *.onnx or *.pt2.")
    if half and path.suffix != '.onnx':
        raise SR4IRError(f"--half is for ONNX files, not for '{path}': name it *.onnx, or leave out --half.")
    if missing := [name for name in _PACKAGES[path.suffix] if importlib.util.find_spec(name) is None]:
        raise SR4IRError(f'ONNX needs {", ".join(missing)}: pip install -r requirements/export.txt')
    if not hasattr(getattr(torch.export, 'Dim', None), 'DYNAMIC'):
        raise SR4IRError(f'Export needs PyTorch 2.6 or later, not {torch.__version__}.')


def trace(net: nn.Module, image: Tensor, axes: Sequence[int]) -> torch.export.ExportedProgram:
    """Trace a network.

    Args:
        net (nn.Module): Network with one input and a dict of outputs.
        image (Tensor): Example, N x 3 x h x w.
        axes (Sequence[int]): Axes of the image that are free; 0 is the batch, 2 the height, 3 the width.
    """
    sizes = dict.fromkeys(axes, torch.export.Dim.DYNAMIC)
    # after an error torch prints the whole graph so far; the exception itself says what is wrong
    with free_sizes(2 in axes), redirect_stderr(StringIO()):
        program = torch.export.export(net, (image,), dynamic_shapes=(sizes,), strict=False)
    drop_casts(program)
    return program


def save(
    program: torch.export.ExportedProgram,
    path: Path,
    outputs: list[str],
    half: bool = False,
    meta: dict[str, str] | None = None,
) -> None:
    """Write a traced network, with its outputs under these names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == '.pt2':
        torch.export.save(program, path)
        return
    logging.getLogger('onnxscript').setLevel(logging.ERROR)  # its warnings are about what it does not simplify
    names = {0: 'batch', 2: 'height', 3: 'width'}
    torch.onnx.export(
        program, (), path, dynamo=True, external_data=False, verbose=False,
        input_names=['image'], output_names=outputs, dynamic_shapes=(names,),
    )  # fmt: skip
    if half:
        to_half(path)
    _add_meta(path, meta or {})


def _add_meta(path: Path, meta: dict[str, str]) -> None:
    import onnx  # an optional package

    model = onnx.load(path)
    onnx.helper.set_model_props(model, meta)
    onnx.save(model, path)


def load(path: Path) -> Callable[[Tensor], dict[str, Tensor]]:
    """Return a file as a function from an image to its outputs by name."""
    if path.suffix == '.pt2':
        # guards hold what the export assumed from its example; the comparison with PyTorch checks the results instead
        return torch.export.load(path).module(check_guards=False)
    return open_file(path)
