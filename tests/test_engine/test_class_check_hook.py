import re
from types import SimpleNamespace

import pytest
import torch
from helpers.toy import EDSR, ToyClassifier
from torch import nn

from sr4ir_mm.engine import ClassCheckHook
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR


def check(classes: int | None, scheme: str = 'SR4IR', **num_classes: int) -> None:
    """Run the hook on a task network whose modules have these ``num_classes``, and on data of so many classes."""
    task = ToyClassifier()
    for name, number in num_classes.items():
        setattr(task, name, nn.Identity())
        getattr(task, name).num_classes = number
    dataset = SimpleNamespace(metainfo=dict(classes=tuple('c' * classes)) if classes is not None else None)
    runner = SimpleNamespace(
        model=SR4IR(EDSR, task, scale=4, scheme=scheme), train_dataloader=SimpleNamespace(dataset=dataset)
    )
    ClassCheckHook().before_train(runner)


def test_more_classes_than_the_task_network_has():
    message = 'data have 22 classes, but the task network has only 20: set model.task.head.num_classes=22'
    with pytest.raises(SR4IRError, match=re.escape(message)):
        check(22, head=20, rpn_head=1)


def test_torchvision_nets_have_a_number_of_classes():
    task = dict(type='sr4ir_mm.TorchvisionClassifier', name='resnet18', num_classes=20)
    dataset = SimpleNamespace(metainfo=dict(classes=tuple('c' * 22)))
    runner = SimpleNamespace(
        model=SR4IR(None, task, scale=4, scheme='L->T'), train_dataloader=SimpleNamespace(dataset=dataset)
    )
    with pytest.raises(SR4IRError, match=re.escape('set model.task.num_classes=22')):
        ClassCheckHook().before_train(runner)


@pytest.mark.parametrize(
    'classes, scheme, heads',
    [
        (20, 'SR4IR', dict(head=20, rpn_head=1)),
        (20, 'SR4IR', dict(head=21)),
        (22, 'S', dict(head=20)),  # S is trained alone
        (22, 'SR4IR', dict()),  # unknown number of the task network
        (None, 'SR4IR', dict(head=20)),  # unknown number of the data
        (0, 'SR4IR', dict(head=20)),
    ],
)
def test_other_numbers_pass(classes, scheme, heads):
    check(classes, scheme, **heads)


def test_data_without_metainfo():
    model = SR4IR(EDSR, ToyClassifier(), scale=4)
    loader = torch.utils.data.DataLoader([0])
    ClassCheckHook().before_train(SimpleNamespace(model=model, train_dataloader=loader))
