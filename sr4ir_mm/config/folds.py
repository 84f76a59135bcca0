"""Cross-validation: the entry ``fold`` of a config, such as '2/5' for the second of five folds."""

import copy
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from ..errors import SR4IRError
from .nodes import config_name, type_name

#: entries of a data set that say what its images are used for; all others say which images it has
_OF_USE = ('pipeline', 'test_mode', 'filter_cfg')
#: entries that say how files are read and kept in memory
_OF_STORAGE = ('backend_args', 'lazy_init', 'serialize_data', 'max_refetch')


def name_fold(cfg: Config) -> tuple[Config, str]:
    """Return a config with an entry ``fold`` under the name of that fold's run.

    Args:
        cfg (Config): Config, which stays as it is.

    Returns:
        tuple[Config, str]: Config with the file name '<name>-fold2of5.py', and the option for commands, ' --cfg-options
            fold=2/5'; without ``fold`` the same config and ''.

    Raises:
        SR4IRError: If the entry makes no sense.
    """
    if cfg.get('fold') is None:
        return cfg, ''
    number, folds, *seed = _parse(cfg.fold).values()
    path = Path(cfg.filename or 'sr4ir.py')
    path = path.with_stem(f'{path.stem}-fold{number}of{folds}' + ''.join(f's{value}' for value in seed))
    return Config(cfg.to_dict(), cfg_text=cfg.text, filename=path), f' --cfg-options fold={cfg.fold}'


def take_fold(cfg: Config) -> Config:
    """Replace the data sets of a config by those of its fold, in place, and return it.

    All images are divided: those of the training, the validation and the test. The run trains with those of the other
    folds and with the training pipeline; it validates and tests those of this fold with the pipelines of
    ``val_dataloader`` and ``test_dataloader``. Without an entry ``fold``, nothing changes.

    Args:
        cfg (Config): Complete config. Its entry ``fold`` is '2/5', or '2/5/7' with a seed other than 0.

    Raises:
        SR4IRError: If the entry makes no sense, a data set is missing, or a metric reads the annotations of one file.
    """
    if cfg.get('fold') is None:
        return cfg
    fold = _parse(cfg.pop('fold'))
    loaders = {stage: cfg.get(f'{stage}_dataloader') for stage in ('train', 'val', 'test')}
    missing = [stage for stage in ('train', 'val') if not isinstance(loaders[stage], dict)]
    if missing:
        raise SR4IRError(f"'{config_name(cfg)}' has no {missing[0]}_dataloader, whose images the folds need: set it.")
    loaders = {stage: loader for stage, loader in loaders.items() if loader}
    uses = {stage: list(data_sets(loader.dataset)) for stage, loader in loaders.items()}
    parts: list[dict] = []
    for part in (_images(part) for stage in uses.values() for part in stage):
        known = any(_without(part, _OF_STORAGE) == _without(other, _OF_STORAGE) for other in parts)
        parts += [] if known else [part]  # most often the test data are the validation data
    for stage, loader in loaders.items():
        used = [ConfigDict({**copy.deepcopy(part), **_use(uses[stage][0])}) for part in parts]
        node = ConfigDict(type='sr4ir_mm.Fold', datasets=used, **fold, test=stage != 'train')
        loader.dataset = _replace(loader.dataset, node)
    for stage in ('val', 'test'):
        _evaluate_samples(cfg, stage)
    return cfg


def data_sets(node: dict) -> Iterator[dict]:
    """Yield the data sets that read files, from inside their wrappers."""
    inner = node.get('datasets') or ([node['dataset']] if 'dataset' in node else [])
    for part in inner:
        yield from data_sets(part)
    if not inner:
        yield node


def _parse(fold: Any) -> dict[str, int]:
    """Return ``fold``, ``folds`` and, if given, ``seed``."""
    parts = str(fold).split('/')
    numbers = [int(part) for part in parts if part.isdecimal()]
    if len(numbers) != len(parts) or len(parts) not in (2, 3) or not 1 <= numbers[0] <= numbers[1] > 1:
        raise SR4IRError(
            f"fold={fold!r} is no fold: write '2/5' for the second of five, or '2/5/7' for a division with seed 7."
        )
    return dict(zip(('fold', 'folds', 'seed'), numbers))


def _images(dataset: dict) -> dict:
    return _without(dataset, _OF_USE)


def _without(dataset: dict, keys: tuple[str, ...]) -> dict:
    return {key: value for key, value in dataset.items() if key not in keys}


def _use(dataset: dict) -> dict:
    return {key: copy.deepcopy(dataset[key]) for key in _OF_USE if key in dataset}


def _replace(node: dict, fold: ConfigDict) -> ConfigDict:
    """Return a data set with another one in its wrappers; one that concatenates is replaced, too."""
    if 'dataset' in node:
        return ConfigDict({**node, 'dataset': _replace(node['dataset'], fold)})
    return fold


def _evaluate_samples(cfg: Config, stage: str) -> None:
    """Let metrics that read one annotation file take the objects from the data samples: the images are of several."""
    evaluator, loader = cfg.get(f'{stage}_evaluator'), cfg.get(f'{stage}_dataloader')
    metrics = [evaluator] if isinstance(evaluator, dict) else evaluator or []
    files = [metric for metric in metrics if metric.get('ann_file')]
    if not (files and loader):
        return
    for metric in files:
        if type_name(metric['type']) not in ('CocoMetric', 'ZeroFillCocoMetric'):
            raise SR4IRError(
                f'{metric["type"]} reads {metric["ann_file"]}, and the images of a fold are in several files: remove '
                f'it from {stage}_evaluator.'
            )
        metric.ann_file = None
    for step in (step for part in data_sets(loader.dataset) for step in part.pipeline):
        if 'meta_keys' in step or type_name(step['type']) == 'PackDetInputs':
            step.meta_keys = tuple(dict.fromkeys([*step.get('meta_keys', _mmdet_keys()), 'instances']))


def _mmdet_keys() -> tuple[str, ...]:
    from mmdet.datasets.transforms import PackDetInputs  # takes seconds

    return inspect.signature(PackDetInputs).parameters['meta_keys'].default
