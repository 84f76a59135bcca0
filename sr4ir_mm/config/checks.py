"""Checks of a config before anything is built or written."""

import os
from collections.abc import Iterator, Sequence

from mmengine.config import Config

from ..errors import SR4IRError
from .arguments import find_class
from .nodes import all_dicts

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def check_data(cfg: Config, *loaders: str) -> None:
    """Check that the types and files of every data set exist.

    Args:
        cfg (Config): Complete config.
        loaders (str): Data loaders to check, e.g. 'test_dataloader'; default: all.

    Raises:
        SR4IRError: If the task network's library has no data set or transform of that name, or if a ``data_root``,
            ``data_prefix`` or annotation file is missing. The message says how to name another path.
    """
    found = list(datasets(cfg, loaders or LOADERS))
    for dataset in found:
        _check_types(dataset, cfg.get('default_scope'))
    for dataset in found:
        for path in _paths(dataset):
            if not exists(path):
                raise SR4IRError(
                    f"'{path}' is missing, and {dataset.type} needs it. Prepare the data there, or name another copy: "
                    '--cfg-options data_root=PATH'
                )


def check_weights(cfg: Config) -> None:
    """Check that the weight files exist from which the networks start. Another run may have to write them first.

    Raises:
        SR4IRError: If a file is missing. The message has the command that trains it, if ``pretraining`` of the config
            holds one.
    """
    for init_cfg in all_dicts(cfg.model):
        if init_cfg.get('type') == 'Pretrained' and not exists(init_cfg.checkpoint):
            command = cfg.get('pretraining', {}).get(init_cfg.checkpoint)
            remedy = f'Train it first: {command}\nOr name' if command else 'Get or train it first, or name'
            raise SR4IRError(
                f"'{init_cfg.checkpoint}' is missing, and a network starts from it. {remedy} another file: "
                '--cfg-options model.sr.init_cfg.checkpoint=FILE (or model.task...)'
            )


def find_checkpoint(path: str) -> str:
    """Return the path or URL of a checkpoint if it exists.

    Raises:
        SR4IRError: If the file is missing.
    """
    if not exists(path) or os.path.isdir(path):
        raise SR4IRError(f"Checkpoint '{path}' not found: name a .pth file or a URL.")
    return path


def datasets(cfg: Config, loaders: Sequence[str] = LOADERS) -> Iterator[dict]:
    """Yield the configs of all data sets with a ``data_root``, including wrapped ones."""
    nodes = all_dicts([cfg.get(name) for name in loaders])
    return (node for node in nodes if 'type' in node and node.get('data_root'))


def exists(path: str) -> bool:
    """Return whether a local path exists; a URL is not looked up and counts as existing."""
    return '://' in path or os.path.exists(path)


def _check_types(dataset: dict, scope: str | None) -> None:
    """Check that the task network's library has this data set and its transforms."""
    for kind, nodes in ('data set', [dataset]), ('transform', dataset.get('pipeline') or ()):
        for node in nodes:
            if scope and find_class(['train_dataloader'], node.type, node.get('_scope_', scope)) is None:
                raise SR4IRError(
                    f"'{node.type}' is not a {kind} of {scope}, the library of the task network. Use data for the "
                    'same task, or correct the name.'
                )


def _paths(dataset: dict) -> list[str]:
    """Return the paths that a data set reads: its root, the folders in it, the annotation file."""
    root, prefix = dataset.data_root, dataset.get('data_prefix')
    parts = [*(prefix.values() if isinstance(prefix, dict) else [prefix]), dataset.get('ann_file')]
    return [root, *(os.path.join(root, part) for part in parts if part)]
