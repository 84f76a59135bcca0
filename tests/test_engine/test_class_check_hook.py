"""Names of classes, in the data sets of a run and in its checkpoint, and the heads of the task network."""

import re
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from helpers.toy import EDSR, ToyClassifier
from mmdet.datasets import ConcatDataset as DetConcatDataset
from mmengine.config import Config
from mmengine.dataset import BaseDataset, ConcatDataset, RepeatDataset
from torch import nn

from sr4ir_mm.engine import AlternatingUpdateHook, ClassCheckHook
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR


class Named(BaseDataset):
    """A data set of one sample."""

    def load_data_list(self) -> list[dict]:
        return [dict(img_path='a.jpg')]


def named(classes) -> Named:
    return Named(metainfo=dict(classes=tuple(classes)) if classes is not None else None)


def runner_on(task: nn.Module, scheme: str = 'SR4IR', **data) -> SimpleNamespace:
    """Stand-in for a runner with these built data sets; what is not built is a dict or None."""
    loops = {
        f'_{stage}_loop': SimpleNamespace(dataloader=SimpleNamespace(dataset=data)) for stage, data in data.items()
    }
    loops.setdefault('_test_loop', dict(type='TestLoop'))
    model = SR4IR(EDSR, task, scale=4, scheme=scheme)
    return SimpleNamespace(model=model, hooks=[], cfg=Config(), _resume=False, **loops)


def task_with(**num_classes: int) -> nn.Module:
    task = ToyClassifier()
    for name, number in num_classes.items():
        setattr(task, name, nn.Identity())
        getattr(task, name).num_classes = number
    return task


@pytest.mark.parametrize('classes, number', [('abc', 2), ('abc', 4), ('a', 80)])
def test_heads_of_another_size(classes, number):
    expected = len(classes)
    runner = runner_on(task_with(head=number, auxiliary_head=expected, rpn_head=1), train=named(classes))
    message = f'built for another number: set model.task.head.num_classes={expected} (now {number}), or use'
    with pytest.raises(SR4IRError, match=re.escape(message)):
        ClassCheckHook().before_run(runner)


def test_all_wrong_heads_are_named_with_the_exception_to_ask_for():
    runner = runner_on(task_with(decode_head=3, auxiliary_head=19), train=named('ab'))
    with pytest.raises(SR4IRError) as error:
        ClassCheckHook().before_run(runner)
    assert 'set model.task.decode_head.num_classes=2 (now 3), model.task.auxiliary_head.num_classes=2 (now 19)' in str(
        error.value
    )
    allow = re.search(r'class_check\.allow="\[(.*)\]"', str(error.value))[1].split(',')
    ClassCheckHook(allow).before_run(runner)
    with pytest.raises(SR4IRError):
        ClassCheckHook(allow[:1]).before_run(runner)


@pytest.mark.parametrize(
    'classes, scheme, heads',
    [
        ('abc', 'SR4IR', dict(head=3, rpn_head=1)),
        ('abc', 'S', dict(head=20)),  # S is trained alone
        ('abc', 'SR4IR', dict()),  # unknown number of the task network
        (None, 'SR4IR', dict(head=20)),  # unknown number of the data
        ('', 'SR4IR', dict(head=20)),
    ],
)
def test_other_numbers_pass(classes, scheme, heads):
    ClassCheckHook().before_run(runner_on(task_with(**heads), scheme, train=named(classes)))


@pytest.mark.parametrize('wrap', [lambda data: ConcatDataset([data, data]), lambda data: RepeatDataset(data, 2)])
@pytest.mark.parametrize('classes', ['ab', 'abcd'])
def test_wrapped_data_sets(classes, wrap):
    data = wrap(named(classes))
    with pytest.raises(SR4IRError, match=rf'num_classes={len(classes)} \(now 3\)'):
        ClassCheckHook().before_run(runner_on(task_with(head=3), train=data))


@pytest.mark.parametrize('number, fits', [(3, True), (4, False)])
def test_concatenated_data_with_another_palette(number, fits):
    """mmdet's metainfo of them is a list, also of VOC 2007 and 2012."""
    parts = [Named(metainfo=dict(classes=tuple('abc'), palette=[color])) for color in (1, 2)]
    data = DetConcatDataset(parts)
    runner = runner_on(task_with(head=number), train=data, val=named('abc'))
    with nullcontext() if fits else pytest.raises(SR4IRError, match=r'head\.num_classes=3 \(now 4\)'):
        ClassCheckHook().before_run(runner)
    hook = ClassCheckHook()
    hook.after_load_checkpoint(runner_on(task_with(), test=named('abc')), dict(meta=dict(dataset_meta=data.metainfo)))
    with pytest.raises(SR4IRError, match=r"'c' .*is missing"):
        hook.after_load_checkpoint(
            runner_on(task_with(), test=named('abd')), dict(meta=dict(dataset_meta=data.metainfo))
        )


@pytest.mark.parametrize('wrap', [DetConcatDataset, lambda data: ConcatDataset(data, ignore_keys='classes')])
def test_concatenated_data_whose_classes_differ(wrap):
    runner = runner_on(task_with(head=3), train=wrap([named('abc'), named('acb')]))
    with pytest.raises(SR4IRError, match="training data have other classes than the training data: class 1 is 'c'"):
        ClassCheckHook().before_run(runner)
    ClassCheckHook('train').before_run(runner)


def test_depth_maps_have_no_classes():
    """The names of NYU are scenes."""
    data = named('abcde')
    data.data_prefix = dict(img_path='images', depth_map_path='annotations')
    ClassCheckHook().before_run(runner_on(task_with(decode_head=1), train=data, val=data))


def test_data_without_metainfo():
    ClassCheckHook().before_run(runner_on(task_with(head=3), train=[0]))


@pytest.mark.parametrize(
    'val, difference',
    [
        (('cat', 'fox'), "'dog' is missing."),
        (('cat', 'Dog', 'fox'), "'dog' (nearest: 'Dog') is missing; only they have 'Dog'."),
        (('cat', 'fox', 'dog'), "class 1 is 'fox', not 'dog'."),
        (('cat', 'dog', 'fox', 'owl'), "only they have 'owl'."),
    ],
)
def test_validation_data_of_other_classes(val, difference):
    runner = runner_on(task_with(head=3), train=named(['cat', 'dog', 'fox']), val=named(val))
    with pytest.raises(SR4IRError) as error:
        ClassCheckHook().before_run(runner)
    assert f'validation data have other classes than the training data: {difference}' in str(error.value)
    ClassCheckHook(['val']).before_run(runner)


def test_a_test_is_compared_with_the_training_in_the_checkpoint():
    runner = runner_on(task_with(head=2), test=named(['cat', 'fox']))
    hook = ClassCheckHook()
    hook.before_run(runner)
    hook.after_load_checkpoint(runner, dict(meta=dict(dataset_meta=dict(classes=('cat', 'fox')))))
    for unknown in {}, dict(meta={}), dict(meta=dict(dataset_meta=None)), dict(meta=dict(dataset_meta={})):
        hook.after_load_checkpoint(runner, unknown)
    other = dict(meta=dict(dataset_meta=dict(classes=('cat', 'dog'))))
    with pytest.raises(SR4IRError, match=r"test data have other classes than the data of the training: 'dog' is miss"):
        hook.after_load_checkpoint(runner, other)
    ClassCheckHook('test').after_load_checkpoint(runner, other)


def test_a_training_may_start_from_other_classes():
    runner = runner_on(task_with(head=2), train=named('ab'))
    ClassCheckHook().after_load_checkpoint(runner, dict(meta=dict(dataset_meta=dict(classes=('x', 'y', 'z')))))


def test_a_resumed_training_has_the_classes_that_it_had():
    """Its data may have moved to another folder, whose name does not tell what is in it."""
    runner = runner_on(task_with(head=2), train=named('ab'))
    runner._resume = True
    ClassCheckHook().after_load_checkpoint(runner, dict(meta=dict(dataset_meta=dict(classes=('a', 'b')))))
    other = dict(meta=dict(dataset_meta=dict(classes=('b', 'a'))))
    with pytest.raises(
        SR4IRError, match='training data have other classes than the data of the training before it was'
    ):
        ClassCheckHook().after_load_checkpoint(runner, other)
    ClassCheckHook('train').after_load_checkpoint(runner, other)


def test_a_config_without_the_hook_is_checked_too():
    runner = runner_on(task_with(head=3), train=named('ab'))
    with pytest.raises(SR4IRError, match='now 3'):
        AlternatingUpdateHook().before_run(runner)
    runner.hooks = [ClassCheckHook(['head.num_classes'])]  # which makes the check itself
    AlternatingUpdateHook().before_run(runner)


def test_the_check_is_off_if_the_config_says_so():
    runner = runner_on(task_with(head=3), train=named('ab'))
    runner.cfg.default_hooks = dict(class_check=None)
    AlternatingUpdateHook().before_run(runner)


def coco(kinds=('bbox',), **changes) -> SimpleNamespace:
    """COCO's metric, which has read a file with two categories, an image and a box."""
    content = dict(
        images=[dict(id=1, file_name='a.jpg', width=9, height=9)],
        annotations=[dict(id=1, image_id=1, category_id=1, bbox=[1, 1, 3, 3], area=9, iscrowd=0)],
        categories=[dict(id=1, name='a'), dict(id=2, name='b')],
    )
    reader = SimpleNamespace(dataset=content | changes, path='val.json')
    return SimpleNamespace(_coco_api=reader, metrics=list(kinds), format_only=False)


@pytest.mark.parametrize(
    'metric, message',
    [
        (SimpleNamespace(), None),
        (coco(), None),
        (coco(categories=[dict(id=2, name='b')]), "'val.json' has no category 'a'"),
        (coco(categories=[dict(id=2, name='b'), dict(id=1, name='a')]), r"in another order.*classes=\('b', 'a'\)"),
        (coco(annotations=[dict(id=5, image_id=1, category_id=1, bbox=[1, 1, 3, 3], area=9)]),
         r"'val\.json': annotations\[0\] \(id 5\) has no 'iscrowd', which COCO's evaluation needs"),
        (coco(kinds=('bbox', 'segm')), r"'val\.json': annotations\[0\] \(id 1\) has no 'segmentation'"),
        (coco(annotations=None), r"'val\.json' has no list of annotations, which the evaluation needs"),
        (SimpleNamespace(_coco_api=None, metrics=['bbox'], format_only=True), None),
        (SimpleNamespace(_coco_api=None, metrics=['bbox'], format_only=False),
         r"SimpleNamespace of val_evaluator needs the objects of the images: set its ann_file, or add 'instances' to"),
    ],
)  # fmt: skip
def test_the_file_of_the_evaluator(metric, message):
    runner = runner_on(task_with(head=2, mask_head=2), train=named('ab'), val=named('ab'))
    runner._val_loop.dataloader.dataset.pipeline = SimpleNamespace(
        transforms=[SimpleNamespace(meta_keys=('img_path',))]
    )
    runner._val_loop.evaluator = SimpleNamespace(metrics=[metric])
    if message is None:
        ClassCheckHook().before_run(runner)
    else:
        with pytest.raises(SR4IRError, match=message):
            ClassCheckHook().before_run(runner)


@pytest.mark.parametrize('values', [(True, False), (False, True)])
def test_zero_is_a_class_in_one_of_the_data_sets(values):
    data = [named('ab'), named('ab')]
    for part, value in zip(data, values):
        part.reduce_zero_label = value
    runner = runner_on(task_with(head=2), train=data[0], val=data[1])
    with pytest.raises(SR4IRError, match=f'validation data have reduce_zero_label={values[1]}, and the first data'):
        ClassCheckHook().before_run(runner)


def test_a_folder_without_images(tmp_path):
    """Its class would never be learned; in the validation, an empty folder keeps the labels in place."""
    for name in 'ab':
        (tmp_path / name).mkdir()
    (tmp_path / 'a/0.jpg').touch()
    data = named('ab')
    data.folder_to_idx, data.img_prefix = dict(a=0, b=1), str(tmp_path)
    data.is_valid_file = lambda file: file.endswith('.jpg')
    with pytest.raises(SR4IRError, match=rf"The folder '{tmp_path}/b' has no image, so that its class would never be"):
        ClassCheckHook().before_run(runner_on(task_with(head=2), train=data))
    ClassCheckHook().before_run(runner_on(task_with(head=2), val=data))
    ClassCheckHook('train').before_run(runner_on(task_with(head=2), train=data))


def test_masks_to_evaluate_that_the_network_does_not_predict():
    runner = runner_on(task_with(head=2), test=named('ab'))
    runner._test_loop.evaluator = SimpleNamespace(metrics=[coco(kinds=('bbox', 'segm'))])
    with pytest.raises(
        SR4IRError, match="metric 'segm' of test_evaluator needs masks, which the task network does not"
    ):
        ClassCheckHook().before_run(runner)


def test_names_of_a_network_of_transformers_in_another_order():
    """Its weights are for classes with names; the number alone says nothing."""
    task = task_with(head=3)
    task.class_names = ['cat', 'Dog ', 'bird']
    with pytest.raises(
        SR4IRError, match=r"another order: 'dog' is 0 in the data, and 1 in .*allow=\"\[class_names\]\""
    ):
        ClassCheckHook().before_run(runner_on(task, train=named(('dog', 'cat', 'bird'))))
    for names in ('cat', 'dog', 'bird'), ('x', 'y', 'z'), ('cat', 'hound', 'bird'):
        ClassCheckHook().before_run(runner_on(task, train=named(names)))
