import gc
import re
import weakref
from collections import OrderedDict

import pytest
import torch
from helpers.toy import ToyClassifier
from torch import nn
from torch.utils.checkpoint import checkpoint

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models.feature_recorder import FeatureRecorder
from sr4ir_mm.models.features import map_in, pick, tensors


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
        ('neck', lambda t, x: t.neck(t.backbone(x))['coarse']),
        ('neck[fine0]', lambda t, x: t.neck(t.backbone(x))['fine']),
        ('neck[fine0][0]', lambda t, x: t.neck(t.backbone(x))['fine']),
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
    recorder = FeatureRecorder(task, ['backbone', 'backbone[map]'])
    recorder(image)  # finds the map
    features = recorder(image)
    assert task.hooks == 0
    assert task.refs[-1]() is not None  # in use
    del features
    assert all(ref() is None for ref in task.refs)  # at once, without a garbage collection


class InPlace(nn.Module):
    """Changes what it got, as an activation with ``inplace=True`` and a neck that edits the list of maps."""

    def forward(self, features):
        features.append(features.pop().relu_())
        del features[0]
        return features


def test_a_later_layer_changes_an_earlier_feature_in_place(task, image):
    """What the layer returned counts, with its gradient."""
    run = task.backbone.forward
    task.backbone.forward = lambda x: list(run(x))
    names = ['backbone', 'backbone[0]', 'backbone.stage', 'backbone[map]']
    expected = FeatureRecorder(task, names)(image.requires_grad_())
    task.neck = InPlace()
    features = FeatureRecorder(task, [*names, 'neck'])(image)
    assert all(torch.equal(features[name], expected[name]) for name in names)
    assert (features['backbone'] < 0).any() and torch.equal(features['neck'], features['backbone'].relu())
    totals = (found['backbone'].sum() for found in (features, expected))
    assert torch.equal(*(torch.autograd.grad(total, image, retain_graph=True)[0] for total in totals))
    sum(feature.sum() for feature in features.values()).backward()


def test_the_layers_are_logged_once(task, image, monkeypatch):
    lines = []
    monkeypatch.setattr('sr4ir_mm.models.feature_recorder.print_log', lambda text, *args: lines.append(text))
    task.neck.forward = lambda features: features[1].mean((2, 3))
    nn.init.zeros_(task.backbone.stem.weight), nn.init.zeros_(task.backbone.stem.bias)
    recorder = FeatureRecorder(task, ['neck[map]', 'backbone.stem'])
    size = recorder(image)['neck[map]'].abs().mean().item()
    recorder(image)
    assert lines == [
        f"TDP layer 'neck[map]', which is 'backbone': 2 x 5 x 4 x 4, mean |x| {size:.3g}",
        "TDP layer 'backbone.stem': 2 x 4 x 6 x 6, mean |x| 0",
        "TDP layer 'backbone.stem' is zero for the first HR images: it compares nothing while this is so.",
    ]


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
    message = rf"network \(Task\) has no TDP layer '{re.escape(name)}'; it has: {layers}\.$"
    with pytest.raises(SR4IRError, match=message):
        FeatureRecorder(task, [name])


@pytest.mark.parametrize(
    'name, kind, there',
    [
        ('neck[nope]', 'dict', 'neck[fine], neck[coarse]'),
        ('neck[0]', 'dict', 'neck[fine], neck[coarse]'),
        ('neck[fine][1]', 'dict', 'neck[fine], neck[coarse]'),
        ('backbone[2]', 'tuple', 'backbone[0], backbone[1]'),
        ('backbone[-3]', 'tuple', 'backbone[0], backbone[1]'),
        ('backbone[fine]', 'tuple', 'backbone[0], backbone[1]'),
        ('backbone.stem[1]', 'Tensor', 'backbone.stem'),
    ],
)
def test_not_a_tensor(task, image, name, kind, there):
    message = f"TDP layer '{name}' is no tensor: the module returns a {kind} with these: {there}."
    with pytest.raises(SR4IRError, match=f'^{re.escape(message)}$'):
        FeatureRecorder(task, [name])(image)


def test_a_module_without_tensors():
    with pytest.raises(SR4IRError, match=r'returns a tuple with these: no tensor\.$'):
        pick('backbone', (None, []))


def maps(*sizes: int) -> tuple[torch.Tensor, ...]:
    return tuple(torch.rand(2, 3, size, size) for size in sizes)


FINE, MIDDLE, COARSE = maps(8, 4, 2)
TOKENS, CLS, OTHER = torch.rand(2, 16, 9), torch.rand(2, 9), maps(8)[0]


@pytest.mark.parametrize(
    'index, output, feature',
    [
        ('', FINE, FINE),
        ('[0]', FINE, FINE),
        ('[-1]', FINE, FINE),
        ('[fine3]', FINE, FINE),
        ('', TOKENS, TOKENS),
        ('', [CLS], CLS),
        ('[fine0]', (CLS,), CLS),
        # a neck in whatever order, with one level, with more levels than it has
        ('[fine0]', (FINE, MIDDLE, COARSE), FINE),
        ('[fine1]', (COARSE, MIDDLE, FINE), MIDDLE),
        ('[fine1]', (COARSE,), COARSE),
        ('[fine9]', (FINE, MIDDLE, COARSE), COARSE),
        # two of one size: the later is the deeper one
        ('[fine0]', (FINE, OTHER, COARSE), OTHER),
        ('[fine1]', (FINE, OTHER, COARSE), FINE),
        # nested, a map or tokens next to their class token
        ('', ((FINE, CLS), (MIDDLE, CLS)), MIDDLE),
        ('', [[CLS, TOKENS]], TOKENS),
        ('[-1][1]', ((FINE, CLS), (MIDDLE, CLS)), CLS),
        ('[0][0]', [(FINE, CLS), (MIDDLE, CLS)], FINE),
        ('[fine0]', [dict(a=COARSE), (CLS, [FINE, None])], FINE),
        ('[fine1]', [(TOKENS, COARSE), CLS], COARSE),
        ('[fine0]', (MIDDLE, torch.rand(2, 9, 50)), MIDDLE),
        ('[0][fine1]', [(FINE, MIDDLE), OTHER], MIDDLE),
        # dicts
        ('', OrderedDict(aux=FINE, out=COARSE), COARSE),
        ('[out][1]', dict(out=[FINE, MIDDLE]), MIDDLE),
        ('[0]', {0: FINE, 1: COARSE}, FINE),
        ('[fine0]', dict(fine0=COARSE, other=FINE), COARSE),
        ('', dict(map=FINE, states=None), FINE),
    ],
)
def test_pick(index, output, feature):
    assert pick(f'neck{index}', output) is feature


def test_all_tensors_by_their_indices():
    output = [FINE, (CLS, dict(out=TOKENS, size=(4, 4))), None]
    assert {index: id(tensor) for index, tensor in tensors(output).items()} == {
        '[0]': id(FINE),
        '[1][0]': id(CLS),
        '[1][1][out]': id(TOKENS),
    }


class Checkpointed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stage = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return checkpoint(self.stage, x, use_reentrant=True)


def test_a_layer_that_no_gradient_leaves(task, image):
    task.backbone = Checkpointed()
    recorder = FeatureRecorder(task, ['backbone.stage'])
    with pytest.raises(SR4IRError, match=r"No gradient flows from TDP layer 'backbone\.stage' to the image.*with_cp"):
        recorder(image.requires_grad_())
    with torch.no_grad():  # as for the HR image
        assert recorder(image)['backbone.stage'].shape == (2, 4, 6, 6)
    recorder = FeatureRecorder(task, ['backbone'])
    recorder(image)['backbone'].sum().backward()
    assert image.grad.abs().sum() > 0


def test_layer_without_part_in_the_forward_pass(task, image):
    task.head = nn.Identity()
    with pytest.raises(SR4IRError, match=r"'unused' did not run in the task network's forward pass"):
        FeatureRecorder(task, ['backbone', 'unused'])(image)
    assert task.hooks == 0


class Steps(nn.Module):
    """Runs its modules in a row; never returns a map of the image."""

    def __init__(self, *steps: nn.Module) -> None:
        super().__init__()
        self.steps, self.data_preprocessor = nn.ModuleList(steps), nn.Identity()

    def forward(self, x, data_samples=None, mode='tensor'):
        for step in self.steps:
            x = step(x)
        return x


class Pool(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


class Task2(nn.Module):
    def __init__(self, *steps: nn.Module) -> None:
        super().__init__()
        self.backbone, self.head = Steps(*steps), nn.Linear(4, 2)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return self.head(self.backbone(inputs))


def conv(stride: int = 1) -> nn.Module:
    return nn.Conv2d(3 if stride > 1 else 4, 4, 3, stride=stride, padding=1)


@pytest.mark.parametrize(
    'steps, path, size',
    [
        ((conv(2), conv(), Pool()), 'steps.1', 32),
        ((conv(2), conv(), nn.AdaptiveAvgPool2d(1), nn.Flatten()), 'steps.1', 32),
        ((conv(2), nn.Sequential(conv(), nn.ReLU(inplace=True)), Pool(), nn.Linear(4, 4)), 'steps.1', 32),
        ((conv(16), conv(4), nn.Flatten()), 'steps.1', 1),  # one place, of 63 px
    ],
)
def test_the_last_map(steps, path, size):
    if size == 1:
        steps[1].in_channels = 4
        steps = (steps[0], nn.Conv2d(4, 4, 4, stride=4), steps[2])
    task = Task2(*steps)
    recorder = FeatureRecorder(task, ['backbone[map]'])
    side = 63 if size == 1 else 64
    (feature,) = recorder(torch.rand(2, 3, side, side)).values()
    assert recorder.paths() == {'backbone[map]': f'backbone.{path}'} and feature.shape == (2, 4, size, size)
    assert recorder(torch.rand(2, 3, 65, 97))['backbone[map]'].ndim == 4  # in later batches the same layer


def test_a_smaller_later_image_of_which_the_map_is_one_place():
    task = Task2(nn.Conv2d(3, 4, 64, stride=64), Pool())
    recorder = FeatureRecorder(task, ['backbone[map]'])
    assert recorder(torch.rand(1, 3, 128, 128))['backbone[map]'].shape == (1, 4, 2, 2)
    assert recorder(torch.rand(1, 3, 64, 64))['backbone[map]'].shape == (1, 4, 1, 1)


def test_no_map_at_all(image):
    task = Task2(Pool(), nn.Linear(3, 4))
    with pytest.raises(SR4IRError, match=r"TDP layer 'backbone\[map\]': the task network makes no map of the image up"):
        FeatureRecorder(task, ['backbone[map]'])(image)


@pytest.mark.parametrize(
    'shape, image, expected',
    [
        ((2, 196, 12), (224, 224), (2, 12, 14, 14)),
        ((2, 197, 12), (224, 224), (2, 12, 14, 14)),  # class
        ((2, 198, 12), (224, 224), (2, 12, 14, 14)),  # and distillation
        ((2, 261, 12), (224, 224), (2, 12, 16, 16)),  # and registers
        ((2, 141, 12), (224, 160), (2, 12, 14, 10)),
        ((2, 448, 49), (224, 224), (2, 448, 7, 7)),
        ((2, 100, 12), (150, 150), (2, 12, 10, 10)),
        ((2, 26, 12), (66, 66), (2, 12, 5, 5)),  # padded
        ((2, 119, 7), (64, 64), (2, 119, 7)),  # no grid
    ],
)
def test_tokens_are_reshaped(shape, image, expected):
    feature = torch.rand(shape)
    found = map_in([feature], torch.rand(2, 3, *image))
    assert found.shape == expected
    if len(expected) == 4 and expected[1] == shape[2]:  # the last tokens are those of the image, row by row
        assert torch.equal(found[:, :, 0, 1], feature[:, shape[1] - expected[2] * expected[3] + 1])


def test_layers_after_proposals(task):
    """Those of the SR image are others than those of the HR image, so no place means the same in both."""
    task.roi_head = nn.Module()
    task.roi_head.bbox_head = nn.Linear(4, 2)
    task.decoder = nn.Identity()
    with pytest.raises(SR4IRError, match=r"'roi_head\.bbox_head\[0\]' comes after the task network's proposals\."):
        FeatureRecorder(task, ['roi_head.bbox_head[0]'])
    FeatureRecorder(task, ['decoder'])  # of queries that are learned
    task.as_two_stage = True
    with pytest.raises(SR4IRError, match=r"'decoder' comes after the task network's proposals"):
        FeatureRecorder(task, ['decoder'])


@pytest.mark.parametrize('name', ['backbone[0][map]', 'backbone[map][0]'])
def test_an_index_next_to_that_of_the_map(name):
    with pytest.raises(SR4IRError, match=r'\[map\] finds the map itself; leave out the other indices'):
        FeatureRecorder(ToyClassifier(), [name])
