import gc
import re
import weakref

import pytest
import torch
from torch import nn

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import FeatureRecorder


class Backbone(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.stage = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3)

    def forward(self, x):
        stem = self.stem(x)
        return stem, self.stage(stem)


class Neck(nn.Module):
    def forward(self, features):
        return dict(fine=features[0].relu(), coarse=features[1].relu())


class Fails(nn.Module):
    def forward(self, x):
        raise RuntimeError('the head ran')


class Task(nn.Module):
    """A detector in miniature, with a head that must not run."""

    def __init__(self) -> None:
        super().__init__()
        self.data_preprocessor = nn.Identity()
        self.backbone, self.neck, self.head, self.unused = Backbone(), Neck(), Fails(), nn.Identity()
        self.calls, self.refs = [], []
        for module in self.backbone.children():
            module.register_forward_hook(lambda module, args, output: self.refs.append(weakref.ref(output)))

    def forward(self, inputs, data_samples=None, mode='loss'):
        self.calls.append((data_samples, mode))
        return self.head(self.neck(self.backbone(inputs)))

    @property
    def hooks(self) -> int:
        """Other than our own two."""
        return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in self.modules()) - 2


@pytest.fixture
def task() -> Task:
    return Task()


@pytest.fixture
def image() -> torch.Tensor:
    return torch.rand(2, 3, 8, 8)


@pytest.mark.parametrize(
    'name, take',
    [
        ('backbone', lambda t, x: t.backbone(x)[1]),
        ('backbone[0]', lambda t, x: t.backbone(x)[0]),
        ('backbone[-2]', lambda t, x: t.backbone(x)[0]),
        ('backbone.stem', lambda t, x: t.backbone.stem(x)),
        ('neck[coarse]', lambda t, x: t.neck(t.backbone(x))['coarse']),
    ],
)
def test_takes_the_named_feature_and_runs_no_head(task, image, name, take):
    features = FeatureRecorder(task, [name])(image, ['samples'])
    assert list(features) == [name]
    assert torch.equal(features[name], take(task, image))
    assert task.calls == [(['samples'], 'tensor')]


def test_runs_up_to_the_last_of_several_layers(task, image):
    features = FeatureRecorder(task, ['neck[fine]', 'neck[coarse]', 'backbone[0]'])(image)
    expected = task.neck(task.backbone(image))
    assert torch.equal(features['neck[fine]'], expected['fine'])
    assert torch.equal(features['neck[coarse]'], expected['coarse'])
    assert torch.equal(features['backbone[0]'], task.backbone(image)[0])


def test_stops_right_after_the_layer(task, image):
    task.backbone.stage = Fails()
    assert FeatureRecorder(task, ['backbone.stem'])(image)['backbone.stem'].shape == (2, 4, 6, 6)


def test_gradient_reaches_the_image(task, image):
    FeatureRecorder(task, ['backbone'])(image.requires_grad_())['backbone'].sum().backward()
    assert image.grad.abs().sum() > 0


def test_first_output_of_a_layer_that_runs_twice(task, image):
    task.neck.forward = lambda features: dict(fine=task.backbone.stem(2 * image))
    features = FeatureRecorder(task, ['backbone.stem', 'neck[fine]'])(image)
    assert torch.equal(features['backbone.stem'], task.backbone.stem(image))
    assert torch.equal(features['neck[fine]'], task.backbone.stem(2 * image))


def test_leaves_nothing_behind(task, image):
    features = FeatureRecorder(task, ['backbone', 'neck[fine]'])(image)
    assert task.hooks == 0
    assert all(ref() is not None for ref in task.refs[1:])  # in use
    del features
    assert all(ref() is None for ref in task.refs)  # at once, without a garbage collection


def test_leaves_nothing_behind_when_the_task_raises(task, image):
    recorder = FeatureRecorder(task, ['backbone', 'head'])
    with pytest.raises(RuntimeError, match='the head ran') as error:
        recorder(image)
    del error
    gc.collect()  # the traceback holds the frames
    assert task.hooks == 0
    assert task.refs and all(ref() is None for ref in task.refs)


@pytest.mark.parametrize(
    'name, layers',
    [
        ('nope', 'backbone, neck, head, unused'),
        ('backbone.nope', 'backbone.stem, backbone.stage'),
        ('backbone.stem.nope.deeper[0]', 'backbone.stem, backbone.stage'),
        ('', 'backbone, neck, head, unused'),
        ('backbone[0', 'backbone, neck, head, unused'),
    ],
)
def test_unknown_layer_lists_those_there_are(task, name, layers):
    message = rf"T \(Task\) has no TDP layer '{re.escape(name)}'; there are: {layers}\.$"
    with pytest.raises(SR4IRError, match=message):
        FeatureRecorder(task, [name])


@pytest.mark.parametrize(
    'name, kind', [('neck', 'dict'), ('neck[nope]', 'dict'), ('backbone[2]', 'tuple'), ('backbone[fine]', 'tuple')]
)
def test_not_a_tensor(task, image, name, kind):
    message = rf"'{re.escape(name)}' is no tensor: the module returns a {kind}; write 'path\[index\]'"
    with pytest.raises(SR4IRError, match=message):
        FeatureRecorder(task, [name])(image)


def test_layer_without_part_in_the_forward_pass(task, image):
    task.head = nn.Identity()
    with pytest.raises(SR4IRError, match=r"'unused' took no part in T's forward pass"):
        FeatureRecorder(task, ['backbone', 'unused'])(image)
    assert task.hooks == 0
