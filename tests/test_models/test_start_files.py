"""Networks start from the weights of a file, however it keeps them and whatever their own ``init_weights`` does."""

import copy

import pytest
import torch
from helpers.toy import EDSR, ToyClassifier
from mmengine.model import BaseModule
from mmengine.runner import load_checkpoint
from torch import nn

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR
from sr4ir_mm.models.layouts import to_theirs
from sr4ir_mm.registry import MODELS


@pytest.fixture
def save(tmp_path):
    """Save an object and return the file's name."""

    def save(content: object, name: str = 'a.pth') -> str:
        torch.save(content, tmp_path / name)
        return str(tmp_path / name)

    return save


def trained(net: nn.Module) -> nn.Module:
    """The network with other values everywhere, also in BatchNorm's statistics."""
    for value in net.state_dict().values():
        value.copy_(torch.rand(value.shape) if value.is_floating_point() else value + 7)
    return net


def equal(net: nn.Module, state: dict) -> bool:
    own = net.state_dict()
    return own.keys() == state.keys() and all(torch.equal(value, state[key]) for key, value in own.items())


def under(prefix: str, state: dict) -> dict:
    return {prefix + key: value for key, value in state.items()}


OTHERS = {'step_counter': torch.zeros(1), 'discriminator.conv.weight': torch.zeros(1)}
#: how a file keeps the weights of S
FILES = {
    'bare': lambda state: state,
    'MMEngine': lambda state: dict(state_dict=state, meta={}),
    'BasicSR': lambda state: dict(params=state),
    'BasicSR, averaged': lambda state: dict(params={key: value + 1 for key, value in state.items()}, params_ema=state),
    'BasicSR, several GPUs': lambda state: dict(params=under('module.', state)),
    'mmagic': lambda state: dict(state_dict=under('generator.', state) | OTHERS),
    'scheme S': lambda state: dict(state_dict=under('sr.', state)),
    'several GPUs': lambda state: dict(state_dict=under('sr.module.', state)),
    'several GPUs, averaged': lambda state: dict(state_dict=under('module.sr.', state) | {'steps': torch.ones(1)}),
    'whole training': lambda state: dict(state_dict=under('sr.', state) | under('task.', ToyClassifier().state_dict())),
    'another library': lambda state: under('model.net_g.', state) | under('model.net_d.', dict(OTHERS)),
}


@pytest.mark.parametrize('kind', FILES)
def test_s_starts_from_any_layout(kind, save):
    state = trained(MODELS.build(EDSR)).state_dict()
    init_cfg = dict(type='Pretrained', checkpoint=save(FILES[kind](dict(state))))
    model = SR4IR(dict(EDSR, init_cfg=init_cfg), None, 4, 'S')
    model.init_weights()
    assert equal(model.sr, state)


def test_s_starts_from_the_official_code(save):
    """Its names are others, and its range of the images too."""
    net = trained(MODELS.build(EDSR))
    for wrap in (dict, lambda state: dict(params=under('module.', state)), lambda state: under('net_sr.', state)):
        init_cfg = dict(type='Pretrained', checkpoint=save(wrap(to_theirs(net))))
        model = SR4IR(dict(EDSR, init_cfg=init_cfg), None, 4, 'S')
        model.init_weights()
        for key, value in model.sr.state_dict().items():
            torch.testing.assert_close(value, net.state_dict()[key])


def test_swinir_of_another_training_size(save):
    """The masks of its file have another shape; they follow from the size."""
    cfg = dict(type='mmagic.SwinIRNet', upscale=4, in_chans=3, window_size=4, depths=[2], embed_dim=12, num_heads=[2],
               mlp_ratio=2, upsampler='pixelshuffle')  # fmt: skip
    other, checkpoint = MODELS.build(dict(cfg, img_size=16)), save(MODELS.build(dict(cfg, img_size=8)).state_dict())
    assert not equal(other, torch.load(checkpoint))
    model = SR4IR(dict(cfg, img_size=16, init_cfg=dict(type='Pretrained', checkpoint=checkpoint)), None, 4, 'S')
    model.init_weights()
    assert torch.equal(model.sr.conv_first.weight, torch.load(checkpoint)['conv_first.weight'])
    assert all(torch.equal(value, other.state_dict()[key]) for key, value in model.sr.state_dict().items()
               if key.endswith('attn_mask'))  # fmt: skip


def test_a_prefix_that_is_named_wins(save):
    a, b = trained(MODELS.build(EDSR)).state_dict(), trained(MODELS.build(EDSR)).state_dict()
    checkpoint = save(under('generator.', a) | under('generator_ema.module.', b))
    for prefix, state in (('generator', a), ('generator_ema.', b), ('generator_ema.module', b)):
        init_cfg = dict(type='Pretrained', checkpoint=checkpoint, prefix=prefix)
        model = SR4IR(dict(EDSR, init_cfg=init_cfg), None, 4, 'S')
        model.init_weights()
        assert equal(model.sr, state)
    model = SR4IR(dict(EDSR, init_cfg=dict(type='Pretrained', checkpoint=checkpoint)), None, 4, 'S')
    with pytest.raises(SR4IRError, match=r"EDSRNet under 'generator\.' and 'generator_ema\.module\.': add one of them"):
        model.init_weights()


class Overwriting(ToyClassifier):
    """A network that initializes all of itself after what it has loaded, as DETR does, and takes no init_cfg, as LD."""

    def __init__(self, data_preprocessor: dict | None = None) -> None:
        super().__init__(data_preprocessor=data_preprocessor)

    def init_weights(self) -> None:
        super().init_weights()
        for param in self.parameters():
            nn.init.normal_(param)


def as_dict(init_cfg: dict | list) -> SR4IR:
    return SR4IR(EDSR, dict(type=Overwriting, init_cfg=init_cfg), 4, tdp=dict(layers=dict(backbone=1.0)))


def as_module(init_cfg: dict | list) -> SR4IR:
    model = SR4IR(EDSR, Overwriting(), 4, tdp=dict(layers=dict(backbone=1.0)))
    model.task.init_cfg = init_cfg
    return model


@pytest.mark.parametrize('make', [as_dict, as_module])
@pytest.mark.parametrize('prefix', ['', 'module.', 'task.', 'task.module.'])
def test_t_starts_after_its_own_initialization(make, prefix, save):
    state = trained(Overwriting()).state_dict()
    model = make(dict(type='Pretrained', checkpoint=save(dict(state_dict=under(prefix, state)))))
    model.init_weights()
    assert equal(model.task, state)


def test_other_initializers_of_t_run_first(save):
    state = trained(ToyClassifier()).state_dict()
    file = dict(type='Pretrained', checkpoint=save({key: value for key, value in state.items() if 'fc' not in key}))
    model = as_module([file, dict(type='Constant', layer='Linear', val=3.0, bias=2.0)])
    model.task, model.may_differ = ToyClassifier(), ['task.fc']
    model.task.init_cfg = [file, dict(type='Constant', layer='Linear', val=3.0, bias=2.0)]
    model.init_weights()
    assert torch.equal(model.task.backbone[0].weight, state['backbone.0.weight'])
    assert model.task.fc.weight.unique().tolist() == [3.0] and model.task.fc.bias.unique().tolist() == [2.0]


def test_t_of_a_zoo_that_takes_pretrained(save):
    cfg = dict(type='mmpretrain.ImageClassifier', backbone=dict(type='mmpretrain.MobileNetV3', arch='small'),
               head=dict(type='mmpretrain.LinearClsHead', num_classes=3, in_channels=576))  # fmt: skip
    state = trained(MODELS.build(cfg)).state_dict()
    model = SR4IR(None, dict(cfg, pretrained=save(dict(state_dict=state))), 4, 'H->T')
    model.init_weights()
    assert equal(model.task, state)


class Versioned(BaseModule):
    """A network that changes old files, as some of the zoos do; a file without a version counts as old."""

    _version = 2

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(2, 2)

    def _load_from_state_dict(self, state: dict, prefix: str, metadata: dict, *args) -> None:
        if metadata.get('version', 1) < 2:
            state[f'{prefix}fc.bias'] = state[f'{prefix}fc.bias'] + 1
        super()._load_from_state_dict(state, prefix, metadata, *args)


@pytest.mark.parametrize('wrapped', [False, True], ids=['alone', 'distributed'])
@pytest.mark.parametrize('prefix', [None, 'task.'])
def test_the_version_of_a_file_is_kept(prefix, wrapped, save):
    """MMEngine forgets it where a prefix is cut off."""
    task = ToyClassifier()
    task.head = Versioned()
    run = trained(SR4IR(None, task, 4, 'H->T'))
    run.task = nn.DataParallel(task) if wrapped else task
    init_cfg = dict(type='Pretrained', checkpoint=save(dict(state_dict=run.state_dict())))
    model = SR4IR(EDSR, copy.deepcopy(task), 4, 'T->S')
    model.task.init_cfg = init_cfg | (dict(prefix=prefix) if prefix else {})
    state = {key: value.clone() for key, value in task.state_dict().items()}
    trained(model.task)
    model.init_weights()
    assert equal(model.task, state)


def test_a_second_initialization_changes_nothing(save):
    """``Runner.train`` initializes, also when it is called again."""
    init_cfg = dict(type='Pretrained', checkpoint=save(MODELS.build(EDSR).state_dict()))
    model = SR4IR(dict(EDSR, init_cfg=init_cfg), ToyClassifier(), 4, tdp=dict(layers=dict(backbone=1.0)))
    model.init_weights()
    state = copy.deepcopy(trained(model).state_dict())
    model.init_weights()
    assert equal(model, state)


def test_a_file_of_the_whole_model_comes_last(save):
    options = dict(tdp=dict(layers=dict(backbone=1.0)))
    state = trained(SR4IR(EDSR, Overwriting(), 4, **options)).state_dict()
    init_cfg = dict(type='Pretrained', checkpoint=save(MODELS.build(EDSR).state_dict(), 'sr.pth'))
    whole = dict(type='Pretrained', checkpoint=save(dict(state_dict=state)))
    model = SR4IR(dict(EDSR, init_cfg=init_cfg), Overwriting(), 4, init_cfg=whole, **options)
    model.init_weights()
    assert equal(model, state)


@pytest.mark.parametrize('way', ['start', 'whole model'])
def test_a_network_that_computes_a_part_of_its_file(way, save):
    """Swin V2 leaves out the tables of its windows: they depend on the size of the image."""
    task = ToyClassifier()
    task.backbone.register_buffer('table', torch.arange(3))
    run = trained(SR4IR(None, copy.deepcopy(task), 4, 'H->T'))
    task.backbone._register_load_state_dict_pre_hook(lambda state, prefix, *rest: state.pop(f'{prefix}table', None))
    model = SR4IR(None, task, 4, 'H->T')
    checkpoint = save(dict(state_dict=run.state_dict()))
    if way == 'start':
        task.init_cfg = dict(type='Pretrained', checkpoint=checkpoint)
        model.init_weights()
    else:
        load_checkpoint(model, checkpoint)
        assert model.random_parts == []
    assert torch.equal(task.fc.weight, run.task.fc.weight) and task.backbone.table.tolist() == [0, 1, 2]


def test_a_weight_with_two_names(save):
    """As in RTMDet, whose levels share convolutions; a file may have other values under the second name."""
    task = ToyClassifier()
    task.again = task.fc
    state = {key: value + ('again' in key) for key, value in task.state_dict().items()}
    task.init_cfg = dict(type='Pretrained', checkpoint=save(state))
    SR4IR(None, task, 4, 'H->T').init_weights()
    assert torch.equal(task.fc.weight, state['again.weight'])


def test_values_that_do_not_stay_are_named(save):
    """As if code of a network changed them after they were loaded."""
    task = ToyClassifier()
    task.init_cfg = dict(type='Pretrained', checkpoint=save(trained(ToyClassifier()).state_dict()))

    def change(net: nn.Module, keys: object) -> None:
        net.fc.bias.data.zero_()

    task.register_load_state_dict_post_hook(change)
    with pytest.raises(SR4IRError, match=r"a\.pth' was loaded into ToyClassifier, but .* the values of fc\.bias\."):
        SR4IR(None, task, 4, 'H->T').init_weights()
