"""Model configs of mmseg, mmdet and mmpretrain."""

import importlib.util
from pathlib import Path
from typing import Any

from mmengine.config import ConfigDict

from .nodes import find_all, type_name

#: entries that name weights to start from
WEIGHTS = ('pretrained', 'checkpoint', 'checkpoint_file', 'teacher_ckpt', 'vision_encoder_weights')


def teacher_of(model: dict, zoo: str) -> dict:
    """A path to a teacher's config that holds anywhere: in the zoos it is one in a checkout of them.

    Args:
        model (dict): Of a config.
        zoo (str): The package.

    Returns:
        dict: ``teacher_config``, or nothing if the model has none.
    """
    path = model.get('teacher_config')
    return dict(teacher_config=str(zoo_folder(zoo).parent / path)) if path else {}


def without_weights(node: Any) -> Any:
    """The same config of a model; what would load weights is None, or False where it was True."""
    if isinstance(node, dict):
        return ConfigDict({k: _no_weights(v) if k in WEIGHTS else without_weights(v) for k, v in node.items()
                           if not (k == 'init_cfg' and _loads(v))})  # fmt: skip
    if isinstance(node, (list, tuple)):
        return type(node)(without_weights(v) for v in node)
    return node


def zoo_folder(zoo: str) -> Path:
    return Path(importlib.util.find_spec(zoo).origin).parent / '.mim' / 'configs'


def _no_weights(value: Any) -> Any:
    return False if isinstance(value, bool) else without_weights(value) if isinstance(value, dict) else None


def _loads(init_cfg: Any) -> bool:
    return 'Pretrained' in map(type_name, find_all([init_cfg], 'type')) or any(find_all([init_cfg], 'checkpoint'))
