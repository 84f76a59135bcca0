"""From a config of a zoo and an SR net to a complete config."""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hub import get_config

from ..errors import SR4IRError
from .config import load_from_args, override
from .sr_zoo import find_sr

_LEAF = """\
_base_ = {base}
model = dict(_delete_=True, sr={sr}, task={task}, scale={scale}, **{scheme})
optim_wrapper = dict(_delete_=True, task={optim}, **{sr_optim})
param_scheduler = dict(_delete_=True, task={schedule}, **_base_.sr4ir_scheduler)
default_hooks = {{{{_base_.sr4ir_hooks}}}}
"""
_SCHEME = 'sr4ir_mm::_base_/schemes/sr4ir.py'


def mix(
    task: str,
    sr: str | dict | None = 'edsr',
    scale: int = 4,
    scheme: str = 'SR4IR',
    pretrained: bool = False,
    **overrides: Any,
) -> Config:
    """Train any net of a zoo with any SR net.

    Data sets, pipelines, evaluators, schedules, hooks and test settings stay those of the zoo's config; its optimizer
    and schedule become T's.

    Args:
        task (str): Full config: 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py' or a file.
        sr (str or dict, optional): S, see :func:`find_sr`. None for the schemes without S.
        scale (int): Up-sampling factor of S.
        scheme (str): See :class:`SR4IR`.
        pretrained (bool): Whether T starts from the zoo's own checkpoint.
        **overrides: More entries, with nested dicts or dotted names: ``**{'model.tdp.loss_weight': 0.1}``.

    Returns:
        Config: For MMEngine's ``Runner.from_cfg``.

    Raises:
        SR4IRError: If there is no such config, or it cannot be trained with S; the message names it.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f'{Path(task).stem}.py'
        path.write_text(mix_text(task, sr, scale, scheme, pretrained))
        cfg = Config.fromfile(path)
    cfg.merge_from_dict(overrides)
    return cfg


def mix_text(
    task: str, sr: str | dict | None = 'edsr', scale: int = 4, scheme: str = 'SR4IR', pretrained: bool = False
) -> str:
    """The same as a config file of a few lines. Arguments as in :func:`mix`."""
    zoo = _load(task, pretrained)
    task = task if '::' in task else str(Path(task).resolve())
    weights = zoo.get('model_path' if pretrained else 'load_from')
    optim, sr_optim = _optim(zoo.optim_wrapper)
    net = find_sr(sr, scale)
    named = isinstance(sr, str) and '::' not in sr and not sr.endswith('.py')  # one of ours, which can be a base
    text = _LEAF.format(
        base=[task, *([f'sr4ir_mm::_base_/sr/{sr}_x{scale}.py'] if named else []), _SCHEME],
        sr='{{_base_.sr}}' if named else net,
        task=_task(task, weights),
        scale=scale,
        scheme='_base_.sr4ir' if scheme == 'SR4IR' else f'dict(_base_.sr4ir, scheme={scheme!r})',
        optim=optim,
        sr_optim=sr_optim,
        schedule='{{_base_.param_scheduler}}' if 'param_scheduler' in zoo else [],
    )
    if zoo.get('load_from'):
        text += 'load_from = None  # which T starts from\n'
    if zoo.get('find_unused_parameters'):
        text += 'model_wrapper_cfg = dict(find_unused_parameters=True)\n'
    return text


def add_mix_arguments(parser: argparse.ArgumentParser) -> None:
    """Let a tool take a config of a zoo; :func:`mix_from_args` loads it."""
    group = parser.add_argument_group('any net of a zoo', "if 'config' is e.g. mmdet::retinanet/retinanet_r50...py")
    group.add_argument('--sr', help="S: 'edsr' or the like, a config of mmagic ('mmagic::...'), or a file")
    group.add_argument('--scale', type=int, default=4, help='up-sampling factor of S (default: 4)')
    group.add_argument('--scheme', help='SR4IR (the default), H->T, L->T, S->T, T->S or S+T')
    group.add_argument('--pretrained', action='store_true', help="T starts from the zoo's own checkpoint")
    group.add_argument('--write-config', metavar='FILE', help='write the config to a file, and do no more')


def mix_from_args(args: argparse.Namespace) -> Config:
    """The config that a tool's arguments ask for, mixed or as it is."""
    if not (args.sr or args.scheme):
        return load_from_args(args)
    options = dict(sr=args.sr, scale=args.scale, scheme=args.scheme or 'SR4IR', pretrained=args.pretrained)
    if args.write_config:
        Path(args.write_config).write_text(mix_text(args.config, **options))
        sys.exit()
    return override(mix(args.config, **options), args.config, args.cfg_options)


def _load(task: str, pretrained: bool) -> Config:
    """The zoo's config, if it is one that can be trained."""
    try:
        cfg = get_config(task, pretrained) if '::' in task else Config.fromfile(task)
    except (FileNotFoundError, ModuleNotFoundError, AssertionError) as error:
        raise SR4IRError(f"There is no config '{task}' (or no weights of it): {error}") from error
    missing = [key for key in ('model', 'optim_wrapper', 'train_dataloader', 'train_cfg') if not cfg.get(key)]
    if missing:
        raise SR4IRError(f"'{task}' has no {', '.join(missing)}, so it cannot be trained: choose a config that has.")
    if cfg.get('runner_type', 'Runner') != 'Runner':
        raise SR4IRError(
            f"'{task}' trains with MMEngine's {cfg.runner_type}, which shards one net with one optimizer; SR4IR has "
            'two of each. Choose a config of the same model for the usual Runner.'
        )
    return cfg


def _task(task: str, weights: str | None) -> str:
    if not weights:
        return '{{_base_.model}}'
    scope = f"_scope_='{task.partition('::')[0]}', " if '::' in task else ''
    return f"dict(_base_.model, {scope}init_cfg=dict(type='Pretrained', checkpoint={weights!r}))"


def _optim(zoo: dict) -> tuple[str, str]:
    """T's wrapper as it is, and S's: with the same mixed precision and accumulation, as one loss may reach both."""
    shared = {key: zoo[key] for key in ('type', 'loss_scale', 'dtype', 'accumulative_counts') if key in zoo}
    if shared.get('type') == 'AmpOptimWrapper':
        shared['type'] = 'sr4ir_mm.AmpOptimWrapper'
    if shared.get('type', 'OptimWrapper') == 'OptimWrapper' and 'accumulative_counts' not in shared:
        return '{{_base_.optim_wrapper}}', '_base_.sr4ir_optim_wrapper'
    options = ', '.join(f'{key}={value!r}' for key, value in shared.items())
    ours = '_base_.sr4ir_optim_wrapper'
    return f'dict(_base_.optim_wrapper, {options})', f'dict({ours}, sr=dict({ours}.sr, {options}))'
