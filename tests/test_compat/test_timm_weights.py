"""Weights of timm in an ``init_cfg``: by name, and from a file."""

import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import checkpoint

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR

timm = pytest.importorskip('timm')
ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / 'shared/weights/efficientnet_lite0_imagenet_timm.pth'


def model_of(base: str, checkpoint: str) -> SR4IR:
    cfg = Config.fromfile(ROOT / f'configs/_base_/tasks/{base}.py')
    init_default_scope(cfg.default_scope)
    cfg.task.backbone.init_cfg.checkpoint = checkpoint
    return SR4IR(None, cfg.task, 4, 'H->T')


@pytest.fixture(scope='module')
def published() -> dict:
    torch.manual_seed(1)
    return timm.create_model('tf_efficientnet_lite0').state_dict()


@pytest.mark.parametrize('base', ['efficientnet-lite0', 'fpn_efficientnet-lite0', 'atss_efficientnet-lite0'])
def test_a_file_of_timm_covers_the_backbone(base, published, tmp_path):
    torch.save(published, tmp_path / 'lite0.pth')
    model = model_of(base, f'timm://{tmp_path / "lite0.pth"}')
    model.init_weights()
    net = model.task.backbone.timm_model.state_dict()
    assert len(net) > 250 and all(torch.equal(value, published[key]) for key, value in net.items())


@pytest.mark.parametrize(
    ('name', 'prefix', 'renamed'),
    [
        ('resnet10t', 'layer1.', 'layer1.'),
        ('convnext_atto', 'stages.0.', 'stages_0.'),
        ('botnet26t_256', 'stem.conv1.', 'stem_conv1.'),
        ('rexnet_100', 'features.0.', 'features_0.'),
        ('vit_tiny_patch16_224', '', 'model.'),
        ('pit_ti_224', '', 'body.'),
    ],
)
def test_a_file_of_timm_covers_a_net_that_returns_features(name, prefix, renamed, tmp_path, monkeypatch):
    """timm gives many of them other names."""
    logged = []
    monkeypatch.setattr(checkpoint, 'print_log', lambda message, *args, **kwargs: logged.append(message))
    torch.manual_seed(1)
    published = timm.create_model(name).state_dict()
    torch.save(published, tmp_path / 'net.pth')
    backbone = dict(type='mmpretrain.TIMMBackbone', model_name=name, features_only=True, out_indices=(1, 2),
                    init_cfg=dict(type='Pretrained', checkpoint=f'timm://{tmp_path / "net.pth"}'))  # fmt: skip
    head = dict(type='mmpretrain.LinearClsHead', num_classes=3, in_channels=8)
    model = SR4IR(None, dict(type='mmpretrain.ImageClassifier', backbone=backbone, head=head), 4, 'H->T')
    model.init_weights()
    net = model.task.backbone.timm_model.state_dict()
    some = [key for key in net if key.startswith(renamed)]
    assert some and all(torch.equal(net[key], published[prefix + key.removeprefix(renamed)]) for key in some)
    assert 'missing' not in ''.join(logged)  # so all others are loaded, too
    names = {name: key for key in published for name in (key, key.replace('.', '_', 1), f'{renamed}{key}')}
    used = {f'timm_model.{names[key]}' for key in net}
    assert used and not used.intersection(re.findall(r'[\w.]+', ''.join(logged)))


def test_a_name_loads_what_timm_publishes(published, monkeypatch):
    asked = []

    def create_model(name, pretrained=False):
        asked.append((name, pretrained))
        net = real('tf_efficientnet_lite0')
        net.load_state_dict(published)
        return net

    model = model_of('efficientnet-lite0', 'timm://tf_efficientnet_lite0')
    real = timm.create_model
    monkeypatch.setattr(timm, 'create_model', create_model)
    model.init_weights()
    assert asked == [('tf_efficientnet_lite0', True)]
    key = 'blocks.3.0.conv_pw.weight'
    assert torch.equal(model.task.backbone.timm_model.state_dict()[key], published[key])


def test_what_does_not_fit_or_is_missing_is_refused(tmp_path, monkeypatch):
    other = timm.create_model('mobilenetv3_small_050').state_dict()
    torch.save(other, tmp_path / 'other.pth')
    with pytest.raises(SR4IRError, match=r'fits only \d+ of the \d+ weights of model.task.backbone'):
        model_of('efficientnet-lite0', f'timm://{tmp_path / "other.pth"}').init_weights()
    with pytest.raises(SR4IRError, match=r"'lite0\.pth' is neither a file nor a model of timm"):
        model_of('efficientnet-lite0', 'timm://lite0.pth').init_weights()

    def no_network(*args, **kwargs):
        raise ConnectionError('no route')

    model = model_of('efficientnet-lite0', 'timm://tf_efficientnet_lite0')
    monkeypatch.setattr(timm, 'create_model', no_network)
    with pytest.raises(SR4IRError, match=r'timm cannot load.*no route.*init_cfg.checkpoint=timm://FILE'):
        model.init_weights()


@pytest.mark.skipif(not SHARED.is_file(), reason='needs ../shared/weights')
def test_the_published_weights():
    model = model_of('efficientnet-lite0', f'timm://{SHARED}')
    model.init_weights()
    expected = torch.load(SHARED, weights_only=True)
    net = model.task.backbone.timm_model.state_dict()
    assert set(expected) - set(net) == {'classifier.weight', 'classifier.bias'}
    assert all(torch.equal(value, expected[key]) for key, value in net.items())
