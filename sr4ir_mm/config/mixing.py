"""From a config of a zoo and an SR net to a complete config."""

import tempfile
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.registry import MODELS

from ..errors import SR4IRError
from .sr_nets import find_sr
from .zoo import teacher_of

_LEAF = """\
_base_ = {base}
model = dict(_delete_=True, sr={sr}, task={task}, scale={scale}, **{scheme})
optim_wrapper = dict(_delete_=True, task={optim}, **{sr_optim})
param_scheduler = dict(_delete_=True, task={schedule}, **_base_.sr4ir_scheduler)
default_hooks = {{{{_base_.sr4ir_hooks}}}}
"""
_NETS = {'BaseSegmentor', 'BaseDetector', 'BaseClassifier', 'BaseRetriever', 'TorchvisionNet'}
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
    # one of ours can be a base, if the zoo's config has no variable of the same name
    named = isinstance(sr, str) and '::' not in sr and not sr.endswith('.py') and not {'sr', 'scale'} & set(zoo)
    text = _LEAF.format(
        base=[task, *([f'sr4ir_mm::_base_/sr/{sr}_x{scale}.py'] if named else []), _SCHEME],
        sr='{{_base_.sr}}' if named else net,
        task=_task(task, zoo.model, weights),
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
    _check_net(task, cfg)
    return cfg


def _check_net(task: str, cfg: Config) -> None:
    """Refuse nets that need more than an image, before their data are looked for."""
    with MODELS.switch_scope_and_registry(cfg.get('default_scope')) as registry:
        net = registry.get(cfg.model.type)
    bases = {base.__name__ for base in net.__mro__} if net else set()
    if not bases & _NETS or 'SemiBaseDetector' in bases or 'language_model' in cfg.model:
        raise SR4IRError(
            f"'{task}': {cfg.model.type} is no segmentor, detector or classifier of one image (but self- or "
            'semi-supervised, of several images, or of text), so SR4IR cannot train it: choose another T.'
        )


def _task(task: str, model: dict, weights: str | None) -> str:
    """The zoo's net, and what of it is another here."""
    package = task.rpartition('::')[0]  # '' of a file
    changes = teacher_of(model, package) if package else {}
    if weights and package:
        changes['_scope_'] = package
    if weights:
        changes['init_cfg'] = dict(type='Pretrained', checkpoint=weights)
    options = ', '.join(f'{key}={value!r}' for key, value in changes.items())
    return f'dict(_base_.model, {options})' if changes else '{{_base_.model}}'


def _optim(zoo: dict) -> tuple[str, str]:
    """T's wrapper as it is, and S's: with the same mixed precision and accumulation, as one loss may reach both."""
    shared = {key: zoo[key] for key in ('type', 'loss_scale', 'dtype', 'accumulative_counts') if key in zoo}
    if shared.get('type') == 'AmpOptimWrapper':
        shared['type'] = 'sr4ir_mm.AnyDeviceAmpOptimWrapper'
    if shared.get('type', 'OptimWrapper') == 'OptimWrapper' and 'accumulative_counts' not in shared:
        return '{{_base_.optim_wrapper}}', '_base_.sr4ir_optim_wrapper'
    options = ', '.join(f'{key}={value!r}' for key, value in shared.items())
    ours = '_base_.sr4ir_optim_wrapper'
    return f'dict(_base_.optim_wrapper, {options})', f'dict({ours}, sr=dict({ours}.sr, {options}))'
