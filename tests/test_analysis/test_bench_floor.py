"""The floor of a benchmark does what SR4IR needs, no less: the same passes, and the same losses as ours."""

from collections import Counter

import pytest
import torch

from sr4ir_mm.analysis.benchmark.jobs import Job
from sr4ir_mm.analysis.benchmark.training import training
from sr4ir_mm.analysis.benchmark.variants import TRAINING
from sr4ir_mm.errors import SR4IRError

SMALL_IMAGES = {'model.task.min_size': 96, 'model.task.max_size': 96}
JOBS = [
    Job('fcn-tiny_edsr-tiny_x4_demo', size=(64, 64)),
    Job('efficientnet-lite0_edsr-s_x4_cars-mini', size=(64, 64)),
    Job('atss-efficientnet-lite0_edsr-s_x4_voc-mini', size=(64, 96)),
    Job('tv-resnet18_edsr_x4_cars', size=(32, 32)),
    Job('tv-deeplabv3_edsr_x4_voc', size=(32, 32)),
    Job('tv-faster-rcnn_edsr_x4_voc', size=(64, 96), options=SMALL_IMAGES),
]


def losses(job: Job, name: str) -> list[float]:
    step = training(job, TRAINING[name])
    return [float(step()) for _ in range(2)]


@pytest.mark.parametrize(
    'job,ours',
    [
        *((job, 'float32') for job in JOBS[:4]),
        # the paper's other tasks have large networks
        *(pytest.param(job, 'float32', marks=pytest.mark.slow) for job in JOBS[4:]),
        *((JOBS[0], 'amp'), (JOBS[3], 'amp'), (JOBS[3], 'channels_last')),
    ],
    ids=lambda value: getattr(value, 'name', value),
)
def test_losses_are_those_of_our_iteration(job, ours):
    """The second iteration compares the updates of the first one too."""
    floor, own = (losses(job, name) for name in (TRAINING[ours].floor, ours))
    assert floor[0] > 0 and floor[0] != floor[1]
    assert floor == pytest.approx(own, rel=1e-5)


@pytest.mark.parametrize('name', ['floor', 'float32'])
def test_passes(name, monkeypatch):
    """S runs with and without a graph; T's features of SR and HR, its losses on SR, HR and mix; a step of each net."""
    calls = Counter()

    def count(what: str, function):
        def counted(*args, **kwargs):
            calls[what] += 1
            return function(*args, **kwargs)

        return counted

    step = training(Job('tv-resnet18_edsr_x4_cars', size=(32, 32)), TRAINING[name])
    model = step.__self__ if name == 'floor' else step.model
    task = model.task if name == 'floor' else model.task.net
    for what, module in (('S', model.sr), ('conv1', task.conv1), ('fc', task.fc)):
        monkeypatch.setattr(module, 'forward', count(what, module.forward))
    monkeypatch.setattr(torch.Tensor, 'backward', count('backward', torch.Tensor.backward))
    for kind in (torch.optim.AdamW, torch.optim.SGD):
        monkeypatch.setattr(kind, 'step', count('step', kind.step))
    step()
    assert calls == dict(S=2, conv1=5, fc=3, backward=4, step=2)


def test_another_scheme_is_refused():
    job = Job('fcn-tiny_edsr-tiny_x4_demo', size=(64, 64), options={'model.scheme': 'S+T'})
    with pytest.raises(SR4IRError, match='scheme'):
        training(job, TRAINING['floor'])
