"""Distinct models of mmseg, mmdet and mmpretrain, from the configs that these packages install."""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from sr4ir_mm.config.building import model_config
from sr4ir_mm.config.loading import load_config
from sr4ir_mm.config.nodes import find_all, type_name
from sr4ir_mm.config.zoo import WEIGHTS, config_folder, teacher_of, without_weights

ZOOS = ('mmseg', 'mmdet', 'mmpretrain')
#: entries of a model that do not belong to its structure: the size of the input and the number of classes
NOT_STRUCTURE = (
    'img_size', 'pretrain_img_size', 'crop_size', 'stride', 'random_size_range', 'num_classes', 'num_things_classes',
    'num_stuff_classes', 'class_weight',
)  # fmt: skip
_SIZES = dict(nano=2, tiny=8, small=20, base=60, large=120, huge=300, xlarge=200, s=20, b=60, l=120, h=300, g=600)


@dataclass(frozen=True)
class ZooModel:
    """A model, and the configs that have it.

    Args:
        key (str): Hash of the model's structure.
        configs (list[str]): Names such as 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'; the first represents all.
        problem (str): Reason why no model can be built; '' without one.

    Example:
        >>> ZooModel('a', ['mmdet::retinanet/retinanet_r50_fpn_1x_coco.py']).family
        'retinanet'
    """

    key: str
    configs: list[str]
    problem: str = ''

    @property
    def config(self) -> str:
        """Config that represents all."""
        return self.configs[0]

    @property
    def zoo(self) -> str:
        """Package of the config."""
        return self.config.partition('::')[0]

    @property
    def family(self) -> str:
        """Folder of the config."""
        return self.config.partition('::')[2].rpartition('/')[0]


def config_names(zoo: str) -> list[str]:
    """List all configs of a zoo, except those that are only parts of others."""
    root = config_folder(zoo)
    names = (path.relative_to(root).as_posix() for path in sorted(root.rglob('*.py')))
    return [f'{zoo}::{name}' for name in names if '_base_' not in name]


def load_untrained(name: str) -> Config:
    """Load a config of a zoo with the preprocessor in its model, and without weights to download."""
    cfg = load_config(name, zoo=True)
    if cfg.get('model'):
        cfg.model = without_weights(model_config(cfg))
        cfg.model.update(teacher_of(cfg.model, name.partition('::')[0]))
    return cfg


def numbers(node: Any, key: str) -> Iterator[int]:
    """Yield every integer that a key has, alone or in a list, in nested dicts and lists."""
    for value in find_all(node, key):
        yield from (v for v in (value if isinstance(value, (list, tuple)) else [value]) if isinstance(v, int))


def model_key(model: dict) -> str:
    """Hash a model's structure: equal for configs that differ only in weights, classes or input size."""
    text = json.dumps(_structure(model), sort_keys=True, default=type_name)
    return hashlib.sha1(text.encode()).hexdigest()[:12]


def distinct_models(names: Iterable[str]) -> list[ZooModel]:
    """Load configs and group them by model; one that cannot be loaded or has no model is a group of its own."""
    groups: dict[str, list] = defaultdict(list)
    problems = {}
    for name in names:
        key = hashlib.sha1(name.encode()).hexdigest()[:12]
        try:
            cfg = load_untrained(name)
            if cfg.get('model'):
                key = model_key(dict(cfg.model, zoo=name.partition('::')[0]))
            else:
                problems[key] = 'the config has no model'
            rank = ('train_dataloader' not in cfg, max(numbers(cfg.get('model'), 'img_size'), default=0), len(name))
        except Exception as error:  # of many kinds; it is written to the sweep's row
            problems[key], rank = f'the config cannot be loaded: {type(error).__name__}: {error}', (True,)
        groups[key].append((rank, name))
    return [ZooModel(key, [n for _, n in sorted(group)], problems.get(key, '')) for key, group in groups.items()]


def smallest_first(models: Iterable[ZooModel]) -> Iterator[ZooModel]:
    """Order models: the smallest of each family, then the next one of each, and so on."""
    families = defaultdict(list)
    for model in models:
        families[model.zoo, model.family].append(model)
    rounds = [(i, *_size_hint(m), m) for f in families.values() for i, m in enumerate(sorted(f, key=_size_hint))]
    return (entry[-1] for entry in sorted(rounds, key=lambda entry: entry[:-1]))


def save_models(models: Iterable[ZooModel], path: Path) -> None:
    """Write a list of models, which takes minutes to make."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(model) for model in models], indent=0))


def read_models(path: Path) -> list[ZooModel]:
    """Read what :func:`save_models` wrote."""
    return [ZooModel(**model) for model in json.loads(path.read_text())]


def _structure(node: Any) -> Any:
    if isinstance(node, dict):
        skip = (*NOT_STRUCTURE, *WEIGHTS, 'init_cfg', 'size' if 'mean' in node else '')
        return {str(k): type_name(v) if k == 'type' else _structure(v) for k, v in node.items() if k not in skip}
    return [_structure(v) for v in node] if isinstance(node, (list, tuple)) else node


def _size_hint(model: ZooModel) -> tuple[float, int, str]:
    """Return a sort key: the rough size of a model, estimated from the name of its config."""
    words = re.split(r'[-_/]', model.config.lower().removesuffix('.py'))
    depths = [int(m[1]) for word in words if (m := re.fullmatch(r'[rx](\d{2,3})(?:[a-z].*)?', word))]
    return max([*depths, *(_SIZES[word] for word in words if word in _SIZES)], default=50), len(model.config), model.key
