"""The two formats, ONNX and PyTorch's own .pt2: tracing, writing and loading."""

import importlib.util
import logging
from collections.abc import Callable
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import torch
from torch import Tensor, nn

from ..compat.torch_export import drop_casts, free_sizes
from ..errors import SR4IRError

_PACKAGES = {'.onnx': ('onnx', 'onnxscript', 'onnxruntime'), '.pt2': ()}


def check_format(path: Path) -> None:
    """Check the suffix of a file, and that the packages for its format are installed.

    Raises:
        SR4IRError: If the suffix is unknown, a package is missing, or PyTorch is too old.
    """
    if path.suffix not in _PACKAGES:
        raise SR4IRError(f"'{path}' has no suffix of a known format: name it *.onnx or *.pt2.")
    if missing := [name for name in _PACKAGES[path.suffix] if importlib.util.find_spec(name) is None]:
        raise SR4IRError(f'ONNX needs {", ".join(missing)}: pip install -r requirements/export.txt')
    if not hasattr(getattr(torch.export, 'Dim', None), 'DYNAMIC'):
        raise SR4IRError(f'Export needs PyTorch 2.6 or later, not {torch.__version__}.')


def trace(net: nn.Module, image: Tensor, free: bool) -> torch.export.ExportedProgram:
    """Trace a network.

    Args:
        net (nn.Module): Network with one input and a dict of outputs.
        image (Tensor): Example, N x 3 x h x w.
        free (bool): Whether height and width are free; the batch size always is.
    """
    axes = dict.fromkeys((0, 2, 3) if free else (0,), torch.export.Dim.DYNAMIC)
    # after an error torch prints the whole graph so far; the exception itself says what is wrong
    with free_sizes(free), redirect_stderr(StringIO()):
        program = torch.export.export(net, (image,), dynamic_shapes=(axes,), strict=False)
    drop_casts(program)
    return program


def save(program: torch.export.ExportedProgram, path: Path, outputs: list[str]) -> None:
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


def load(path: Path) -> Callable[[Tensor], dict[str, Tensor]]:
    """Return a file as a function from an image to its outputs by name."""
    if path.suffix == '.pt2':
        # guards hold what the export assumed from its example; the comparison with PyTorch checks the results instead
        return torch.export.load(path).module(check_guards=False)
    import onnxruntime  # an optional package

    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    names = [output.name for output in session.get_outputs()]
    return lambda image: dict(zip(names, map(torch.from_numpy, session.run(None, dict(image=image.numpy())))))
