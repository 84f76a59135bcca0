"""The fallback's ops equal direct formulas; its backward passes equal finite differences in float64."""

import math
from functools import partial

import mmcv.ops
import pytest
import torch
import torch.nn.functional as F
from mmcv.ops.carafe import CARAFEFunction
from mmcv.ops.focal_loss import SigmoidFocalLossFunction, SoftmaxFocalLossFunction
from mmcv.ops.fused_bias_leakyrelu import FusedBiasLeakyReLUFunction, bias_leakyrelu_ref
from mmcv.ops.multi_scale_deform_attn import MultiScaleDeformableAttnFunction, multi_scale_deformable_attn_pytorch
from mmcv.ops.roi_pool import RoIPoolFunction
from mmcv.ops.upfirdn2d import _upfirdn2d_cuda, upfirdn2d
from torch import Tensor
from torch.autograd import gradcheck as full_gradcheck

pytestmark = pytest.mark.usefixtures('fallback')
gradcheck = partial(full_gradcheck, fast_mode=True)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def leaf(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize('weighted', [False, True])
def test_sigmoid_focal_loss(weighted):
    logits, target = leaf(6, 3), torch.tensor([0, 1, 2, 0, 1, 2] if weighted else [0, 1, 2, 3, 3, -1])
    weight = torch.rand(3, dtype=torch.float64) if weighted else None
    truth = F.one_hot(target.clamp(min=0), 4)[:, :3].double() * (target >= 0)[:, None]
    p = logits.sigmoid()
    focus = torch.where(truth == 1, 0.25 * (1 - p) ** 2, 0.75 * p**2)
    expected = focus * F.binary_cross_entropy_with_logits(logits, truth, reduction='none')
    if weighted:
        expected = expected * weight[target][:, None]
    args = (logits, target, 2.0, 0.25, weight, 'none')
    torch.testing.assert_close(SigmoidFocalLossFunction.apply(*args), expected)
    mean = SigmoidFocalLossFunction.apply(*args[:-1], 'mean')
    torch.testing.assert_close(*(torch.autograd.grad(x, logits)[0] for x in (mean, expected.sum() / 6)))


@pytest.mark.parametrize('weighted', [False, True])
def test_softmax_focal_loss(weighted):
    logits, target = leaf(5, 3), torch.tensor([0, 1, 2, 2, -1])
    weight = torch.rand(3, dtype=torch.float64) if weighted else None
    log_p = logits.log_softmax(1).gather(1, target.clamp(min=0)[:, None])[:, 0]
    expected = torch.where(target >= 0, -0.25 * (1 - log_p.exp()) ** 2 * log_p, 0)
    if weighted:
        expected = expected * weight[target.clamp(min=0)]
    args = (logits, target, 2.0, 0.25, weight)
    torch.testing.assert_close(SoftmaxFocalLossFunction.apply(*args, 'none'), expected)
    total = SoftmaxFocalLossFunction.apply(*args, 'sum')
    torch.testing.assert_close(*(torch.autograd.grad(x, logits)[0] for x in (total, expected.sum())))


def test_focal_losses_stay_finite():
    logits = torch.tensor([[200.0, -200.0]], requires_grad=True)
    for loss in (mmcv.ops.sigmoid_focal_loss, mmcv.ops.softmax_focal_loss):
        for target in (0, 1):
            value = loss(logits, torch.tensor([target]))
            assert value.isfinite()
            assert torch.autograd.grad(value, logits)[0].isfinite().all()


def test_deform_conv_without_offsets_is_a_convolution():
    x, weight, bias = torch.randn(2, 4, 7, 8), torch.randn(6, 2, 3, 3), torch.randn(6)
    offset, mask = torch.zeros(2, 18, 7, 8), torch.ones(2, 9, 7, 8)
    expected = F.conv2d(x, weight, bias, padding=1, groups=2)
    found = mmcv.ops.modulated_deform_conv2d(x, offset, mask, weight, bias, 1, 1, 1, 2)
    torch.testing.assert_close(found, expected)
    found = mmcv.ops.deform_conv2d(x, offset, weight, 1, 1, 1, 2)
    torch.testing.assert_close(found + bias[:, None, None], expected)


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf, 1e30])
def test_deform_conv_of_a_net_that_diverged(value):
    """The process does not crash: the pixel at such an offset counts as zero."""
    x, weight, offset = torch.randn(1, 2, 6, 7), torch.randn(3, 2, 3, 3), torch.zeros(1, 18, 6, 7)
    offset[:, 8:10] = value  # of the middle of the kernel
    leaves = [leaf.requires_grad_() for leaf in (x, weight)]
    found = mmcv.ops.deform_conv2d(x, offset.requires_grad_(), weight, 1, 1)
    ring = torch.ones(3, 3)
    ring[1, 1] = 0
    torch.testing.assert_close(found, torch.nn.functional.conv2d(x, weight * ring, padding=1))
    assert all(grad.isfinite().all() for grad in torch.autograd.grad(found.sum(), leaves))


def test_deform_conv_gradients_of_two_backward_passes_differ():
    """The scratch memory that keeps the gradient of the weight must not keep it for the next pass."""
    x, offset, weight = leaf(1, 2, 4, 4), leaf(1, 18, 4, 4), leaf(2, 2, 3, 3)
    out = mmcv.ops.deform_conv2d(x, offset, weight, 1, 1)
    first, second = (torch.autograd.grad(out, weight, g, retain_graph=True)[0] for g in (out.detach(), -out.detach()))
    torch.testing.assert_close(first, -second)


def test_ms_deform_attn():
    shapes = torch.tensor([[3, 4], [2, 2]])
    value, weights = leaf(2, 16, 2, 3), leaf(2, 5, 2, 2, 3)
    locations = (torch.rand(2, 5, 2, 2, 3, 2, dtype=torch.float64) * 1.2 - 0.1).requires_grad_()

    def attend(*tensors: Tensor) -> Tensor:
        return MultiScaleDeformableAttnFunction.apply(tensors[0], shapes, torch.tensor([0, 12]), *tensors[1:], 64)

    expected = multi_scale_deformable_attn_pytorch(value, shapes, locations, weights)
    torch.testing.assert_close(attend(value, locations, weights), expected)
    assert gradcheck(attend, (value, locations, weights))


def test_roi_pool():
    x = leaf(2, 2, 9, 11)
    rois = torch.tensor([[0, 1, 2, 12, 14], [1, 3.3, 0.4, 25, 9], [0, 5, 5, 4.5, 4], [1, 9, 9, 3, 2]]).double()
    found = RoIPoolFunction.apply(x, rois, (3, 4), 0.5)
    torch.testing.assert_close(found, roi_pool_by_loops(x, rois, 3, 4, 0.5))
    assert (found[-1] == 0).all()
    assert gradcheck(lambda x: RoIPoolFunction.apply(x, rois, (3, 4), 0.5), (x,))


def roi_pool_by_loops(x: Tensor, rois: Tensor, height: int, width: int, scale: float) -> Tensor:
    """The kernel of mmcv, bin by bin."""
    out = x.new_zeros(len(rois), x.shape[1], height, width)
    for k, (image, x1, y1, x2, y2) in enumerate(rois.tolist()):
        left, top, w, h = x1 * scale, y1 * scale, (x2 + 1 - x1) * scale, (y2 + 1 - y1) * scale
        for i in range(height if min(w, h) > 0 else 0):
            for j in range(width):
                ends = [i * h / height + top, (i + 1) * h / height + top, j * w / width + left]
                ends = torch.tensor([*ends, (j + 1) * w / width + left])
                (a, c), (b, d) = ends[::2].floor().int().clamp(min=0), ends[1::2].ceil().int().clamp(min=0)
                part = x[int(image), :, a:b, c:d].flatten(1)
                if part.numel():
                    out[k, :, i, j] = part.amax(1)
    return out


def test_carafe():
    features, masks = leaf(2, 4, 3, 5), leaf(2, 2 * 9, 6, 10)
    patches = F.unfold(features, 3, padding=1).reshape(2, 2, 2, 9, 3, 5)
    patches = patches.repeat_interleave(2, -1).repeat_interleave(2, -2)
    expected = (patches * masks.reshape(2, 2, 1, 9, 6, 10)).sum(3).flatten(1, 2)
    torch.testing.assert_close(CARAFEFunction.apply(features, masks, 3, 2, 2), expected)
    torch.testing.assert_close(mmcv.ops.carafe_naive(features, masks, 3, 2, 2), expected)
    assert gradcheck(lambda *tensors: CARAFEFunction.apply(*tensors, 3, 2, 2), (features, masks))


def test_masked_conv():
    conv = mmcv.ops.MaskedConv2d(3, 4, 3, padding=1).eval()
    x, mask = torch.randn(1, 3, 6, 7), torch.rand(1, 6, 7) > 0.5
    torch.testing.assert_close(conv(x, mask), F.conv2d(x, conv.weight, conv.bias, padding=1) * mask)


def test_fused_bias_leakyrelu():
    x, bias = leaf(2, 3, 4, 4), leaf(3)
    expected = bias_leakyrelu_ref(x, bias, 0.2, 1.5)
    torch.testing.assert_close(FusedBiasLeakyReLUFunction.apply(x, bias, 0.2, 1.5), expected)
    assert gradcheck(lambda x, b: FusedBiasLeakyReLUFunction.apply(x, b, 0.2, 1.5), (x, bias))


@pytest.mark.parametrize('taps', [(4,), (3, 4)])
def test_upfirdn2d(taps):
    x, taps = leaf(1, 2, 6, 7), torch.rand(taps)
    settings = dict(up=2, down=(3, 1), padding=[2, 1, 1, 2], flip_filter=False, gain=3)
    function = _upfirdn2d_cuda(**settings)  # what mmcv calls on a GPU
    torch.testing.assert_close(function.apply(x, taps), upfirdn2d(x, taps, **settings))
    assert gradcheck(lambda x: function.apply(x, taps), (x,))


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_low_precision(dtype):
    x = torch.randn(1, 2, 8, 8, dtype=dtype, requires_grad=True)
    rois = torch.tensor([[0.0, 1, 1, 6, 6]], dtype=dtype)
    found = mmcv.ops.roi_align(x, rois, 3)
    assert found.dtype == dtype
    torch.testing.assert_close(found.float(), mmcv.ops.roi_align(x.float(), rois.float(), 3), rtol=1e-2, atol=1e-2)
    found.sum().backward()
    assert x.grad.dtype == dtype
    boxes = torch.tensor([[0, 0, 4, 4], [0, 0, 4, 3.9]], dtype=dtype)
    assert mmcv.ops.nms(boxes, torch.tensor([0.5, 0.9], dtype=dtype), 0.5)[1].tolist() == [1]
