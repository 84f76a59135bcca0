"""Kill trainings at random moments, or in the middle of a write, resume them, and compare with straight ones.

python .dev_scripts/kills/kills.py --kills 100 --writes 50

Weights, optimizers, message hub, best checkpoint and curves must be equal to the last bit.
"""

import argparse
import os
import random
import re
import runpy
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.runner.checkpoint import _load_checkpoint
from prettytable import PrettyTable

import sr4ir_mm.models  # noqa: F401  imported once, before the forks
from sr4ir_mm.analysis import read_curves
from sr4ir_mm.engine.runner import LateDumpRunner  # noqa: F401

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
#: name -> lines of a config on top of tiny.py, arguments of tools/train.py
CASES: dict[str, tuple[str, list[str]]] = {
    'epochs': ('', []),
    'epochs, 2 workers': ('train_dataloader = dict(num_workers=2)', []),
    'EMA': ("custom_hooks = [dict(type='EMAHook')]", []),
    'AMP': ('', ['--amp']),
    'accumulation': (
        'optim_wrapper = dict(sr=dict(accumulative_counts=3), task=dict(accumulative_counts=3))', []
    ),
    'random degradation': (
        "_base_ = ['{tiny}', '{practical}']\nmodel = dict(degradation={{{{_base_.degradation}}}})", []
    ),
    'iterations': ('{iters}', []),
    'iterations, 2 workers': ('{iters}\ntrain_dataloader = dict(num_workers=2)', []),
    'two ranks': ('', ['--launcher', 'pytorch']),
}  # fmt: skip
_ITERS = """\
train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=16, val_interval=8)
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=3))
train_dataloader = dict(sampler=dict(type='InfiniteSampler'))
"""


def make_data(root: Path) -> None:
    """Write the images of two classes."""
    for split, count in (('train', 4), ('val', 4)):
        for label in 'ab':
            (root / split / label).mkdir(parents=True)
            for i in range(count):
                rng = np.random.default_rng([split == 'val', label == 'b', i])
                image = rng.integers(0, 120, (64, 64, 3)) + 60 * (label == 'b')
                assert cv2.imwrite(str(root / split / label / f'{i}.png'), image.astype(np.uint8))


def start(folder: Path, args: list[str], sabotage: Callable[[], None] | None = None) -> int:
    """Fork a process that trains in a folder, and return its number."""
    pid = os.fork()
    if pid:
        return pid
    code, second = 70, 0
    try:
        os.setsid()
        os.chdir(folder)
        log = os.open('log.txt', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1), os.dup2(log, 2)
        if sabotage:
            sabotage()
        if '--launcher' in args:
            second = start_second_rank()
        sys.argv = ['train.py', 'case.py', '--work-dir', 'work', '--resume', *args]
        runpy.run_path(str(ROOT / 'tools/train.py'), run_name='__main__')
        code = 0
    except SystemExit as exit:
        code = exit.code or 0
    finally:
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(code or (os.waitpid(second, 0)[1] and 70 if second else 0))


def start_second_rank() -> int:
    """Fork the second of two ranks, in the process group of the first; return its number, 0 in itself."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    second = os.fork()
    rank = '0' if second else '1'
    os.environ.update(RANK=rank, LOCAL_RANK=rank, WORLD_SIZE='2', MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    return second


def train(folder: Path, args: list[str]) -> float:
    """Train to the end, and return the seconds."""
    begin = time.time()
    _, status = os.waitpid(start(folder, args), 0)
    if status:
        raise SystemExit(f'{folder}: the training failed\n' + (folder / 'log.txt').read_text()[-2000:])
    return time.time() - begin


def kill(folder: Path, args: list[str], seconds: float) -> bool:
    """Kill a training after some seconds; return whether it was still running."""
    pid = start(folder, args)
    time.sleep(seconds)
    os.killpg(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def stop_in_write(number: int, after: bool) -> Callable[[], None]:
    """Return a sabotage: a process dies in its n-th write, when half is written or when the file has its final name."""

    def sabotage() -> None:
        counter = iter(range(1, sys.maxsize))
        fsync, replace = os.fsync, Path.replace

        def half(file: int) -> None:
            if not after and next(counter) == number:
                os.ftruncate(file, os.fstat(file).st_size // 2)
                os.kill(0, signal.SIGKILL)
            fsync(file)

        def replaced(self: Path, target: Path) -> Path:
            result = replace(self, target)
            if after and next(counter) == number:
                os.kill(0, signal.SIGKILL)
            return result

        os.fsync, Path.replace = half, replaced

    return sabotage


def state_of(folder: Path) -> dict[str, Any]:
    """Return what two runs must have in common."""
    work = folder / 'work'
    last = work / Path((work / 'last_checkpoint').read_text()).name
    files = sorted(path.name for path in work.glob('*.pth'))
    curves = {name: (c.x, c.y) for name, c in read_curves(work).items() if 'time' not in name and name != 'memory'}
    checkpoints = {name: _load_checkpoint(str(work / name), map_location='cpu') for name in files if 'best' in name}
    checkpoints[last.name] = _load_checkpoint(str(last), map_location='cpu')
    for checkpoint in checkpoints.values():
        hub, meta = checkpoint['message_hub'], checkpoint['meta']
        hub['log_scalars'] = {
            name: [np.asarray(array).tolist() for array in buffer.data]
            for name, buffer in hub['log_scalars'].items()
            if 'time' not in name and 'memory' not in name
        }
        _without_paths(hub['runtime_info'])
        for name in ('time', 'experiment_name', 'cfg', 'hook_msgs', 'mmengine_version'):
            meta.pop(name, None)
    return dict(files=files, last=last.name, curves=curves, checkpoints=checkpoints)


def _without_paths(info: dict) -> None:
    for name, value in info.items():
        if isinstance(value, str):
            info[name] = re.sub(r'\S*/', '', value)
    for name in ('cfg', 'experiment_name', 'env_cfg'):
        info.pop(name, None)


def difference(ours: Any, theirs: Any, path: str = '') -> str | None:
    """Return the first place where two states differ."""
    if isinstance(theirs, dict):
        if ours.keys() != theirs.keys():
            return f'{path}: {sorted(map(str, ours.keys() ^ theirs.keys()))}'
        parts = ((ours[key], theirs[key], f'{path}/{key}') for key in theirs)
    elif isinstance(theirs, (list, tuple)):
        if len(ours) != len(theirs):
            return f'{path}: {ours} and {theirs}'[:300]
        parts = ((a, b, f'{path}/{i}') for i, (a, b) in enumerate(zip(ours, theirs)))
    elif isinstance(theirs, torch.Tensor):
        return None if torch.equal(ours, theirs) else path
    else:
        return None if ours == theirs or (ours != ours and theirs != theirs) else f'{path}: {ours} and {theirs}'
    return next(filter(None, (difference(*part) for part in parts)), None)


def main() -> None:
    """Run the cases in turn, and print how many resumed runs were equal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--kills', type=int, default=100, help='number of kills at random moments')
    parser.add_argument('--writes', type=int, default=50, help='number of kills in the middle of a write')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--only', nargs='*', default=list(CASES), choices=CASES, metavar='CASE')
    args = parser.parse_args()
    rng = random.Random(args.seed)
    for part in ('datasets', 'engine', 'evaluation', 'models', 'visualization'):  # imported once, before the forks
        import_module(f'mmpretrain.{part}')
    jobs = [(name, 'kill') for name in islice(cycle(args.only), args.kills)]
    jobs += [(name, 'write') for name in islice(cycle(args.only), args.writes)]
    counts: dict[tuple[str, str], list[bool]] = {}
    with tempfile.TemporaryDirectory() as root:
        straight = {name: prepare(Path(root), name) for name in dict.fromkeys(name for name, _ in jobs)}
        for number, (name, kind) in enumerate(jobs):
            found = try_once(Path(root) / f'{number}', name, kind, straight[name], rng)
            counts.setdefault((name, kind), []).append(not found)
            print(f'{number + 1}/{len(jobs)} {kind} in {name}: {found or "equal"}', flush=True)
    report(counts)
    sys.exit(not all(all(equal) for equal in counts.values()))


def prepare(root: Path, name: str) -> tuple[dict, float]:
    """Train straight; return the state and the seconds."""
    folder = root / re.sub(r'\W+', '-', name)
    write_case(folder, name)
    seconds = train(folder, CASES[name][1])
    return state_of(folder), seconds


def write_case(folder: Path, name: str) -> None:
    """Write the data and the config of a case."""
    make_data(folder / 'data/cls')
    tiny, practical = HERE / 'tiny.py', ROOT / 'configs/_base_/degradations/practical_x4.py'
    text = CASES[name][0].format(iters=_ITERS, tiny=tiny, practical=practical)
    base = '' if '_base_' in text else f"_base_ = '{tiny}'\n"
    (folder / 'case.py').write_text(f'{base}{text}\n')


def try_once(folder: Path, name: str, kind: str, straight: tuple[dict, float], rng: random.Random) -> str | None:
    """Kill a training once or twice, resume it, and return how it differs from a straight one."""
    state, seconds = straight
    arguments = CASES[name][1]
    write_case(folder, name)
    for _ in range(rng.choice((1, 1, 2))):
        if kind == 'kill':
            kill(folder, arguments, rng.uniform(0.02, 1) * seconds)
        else:
            os.waitpid(start(folder, arguments, stop_in_write(rng.randint(1, 8), rng.random() < 0.5)), 0)
    train(folder, arguments)
    return difference(state_of(folder), state)


def report(counts: dict[tuple[str, str], list[bool]]) -> None:
    """Print a table."""
    table = PrettyTable(['case', 'kind', 'equal', 'of'], align='l')
    for (name, kind), equal in counts.items():
        table.add_row([name, kind, sum(equal), len(equal)])
    table.add_row(['all', '', sum(map(sum, counts.values())), sum(map(len, counts.values()))])
    print(table)


if __name__ == '__main__':
    main()
