"""Configs that OpenMMLab packages install: mmseg, mmdet, mmpretrain, mmagic and our own."""

import importlib.util
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.registry import MODELS, DefaultScope

from ..errors import SR4IRError
from .nodes import find_all, type_name
from .reading import read_config

#: config entries that name pretrained weights
WEIGHTS = ('pretrained', 'checkpoint', 'checkpoint_file', 'teacher_ckpt', 'vision_encoder_weights')
_NETS = {'BaseSegmentor', 'BaseDetector', 'BaseClassifier', 'BaseRetriever', 'TorchvisionNet', 'HFNet'}


def config_folder(package: str = 'sr4ir_mm') -> Path:
    """Return the folder with the configs of an installed package, or of a checkout of ours.

    Raises:
        SR4IRError: If the package is not installed or has no configs.
    """
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None or spec.origin is None:
        raise SR4IRError(f"The package '{package}' is not installed. Install it, or correct the name before '::'.")
    root = Path(spec.origin).parent
    folders = (root / '.mim/configs', root.parent / 'configs')
    found = next((folder for folder in folders if folder.is_dir()), None)
    if found is None:
        raise SR4IRError(f"The package '{package}' is installed without its configs. Install it again with mim.")
    return found


def load_zoo_config(name: str, weights: bool = False) -> Config:
    """Load a config of an installed package.

    Args:
        name (str): Package and path, e.g. 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'.
        weights (bool): Whether to look up the URL of its published weights. The config then has ``model_path``: this
            URL, or None if nothing is published.

    Raises:
        SR4IRError: If the package or the config is missing.
    """
    package, _, path = name.partition('::')
    folder = config_folder(package)
    if not (folder / path).is_file():
        raise SR4IRError(f"Config '{name}' not found: choose one from '{folder}'.")
    with DefaultScope.overwrite_default_scope(package):
        cfg = read_config(folder / path)
    if teacher := teacher_of(cfg.get('model') or {}, package):
        cfg.model.update(teacher)
    if weights:
        cfg.model_path = _published_weights(name)
    return cfg


def check_net(task: str, cfg: Config) -> None:
    """Refuse networks that need more than an image, before their data are looked for.

    Raises:
        SR4IRError: If the network of a config is one.
    """
    kind = cfg.model.get('type')
    with MODELS.switch_scope_and_registry(cfg.get('default_scope')) as registry:
        net = registry.get(kind) if kind else None
    bases = {base.__name__ for base in getattr(net, '__mro__', ())}  # a class that lacks its packages is a function
    if not bases & _NETS or 'SemiBaseDetector' in bases or 'language_model' in cfg.model:
        raise SR4IRError(
            f"'{task}': {kind} is not a segmentor, detector or classifier of one image (but self- or "
            'semi-supervised, of several images, or of text), so SR4IR cannot train it. Choose another task network.'
        )


def teacher_of(model: dict, package: str | None) -> dict:
    """Return the absolute path of a distillation teacher's config.

    The zoos name this config relative to a checkout of them.

    Args:
        model (dict): Model config of a zoo.
        package (str, optional): Package of the zoo.

    Returns:
        dict: ``teacher_config``, or nothing if the model has no teacher, or the path is right.
    """
    path = model.get('teacher_config')
    if not isinstance(path, str) or not package or Path(path).is_file():
        return {}
    found = config_folder(package).parent / path
    return dict(teacher_config=str(found)) if found.is_file() else {}


def started_from(weights: str, init_cfg: dict | list | None) -> dict | list[dict]:
    """Return an ``init_cfg`` that loads a file after the initializers of another one, as ``load_from`` does."""
    others = [cfg for cfg in (init_cfg if isinstance(init_cfg, list) else [init_cfg]) if cfg and not _loads(cfg)]
    file = dict(type='Pretrained', checkpoint=weights)
    return [*(Config(cfg).to_dict() for cfg in others), file] if others else file


def without_weights(node: Any) -> Any:
    """Return the same model config without pretrained weights: their names become None, and True becomes False."""
    if isinstance(node, dict):
        return ConfigDict({k: _no_weights(v) if k in WEIGHTS else without_weights(v) for k, v in node.items()
                           if not (k == 'init_cfg' and _loads(v))})  # fmt: skip
    if isinstance(node, (list, tuple)):
        return type(node)(without_weights(v) for v in node)
    return node


def _published_weights(name: str) -> str | None:
    from mmengine.hub import get_config  # takes seconds

    try:
        return get_config(name, pretrained=True).get('model_path')
    except AssertionError:  # its metafile names no weights
        return None


def _no_weights(value: Any) -> Any:
    return False if isinstance(value, bool) else without_weights(value) if isinstance(value, dict) else None


def _loads(init_cfg: Any) -> bool:
    return 'Pretrained' in map(type_name, find_all([init_cfg], 'type')) or any(find_all([init_cfg], 'checkpoint'))
