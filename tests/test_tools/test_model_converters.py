"""The official files' layouts: what is converted computes the same, there and back.

The references are written here from the layouts' names: EDSR-PyTorch's net, SwinIR as a function of a state dict. The
official task nets are torchvision's.
"""

from collections import OrderedDict
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from helpers.zoo import run_tool
from mmengine.config import Config
from mmengine.registry import MODELS
from torch import Tensor, nn
from torchvision.models import get_model
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import mobilenet_backbone

from sr4ir_mm.converters.convert import from_official, to_official, to_ours, to_theirs
from sr4ir_mm.errors import SR4IRError

ROOT = Path(__file__).parents[2]
FROM_OFFICIAL, TO_OFFICIAL = 'model_converters/official2mm', 'model_converters/mm2official'
MEAN = torch.tensor([0.4488, 0.4371, 0.4040])
TOLERANCE = dict(rtol=0, atol=1e-5)
CONFIGS = {path.stem: path for path in sorted((ROOT / 'configs').glob('*/*.py'))}


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class EDSR(nn.Module):
    """EDSR-PyTorch's net, as in the official code on images in [0, 1]."""

    def __init__(self, scale: int, blocks: int = 3, width: int = 16) -> None:
        super().__init__()
        self.sub_mean, self.add_mean = (nn.Conv2d(3, 3, 1).requires_grad_(False) for _ in range(2))
        for shift, sign in ((self.sub_mean, -1), (self.add_mean, 1)):
            shift.weight.data = torch.eye(3)[:, :, None, None]
            shift.bias.data = sign * 255 * MEAN
        self.head = nn.Sequential(nn.Conv2d(3, width, 3, padding=1))
        body = [*(Block(width) for _ in range(blocks)), nn.Conv2d(width, width, 3, padding=1)]
        self.body = nn.Sequential(*body)
        stages = [
            (nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2)) for _ in range(scale.bit_length() - 1)
        ]
        up = nn.Sequential(*(layer for stage in stages for layer in stage))
        self.tail = nn.Sequential(up, nn.Conv2d(width, 3, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.head(self.sub_mean(x * 255))
        return self.add_mean(self.tail(x + self.body(x))) / 255


def swinir(state: dict, x: Tensor, depths: list[int], heads: int, window: int, scale: int) -> Tensor:
    """SwinIR for classical SR (pixelshuffle, 1conv, img_range 1) as a function of a file's parameters."""

    def conv(name: str, x: Tensor) -> Tensor:
        return F.conv2d(x, state[f'{name}.weight'], state[f'{name}.bias'], padding=1)

    def linear(name: str, x: Tensor) -> Tensor:
        return F.linear(x, state[f'{name}.weight'], state[f'{name}.bias'])

    def norm(name: str, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], state[f'{name}.weight'], state[f'{name}.bias'])

    def windows(x: Tensor) -> Tensor:  # H x W x C -> windows x tokens x C
        x = x.unflatten(0, (-1, window)).unflatten(2, (-1, window)).transpose(1, 2)
        return x.flatten(0, 1).flatten(1, 2)

    def attention(name: str, x: Tensor, shift: int) -> Tensor:
        height, width, channels = x.shape
        region = torch.zeros(height, width)  # tokens that the roll brought together must not attend to each other
        for start in (-window, -shift) if shift else ():
            region[start:] += 1
            region[:, start:] += 3
        region = windows(region[..., None])
        q, k, v = (
            linear(f'{name}.qkv', windows(x.roll((-shift, -shift), (0, 1)))).unflatten(2, (3, heads, -1)).unbind(2)
        )
        scores = torch.einsum('wnhc,wmhc->whnm', q, k) * (channels // heads) ** -0.5
        place = torch.stack(torch.meshgrid(*[torch.arange(window)] * 2, indexing='ij')).flatten(1)
        offset = place[:, :, None] - place[:, None] + window - 1
        table = state[f'{name}.relative_position_bias_table']
        scores = scores + table[offset[0] * (2 * window - 1) + offset[1]].permute(2, 0, 1)
        scores = scores - 100.0 * (region != region.transpose(1, 2))[:, None]
        x = linear(f'{name}.proj', torch.einsum('whnm,wmhc->wnhc', scores.softmax(-1), v).flatten(2))
        x = x.reshape(height // window, width // window, window, window, channels).transpose(1, 2)
        return x.reshape(height, width, channels).roll((shift, shift), (0, 1))

    def block(name: str, x: Tensor, shift: int) -> Tensor:
        x = x + attention(f'{name}.attn', norm(f'{name}.norm1', x), shift)
        return x + linear(f'{name}.mlp.fc2', F.gelu(linear(f'{name}.mlp.fc1', norm(f'{name}.norm2', x))))

    shallow = conv('conv_first', x - MEAN.view(3, 1, 1))
    feat = norm('patch_embed.norm', shallow.permute(1, 2, 0))
    for i, depth in enumerate(depths):
        inner = feat
        for j in range(depth):
            inner = block(f'layers.{i}.residual_group.blocks.{j}', inner, window // 2 * (j % 2))
        feat = feat + conv(f'layers.{i}.conv', inner.permute(2, 0, 1)).permute(1, 2, 0)
    x = shallow + conv('conv_after_body', norm('norm', feat).permute(2, 0, 1))
    x = F.leaky_relu(conv('conv_before_upsample.0', x))
    for i in range(scale.bit_length() - 1):
        x = F.pixel_shuffle(conv(f'upsample.{2 * i}', x), 2)
    return conv('conv_last', x) + MEAN.view(3, 1, 1)


def randomize(net: nn.Module) -> nn.Module:
    """Statistics and weights of BatchNorm that are not 0 and 1, and biases of every size."""
    for name, value in net.state_dict().items():
        if name.endswith('running_var'):
            value.uniform_(0.5, 2)
        elif value.ndim == 1 and value.is_floating_point() and 'mean.' not in name:
            value.add_(0.2 * torch.randn_like(value))
    return net.eval()


def edsr_config(scale: int, **options) -> dict:
    return dict(type='mmagic.EDSRNet', in_channels=3, out_channels=3, mid_channels=16, num_blocks=3,
                upscale_factor=scale, **options)  # fmt: skip


@pytest.mark.parametrize('scale', [2, 4, 8])
@pytest.mark.parametrize('options', [{}, dict(rgb_std=[1 / 255] * 3)], ids=['ours', 'range of 255'])
@torch.no_grad()
def test_edsr_computes_the_same_there_and_back(scale, options):
    theirs, ours = randomize(EDSR(scale)), MODELS.build(edsr_config(scale, **options)).eval()
    for bias in (p for name, p in theirs.named_parameters() if name.endswith('bias') and 'mean' not in name):
        bias.mul_(50)  # of images from 0 to 255
    image = torch.rand(1, 3, 20, 24)
    source = theirs.state_dict()
    ours.load_state_dict(to_ours(ours, source))
    expected = theirs(image)
    assert expected.std() > 0.03
    torch.testing.assert_close(ours(image), expected, **TOLERANCE)

    back = to_theirs(ours)
    fresh = EDSR(scale)
    fresh.load_state_dict(back)
    torch.testing.assert_close(fresh(image), expected, **TOLERANCE)
    for key, value in source.items():
        if options or key.endswith('weight'):
            assert torch.equal(back[key], value), key
        torch.testing.assert_close(back[key], value, rtol=2e-7, atol=0)  # / 255 * 255: one bit at most


@pytest.mark.parametrize('scale', [4, 8])
@torch.no_grad()
def test_swinir_computes_the_same_there_and_back(scale):
    depths, heads, width = [2, 3], 3, 12
    cfg = dict(type='mmagic.SwinIRNet', upscale=scale, in_chans=3, window_size=8, img_range=1.0, depths=depths,
               num_heads=[heads] * 2, embed_dim=width, mlp_ratio=2, upsampler='pixelshuffle',
               resi_connection='1conv')  # fmt: skip
    source = randomize(MODELS.build(dict(cfg, img_size=64))).state_dict()
    ours = MODELS.build(dict(cfg, img_size=48)).eval()
    assert any(source[key].shape != value.shape for key, value in ours.state_dict().items())  # attn_mask
    image = torch.rand(3, 24, 32)
    ours.load_state_dict(to_ours(ours, source))
    expected = swinir(source, image, depths, heads, 8, scale)
    assert (expected - MEAN.view(3, 1, 1)).std() > 0.01
    torch.testing.assert_close(ours(image[None])[0], expected, **TOLERANCE)
    back = to_theirs(ours)
    assert back.keys() == source.keys()
    assert all(torch.equal(back[key], value) for key, value in source.items() if not key.endswith('attn_mask'))


TASKS = {
    'seg': (
        dict(type='sr4ir_mm.TorchvisionSegmentor', name='deeplabv3_mobilenet_v3_large', num_classes=21, aux_loss=True),
        dict(name='deeplabv3_mobilenet_v3_large', num_classes=21, aux_loss=True, weights_backbone=None),
    ),
    'det': (
        dict(type='sr4ir_mm.TorchvisionDetector', name='fasterrcnn_mobilenet_v3_large_fpn', num_classes=20),
        dict(name='fasterrcnn_mobilenet_v3_large_fpn', num_classes=21, weights_backbone=None),
    ),
    'cls': (
        dict(type='sr4ir_mm.TorchvisionClassifier', name='resnet18', num_classes=196),
        dict(name='resnet18', num_classes=196),
    ),
    'mmpretrain': (
        dict(
            type='mmpretrain.ImageClassifier',
            backbone=dict(type='mmpretrain.ResNet', depth=18),
            neck=dict(type='mmpretrain.GlobalAveragePooling'),
            head=dict(type='mmpretrain.LinearClsHead', num_classes=196, in_channels=512),
        ),
        dict(name='resnet18', num_classes=196),
    ),
}


@pytest.mark.parametrize('task', TASKS)
@torch.no_grad()
def test_task_nets_compute_the_same_there_and_back(task):
    cfg, options = TASKS[task]
    theirs = randomize(get_model(weights=None, **options))
    ours = MODELS.build(cfg).eval()
    source = theirs.state_dict()
    ours.load_state_dict(to_ours(ours, source))
    image = torch.rand(1, 3, 96, 128)
    if task == 'mmpretrain':
        outputs, expected = ours.head(ours.extract_feat(image)), theirs(image)
    else:
        outputs, expected = ours(image), theirs(image)
    torch.testing.assert_close(outputs, expected, **TOLERANCE)
    back = to_theirs(ours)
    assert back.keys() == source.keys() and all(torch.equal(back[key], value) for key, value in source.items())


def whole_config(folder: Path) -> Path:
    """A model of S and T that is quickly built."""
    path = folder / 'tiny.py'
    cfg = dict(
        default_scope='mmpretrain',
        model=dict(type='sr4ir_mm.SR4IR', sr=edsr_config(4), scale=4, tdp=dict(layers={'net.layer4': 1.0}),
                   task=dict(TASKS['cls'][0], data_preprocessor=dict(type='ClsDataPreprocessor', to_rgb=True))),
    )  # fmt: skip
    Config(cfg).dump(path)
    return path


@pytest.fixture
def files(tmp_path) -> dict[str, nn.Module]:
    """Official files of S and T in a folder; the nets that they are of."""
    nets = dict(net_sr=randomize(EDSR(4)), net_cls=randomize(get_model('resnet18', num_classes=196)))
    for name, net in nets.items():
        torch.save(net.state_dict(), tmp_path / f'{name}_latest.pth')
    return nets


@torch.no_grad()
def test_the_tools_convert_a_whole_model_and_back(files, tmp_path):
    config, out = whole_config(tmp_path), tmp_path / 'new/ours.pth'
    args = ('--sr', 'net_sr_latest.pth', '--task', 'net_cls_latest.pth')
    assert run_tool(FROM_OFFICIAL, config, out, *args, cwd=tmp_path) == 0
    checkpoint = torch.load(out, weights_only=True)
    assert checkpoint['meta']['converted_from'] == dict(sr='net_sr_latest.pth', task='net_cls_latest.pth')
    model = MODELS.build(Config.fromfile(config).model).eval()
    model.load_state_dict(checkpoint['state_dict'])
    lr = torch.rand(1, 3, 16, 16)
    sr = files['net_sr'](lr)
    torch.testing.assert_close(model(lr), files['net_cls'](model.data_preprocessor.normalize(sr)), rtol=1e-4, atol=1e-5)

    assert run_tool(TO_OFFICIAL, config, out, 'back', cwd=tmp_path) == 0
    assert sorted(path.name for path in (tmp_path / 'back').iterdir()) == ['net_cls_latest.pth', 'net_sr_latest.pth']
    for name, net in files.items():
        net.load_state_dict(torch.load(tmp_path / f'back/{name}_latest.pth', weights_only=True))
    torch.testing.assert_close(files['net_sr'](lr), sr, **TOLERANCE)


@pytest.mark.parametrize('wrap', ['params', 'params_ema', 'module.'])
def test_s_alone_is_a_start_for_our_configs(wrap, files, tmp_path):
    """Also as BasicSR and SwinIR wrap it."""
    state = files['net_sr'].state_dict()
    if wrap == 'module.':
        state = OrderedDict((f'module.{key}', value) for key, value in state.items())
    else:
        state = {'params': {} if wrap == 'params_ema' else state, wrap: state}
    torch.save(state, tmp_path / 'edsr.pt')
    cfg = Config.fromfile(whole_config(tmp_path))
    checkpoint = from_official(cfg, sr=str(tmp_path / 'edsr.pt'))
    torch.save(checkpoint, tmp_path / 'ours.pth')
    assert all(key.startswith('sr.') for key in checkpoint['state_dict'])
    cfg.model.sr.init_cfg = dict(type='Pretrained', prefix='sr.', checkpoint=str(tmp_path / 'ours.pth'))
    model = MODELS.build(cfg.model)
    model.init_weights()
    image = torch.rand(1, 3, 16, 16)
    torch.testing.assert_close(model.sr(image), files['net_sr'](image), **TOLERANCE)
    assert to_official(cfg, str(tmp_path / 'ours.pth')).keys() == {'net_sr'}


def frozen_detector() -> nn.Module:
    """What torchvision builds where the backbone starts from ImageNet: BatchNorm is frozen and has another eps."""
    backbone = mobilenet_backbone(backbone_name='mobilenet_v3_large', weights=None, fpn=True, trainable_layers=3)
    anchors = AnchorGenerator(((32, 64, 128, 256, 512),) * 3, ((0.5, 1.0, 2.0),) * 3)
    return FasterRCNN(backbone, 21, rpn_anchor_generator=anchors, rpn_score_thresh=0.05)


@pytest.mark.parametrize(
    ('name', 'task'),
    [('tv-deeplabv3_edsr_x8_voc', 'seg'), ('tv-faster-rcnn_edsr_x4_voc', 'det'), ('tv-resnet18_edsr_x4_cars', 'cls')],
)
@torch.no_grad()
def test_the_official_files_fit_the_configs_of_the_paper(name, task, tmp_path):
    cfg = Config.fromfile(CONFIGS[name])
    theirs = frozen_detector() if task == 'det' else get_model(weights=None, **TASKS[task][1])
    nets = dict(sr=randomize(EDSR(cfg.model.scale, 16, 64)), task=randomize(theirs))
    states = {part: net.state_dict() for part, net in nets.items()}
    for part, state in states.items():
        torch.save(state, tmp_path / f'{part}.pth')
    checkpoint = from_official(cfg, *(str(tmp_path / f'{part}.pth') for part in nets))
    model = MODELS.build(dict(cfg.model, channels_last=False)).eval()  # the order of their sums
    model.load_state_dict(checkpoint['state_dict'])
    torch.testing.assert_close(model.task(image := torch.rand(1, 3, 96, 128)), nets['task'](image), **TOLERANCE)
    torch.testing.assert_close(model.sr(image), nets['sr'](image), **TOLERANCE)
    torch.save(checkpoint, tmp_path / 'ours.pth')
    back = to_official(cfg, str(tmp_path / 'ours.pth'))
    assert back.keys() == {'net_sr', f'net_{task}'}
    assert all(torch.equal(value, states['task'][key]) for key, value in back[f'net_{task}'].items())
    assert back[f'net_{task}'].keys() == states['task'].keys()


def test_what_does_not_fit_is_named(files, fails, tmp_path):
    config = whole_config(tmp_path)
    swapped = fails(FROM_OFFICIAL, config, 'x.pth', '--sr', 'net_cls_latest.pth')
    assert "'net_cls_latest.pth', as EDSRNet, does not fit" in swapped
    assert 'lacks head.0.weight' in swapped and 'also has conv1.weight' in swapped and 'more' in swapped
    torch.save(EDSR(8).state_dict(), tmp_path / 'x8.pth')
    assert 'also has tail.0.4.weight' in fails(FROM_OFFICIAL, config, 'x.pth', '--sr', 'x8.pth')
    torch.save(get_model('resnet18').state_dict(), tmp_path / 'imagenet.pth')
    message = fails(FROM_OFFICIAL, config, 'x.pth', '--task', 'imagenet.pth')
    assert 'fc.weight (1000, 512) for (196, 512)' in message
    other = dict(EDSR(4).state_dict(), **{'sub_mean.bias': torch.zeros(3)})
    torch.save(other, tmp_path / 'mean.pth')
    assert 'set rgb_mean' in fails(FROM_OFFICIAL, config, 'x.pth', '--sr', 'mean.pth')
    assert '--sr FILE' in fails(FROM_OFFICIAL, config, 'x.pth')
    assert 'has no weights for a network of' in fails(TO_OFFICIAL, config, 'net_sr_latest.pth', 'out')
    assert not (tmp_path / 'x.pth').exists() and not (tmp_path / 'out').exists()


@pytest.mark.parametrize('data', [b'', b'<html>404</html>', 'cut', 'list'])
def test_a_file_that_holds_no_weights(data, files, fails, tmp_path):
    whole = (tmp_path / 'net_sr_latest.pth').read_bytes()
    path = tmp_path / 'bad.pth'
    if data == 'list':
        torch.save([1, 2], path)
    else:
        path.write_bytes(whole[: len(whole) // 2] if data == 'cut' else data)
    config = whole_config(tmp_path)
    assert "'bad.pth'" in fails(FROM_OFFICIAL, config, 'x.pth', '--sr', 'bad.pth')
    assert "'bad.pth'" in fails(TO_OFFICIAL, config, 'bad.pth', 'out')


def test_code_in_a_file_is_not_run(files, fails, tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / 'evil'), 'w'))

    torch.save(dict(params=Evil()), tmp_path / 'bad.pth')
    assert 'not a file of weights' in fails(FROM_OFFICIAL, whole_config(tmp_path), 'x.pth', '--sr', 'bad.pth')
    assert not (tmp_path / 'evil').exists()


def test_a_net_that_the_official_code_does_not_have():
    net = MODELS.build(dict(type='mmagic.SRCNNNet'))
    with pytest.raises(SR4IRError, match=r'SRCNNNet has no counterpart .*EDSRNet'):
        to_theirs(net)
    mobilenet = dict(TASKS['mmpretrain'][0], backbone=dict(type='mmpretrain.MobileNetV3'))
    with pytest.raises(SR4IRError, match=r'MobileNetV3 has no counterpart'):
        to_theirs(MODELS.build(mobilenet))
