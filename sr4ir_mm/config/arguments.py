"""The arguments that the entries of a config may have: those of the class, or of what MMEngine builds from a dict."""

import inspect
import re
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from mmengine import registry as registries
from mmengine.config import Config
from mmengine.registry import Registry
from mmengine.utils import get_object_from_string

from .nodes import nodes_along

#: what MMEngine's Runner reads from the top level of a config
ENTRIES = {
    'model', 'work_dir', 'train_dataloader', 'val_dataloader', 'test_dataloader', 'train_cfg', 'val_cfg', 'test_cfg',
    'auto_scale_lr', 'optim_wrapper', 'param_scheduler', 'val_evaluator', 'test_evaluator', 'default_hooks',
    'custom_hooks', 'data_preprocessor', 'load_from', 'resume', 'launcher', 'env_cfg', 'log_processor', 'log_level',
    'visualizer', 'default_scope', 'randomness', 'experiment_name', 'model_wrapper_cfg', 'sync_bn', 'compile',
    'find_unused_parameters', 'activation_checkpointing', 'efficient_conv_bn_eval', 'runner_type',
}  # fmt: skip
#: what this package reads in addition
OURS = {'data_root', 'pretraining', 'baseline_scheduler', 'fold', 'predict'}

_ANY = 'DATASETS TRANSFORMS MODELS HOOKS'
#: start of a path -> registries of the classes in it
_REGISTRIES = {
    r'(model|data_preprocessor)$': 'MODELS TASK_UTILS',
    r'\w+_dataloader$': 'DATASETS TRANSFORMS DATA_SAMPLERS FUNCTIONS',
    r'\w+_evaluator$': 'METRICS EVALUATOR',
    r'(train|val|test)_cfg$': 'LOOPS',
    r'(default|custom)_hooks$': 'HOOKS TRANSFORMS',
    r'(param|baseline)_scheduler$': 'PARAM_SCHEDULERS',
    r'optim_wrapper$': 'OPTIM_WRAPPERS OPTIMIZERS',
    r'visualizer$': 'VISUALIZERS VISBACKENDS',
    r'log_processor$': 'LOG_PROCESSORS',
    r'model_wrapper_cfg$': 'MODEL_WRAPPERS',
}
#: dicts with a part for each network, and their entries
_OF_NETS = {
    'optim_wrapper': {'constructor', 'sr', 'task'},
    'param_scheduler': {'sr', 'task'},
    'baseline_scheduler': {'sr', 'task'},
}
_WRAPPER = {'type', 'constructor', 'paramwise_cfg', 'optimizer'}
#: path of a dict without a type -> names, and callables whose parameters are names, of its entries
_PLAIN: dict[str, tuple[set[str], Sequence[str]]] = {
    r'train_cfg': ({'type', 'by_epoch'}, ['mmengine.runner.EpochBasedTrainLoop', 'mmengine.runner.IterBasedTrainLoop']),
    r'val_cfg': ({'type'}, ['mmengine.runner.ValLoop']),
    r'test_cfg': ({'type'}, ['mmengine.runner.TestLoop']),
    r'\w+_dataloader': ({'num_batch_per_epoch'}, ['torch.utils.data.DataLoader']),
    r'env_cfg': ({'cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'}, []),
    r'predict': ({'tta', 'classes', 'score_thr', 'slice_size', 'slice_overlap', 'window', 'overlap'}, []),
    r'randomness': ({'seed', 'deterministic', 'diff_rank_seed'}, []),
    r'auto_scale_lr': ({'enable', 'base_batch_size'}, []),
    r'(param|baseline)_scheduler': ({'sr', 'task'}, []),
    r'optim_wrapper(\.sr|\.task)?': (_WRAPPER, ['mmengine.optim.OptimWrapper']),
    r'optim_wrapper.*\.clip_grad': (
        {'type', 'max_norm', 'norm_type', 'error_if_nonfinite', 'foreach', 'clip_value'}, [],
    ),
    r'log_processor': (set(), ['mmengine.runner.LogProcessor']),
    r'visualizer': ({'type'}, ['mmengine.visualization.Visualizer']),
    r'model\.tdp': ({'type'}, ['sr4ir_mm.models.TDPLoss']),
    r'model\.cqmix': ({'type'}, ['sr4ir_mm.models.CQMix']),
    r'model\.scheme': (set(), ['sr4ir_mm.models.Scheme']),
    r'model\.scheme\.shares': ({'hr', 'bilinear', 'sr', 'mix'}, []),
    r'(model|task|sr)(\..+)?\.init_cfg': (
        {'type', 'checkpoint', 'prefix', 'map_location', 'layer', 'override', 'mean', 'std', 'val', 'bias', 'bias_prob',
         'distribution', 'mode', 'nonlinearity', 'a', 'b', 'gain'}, [],
    ),
}  # fmt: skip


def known_names(path: Sequence[str], node: dict, scope: str | None) -> set[str] | None:
    """Return the names that the entries of a dict may have, or None if this cannot be told.

    Args:
        path (Sequence[str]): Keys that lead to the dict.
        node (dict): The dict; empty if the config does not have it yet.
        scope (str, optional): Scope in which its type is looked up.
    """
    if not path:
        return ENTRIES | OURS
    joined = '.'.join(path)
    if joined in _OF_NETS and {'sr', 'task'} & set(node):
        return _OF_NETS[joined] | ({'type'} if node.get('type') == 'OptimWrapper' else set())  # the default
    names, callables = next((value for key, value in _PLAIN.items() if re.fullmatch(key, joined)), (None, []))
    if node.get('type'):
        target = find_class(path, node['type'], scope)
        own = _parameters(target) if target else None
        if own is None or joined.endswith('init_cfg'):
            return None
        return own | _additions(path) | (names or set())
    if names is None:
        return None
    return names.union(*(_parameters(get_object_from_string(name)) or () for name in callables))


def find_class(path: Sequence[str], kind: Any, scope: str | None) -> Any:
    """Return the class or function that a type names, looked up as at this place of a config, or None."""
    if not isinstance(kind, str):
        return kind
    return next((found for node in _nodes(path, scope) if (found := node.get(kind)) is not None), None)


def type_names(path: Sequence[str], scope: str | None) -> set[str]:
    """Return the names of all types at this place of a config, of the scope and of MMEngine."""
    return {
        name for node in _nodes(path, scope) for name in (*node.module_dict, *getattr(node.parent, 'module_dict', ()))
    }


def _nodes(path: Sequence[str], scope: str | None) -> list[Registry]:
    """Return the registries of a scope for this place of a config; MMEngine's where the scope has none."""
    if scope and find_spec(scope):
        import_module(f'{scope}.registry')
    names = next((value for key, value in _REGISTRIES.items() if re.match(key, path[0])), _ANY)
    roots = [getattr(registries, name) for name in names.split()]
    children = [root._search_child(scope) for root in roots]
    return [root if child is None else child for root, child in zip(roots, children)]


def readers(cfg: Config, path: Sequence[str], scope: str | None) -> list[str]:
    """Return the packages that may read the entries of a dict: those of MMEngine, of the classes around it, of imports.

    Args:
        cfg (Config): Config.
        path (Sequence[str]): Keys that lead to the dict.
        scope (str, optional): Scope in which the types are looked up.
    """
    found = ['mmcv', 'sr4ir_mm', *filter(None, [scope])]
    if path[0] != 'model' or not {'train_cfg', 'test_cfg'} & set(path):  # which MMEngine passes on
        found.append('mmengine')
    for depth, node in enumerate(nodes_along(cfg, path)):
        if depth and isinstance(node, dict) and node.get('type'):
            target = find_class(path[:depth], node['type'], scope)
            names = {base.__module__.partition('.')[0] for base in getattr(target, '__mro__', [target]) if base}
            found += sorted(names - {'torch', 'builtins', 'abc', 'mmengine', *found})
    imports = (cfg.get('custom_imports') or {}).get('imports') or []
    return [*found, *(name.partition('.')[0] for name in ([imports] if isinstance(imports, str) else imports))]


@cache
def _parameters(target: Any) -> set[str] | None:
    """Return the names of all arguments, also of those that only pass through to parents; None if unclear."""
    found: set[str] = set()
    inits = [target]
    if inspect.isclass(target):
        inits = [vars(cls)['__init__'] for cls in inspect.getmro(target) if '__init__' in vars(cls)]
    for init in inits:
        try:
            parameters = inspect.signature(init).parameters.values()
        except (TypeError, ValueError):  # of builtins
            return None
        found |= {p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)} - {'self'}
        further = next((p.name for p in parameters if p.kind is p.VAR_KEYWORD), None)
        if not further or (use := _use(init, further)) == 'nothing':
            return found
        if use != 'parent':
            return None
    return None


def _use(init: Any, further: str) -> str:
    """Return where a function's further arguments go: to 'nothing', as in mmseg's metrics, to its 'parent', or ''."""
    try:
        text = inspect.getsource(init)
    except (OSError, TypeError):
        return ''
    own, uses = init.__qualname__.split('.')[-2:][0], len(re.findall(rf'\b{further}\b', text))
    passed = re.search(rf'super\(({own}, self)?\)\.__init__\([^)]*\*\*{further}\b', text)
    return 'nothing' if uses == 1 else 'parent' if passed and uses == 2 else ''


def _additions(path: Sequence[str]) -> set[str]:
    """Return entries that builders take out of a dict before they call the class."""
    found = {'type', '_scope_'}
    if tuple(path) in (('model', 'sr'), ('model', 'task')):
        found |= {'init_cfg'}  # see SR4IR.starts
    if tuple(path) == ('model', 'sr'):
        found |= {'with_cp'}  # see recompute_blocks
    if path[0] in ('default_hooks', 'custom_hooks'):
        found |= {'priority'}
    if path[0].endswith('scheduler'):
        found |= {'convert_to_iter_based', 'epoch_length'}
    return found
