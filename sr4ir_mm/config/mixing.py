"""Mixes: a config of a zoo and a super-resolution network become a complete config of SR4IR."""

import copy
import re
import shlex
import tempfile
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..errors import SR4IRError
from ..models.memory_format import takes_channels_last
from ..models.scheme import SCHEMES, scheme_name
from .folds import take_fold
from .hf_nets import read_pretrained, task_config
from .loading import load_config, override
from .nodes import type_name
from .normalization import move_normalization
from .reading import is_new_style, read_config
from .schemes import derive_run, options_for
from .sr_nets import find_sr, is_name
from .zoo import check_net, config_folder, started_from, teacher_of

_TEMPLATE = """\
_base_ = {base}
model = dict(_delete_=True, sr={sr}, task={task}, scale={scale}, **{model})
optim_wrapper = dict(_delete_=True, task={optim}, **{sr_optim})
param_scheduler = dict({delete}task={schedule}, **_base_.sr4ir_scheduler)
default_hooks = {{{{_base_.sr4ir_hooks}}}}
train_dataloader = {{{{_base_.sr4ir_loader}}}}
"""
_SCHEME = 'sr4ir_mm::_base_/schemes/sr4ir.py'


def mix(
    task: str,
    sr: str | dict | None = 'edsr',
    scale: int = 4,
    scheme: str = 'SR4IR',
    pretrained: bool = False,
    network: str | None = None,
    **overrides: Any,
) -> Config:
    """Make a config that trains any network of a zoo with any super-resolution network.

    Data sets, pipelines, evaluators, schedules, hooks and test settings stay those of the zoo's config. Its optimizer
    and schedule become those of the task network.

    Args:
        task (str): Complete config: 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py' or a file.
        sr (str or dict, optional): SR network, see :func:`find_sr`. None for 'H->T' and 'L->T'.
        scale (int): Up-sampling factor of the SR network.
        scheme (str): Name or alias, see :func:`apply_scheme`.
        pretrained (bool): Whether the task network starts from the zoo's own checkpoint.
        network (str, optional): Task network in place of the zoo's: a folder of transformers, or a name on the Hugging
            Face Hub, such as 'nvidia/segformer-b0-finetuned-ade-512-512'.
        **overrides: More entries, as nested dicts or with dotted names: ``**{'model.tdp.loss_weight': 0.1}``. The task
            network starts from the file ``load_from``, which may also stand in a config of yours.

    Returns:
        Config: Config for MMEngine's ``Runner.from_cfg``. Its file name is the name of the run:
            '<zoo's config>_<SR network>_x<scale>', or that of a baseline, see :func:`run_name`.

    Raises:
        SR4IRError: If the zoo's config is missing, or cannot be trained with an SR network.

    Example:
        >>> cfg = mix('mmdet::retinanet/retinanet_r50_fpn_1x_coco.py', sr='edsr', scale=4)
        >>> Runner.from_cfg(cfg).train()
    """
    return load_mix(task, sr, scale, scheme, pretrained, overrides, network)


def load_mix(task: str, sr: str | dict | None, scale: int, scheme: str, pretrained: bool, options: dict | None,
             network: str | None = None) -> Config:  # fmt: skip
    """Make the same config with ``--cfg-options``; other arguments as in :func:`mix`."""
    scheme, options = scheme_name(scheme), dict(options or {})
    if sr is None and SCHEMES[scheme].uses_sr_net:
        raise SR4IRError(f"The scheme '{scheme}' needs a super-resolution network: add --sr edsr --scale 4.")
    start = {'load_from': options.pop('load_from')} if 'load_from' in options and not options.get('resume') else {}
    with tempfile.TemporaryDirectory() as folder:
        names = [Path(task).stem, *([Path(network).name] if network else []), _sr_name(sr), f'x{scale}']
        path = Path(folder) / f'{"_".join(names)}.py'
        path.write_text(mix_text(task, sr, scale, pretrained, Path(folder), network, **start))
        cfg = override(read_config(path), copy.deepcopy(options_for(options, scheme, derived=False)))
    # no option takes a dict, but the name of a file that has it
    words = [task, '--sr', 'SR_FILE.py' if isinstance(sr, dict) else str(sr), '--scale', str(scale)]
    source = shlex.join(words + (['--task', network] if network else []))
    cfg = derive_run(cfg, scheme, source + ' --pretrained' * pretrained, options)
    return read_pretrained(move_normalization(take_fold(cfg)))


def mix_text(task: str, sr: str | dict | None = 'edsr', scale: int = 4, pretrained: bool = False,
             folder: Path | None = None, network: str | None = None, **options: Any) -> str:  # fmt: skip
    """Return the config of the scheme SR4IR as a file of a few lines.

    Args:
        task, sr, scale, pretrained: As in :func:`mix`.
        folder (Path, optional): Folder for a copy of a config in MMEngine's new style, from which the file inherits.
        network (str, optional): As in :func:`mix`.
        **options: Entries of the zoo's config that are other ones, such as ``load_from``.
    """
    zoo = _load(task, pretrained, options, network)
    package, _, path = task.rpartition('::')
    if package and package != 'sr4ir_mm' and zoo.get('default_scope') not in (None, package):
        task = str(config_folder(package) / path)  # else MMEngine looks for its types in this package
    elif not package:
        task = str(Path(task).resolve())
    if folder and is_new_style(task):
        task = str(folder / 'task.py')
        Config(zoo.to_dict(), format_python_code=False).dump(task)
    weights = None if network else zoo.get('model_path') or zoo.get('load_from')
    optim, sr_optim = _optim(zoo.optim_wrapper)
    net = find_sr(sr, scale)
    # one of ours can be a base, if the zoo's config has no variable of the same name
    named = is_name(sr) and not {'sr', 'scale'} & set(zoo)
    text = _TEMPLATE.format(
        base=[task, *([f'sr4ir_mm::_base_/sr/{sr}_x{scale}.py'] if named else []), _SCHEME],
        sr='{{_base_.sr}}' if named else net,
        task=zoo.model.to_dict() if network else _task(task, zoo, weights),
        scale=scale,
        model='_base_.sr4ir' if takes_channels_last(zoo.model) else 'dict(_base_.sr4ir, channels_last=False)',
        optim=optim,
        sr_optim=sr_optim,
        delete='_delete_=True, ' if 'param_scheduler' in zoo else '',
        schedule='{{_base_.param_scheduler}}' if zoo.get('param_scheduler') else [],
    )
    if zoo.get('load_from') or options:
        text += 'load_from = None  # the task network starts from it\n'
    if zoo.get('find_unused_parameters'):
        text += 'model_wrapper_cfg = dict(find_unused_parameters=True)\n'
    return text


def _sr_name(sr: str | dict | None) -> str:
    """Return the part of a run's name that stands for the SR network."""
    if isinstance(sr, dict):
        return type_name(sr['type']).replace('_', '-')
    path = Path(sr or 'none')
    is_of_run = re.match(r'(best|epoch|iter)_', path.stem)  # a name that files of all trainings have
    return (f'{path.resolve().parent.name}_{path.stem}' if is_of_run else path.stem).replace('_', '-')


def _load(task: str, pretrained: bool, options: dict, network: str | None) -> Config:
    """Load the zoo's config, with another network in it, if it is one that can be trained."""
    if network and (pretrained or options.get('load_from')):
        raise SR4IRError('--task names the network with its weights: leave out --pretrained and load_from.')
    if pretrained and options.get('load_from'):
        raise SR4IRError('--pretrained and load_from both name weights of the task network: leave one out.')
    cfg = load_config(task, options, zoo=True, weights=pretrained)
    if pretrained and not (cfg.get('model_path') or cfg.get('load_from')):
        raise SR4IRError(f"'{task}' has no published weights: leave out --pretrained, or choose another config.")
    if network:
        cfg.model = task_config(network, cfg)
    missing = [key for key in ('model', 'optim_wrapper', 'train_dataloader', 'train_cfg') if not cfg.get(key)]
    if missing:
        raise SR4IRError(f"'{task}' has no {', '.join(missing)}, so it cannot be trained: choose a complete config.")
    if cfg.get('runner_type', 'Runner') != 'Runner':
        raise SR4IRError(
            f"'{task}' trains with MMEngine's {cfg.runner_type}, which shards one network with one optimizer. SR4IR "
            'has two of each: choose a config of the same model for the usual Runner.'
        )
    check_net(task, cfg)
    return cfg


def _task(task: str, zoo: Config, weights: str | None) -> str:
    """Write the zoo's network with the entries of it that change."""
    package = task.rpartition('::')[0]  # '' of a file
    teacher = {**zoo.model, **teacher_of(zoo.model, zoo.get('default_scope'))}.get('teacher_config')
    changes = dict(teacher_config=teacher) if isinstance(teacher, str) else {}
    if weights and package:
        changes['_scope_'] = package
    if weights:
        changes['init_cfg'] = started_from(weights, zoo.model.get('init_cfg'))
    options = ', '.join(f'{key}={value!r}' for key, value in changes.items())
    return f'dict(_base_.model, {options})' if changes else '{{_base_.model}}'


def _optim(zoo: dict) -> tuple[str, str]:
    """Write the optimizer wrappers of the task network (the zoo's) and of the SR network.

    Both have the same mixed precision and accumulation, because one loss may reach both networks.
    """
    shared = {key: zoo[key] for key in ('type', 'loss_scale', 'dtype', 'accumulative_counts') if key in zoo}
    kind = type_name(shared.get('type', 'OptimWrapper'))
    if kind == 'AmpOptimWrapper':
        shared['type'] = 'sr4ir_mm.AnyDeviceAmpOptimWrapper'
    if kind == 'OptimWrapper' and 'accumulative_counts' not in shared:
        return '{{_base_.optim_wrapper}}', '_base_.sr4ir_optim_wrapper'
    options = ', '.join(f'{key}={value!r}' for key, value in shared.items())
    ours = '_base_.sr4ir_optim_wrapper'
    return f'dict(_base_.optim_wrapper, {options})', f'dict({ours}, sr=dict({ours}.sr, {options}))'
