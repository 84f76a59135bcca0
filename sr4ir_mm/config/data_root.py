"""A new place for the data: ``--cfg-options data_root=PATH``."""

import os
import re
from typing import Any

from mmengine.config import Config, ConfigDict

from ..errors import SR4IRError
from .checks import datasets
from .nodes import config_name, walk
from .zoo import WEIGHTS

#: entries that may be the root itself, though its name could be any word
_NAMES = re.compile('root|prefix|path|dir|folder')
#: entries that are no data, wherever they are
_OTHERS = {*WEIGHTS, 'load_from', 'work_dir', 'pretraining', 'init_cfg'}


def move_data(cfg: Config, root: str) -> None:
    """Replace the top-level ``data_root`` at the start of every path in a config: of data sets, evaluators and others.

    Args:
        cfg (Config): Config, changed in place.
        root (str): New folder.

    Raises:
        SR4IRError: If no path is below the old ``data_root``.
    """
    old = cfg.get('data_root')
    if not isinstance(root, str) or not root:
        raise SR4IRError(f'The option data_root={root!r} is no path: give a folder.')
    moved: list[str] = []
    for key in list(cfg):
        if key not in _OTHERS | {'data_root'} and old:
            cfg[key] = _move(cfg[key], key, str(old), root, moved)
    if not moved:
        raise SR4IRError(
            f"The option data_root changes nothing: no data set of '{config_name(cfg)}' uses a "
            "top-level 'data_root'. Set the entry of each data loader, such as train_dataloader.dataset.data_root."
        )
    cfg.data_root = root


def _move(node: Any, key: str, old: str, new: str, moved: list[str], relative: bool = False) -> Any:
    """Return a node with the paths in it moved; ``relative`` are those that a data set joins with its own root."""
    if key in _OTHERS:
        return node
    if isinstance(node, dict):
        own_root = bool(node.get('data_root'))
        return ConfigDict(
            {name: _move(value, name, old, new, moved, relative or (own_root and _is_joined(name, value)))
             for name, value in node.items()}
        )  # fmt: skip
    if isinstance(node, (list, tuple)):
        return type(node)(_move(value, key, old, new, moved, relative) for value in node)
    if not isinstance(node, str) or (relative and not os.path.isabs(node)):
        return node
    path, start = (text.removeprefix('./').rstrip('/') for text in (node, old))
    if path == start and (_NAMES.search(key) or '/' in node):
        moved.append(node)
        return new
    if not path.startswith(f'{start}/'):
        return node
    moved.append(node)
    return f'{new.rstrip("/")}/{node.removeprefix("./")[len(start) + 1 :]}'


def _is_joined(name: str, value: Any) -> bool:
    """Return whether MMEngine's data sets join an entry with their ``data_root``, below which it is then."""
    return name == 'data_prefix' or (isinstance(value, str) and name != 'data_root')


def check_evaluators(before: Config, after: Config) -> None:
    """Check that evaluators still read the annotations of their data set.

    Args:
        before (Config): Config without the options.
        after (Config): Config with them.

    Raises:
        SR4IRError: If only the data set reads other annotations now.
    """
    for stage in ('val', 'test'):
        old, new = (_annotations(cfg, stage) for cfg in (before, after))
        for _, text in walk(after.get(f'{stage}_evaluator')):
            if isinstance(text, str) and text in old - new:
                raise SR4IRError(
                    f"{stage}_evaluator still reads '{text}', but {stage}_dataloader now has "
                    f"'{next(iter(new), None)}'. Set both, or data_root for all."
                )


def _annotations(cfg: Config, stage: str) -> set[str]:
    return {os.path.join(data.data_root, data.ann_file) for data in datasets(cfg, [f'{stage}_dataloader'])
            if isinstance(data.get('ann_file'), str)}  # fmt: skip
