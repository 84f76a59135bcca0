import pytest
import torch
import torch.nn.functional as F
from helpers.toy import EDSR, ToyClassifier, toy_batch
from helpers.zoo import changed, state
from torch import nn

from sr4ir_mm.engine.task_statistics import exchange_statistics, measure_statistics
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR


class FrozenNorm(ToyClassifier):
    """A network whose first norm is frozen, and which has noise."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Sequential(nn.Dropout(0.5), self.fc)
        self.backbone[1].running_mean.add_(0.3)

    def train(self, mode: bool = True):
        super().train(mode)
        self.backbone[1].eval()
        return self

    def forward(self, inputs, data_samples=None, mode='tensor'):
        assert not (self.training or self.fc[0].training)
        return super().forward(inputs, data_samples, mode)


def model_for(scheme: str, task: nn.Module | None = None, **options) -> SR4IR:
    torch.manual_seed(0)
    return SR4IR(dict(EDSR), task or ToyClassifier(), scale=4, scheme=scheme, **options)


def moments(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    values = x.transpose(0, 1).flatten(1)
    return values.mean(1), values.var(1)


@pytest.mark.parametrize('scheme', ['SR4IR', 'H->T', 'L->T', 'S->T', 'S+T'])
def test_by_hand(scheme):
    model = model_for(scheme)
    batches = [toy_batch(3, seed=0), toy_batch(3, seed=1)]
    conv1, norm1, _, conv2, *_ = model.task.backbone
    with torch.no_grad():
        samples = [model.eval().test_step(batch) for batch in batches]
        images = [torch.stack([sample.task_input for sample in batch]) for batch in samples]
        first = [conv1(model.data_preprocessor.normalize(image)) for image in images]
        second = [conv2(F.relu(F.batch_norm(x, None, None, norm1.weight, norm1.bias, True))) for x in first]
    expected = {}
    for name, values in (('backbone.1', first), ('backbone.4', second)):
        expected[f'{name}.running_mean'], expected[f'{name}.running_var'] = moments(torch.cat(values))
    before = state(model.train())
    torch.testing.assert_close(measure_statistics(model, batches), expected)
    assert not changed(model, before) and model.training and norm1.training


def test_what_is_frozen_stays_and_noise_is_off():
    model = model_for('SR4IR', FrozenNorm()).train()
    found = measure_statistics(model, [toy_batch()])
    assert {name.rpartition('.')[0] for name in found} == {'backbone.4'}
    assert model.task.fc[0].training and not model.task.backbone[1].training


def test_layers_that_do_not_run_are_left_out():
    model = model_for('SR4IR').train()
    model.task.auxiliary_head = nn.BatchNorm2d(4)
    assert not any(name.startswith('aux') for name in measure_statistics(model, [toy_batch()]))


def test_a_network_without_such_layers():
    assert measure_statistics(model_for('SR4IR', ToyClassifier(norm=False)).train(), [toy_batch()]) == {}


@pytest.mark.parametrize('channels_last', [False, True])
def test_mixed_precision_and_memory_format(channels_last):
    model, batches = model_for('SR4IR', channels_last=channels_last).train(), [toy_batch(4)]
    exact, mixed = (measure_statistics(model, batches, amp) for amp in (False, True))
    torch.testing.assert_close(mixed, exact, rtol=0.05, atol=0.02)
    assert all(value.dtype == torch.float32 for value in mixed.values())
    assert any(not torch.equal(mixed[name], exact[name]) for name in exact)


def test_one_value_per_channel_is_explained():
    model = model_for('SR4IR').train()
    with pytest.raises(SR4IRError, match='has only one image'):
        measure_statistics(model, [toy_batch(1, size=16)])


def test_exchange():
    task = ToyClassifier()
    before = state(task)
    old = exchange_statistics(task, {'backbone.1.running_mean': torch.ones(8)})
    assert changed(task, before) == {'backbone.1.running_mean'} and task.backbone[1].running_mean.sum() == 8
    exchange_statistics(task, old)
    assert not changed(task, before)
    assert exchange_statistics(None, {}) == {}
