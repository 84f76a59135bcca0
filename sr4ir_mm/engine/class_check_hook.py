"""A check of the classes: of the data sets with each other, and with the task network."""

import os
from collections.abc import Iterator, Sequence

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch.utils.data import Dataset

from ..datasets.binary_masks import check_learned
from ..datasets.checked import ignores_255
from ..datasets.class_names import (
    check_categories,
    class_names,
    first_meta,
    label_names,
    parts,
    source_of,
    with_nearest,
)
from ..datasets.coco_files import check_evaluated
from ..errors import SR4IRError
from ..registry import HOOKS
from ..utils import unwrap
from .heads import moved_names, predicts_masks, wrong_heads

_STAGES = dict(train='training', val='validation', test='test')


@HOOKS.register_module()
class ClassCheckHook(Hook):
    """Hook that compares the names of the classes, and their number with all heads of the task network.

    Labels are numbers, so a class that is missing or in another place changes the meaning of all labels after it, and
    nothing else would tell. :class:`AlternatingUpdateHook` makes the same check if the config lacks this hook,
    unless ``default_hooks.class_check=None`` switches it off. Nothing is compared with data that do not know the names
    of their classes, and no head if the scheme does not use the task network.

    Args:
        allow (Sequence[str]): Differences that are meant: 'val' or 'test' for data with other classes than those of
            the training, and entries of the task network such as 'decode_head.num_classes'. Each is logged.

    Raises:
        SR4IRError: Before the first iteration, if data sets or heads differ.

    Example:
        >>> default_hooks = dict(class_check=dict(type='sr4ir_mm.ClassCheckHook', allow=['auxiliary_head.num_classes']))
    """

    def __init__(self, allow: Sequence[str] = ()) -> None:
        self.allow = [allow] if isinstance(allow, str) else list(allow)

    def before_run(self, runner: Runner) -> None:
        """Compare the data sets of this run with the first one of them, and that one with the task network."""
        data = dict(_built(runner))
        if not data:
            return
        first, reference = next(iter(data.items()))
        for stage, dataset in data.items():
            self._compare(stage, dataset, label_names(dataset), label_names(reference), _describe(first, reference))
            self._compare_zero(stage, dataset, reference)
            self._compare_parts(stage, dataset)
            self._check_metrics(runner, stage, dataset)
        if first == 'train':
            self._check_folders(reference)
        if unwrap(runner.model).scheme.uses_task_net:
            self._check_heads(runner, first, reference)
            for part in filter(ignores_255, parts(reference) if first == 'train' else ()):
                check_learned(part)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare the data of a test, or of a resumed training, with those that the network was trained on.

        This needs the names in the checkpoint. A training that only starts from it may have other classes.
        """
        data = dict(_built(runner))
        names = first_meta((checkpoint.get('meta') or {}).get('dataset_meta')).get('classes')
        if not isinstance(names, (list, tuple)) or ('train' in data and not runner._resume):
            return
        resumed = ' before it was resumed' if 'train' in data else ''
        for stage, dataset in [('train', data['train'])] if resumed else data.items():
            self._compare(stage, dataset, class_names(dataset), list(names), f'the data of the training{resumed}')

    def _compare(self, stage: str, dataset: Dataset, names: list[str], expected: list[str], of_what: str) -> None:
        if names == expected or not names or not expected:
            return
        text = f'{_describe(stage, dataset)} have other classes than {of_what}: {_difference(names, expected)}.'
        self._refuse(
            [stage],
            f'T{text[1:]} Labels are numbers in the order of the names: give both the same names in the same order, '
            'metainfo=dict(classes=(...)), or add folders that are missing; an empty one is enough.',
        )

    def _compare_parts(self, stage: str, dataset: Dataset) -> None:
        """Compare data sets that are concatenated with the first one of them."""
        first, *others = parts(dataset)
        for part in others:
            self._compare(stage, part, label_names(part), label_names(first), _describe(stage, first))

    def _compare_zero(self, stage: str, dataset: Dataset, reference: Dataset) -> None:
        values = [getattr(next(parts(data)), 'reduce_zero_label', False) for data in (dataset, reference)]
        if values[0] != values[1]:
            self._refuse(
                [stage],
                f'The {_STAGES[stage]} data have reduce_zero_label={values[0]}, and the first data of this run '
                f'{values[1]}, so that the same value of a mask means two classes: set both alike.',
            )

    def _check_folders(self, dataset: Dataset) -> None:
        for part in parts(dataset):
            for name in getattr(part, 'folder_to_idx', None) or ():
                folder = os.path.join(part.img_prefix, name)
                if not any(part.is_valid_file(file) for _, _, files in os.walk(folder) for file in files):
                    self._refuse(
                        ['train'],
                        f"The folder '{folder}' has no image, so that its class would never be learned: add images, or "
                        'remove the folder from all splits.',
                    )

    def _check_heads(self, runner: Runner, stage: str, dataset: Dataset) -> None:
        if not (classes := class_names(dataset)):
            return
        task = unwrap(unwrap(runner.model).task)
        if names := moved_names(task, classes):
            self._refuse(
                ['class_names'],
                f'T{_describe(stage, dataset)[1:]} have the classes of the task network in another order: {names}. '
                'Labels are numbers: set metainfo=dict(classes=(...)) in the order of the task network.',
            )
        wrong = wrong_heads(task, {**first_meta(dataset.metainfo), 'classes': classes})
        above = bool(getattr(runner, 'cfg', None) and runner.cfg.get('data_preprocessor'))  # the model, in the config
        texts = {
            entry: f'{entry if above and entry.startswith("data_preprocessor") else f"model.task.{entry}"}={right} '
            f'(now {found})'
            for entry, (found, right) in wrong.items()
        }
        if texts:
            count = '1 class' if len(classes) == 1 else f'{len(classes)} classes'
            self._refuse(
                list(texts),
                f'T{_describe(stage, dataset)[1:]} have {count}, but the task network is built for another number: set '
                f'{", ".join(texts.values())}, or use the data that the network is for.',
            )

    def _check_metrics(self, runner: Runner, stage: str, dataset: Dataset) -> None:
        """Check the file that COCO's metric reads, which is another entry of the config than that of the data set."""
        evaluator = getattr(getattr(runner, f'_{stage}_loop'), 'evaluator', None)
        metrics = [metric for metric in getattr(evaluator, 'metrics', ()) if hasattr(metric, '_coco_api')]
        for metric in metrics:
            if not isinstance(kinds := getattr(metric, 'metrics', None), (list, tuple)) or metric.format_only:
                continue  # none of CocoMetric
            if 'segm' in kinds and not predicts_masks(unwrap(unwrap(runner.model).task)):
                raise SR4IRError(
                    f"The metric 'segm' of {stage}_evaluator needs masks, which the task network does not predict: set "
                    "metric='bbox', or use another network."
                )
            reader = metric._coco_api
            if reader is not None:
                check_evaluated(reader, masks='segm' in kinds)
                categories = [entry['name'] for entry in reader.dataset['categories']]
                check_categories(categories, class_names(dataset), reader.path)
            elif getattr(metric, '_lvis_api', None) is None and not _packs_objects(dataset):
                raise SR4IRError(
                    f'{type(metric).__name__} of {stage}_evaluator needs the objects of the images: set its ann_file, '
                    "or add 'instances' to the meta_keys of PackDetInputs in the pipeline."
                )

    def _refuse(self, names: list[str], message: str) -> None:
        if not set(names) <= set(self.allow):
            raise SR4IRError(
                f'{message} If it is meant: --cfg-options default_hooks.class_check.allow="[{",".join(names)}]"'
            )
        print_log(f'allowed: {message}', 'current')


def _built(runner: Runner) -> Iterator[tuple[str, Dataset]]:
    """Yield the data sets that the runner has built; its public properties would build the others, too."""
    for stage in _STAGES:
        loop = getattr(runner, f'_{stage}_loop', None)
        if hasattr(loop, 'dataloader'):
            yield stage, loop.dataloader.dataset


def _describe(stage: str, dataset: Dataset) -> str:
    source = source_of(dataset)
    return f'the {_STAGES[stage]} data' + (f" of '{source}'" if source else '')


def _packs_objects(dataset: Dataset) -> bool:
    packs = [step for part in parts(dataset) for step in part.pipeline.transforms if hasattr(step, 'meta_keys')]
    return all('instances' in step.meta_keys for step in packs)


def _difference(names: list[str], expected: list[str]) -> str:
    missing = [name for name in expected if name not in names]
    extra = [name for name in names if name not in expected]
    texts = []
    if missing:
        texts.append(f'{with_nearest(missing[:5], extra)} {"is" if len(missing) == 1 else "are"} missing')
    if extra:
        texts.append(f'only they have {", ".join(map(repr, extra[:5]))}')
    if not texts:
        at = next(i for i, pair in enumerate(zip(names, expected)) if pair[0] != pair[1])
        texts.append(f"class {at} is '{names[at]}', not '{expected[at]}'")
    return '; '.join(texts)
