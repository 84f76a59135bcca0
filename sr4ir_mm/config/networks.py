"""Checks of the entries that a config has for each of the two networks."""

from mmengine.config import Config

from ..errors import SR4IRError
from ..models.scheme import build_scheme
from .arguments import readers
from .sources import is_read


def check_networks(cfg: Config) -> None:
    """Check what MMEngine would not read, or would miss only when it builds the training.

    Args:
        cfg (Config): Complete config of SR4IR.

    Raises:
        SR4IRError: If the model has two data preprocessors, the networks have no optimizer wrappers of their own, one
            that is trained has no schedule, or nothing reads an entry of ``paramwise_cfg``.
    """
    if not isinstance(cfg.model, dict) or not isinstance(cfg.model.get('task') or {}, dict):
        name, value = ('model.task', cfg.model.task) if isinstance(cfg.model, dict) else ('model', cfg.model)
        raise SR4IRError(f'{name}={value!r} is no network: set a dict, or its entries one by one ({name}.type=...).')
    if cfg.model.get('data_preprocessor') and (cfg.model.get('task') or {}).get('data_preprocessor'):
        raise SR4IRError(
            'Nothing reads model.data_preprocessor, because the task network has one of its own: move the entries to '
            'model.task.data_preprocessor.'
        )
    wrappers, schedules = cfg.get('optim_wrapper') or {}, cfg.get('param_scheduler')
    if not wrappers.get('constructor') or not {'sr', 'task'} & set(wrappers):
        raise SR4IRError(
            "SR4IR needs one optimizer wrapper for each network: set optim_wrapper.constructor='sr4ir_mm."
            "SR4IROptimWrapperConstructor', with the parts 'sr' and 'task'."
        )
    for name in build_scheme(cfg.model.get('scheme', 'SR4IR')).trainable_nets:
        if isinstance(schedules, dict) and 'type' not in schedules and schedules.get(name) is None:
            raise SR4IRError(
                f"param_scheduler has no '{name}', a network that is trained: add its schedule, or {name}=[] for a "
                'constant learning rate.'
            )
        _check_paramwise(cfg, name)


def _check_paramwise(cfg: Config, net: str) -> None:
    wrapper = (cfg.get('optim_wrapper') or {}).get(net) or {}
    packages = readers(cfg, ['optim_wrapper', net], cfg.get('default_scope'))
    for key in wrapper.get('paramwise_cfg') or ():
        if not is_read(key, packages):
            raise SR4IRError(
                f"Nothing reads '{key}' of optim_wrapper.{net}.paramwise_cfg: correct it, such as bias_lr_mult, "
                'norm_decay_mult or custom_keys.'
            )
