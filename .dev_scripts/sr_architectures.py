"""Try the architectures of spandrel as SR networks, with spandrel's default parameters for x4, and write a table:

    python .dev_scripts/sr_architectures.py --out docs/sr_architectures.md

Each one is built as S, runs in train and in eval mode, makes one update of its weights, and is exported. Times are
those of the processor, the shortest of several, in turn with those of edsr-s: other processes matter little.
"""

import copy
import inspect
import logging
import re
import resource
import time
import warnings
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from multiprocessing import Process, Queue
from pathlib import Path
from queue import Empty
from tempfile import TemporaryDirectory

import torch
from torch import nn

from sr4ir_mm.analysis.benchmark.environment import environment
from sr4ir_mm.config.cli import Parser
from sr4ir_mm.config.sr_nets import find_sr
from sr4ir_mm.export.exporter import export
from sr4ir_mm.models import SR4IR
from sr4ir_mm.models.adapters.spandrel_sr import SpandrelSR, _classes
from sr4ir_mm.models.sr_net import AnySizeForward, build_sr

PAGE = """# Networks of the community

The architectures of spandrel 0.4.2 as S ([how to name one](mixing.md#s-by-name)), with spandrel's default parameters
for x4 where there is a choice, and random weights. Made by `python .dev_scripts/sr_architectures.py --out
docs/sr_architectures.md` with seed 0; the rows are of
{made}.

- **sizes**: what the network takes; images of other sizes are padded, and the result is cropped.
- **trains**: it was built as S and made one update of its weights.
- **eval**: largest difference between the outputs in eval mode and in training mode. Dropout and drop path make one,
  and BatchNorm.
- **images/s**: of 64 x 64 px at x4 in a second of the processor, one thread, and in brackets in relation to
  [`edsr-s`](shipped_weights.md), which ran in turn with it.
- **ONNX**: what `tools/export.py` writes and compares with PyTorch: a file for all sizes, one for one size (`--shape`),
  or none. Empty cells of these two columns have not been tried. SwinIR was exported for all sizes with two blocks.
- **remark**: weights that got no gradient, or the error. Some errors are those of the defaults, and a file of weights
  may work.

{table}
"""
COLUMNS = (
    'architecture', 'parameters (M)', 'enlarges by', 'sizes', 'trains', 'eval', 'images/s', 'ONNX', 'remark'
)  # fmt: skip
SECONDS = 300
#: arguments without a default, or with one that does not serve here
_RGB = dict(num_in_ch=3, num_out_ch=3)
NEEDED = {
    'SPAN': _RGB, 'MMRealSR': _RGB, 'SAFMN': dict(dim=36), 'SAFMNBCIE': dict(dim=36), 'HAT': dict(window_size=16),
    'DnCNN': dict(in_nc=3, out_nc=3), 'DRUNet': dict(in_nc=3, out_nc=3), 'NAFNet': dict(middle_blk_num=1),
}  # fmt: skip
#: names of the factor by which a network enlarges
FACTORS = ('scale', 'upscale', 'upscale_factor', 'upscaling_factor')
#: those whose purpose is not to enlarge: faces, holes, noise, haze, artifacts
NO_SR = {'GFPGAN', 'RestoreFormer', 'LaMa', 'AuraSR'}


def main() -> None:
    """Try all architectures, each in a process of its own, and write the table."""
    parser = Parser(description=__doc__)
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--only', nargs='+', help='architectures; the rows of the others stay as they are in the file')
    args = parser.parse_args()
    rows, first = (read_rows(args.out), first_revision(args.out)) if args.only else ({}, '')
    for name in args.only or set(_classes()) - NO_SR:
        rows[name] = dict(zip(COLUMNS, in_process(name)))
        print(*rows[name].values(), sep=' | ', flush=True)
        write_rows(rows, args.out, first)


def read_rows(path: Path) -> dict[str, dict[str, str]]:
    """Read the rows of a table by the names of the architectures."""
    lines = [line for line in path.read_text().splitlines() if line.startswith('| ')] if path.exists() else []
    cells = [[cell.strip() for cell in line.strip('|').split('|')] for line in lines]
    return {row[0]: dict(zip(cells[0], row)) for row in cells[2:]}


def first_revision(path: Path) -> str:
    """Return the first revision of which a page has rows; '' without a page."""
    found = re.search(r'the rows are of\s+revisions? ([\w-]+)', path.read_text()) if path.exists() else None
    return found[1] if found else ''


def write_rows(rows: dict[str, dict[str, str]], path: Path, first: str = '') -> None:
    """Write the table, in the order of the names; ``first`` is the revision of the earliest row that stays."""
    names = sorted(rows, key=str.casefold)
    lines = [COLUMNS, ('---',) * len(COLUMNS), *([rows[name].get(key, '') for key in COLUMNS] for name in names)]
    found = environment()
    last = found['revision'].split()[-1]
    revisions = f'revisions {first} to {last}' if first not in ('', last) else f'revision {last}'
    made = f'{revisions}, the last of {found["date"].split()[0]}, {found["machine"]["cpu"]}'
    path.write_text(PAGE.format(made=made, table='\n'.join(f'| {" | ".join(line)} |' for line in lines)))


def in_process(name: str) -> list[str]:
    """Try an architecture; one that takes all memory or time ends no other."""
    queue: Queue = Queue()
    process = Process(target=put_cells, args=(name, queue))
    process.start()
    cells: list[str] = []
    while len(cells) < len(COLUMNS):
        alive = process.is_alive()
        try:
            cells.append(queue.get(timeout=1))
        except Empty:
            if not alive:
                break
    process.join()
    if missing := COLUMNS[len(cells) :]:
        cells += [''] * (len(missing) - 1)
        cells.append(f'{missing[0]}: takes more than {SECONDS} s, or ends its process')
    return cells


def put_cells(name: str, queue: Queue) -> None:
    """Put the cells of a row into a queue, within a time that other processes on the machine do not shorten."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    for cell in attempt(name):
        queue.put(cell)


def attempt(name: str) -> Iterator[str]:
    """Yield the cells of a row."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    warnings.simplefilter('ignore')
    logging.disable(logging.WARNING)
    yield name
    try:
        scale = enlargement(SpandrelSR(name, parameters(name)))
    except Exception as error:
        return (yield from ('', '', '', 'no', '', '', '', reason(error)))
    sr = SpandrelSR(name, parameters(name))
    yield f'{sum(value.numel() for value in sr.parameters()) / 1e6:.2f}'
    yield f'{scale}'
    yield from cells(sr, scale)


def parameters(name: str) -> dict:
    """Return the parameters of a network that enlarges by 4, if it has a choice."""
    arguments = inspect.signature(_classes()[name]).parameters
    found = {key: 4 for key in FACTORS if key in arguments}
    if 'window_size' in arguments and arguments['window_size'].default == 7:
        found['window_size'] = 8  # as in the published networks
    if 'upsampler' in arguments and not arguments['upsampler'].default:
        found['upsampler'] = 'pixelshuffle'
    return found | NEEDED.get(name, {})


def cells(sr: SpandrelSR, scale: int) -> Iterator[str]:
    """Yield what build, forward and update of an SR network give."""
    try:
        build_sr(sr, scale)
        need = sr.forward if isinstance(sr.forward, AnySizeForward) else None
        sizes = size_text(need.divisor, need.smallest) if need else 'all'
        silent, equal = update(sr), equality(sr)
    except Exception as error:
        return (yield from ('', 'no', '', '', '', reason(error)))
    yield from (sizes, 'yes', equal, speed(sr) if scale == 4 else '', onnx(sr, scale) if scale > 1 else '')
    yield f'no gradient: {", ".join(silent[:3])}' if silent else ''


def size_text(divisor: int, smallest: int) -> str:
    """Say which sides a network takes."""
    return (f'multiples of {divisor} px, ' if divisor > 1 else '') + f'from {smallest} px on'


def enlargement(sr: nn.Module) -> int:
    """Return the factor by which a network enlarges."""
    with torch.no_grad():
        return sr.eval()(torch.rand(1, 3, 64, 64)).shape[-1] // 64


def update(sr: nn.Module) -> list[str]:
    """Update all weights once, and return the names of those that got no gradient."""
    optimizer = torch.optim.Adam(sr.train().parameters(), 1e-4)
    (sr(torch.rand(2, 3, 24, 20)) - 0.5).abs().mean().backward()
    silent = [name for name, value in sr.named_parameters() if value.requires_grad and value.grad is None]
    optimizer.step()
    return silent


@torch.no_grad()
def equality(sr: nn.Module) -> str:
    """Say whether eval mode is repeatable, survives a copy, and returns what train mode does."""
    image = torch.rand(2, 3, 24, 24)
    first, second, copied = sr.eval()(image), sr(image), copy.deepcopy(sr)(image)
    if not (torch.equal(first, second) and torch.equal(first, copied)):
        return 'not repeatable'
    difference = (sr.train()(image) - first).abs().max().item()
    return 'as in training' if difference < 1e-4 else f'differs from training by {difference:.2g}'


@torch.no_grad()
def speed(sr: nn.Module) -> str:
    """Return the images per second, and their ratio to those of edsr-s."""
    image, nets = torch.rand(1, 3, 64, 64), (sr.eval(), build_sr(find_sr('edsr-s', 4), 4)[0].eval())
    times: list[list[float]] = [[], []]
    begin = time.monotonic()
    while len(times[0]) < 3 or (len(times[0]) < 30 and time.monotonic() < begin + 5):
        for net, taken in zip(nets, times):
            start = time.process_time()
            net(image)
            taken.append(time.process_time() - start)
    rate, usual = (1 / min(taken) for taken in times)
    return f'{rate:.2g} ({rate / usual:.2g})'


def onnx(sr: nn.Module, scale: int) -> str:
    """Say for which images the network can be exported."""
    sr.eval()
    for text, shape in {'all sizes': None, 'one size': (64, 64)}.items():
        with TemporaryDirectory() as folder, redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            try:
                export(SR4IR(sr, None, scale, 'S'), Path(folder, 'net.onnx'), shape=shape)
            except Exception:  # of many kinds; no is no
                continue
        return text
    return 'no'


def reason(error: Exception) -> str:
    """Return an error in one line."""
    return f'{type(error).__name__}: {error}'.splitlines()[0][:160].replace('|', '/')


if __name__ == '__main__':
    main()
