"""The paper's baselines, derived from a config of SR4IR."""

import copy
import re
import shlex
from pathlib import Path

from mmengine.config import Config, ConfigDict

from ..errors import SR4IRError
from ..models.scheme import ALIASES, SCHEMES, scheme_name
from .folds import name_fold, take_fold
from .loading import load_config, override
from .nodes import all_dicts, type_name
from .options import leaves

_NAME = re.compile(r'(?P<net>.+)_(?P<sr>[^_]+)_x(?P<scale>\d+)(?:_(?P<data>[^_]+))?')
_SUFFIXES = {scheme: alias for alias, scheme in ALIASES.items() if scheme != 'SR4IR'}
#: network that a scheme freezes -> scheme that trains it
_STARTS = {'S->T': ('sr', 'S'), 'T->S': ('task', 'H->T')}
#: hooks of the zoos that change the task network
_TASK_HOOKS = {'YOLOXModeSwitchHook'}


def load_run(source: str | Path, scheme: str | None = None, options: dict | None = None) -> Config:
    """Load a config, and derive a baseline from it if a scheme is given.

    The file name of the result is the name of the run, see :func:`run_name`; so is the default work dir of the tools.
    An entry ``fold`` of the config, such as '2/5', makes it the run of a fold, see ``take_fold``.

    Args:
        source (str or Path): Config of SR4IR, see :func:`load_config`.
        scheme (str, optional): Name or alias, see :func:`apply_scheme`. None for the config as it is.
        options (dict, optional): Dotted keys and values of ``--cfg-options``.

    Raises:
        SR4IRError: If the config is missing, or does not take the scheme or an option.

    Example:
        >>> load_run('configs/sr4ir/deeplabv3_edsr_x4_voc.py', 's2t').filename
        'configs/sr4ir/deeplabv3_edsr_x4_voc_s2t.py'
    """
    if not scheme:
        return take_fold(name_fold(load_config(source, options))[0])
    cfg = load_config(source, copy.deepcopy(options_for(options, scheme, derived=False)))
    return take_fold(derive_run(cfg, scheme, shlex.quote(str(source)), options))


def derive_run(cfg: Config, scheme: str, source: str, options: dict | None) -> Config:
    """Derive the run of a scheme from a config that has the options already, because the scheme depends on them.

    Args:
        cfg (Config): Config of SR4IR, with the options in it.
        scheme (str): Name or alias.
        source (str): What :file:`tools/train.py` takes to load the config, quoted for a shell.
        options (dict, optional): Options, which win over what the scheme sets.
    """
    cfg, fold = name_fold(cfg)
    return override(apply_scheme(cfg, scheme, source + fold), options_for(options, scheme))


def options_for(options: dict | None, scheme: str, derived: bool = True) -> dict:
    """Return options that find the data preprocessor, which a scheme without a task network has in another place.

    Args:
        options (dict, optional): Options, with the one place or the other.
        scheme (str): Name or alias.
        derived (bool): Whether they are for the config that :func:`apply_scheme` returns, or for the one before.
    """
    if SCHEMES[scheme_name(scheme)].uses_task_net:
        return dict(options or {})
    old, new = ('model.task', 'model') if derived else ('model', 'model.task')
    pattern = re.compile(rf'{old}(?=\.data_preprocessor\b)')
    return {pattern.sub(new, key) if pattern.match(key) else key: value for key, value in leaves(options or {}).items()}


def apply_scheme(cfg: Config, scheme: str, source: str | None = None) -> Config:
    """Derive one of the paper's baselines from a config of SR4IR, which stays as it is.

    ==============  ===============================================================================================
    scheme          what changes, in addition to ``model.scheme``
    ==============  ===============================================================================================
    all             ``param_scheduler`` becomes ``baseline_scheduler``, if the config has one
    'H->T', 'L->T'  no super-resolution network
    'S->T'          ``model.sr`` starts from the run of 'S', unless ``pretraining`` names another run for its weights
    'T->S'          ``model.task`` starts from the run of 'H->T', unless it has weights of the whole network already
    'S+T'           nothing
    'S'             no task network, only its data preprocessor; images are evaluated
    ==============  ===============================================================================================

    The entry ``pretraining`` of a config maps a checkpoint to the command that trains it.

    Args:
        cfg (Config): Config of SR4IR. Its file name is the name of its run.
        scheme (str): 'S', 'H->T', 'L->T', 'S->T', 'T->S', 'S+T', 'SR4IR', or an alias: 's', 'h2t', 'l2t', 's2t',
            't2s', 'st', 'sr4ir'.
        source (str, optional): What :file:`tools/train.py` takes to load the config, quoted for a shell; by default its
            file.

    Returns:
        Config: New config, whose file name is that of its own run, see :func:`run_name`.

    Raises:
        SR4IRError: If the scheme is unknown, or the config is not one of SR4IR.

    Example:
        >>> cfg = apply_scheme(Config.fromfile('configs/sr4ir/deeplabv3_edsr_x4_voc.py'), 'S->T')
        >>> cfg.model.sr.init_cfg.checkpoint
        'work_dirs/deeplabv3_edsr_x4_voc_s/epoch_100.pth'
    """
    scheme = scheme_name(scheme)
    _check(cfg)
    path = Path(cfg.filename or 'sr4ir.py')
    cfg = Config(cfg.to_dict(), cfg_text=cfg.text, filename=path.with_stem(run_name(path.stem, scheme)))
    if scheme == 'SR4IR':
        return cfg
    cfg.model.scheme = scheme
    cfg.pop('work_dir', None)  # that of SR4IR
    if 'baseline_scheduler' in cfg:
        cfg.param_scheduler = cfg.baseline_scheduler
    if not SCHEMES[scheme].uses_sr_net:
        cfg.model.sr = None
    if not SCHEMES[scheme].uses_task_net:
        _remove_task(cfg)
    if scheme in _STARTS and not _has_start(cfg, scheme):
        net, trained_by = _STARTS[scheme]
        checkpoint = f'work_dirs/{run_name(path.stem, trained_by)}/{_last_checkpoint(cfg.train_cfg)}'
        cfg.model[net].init_cfg = dict(type='Pretrained', prefix=f'{net}.', checkpoint=checkpoint)
        command = f'python tools/train.py {source or shlex.quote(str(path))} --scheme {_SUFFIXES[trained_by]}'
        cfg.pretraining = {**cfg.get('pretraining', {}), checkpoint: command}
    return cfg


def run_name(name: str, scheme: str) -> str:
    """Return the name of a baseline's run.

    Runs without the super-resolution network are the same for all of them: their names leave out what does not matter.

    Args:
        name (str): Name of SR4IR's config, '<task network>_<SR network>_x<scale>_<data>' or any other.
        scheme (str): Name of the scheme.

    Example:
        >>> [run_name('deeplabv3_edsr_x4_voc', scheme) for scheme in ('S->T', 'L->T', 'H->T')]
        ['deeplabv3_edsr_x4_voc_s2t', 'deeplabv3_x4_voc_l2t', 'deeplabv3_voc_h2t']
    """
    if scheme == 'SR4IR':
        return name
    parts = _NAME.fullmatch(name)
    if parts and not SCHEMES[scheme].uses_sr_net:
        scale = None if scheme == 'H->T' else f'x{parts["scale"]}'
        name = '_'.join(filter(None, [parts['net'], scale, parts['data']]))
    return f'{name}_{_SUFFIXES[scheme]}'


def is_sr4ir(cfg: Config) -> bool:
    """Return whether a config is for SR4IR: its model has an entry for the super-resolution network."""
    return {'sr', 'scale'} <= set(cfg.get('model') or {})


def _check(cfg: Config) -> None:
    if not is_sr4ir(cfg):
        raise SR4IRError(f"'{cfg.filename}' has no super-resolution network: add one with --sr edsr --scale 4.")
    scheme = cfg.model.get('scheme', 'SR4IR')
    # with options, such as joint=True, it is still that of SR4IR
    name = scheme.get('phases') if isinstance(scheme, dict) else scheme
    if not isinstance(name, str) or scheme_name(name) != 'SR4IR':
        raise SR4IRError(
            f"'{cfg.filename}' already has the scheme {scheme}: give the config of SR4IR, or leave out --scheme."
        )


def _has_start(cfg: Config, scheme: str) -> bool:
    init_cfg = cfg.model[_STARTS[scheme][0]].get('init_cfg')
    files = [node.checkpoint for node in all_dicts([init_cfg]) if type_name(node.get('type')) == 'Pretrained']
    return any(scheme == 'T->S' or file in cfg.get('pretraining', {}) for file in files)


def _last_checkpoint(train_cfg: dict) -> str:
    return f'epoch_{train_cfg.max_epochs}.pth' if 'max_epochs' in train_cfg else f'iter_{train_cfg.max_iters}.pth'


def _remove_task(cfg: Config) -> None:
    """Remove the task network, but keep its data preprocessor: crops and padding stay the same."""
    own = cfg.model.task.get('data_preprocessor')
    preprocessor = ConfigDict(own or cfg.get('data_preprocessor') or {})
    if cfg.get('default_scope') == 'mmpretrain':  # as its classifiers do
        preprocessor.setdefault('type', 'ClsDataPreprocessor')
        if augments := cfg.model.task.get('train_cfg'):
            preprocessor.setdefault('batch_augments', augments)
    if preprocessor:
        (cfg.model if own else cfg).data_preprocessor = preprocessor  # in its place, where options look for it
    cfg.model.task = None
    for stage in ('val', 'test'):
        if cfg.get(f'{stage}_evaluator'):
            cfg[f'{stage}_evaluator'] = [dict(type='sr4ir_mm.SRQuality')]
    if cfg.get('val_evaluator'):
        cfg.merge_from_dict(dict(default_hooks=dict(checkpoint=dict(save_best='sr/PSNR', rule='greater'))))
    if cfg.get('custom_hooks'):
        cfg.custom_hooks = [hook for hook in cfg.custom_hooks if type_name(hook['type']) not in _TASK_HOOKS]
