"""What stays in float32 under ``--amp``: images, their 8-bit levels, losses and metrics."""

import copy

import pytest
import torch
from helpers.toy import EDSR, ToyClassifier, toy_batch
from helpers.zoo import batch_for, net_config, wrappers_for
from mmdet.structures import DetDataSample
from torch import nn

from sr4ir_mm.evaluation import SRQuality
from sr4ir_mm.models import SR4IR
from sr4ir_mm.models.adapters.torchvision_detector import TorchvisionDetector
from sr4ir_mm.models.full_outputs import full_outputs
from sr4ir_mm.registry import MODELS
from sr4ir_mm.utils import mixed_precision

BLUR = dict(type='RandomGaussianBlur', kernel_size=7, sigma=(0.8, 0.8), p=1.0)
DEGRADATIONS = dict(
    bicubic=dict(type='sr4ir_mm.BicubicDegradation', scale=4),
    random=dict(type='sr4ir_mm.RandomDegradation', scale=4, steps=[BLUR, dict(type='Downsample')]),
)


def toy(**kwargs) -> SR4IR:
    torch.manual_seed(0)
    return SR4IR(dict(EDSR), ToyClassifier(), scale=4, cqmix=dict(grid=4), **kwargs)


@pytest.mark.parametrize('name', DEGRADATIONS)
def test_images_keep_their_8_bits(name):
    """A convolution in bfloat16 would change most of the levels of a blurred image."""
    preprocessor = toy(degradation=DEGRADATIONS[name]).data_preprocessor.eval()
    expected = preprocessor(toy_batch(size=64))['inputs']
    with mixed_precision('cpu'):
        images = preprocessor(toy_batch(size=64))['inputs']
    for key, image in expected.items():
        assert images[key].dtype == torch.float32 and torch.equal(images[key], image), key
    level = images['hr'] * 255
    assert torch.allclose(level, level.round(), atol=1e-4)


def test_s_and_t_compute_in_16_bits_and_exchange_float32():
    model, types = toy(), {}
    for name, net in dict(sr=model.sr, task=model.task).items():
        first = next(m for m in net.modules() if isinstance(m, nn.Conv2d))
        first.register_forward_hook(lambda net, args, out, name=name: types.update({name: out.dtype}))
    model.task.register_forward_pre_hook(lambda net, args: types.update(task_input=args[0].dtype))
    model.cqmix.register_forward_hook(lambda net, args, out: types.update(mix=out.dtype))
    wrappers = wrappers_for(model, type='sr4ir_mm.AnyDeviceAmpOptimWrapper')
    losses = model.train_step(toy_batch(), wrappers)
    images = dict.fromkeys(('task_input', 'mix'), torch.float32)
    assert types == dict(sr=torch.bfloat16, task=torch.bfloat16) | images
    assert all(value.dtype == torch.float32 for value in losses.values())
    assert all(p.dtype == torch.float32 for p in model.parameters())


def test_what_the_metrics_receive():
    model, batch = toy().eval(), toy_batch(size=32)
    expected = model.test_step(copy.deepcopy(batch))
    with mixed_precision('cpu'):
        samples = model.test_step(copy.deepcopy(batch))
    for sample, other in zip(samples, expected):
        for name in ('lr', 'hr'):
            assert torch.equal(sample.get(name), other.get(name))
        image, full = sample.task_input, other.task_input
        assert image.dtype == torch.float32 and not torch.equal(image, full)  # S itself ran in 16 bits
        torch.testing.assert_close(image, full, rtol=0, atol=0.05)


@pytest.mark.parametrize('metric', ['PSNR', 'SSIM'])
def test_metrics_stay_in_float32(metric):
    torch.manual_seed(0)
    hr = torch.rand(3, 48, 48)
    sample = dict(hr=hr, task_input=(hr + 0.01 * torch.randn(3, 48, 48)).clamp(0, 1))
    values = []
    for enabled in (False, True):
        quality = SRQuality([metric])
        with mixed_precision('cpu', enabled):
            quality.process({}, [sample])
        values.append(quality.results[0][metric])
    assert values[0] == values[1]


@pytest.mark.parametrize('kind', ['l1', 'l2'])
def test_distances_of_features_are_in_float32(kind):
    """Features in bfloat16 have 8 bits; the mean over them needs more."""
    loss = MODELS.build(dict(type='sr4ir_mm.TDPLoss', layers={'a': 1.0}, criterion=kind, relative=True))
    torch.manual_seed(0)
    sr, hr = (dict(a=torch.rand(2, 8, 9, 9).bfloat16()) for _ in range(2))
    with mixed_precision('cpu'):
        value = loss(sr, hr)
    full = loss(*({name: x.float() for name, x in feats.items()} for feats in (sr, hr)))
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, full, rtol=1e-2, atol=0)


@pytest.mark.parametrize('name', ['retinanet', 'deeplabv3', 'resnet18'])
def test_predictions_are_decoded_in_float32(name):
    """A box in bfloat16 would be right to 4 px at 512 px, and logits that differ by 1 % would be equal."""
    cfg = net_config(name)
    model = SR4IR(dict(EDSR), cfg, scale=4, tdp=dict(relative=True)).eval()
    seen = []
    model.task.backbone.register_forward_hook(lambda net, args, out: seen.append(out[-1].dtype))
    with torch.no_grad(), mixed_precision('cpu'):
        (sample,) = model.test_step(batch_for(cfg, (64, 64)))
    assert seen == [torch.bfloat16]
    found = sample.pred_instances.bboxes if name == 'retinanet' else sample.get('seg_logits', sample.get('pred_score'))
    assert getattr(found, 'data', found).dtype == torch.float32
    assert not any('forward' in vars(part) for part in model.task.modules())  # the heads are as they were


class Anchors(nn.Module):
    """A detector as torchvision's: it makes coordinates in the type of its features."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Conv2d(3, 4, 1)

    def forward(self, image):
        return torch.arange(500, 504).to(self.backbone(image))


def test_a_network_without_heads_of_the_zoos():
    net, image = Anchors(), torch.rand(1, 3, 4, 4)
    with mixed_precision('cpu'):
        assert net(image).tolist() != [500, 501, 502, 503]
        with full_outputs(net):
            assert net(image).tolist() == [500, 501, 502, 503]


@pytest.mark.parametrize('name', ['ssdlite320_mobilenet_v3_large', 'fasterrcnn_mobilenet_v3_large_320_fpn'])
def test_boxes_of_torchvision_are_not_rounded(name):
    """Its coders turn anchors and proposals into the type of what the heads return."""
    options = {} if name.startswith('ssd') else dict(box_score_thresh=0.0)
    net = TorchvisionDetector(name, num_classes=4, **options).eval()
    sample = DetDataSample(metainfo=dict(img_shape=(320, 320), ori_shape=(320, 320)))
    with torch.no_grad(), mixed_precision('cpu'), full_outputs(net):
        (found,) = net(torch.rand(1, 3, 320, 320), [sample], mode='predict')
    boxes = found.pred_instances.bboxes
    assert len(boxes) > 10 and not torch.equal(boxes, boxes.bfloat16().float())


class Distances(nn.Module):
    """A head as GFL's, whose decoding multiplies matrices."""

    def forward(self, image):
        return nn.functional.conv2d(image, image.new_ones(16, 3, 1, 1))

    def predict_by_feat(self, feats):
        return nn.functional.linear(feats[0].mean((2, 3)).softmax(-1), torch.arange(16.0)[None])


def test_heads_that_decode_by_a_product_of_matrices():
    net = nn.Sequential(nn.Conv2d(3, 3, 1), Distances())
    with torch.no_grad(), mixed_precision('cpu'), full_outputs(net):
        feats = net(torch.rand(2, 3, 4, 4))
        found = net[1].predict_by_feat([feats.bfloat16()])
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, Distances().predict_by_feat([feats.bfloat16().float()]), rtol=0, atol=0)
    assert not {'forward', 'predict_by_feat'} & set(vars(net[1]))


class PointHead(nn.Module):
    """A head as PointRend's for points, which another part decodes."""

    def forward(self, image):
        return nn.functional.conv2d(image, image.new_ones(1, 3, 1, 1))


def test_heads_whose_outputs_another_one_takes():
    net, image = nn.Sequential(Distances(), PointHead()), torch.rand(1, 3, 4, 4)
    with mixed_precision('cpu'), full_outputs(net):
        assert [head(image).dtype for head in net] == [torch.float32] * 2
