"""What a user wants to know when a training starts and when it has ended."""

import shlex
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import nn

from ..utils import short_path, unwrap

#: enlargement of the images by the pipeline from which on S would learn from images without details
LARGEST_ENLARGEMENT = 1.5


class RunOverviewHook(Hook):
    """A hook that says what is trained, on what sizes, for how long, and at the end where everything is.

    It warns if the images of the first batch were enlarged, because their LR images are then hardly smaller than the
    original ones, and their HR images have no details that the super-resolution network could learn.

    Example:
        >>> runner.register_hook(RunOverviewHook())
    """

    priority = 'LOWEST'  # after the pictures

    def before_train(self, runner: Runner) -> None:
        """Say what is trained, and what is saved where."""
        self.start, self.is_first = time.time(), True
        for line in (*_networks(runner), _length(runner), *_files(runner)):
            runner.logger.info(line)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Look at the first batch when it has been preprocessed."""
        if self.is_first:
            self.is_first, self.runner = False, runner
            self.handle = unwrap(runner.model).data_preprocessor.register_forward_hook(self._see)

    def _see(self, module: nn.Module, args: tuple, output: dict) -> None:
        self.handle.remove()
        images, samples = output['inputs'], output.get('data_samples') or []
        hr, lr = (images[name].shape for name in ('hr', 'lr'))
        self.runner.logger.info(f'First batch: {len(images["hr"])} images, HR {_size(hr)}, LR {_size(lr)} px')
        if warning := enlargement_warning(samples, lr, self.runner.cfg.get('train_dataloader') or {}):
            self.runner.logger.warning(warning)

    def after_train(self, runner: Runner) -> None:
        """Say what came out, where it is, and what to do next."""
        loop = runner.train_loop
        done = f'{runner.epoch} epochs' if isinstance(loop, EpochBasedTrainLoop) else f'{runner.iter} iterations'
        runner.logger.info(f'Finished {done}; this start took {timedelta(seconds=round(time.time() - self.start))}.')
        for line in _best(runner):
            runner.logger.info(line)
        runner.logger.info(f'Log and values of this start: {short_path(runner.log_dir)}')
        run = shlex.quote(short_path(runner.work_dir))
        runner.logger.info(f'Next: {_command("test")} {run} --show-dir panels')
        runner.logger.info(f'  or: {_command("infer")} {run} FOLDER_OF_LR_IMAGES --out-dir out')


def enlargement_warning(samples: list, lr: tuple[int, ...], loader: dict) -> str:
    """Return a warning if the pipeline has enlarged the images of a batch, else ''.

    Args:
        samples (list): Data samples, which know the sizes of the images.
        lr (tuple): Shape of the LR images, N x 3 x h x w.
        loader (dict): Config of the data loader, whose transforms the warning names.
    """
    sizes = [sample.metainfo for sample in samples if {'ori_shape', 'img_shape'} <= set(sample.metainfo)]
    factors = [_enlargement(info) for info in sizes]
    if not factors or (factor := median(factors)) < LARGEST_ENLARGEMENT:
        return ''
    info = sizes[factors.index(min(factors, key=lambda other: abs(other - factor)))]
    steps = ', '.join(dict.fromkeys(_resizing(loader))) or 'the transform that resizes them'
    return (
        f'The pipeline enlarges the images of the first batch {factor:.1f} times: from {_size(info["ori_shape"][:2])} '
        f'px, one became {_size(info["img_shape"][:2])} px (HR), and its LR image is {_size(lr)} px, close to the '
        'original. Such HR images have no details that the super-resolution network could learn: set the scale of '
        f'{steps} in train_dataloader (and val_dataloader, test_dataloader) to the size of your images.'
    )


def _enlargement(info: dict) -> float:
    """Return the factor of the last resize, or that between the sizes, which a crop makes smaller."""
    factor = info.get('scale_factor')
    pairs = [factor] if isinstance(factor, (int, float)) else factor
    pairs = pairs if pairs is not None else [new / old for new, old in zip(info['img_shape'][:2], info['ori_shape'])]
    return min(float(value) for value in pairs)


def _resizing(node: Any) -> Iterator[str]:
    """Return the names of the transforms that resize."""
    if isinstance(node, dict):
        name = node.get('type')
        if 'Resize' in (text := name if isinstance(name, str) else getattr(name, '__name__', '')):
            yield text
        node = list(node.values())
    for value in node if isinstance(node, (list, tuple)) else ():
        yield from _resizing(value)


def _networks(runner: Runner) -> Iterator[str]:
    model = unwrap(runner.model)
    scheme = (runner.cfg.get('model') or {}).get('scheme', 'SR4IR')
    yield f'Scheme {scheme if isinstance(scheme, str) else "of your own"}, x{model.scale}'
    for title, name in ('Super-resolution network', 'sr'), ('Task network', 'task'):
        if name in model.used_nets:
            net = unwrap(getattr(model, name))
            parts = [type(part).__name__ for part in (net, getattr(net, 'backbone', None)) if part is not None]
            count = sum(parameter.numel() for parameter in net.parameters())
            frozen = ', frozen' if name in model.scheme.frozen_nets else ''
            yield f'{title}: {", ".join(parts)}, {_count(count)} parameters{frozen}'


def _length(runner: Runner) -> str:
    loop, unit, epochs = runner.train_loop, 'iteration', ''
    if isinstance(loop, EpochBasedTrainLoop):
        unit, epochs = 'epoch', f' = {runner.max_epochs} epochs of {len(loop.dataloader)}'
    begun = f'; {runner.iter} of them are done' if runner.iter else ''
    validation = f'validation {_every(loop.val_interval, unit)}' if runner.val_loop else 'no validation'
    return f'{runner.max_iters} iterations{epochs}{begun}; {validation}'


def _files(runner: Runner) -> Iterator[str]:
    for hook in (hook for hook in runner.hooks if isinstance(hook, CheckpointHook)):
        every = _every(hook.interval, 'epoch' if hook.by_epoch else 'iteration') if hook.interval > 0 else 'at the end'
        best = f', best {", ".join(hook.save_best)}' if hook.save_best and runner.val_loop else ''
        yield f'Checkpoints: {short_path(hook.out_dir)} ({every}{best})'
    yield f'Log: {short_path(runner.logger.log_file)}'


def _best(runner: Runner) -> Iterator[str]:
    """Return a line for each best checkpoint, and one for the last."""
    info = runner.message_hub.runtime_info
    for hook in (hook for hook in runner.hooks if isinstance(hook, CheckpointHook)):
        names = getattr(hook, 'key_indicators', [])
        for name in names:
            suffix = f'_{name}' if len(names) > 1 else ''
            if path := info.get(f'best_ckpt{suffix}'):
                yield f'Best checkpoint: {name} {info[f"best_score{suffix}"]:.4f}, {short_path(path)}'
        if hook.last_ckpt:
            yield f'Last checkpoint: {short_path(hook.last_ckpt)}'


def _command(tool: str) -> str:
    """Return how the user would start another tool: as this one was started."""
    script = Path(sys.argv[0])
    if script.name == 'train.py' and '.mim' not in script.parts:
        return f'python {shlex.quote(str(script.with_name(f"{tool}.py")))}'
    return f'sr4ir {tool}'


def _size(shape: tuple[int, ...]) -> str:
    return f'{shape[-1]} x {shape[-2]}'


def _every(interval: int, unit: str) -> str:
    return f'every {unit}' if interval == 1 else f'every {interval} {unit}s'


def _count(number: int) -> str:
    return f'{number / 1e6:.1f} M' if number >= 1e5 else f'{number / 1e3:.1f} k'
