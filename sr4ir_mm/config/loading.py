"""Configs as the command line sees them."""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config, DictAction
from mmengine.hub import get_config
from mmengine.registry import DATASETS, TRANSFORMS

from ..errors import SR4IRError

_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def load_config(path: str, options: dict | None = None) -> Config:
    """Read a config file and override entries.

    Args:
        path (str): Config file.
        options (dict, optional): Dotted keys and values of ``--cfg-options``. A new ``data_root`` also reaches every
            data set that used the old one.

    Raises:
        SR4IRError: If there is no such file, an option does not fit, or a new ``data_root`` reaches no data set.
    """
    if path.startswith('sr4ir_mm::'):
        return override(get_config(path), path, options)
    if '::' in path:
        raise SR4IRError(f"'{path}' is a config of a zoo, without S: train it with --sr edsr --scale 4, or the like.")
    if not Path(path).is_file():
        raise SR4IRError(f"There is no config file '{path}'.")
    return override(Config.fromfile(path), path, options)


def override(cfg: Config, path: str, options: dict | None) -> Config:
    """Apply ``--cfg-options`` to a config that came from ``path``; see :func:`load_config`."""
    old_root = cfg.get('data_root')
    try:
        cfg.merge_from_dict(options or {})
    except (TypeError, KeyError) as error:  # MMEngine's, e.g. for model.sr.x=1 where there is no S
        raise SR4IRError(f"'{path}' does not take the --cfg-options: {error}") from error
    if 'data_root' in (options or {}):
        users = [dataset for dataset in _datasets(cfg) if dataset.data_root == old_root]
        if not users:
            raise SR4IRError(
                f"No data set of '{path}' uses a 'data_root' that stands beside the loaders, so this option changes "
                'nothing: set train_dataloader.dataset.data_root and the like instead.'
            )
        for dataset in users:
            dataset.data_root = cfg.data_root
    return cfg


def enable_amp(cfg: Config) -> None:
    """Use mixed precision for every net: float16 with loss scaling on a GPU, bfloat16 on a CPU."""
    for name in ('sr', 'task'):
        part = cfg.optim_wrapper.get(name)
        if part is None or 'Amp' in part.get('type', ''):
            continue
        if part.get('type', 'OptimWrapper') != 'OptimWrapper':
            raise SR4IRError(f"--amp needs optim_wrapper.{name}.type='OptimWrapper', not '{part.type}'.")
        part.type = 'sr4ir_mm.AnyDeviceAmpOptimWrapper'
        if not torch.cuda.is_available():
            part.dtype = 'bfloat16'


def check_data(cfg: Config, *loaders: str) -> None:
    """Look for every data set's type and files before anything is built or written.

    Args:
        cfg (Config): A complete config.
        loaders (str): The loaders to check, e.g. 'test_dataloader'; all of them by default.

    Raises:
        SR4IRError: If T's library does not know a data set or a transform, or a ``data_root``, ``data_prefix`` or
            annotation file is missing; the message says how to point to another one.
    """
    datasets = list(_datasets(cfg, loaders or _LOADERS))
    for dataset in datasets:
        _check_types(dataset, cfg.get('default_scope'))
    for dataset in datasets:
        for path in _paths(dataset):
            if not _exists(path):
                raise SR4IRError(
                    f"There is no '{path}', which {dataset.type} needs. Prepare the data there, or point to another "
                    'copy: --cfg-options data_root=PATH'
                )


def check_weights(cfg: Config) -> None:
    """Look for the files that the nets start from, which may be the result of an earlier run.

    Raises:
        SR4IRError: If one is missing.
    """
    for init_cfg in _dicts(cfg.model):
        if init_cfg.get('type') == 'Pretrained' and not _exists(init_cfg.checkpoint):
            raise SR4IRError(
                f"There is no '{init_cfg.checkpoint}' to start from. Train it first (the config says by what), or name "
                'another file: --cfg-options model.sr.init_cfg.checkpoint=FILE (or model.task...)'
            )


def find_checkpoint(path: str) -> str:
    """Return the path or URL of a checkpoint.

    Raises:
        SR4IRError: If there is no such file.
    """
    if not _exists(path) or os.path.isdir(path):
        raise SR4IRError(f"There is no checkpoint '{path}'.")
    return path


def find_config(name: str) -> Config:
    """Read a config file, 'sr4ir_mm::sr4ir/<name>.py', one of ours by its bare name, or that of a work dir.

    Raises:
        SR4IRError: If there is none.
    """
    if '::' in name:
        return get_config(name)
    path = Path(name)
    if path.is_dir():
        found = sorted(path.glob('*.py'), key=lambda file: file.stem != path.resolve().name)
    else:
        found = [path] if path.is_file() else sorted(config_folder().rglob(f'{path.stem}.py'))
    if not found:
        raise SR4IRError(f"There is no config '{name}': give a file, the name of one, or a work dir of tools/train.py.")
    return Config.fromfile(found[0])


def config_folder() -> Path:
    """Of our configs: in the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    folders = (package / '.mim/configs', package.parent / 'configs')
    return next((folder for folder in folders if folder.is_dir()), folders[0])


def _check_types(dataset: dict, scope: str | None) -> None:
    """Does T's library know them? Not if the data are those of another task than T's."""
    transforms = dataset.get('pipeline') or ()
    for registry, kind, nodes in (DATASETS, 'data set', [dataset]), (TRANSFORMS, 'transform', transforms):
        for node in nodes:
            with registry.switch_scope_and_registry(node.get('_scope_', scope)) as library:
                if scope and isinstance(node.type, str) and library.get(node.type) is None:
                    raise SR4IRError(
                        f"'{node.type}' is no {kind} of {scope}, whose net T is: use data of T's task, or correct "
                        'the name.'
                    )


def _paths(dataset: dict) -> list[str]:
    """What a data set reads: its root, the folders in it, the annotation file."""
    root, prefix = dataset.data_root, dataset.get('data_prefix')
    parts = [*(prefix.values() if isinstance(prefix, dict) else [prefix]), dataset.get('ann_file')]
    return [root, *(os.path.join(root, part) for part in parts if part)]


def _exists(path: str) -> bool:
    """Whether a local path exists; URLs are taken for granted."""
    return '://' in path or os.path.exists(path)


def _dicts(*nodes: Any) -> Iterator[dict]:
    """All dicts of a config that are, or lie below, the given nodes."""
    rest = list(nodes)
    while rest:
        node = rest.pop()
        if isinstance(node, dict):
            yield node
            rest += node.values()
        elif isinstance(node, (list, tuple)):
            rest += node


def _datasets(cfg: Config, loaders: Sequence[str] = _LOADERS) -> Iterator[dict]:
    """All data sets of a config that have a ``data_root``, wrapped ones too."""
    return (d for d in _dicts(*(cfg.get(name) for name in loaders)) if 'type' in d and d.get('data_root'))


def load_from_args(args: argparse.Namespace) -> Config:
    """The config that the arguments of :func:`parse_and_load` name."""
    return load_config(args.config, args.cfg_options)


def parse_and_load(
    parser: argparse.ArgumentParser, load: Callable[[argparse.Namespace], Config] = load_from_args
) -> tuple[argparse.Namespace, Config]:
    """Add the arguments that all tools share, parse them, and load the config with them applied."""
    parser.add_argument('--work-dir', help='folder of logs and checkpoints; default: work_dirs/<name of the config>')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='override entries: key=value ...')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = load(args)
    cfg.launcher = args.launcher
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or os.path.join('work_dirs', Path(args.config).stem)
    return args, cfg
