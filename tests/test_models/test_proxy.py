import copy
import pickle

import pytest
from helpers.toy import EDSR, ToyClassifier, imagenet_preprocessor
from mmengine.registry import HOOKS
from torch import nn

from sr4ir_mm.models import SR4IR
from sr4ir_mm.models.proxy import Proxy


class Part(nn.Module):
    """What hooks of the zoos look for."""

    def __init__(self) -> None:
        super().__init__()
        self.rate, self.hidden, self._private = 0.1, False, 1
        self.head = nn.Linear(2, 2)
        self.register_buffer('queue', None)

    @property
    def with_head(self) -> bool:
        return True

    @property
    def middle(self) -> float:
        return self.rate / 2

    @middle.setter
    def middle(self, value: float) -> None:
        self.rate = 2 * value


class Front(Proxy):
    def __init__(self) -> None:
        super().__init__()
        self.net = Part()
        self.hidden = True  # a name of the part's too
        self._part = 'net'


def test_what_only_the_part_has_is_read_and_set_there():
    front = Front()
    front.rate = 0.4
    assert front.rate == front.net.rate == 0.4 and 'rate' not in vars(front)
    front.middle = 0.1
    assert front.net.rate == 0.2 and front.middle == 0.1 and front.with_head
    front.head = head = nn.Linear(3, 3)
    assert front.net.head is head and list(front._modules) == ['net']
    front.queue = head.weight.data
    assert front.net.queue is front.queue and 'net.queue' in front.state_dict()
    with pytest.raises(AttributeError):
        front.with_head = False  # as on the part


def test_what_the_module_has_or_neither_has_is_its_own():
    front = Front()
    front.hidden, front.new, front._private = 1, 2, 3
    assert (front.hidden, front.new, front._private) == (1, 2, 3)
    assert front.net.hidden is False and front.net._private == 1 and not hasattr(front.net, 'new')
    front.train(False)
    assert not front.training and not front.net.training
    with pytest.raises(AttributeError, match="'Part' object has no attribute 'missing'"):
        _ = front.missing


@pytest.mark.parametrize('copied', [copy.deepcopy, lambda front: pickle.loads(pickle.dumps(front))])
def test_copies(copied):
    front = Front()
    other = copied(front)
    other.rate = 0.7
    assert other.net.rate == 0.7 and front.rate == 0.1


def test_the_model_offers_its_task_network_and_its_preprocessor_that_of_the_network():
    task = ToyClassifier()
    task.temperature, task.tdp = 1.0, 'of the task network'
    model = SR4IR(EDSR, task, scale=4)
    model.temperature = 2.0
    model.data_preprocessor.pad_value = 114
    assert task.temperature == 2.0 and task.tdp == 'of the task network' and model.tdp is not task.tdp
    assert task.data_preprocessor.pad_value == 114 and model.data_preprocessor.mean is task.data_preprocessor.mean


def test_switch_recipe_of_a_network_that_holds_its_loss_itself():
    """As mmpretrain's TimmClassifier does."""
    task = ToyClassifier(data_preprocessor=imagenet_preprocessor())
    task.loss_module = nn.CrossEntropyLoss()
    model = SR4IR(EDSR, task, scale=4)
    loss = dict(type='mmpretrain.LabelSmoothLoss', label_smooth_val=0.1)
    hook = HOOKS.build(dict(type='mmpretrain.SwitchRecipeHook', schedule=[dict(action_epoch=1, loss=loss)]))
    hook._switch_loss(type('Runner', (), dict(model=model)), hook.schedule[1]['loss'])
    assert type(task.loss_module).__name__ == 'LabelSmoothLoss' and 'loss_module' not in model._modules


def test_without_a_task_network():
    model = SR4IR(EDSR, None, scale=4, scheme='S')
    model.temperature = 1.0
    assert model.temperature == 1.0
    with pytest.raises(AttributeError, match="'SR4IR' object has no attribute 'backbone'"):
        _ = model.backbone
