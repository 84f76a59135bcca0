"""S and T as files that run without OpenMMLab: ONNX, or PyTorch's own .pt2."""

import importlib.util
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from traceback import walk_tb
from types import FrameType

import torch
from torch import Tensor, nn

from ..compat.torch_export import drop_casts, free_sizes
from ..errors import SR4IRError
from ..models import SR4IR
from .nets import Chain, parts

#: batch, height and width of the images that are traced and compared, at scale 4
EXAMPLE, CHECKS = (2, 36, 44), ((1, 40, 56), (2, 33, 47), (3, 52, 29))
TOLERANCE = 1e-4


@dataclass
class Difference:
    """How far one output of a file is from PyTorch's, for images of one size.

    Args:
        size (tuple[int, int, int]): Batch, height and width of what goes in.
        output (str): E.g. 'sr' or 'logits'.
        difference (float): The largest absolute one.
        largest (float): The largest absolute value of PyTorch's output.
    """

    size: tuple[int, int, int]
    output: str
    difference: float
    largest: float


def export(
    model: SR4IR, out: str | Path, split: bool = False, shape: tuple[int, int] | None = None
) -> dict[Path, list[Difference]]:
    """Write S and T to a file, or each to its own, and compare the files with PyTorch.

    Args:
        model (SR4IR): With weights, on the CPU.
        out (str or Path): The file; '.onnx' or '.pt2' tells the format.
        split (bool): Write <out>_sr (LR to SR image) and <out>_task (SR image to T's outputs).
        shape (tuple[int, int], optional): Height and width of LR images, for a net that takes no other. By default they
            are free, as the batch size always is.

    Returns:
        dict[Path, list[Difference]]: For each file, the differences at three sizes.

    Raises:
        SR4IRError: If a package is missing, a net cannot be exported (the message names the part of it and the
            remedy), or a file's outputs differ from PyTorch's by more than 1e-4 of their largest value.
    """
    out = Path(out)
    _check_format(out)
    model.eval()
    reports = {}
    for suffix, (net, factor) in parts(model, split).items():
        path = out.with_stem(out.stem + suffix)
        example, *sizes = _sizes(model.scale, factor, shape)
        with _named_failure(net, path):
            with torch.no_grad():
                outputs = list(net(_image(example)))  # if the net itself fails, it says so best
            _save(_trace(net, example, free=shape is None), path, outputs)
            reports[path] = _compare(net, path, sizes)
        wrong = [row for row in reports[path] if not row.difference <= TOLERANCE * row.largest]  # also if not a number
        if wrong:
            path.unlink()
            raise SR4IRError(
                f"'{path}' differs from PyTorch by {wrong[0].difference:.1e} in '{wrong[0].output}' at {wrong[0].size} "
                'and has been removed. If it is because the net treats each size in its own way, fix one: --shape H W'
            )
    return reports


def _sizes(scale: int, factor: int, shape: tuple[int, int] | None) -> list[tuple[int, int, int]]:
    """The example's and the compared ones: SR images of at least 116 px, or batches of the one shape."""
    if shape:
        return [(batch, *(factor * side for side in shape)) for batch in (2, 1, 2, 3)]
    factor *= -(-4 // scale)
    return [(batch, factor * height, factor * width) for batch, height, width in (EXAMPLE, *CHECKS)]


def _check_format(path: Path) -> None:
    needs = {'.onnx': ('onnx', 'onnxscript', 'onnxruntime'), '.pt2': ()}
    if path.suffix not in needs:
        raise SR4IRError(f"'{path}' tells no format: name it *.onnx or *.pt2.")
    if missing := [name for name in needs[path.suffix] if importlib.util.find_spec(name) is None]:
        raise SR4IRError(f'ONNX needs {", ".join(missing)}: pip install -r requirements/export.txt')
    if not hasattr(getattr(torch.export, 'Dim', None), 'DYNAMIC'):
        raise SR4IRError(f'Export needs PyTorch 2.6 or later, not {torch.__version__}: 2.11 is what is tested.')


def _trace(net: Chain, size: tuple[int, int, int], free: bool) -> torch.export.ExportedProgram:
    axes = dict.fromkeys((0, 2, 3) if free else (0,), torch.export.Dim.DYNAMIC)
    # where it fails, torch prints the whole graph so far; the exception says what is the matter
    with free_sizes(), redirect_stderr(StringIO()):
        program = torch.export.export(net, (_image(size),), dynamic_shapes=(axes,), strict=False)
    drop_casts(program)
    return program


def _save(program: torch.export.ExportedProgram, path: Path, outputs: list[str]) -> None:
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


@torch.no_grad()
def _compare(net: Chain, path: Path, sizes: list[tuple[int, int, int]]) -> list[Difference]:
    run, rows = _load(path), []
    for size in sizes:
        image = _image(size)
        found = run(image)
        for name, expected in net(image).items():
            if found[name].shape != expected.shape:
                raise ValueError(f"'{name}' is {tuple(found[name].shape)}, not {tuple(expected.shape)}, at {size}")
            difference = (found[name] - expected).abs().max()
            rows.append(Difference(size, name, float(difference), float(expected.abs().max())))
    return rows


def _load(path: Path) -> Callable[[Tensor], dict[str, Tensor]]:
    if path.suffix == '.pt2':
        # guards hold what the export took from its example to be quick; that the results hold is what is checked here
        return torch.export.load(path).module(check_guards=False)
    import onnxruntime  # an optional package

    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    names = [output.name for output in session.get_outputs()]
    return lambda image: dict(zip(names, map(torch.from_numpy, session.run(None, dict(image=image.numpy())))))


def _image(size: tuple[int, int, int]) -> Tensor:
    batch, height, width = size
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(0))


@contextmanager
def _named_failure(net: Chain, path: Path) -> Iterator[None]:
    """Say which module and op it is that a file cannot hold."""
    try:
        with warnings.catch_warnings():
            # of torch and onnxscript about each other, and of torch.export.load about itself
            for category in (FutureWarning, DeprecationWarning):
                warnings.simplefilter('ignore', category)
            warnings.filterwarnings('ignore', 'The given buffer is not writable')
            yield
    except Exception as error:  # of many kinds: torch, onnxscript, onnxruntime and the nets raise their own
        path.unlink(missing_ok=True)  # written, but not to be trusted
        causes = [error]
        while cause := causes[-1].__cause__:
            causes.append(cause)
        frames = (item for cause in causes for item in walk_tb(cause.__traceback__))
        places = [place for frame, line in frames if (place := _place(frame, line))]
        reason = str(causes[-1]).partition('\n\n')[0]
        raise SR4IRError(
            f"'{path}' cannot be made: {type(causes[-1]).__name__}{' in ' + places[-1] if places else ''}: {reason}\n"
            'Remedies: S and T in two files (--split), so that at least one can be had; one size for all images '
            '(--shape H W), if it is a size that is the matter; a one-stage T, if it is data samples that are missing '
            '(None); another net.'
        ) from error


def _place(frame: FrameType, line: int) -> str | None:
    """Where a module's own code, not PyTorch's, was when an error came."""
    owner, file = frame.f_locals.get('self'), frame.f_globals.get('__name__', 'torch')
    if isinstance(owner, nn.Module) and file.partition('.')[0] != 'torch':
        return f'{type(owner).__name__}.{frame.f_code.co_name} ({file}, line {line})'
    return None
