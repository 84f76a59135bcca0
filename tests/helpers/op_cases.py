"""mmcv's ops and a detector on seeded inputs: values and gradients, for the compiled ops and for the fallback.

``python op_cases.py OUT.pt`` saves the results of whatever mmcv is first on the path, and where its ops come from.
"""

import sys
from collections.abc import Callable

import torch
from torch import Tensor

CASES: dict[str, Callable[[], list[Tensor]]] = {}


def case(function: Callable[[], list[Tensor]]) -> Callable[[], list[Tensor]]:
    CASES[function.__name__] = function
    return function


def run(name: str) -> list[Tensor]:
    torch.manual_seed(0)
    return [t.detach().cpu() for t in CASES[name]()]


def boxes(count: int = 300, size: float = 60.0, integer: bool = False) -> tuple[Tensor, Tensor]:
    """Draw boxes of which many overlap, and scores of which some are equal."""
    corner, extent = torch.rand(count, 2) * size, torch.rand(count, 2) * size / 2 + 1
    result = torch.cat([corner, corner + extent], 1)
    return (result.round() if integer else result), (torch.rand(count) * 100).round() / 100


def rois(count: int = 12, images: int = 2) -> Tensor:
    """Draw boxes with their image; the last one has no area, and the one before is partly outside."""
    found, _ = boxes(count, 30.0)
    found[-2] += 20
    found[-1, 2:] = found[-1, :2]
    return torch.cat([torch.randint(images, (count, 1)).float(), found], 1)


def leaf(*shape: int) -> Tensor:
    return torch.randn(*shape, requires_grad=True)


def with_grads(out: Tensor, *leaves: Tensor) -> list[Tensor]:
    """Return the output and the gradients of a weighted sum of it."""
    weights = torch.linspace(-1, 2, out.numel()).reshape(out.shape).to(out)
    return [out, *torch.autograd.grad((out * weights).sum(), leaves)]


@case
def nms() -> list[Tensor]:
    from mmcv.ops import batched_nms, nms

    out = []
    for integer in (False, True):
        found, scores = boxes(integer=integer)
        for offset in (0, 1):
            out += nms(found, scores, 0.5, offset=offset, score_threshold=0.1, max_num=200)
        out += batched_nms(found, scores, torch.arange(300) % 3, dict(type='nms', iou_threshold=0.3))
    return [*out, *nms(torch.zeros(0, 4), torch.zeros(0), 0.5)]


@case
def nms_match() -> list[Tensor]:
    from mmcv.ops import nms_match

    found, scores = boxes()
    return nms_match(torch.cat([found, scores[:, None]], 1), 0.4)


@case
def soft_nms() -> list[Tensor]:
    from mmcv.ops import soft_nms

    out = []
    for method in ('naive', 'linear', 'gaussian'):
        for offset in (0, 1):
            out += soft_nms(*boxes(), 0.3, 0.5, 0.05, method, offset)
    return out


@case
def bbox_overlaps() -> list[Tensor]:
    from mmcv.ops import bbox_overlaps

    first, second = boxes(20)[0], boxes(20)[0]
    settings = [(mode, aligned, offset) for mode in ('iou', 'iof') for aligned in (False, True) for offset in (0, 1)]
    return [bbox_overlaps(first, second, *setting) for setting in settings]


@case
def roi_align() -> list[Tensor]:
    from mmcv.ops import roi_align

    out = []
    for ratio, aligned in ((0, True), (2, True), (0, False)):
        x = leaf(2, 3, 16, 20)
        out += with_grads(roi_align(x, rois(), (7, 5), 0.5, ratio, 'avg', aligned), x)
    return out


@case
def deform_conv2d() -> list[Tensor]:
    from mmcv.ops import deform_conv2d

    out = []
    for groups, deform_groups, stride, padding, dilation in ((1, 1, 1, 1, 1), (2, 4, (2, 1), (0, 2), 2)):
        x, weight = leaf(2, 8, 9, 11), leaf(4, 8 // groups, 3, 3)
        args = (stride, padding, dilation, groups, deform_groups)
        size = torch.nn.functional.conv2d(x, weight, None, *args[:4]).shape[-2:]
        offset = leaf(2, deform_groups * 18, *size)
        out += with_grads(deform_conv2d(x, offset, weight, *args), x, offset, weight)
        # in a net whose first layer this is, the weight alone needs a gradient
        out += with_grads(deform_conv2d(x.detach(), offset.detach(), weight, *args), weight)
    return out


@case
def modulated_deform_conv2d() -> list[Tensor]:
    from mmcv.ops import modulated_deform_conv2d

    out = []
    for groups, deform_groups, stride, padding, dilation in ((1, 1, 1, 1, 1), (2, 4, (2, 1), (0, 2), 2)):
        x, weight, bias = leaf(2, 8, 9, 11), leaf(4, 8 // groups, 3, 3), leaf(4)
        args = (stride, padding, dilation, groups, deform_groups)
        size = torch.nn.functional.conv2d(x, weight, None, *args[:4]).shape[-2:]
        offset, mask = leaf(2, deform_groups * 18, *size), leaf(2, deform_groups * 9, *size)
        y = modulated_deform_conv2d(x, offset, mask, weight, bias, *args)
        out += with_grads(y, x, offset, mask, weight, bias)
        y = modulated_deform_conv2d(x, offset, mask, weight, None, *args)
        out += with_grads(y, x, offset, mask, weight)
    return out


@case
def modulated_deform_conv2d_of_dyhead() -> list[Tensor]:
    """Offsets and masks of a level twice as fine, cut out of one tensor."""
    from mmcv.ops import modulated_deform_conv2d

    x, weight, maps = leaf(2, 8, 5, 6), leaf(4, 8, 3, 3), leaf(2, 27, 10, 12)
    y = modulated_deform_conv2d(x, maps[:, :18], maps[:, 18:].sigmoid(), weight, None, 1, 1)
    return with_grads(y, x, maps, weight)


@case
def psa_mask() -> list[Tensor]:
    from mmcv.ops import PSAMask

    out = []
    for kind in ('collect', 'distribute'):
        for size in ((5, 7), (11, 9)):
            x = leaf(2, size[0] * size[1], 6, 5)
            out += with_grads(PSAMask(kind, size)(x), x)
    return out


@case
def faster_rcnn() -> list[Tensor]:
    """A small Faster R-CNN with random weights, end to end: losses, gradients and predictions."""
    from mmdet.structures import DetDataSample
    from mmengine.structures import InstanceData

    model = tiny_faster_rcnn()
    images = torch.rand(2, 3, 64, 96)
    truths = [
        InstanceData(bboxes=torch.tensor([[8.0, 8, 40, 48], [50, 4, 90, 30]]), labels=torch.tensor([0, 2])),
        InstanceData(bboxes=torch.tensor([[20.0, 10, 80, 60]]), labels=torch.tensor([1])),
    ]
    meta = {f'{kind}_shape': (64, 96) for kind in ('img', 'ori', 'pad', 'batch_input')}
    meta['scale_factor'] = (1.0, 1.0)
    samples = [DetDataSample(metainfo=meta, gt_instances=truth) for truth in truths]
    losses = model.loss(images, samples)
    parts = [part for value in losses.values() for part in (value if isinstance(value, list) else [value])]
    sum(part.sum() for part in parts if part.requires_grad).backward()
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    with torch.no_grad():
        found = [s.pred_instances for s in model.eval().predict(images, samples)]
    assert sum(len(f) for f in found) > 10
    return [*parts, *grads, *(t for f in found for t in (f.bboxes, f.scores, f.labels))]


def tiny_faster_rcnn() -> torch.nn.Module:
    from mmdet.utils import register_all_modules
    from mmengine.config import Config
    from mmengine.registry import MODELS

    register_all_modules()
    cfg = Config.fromfile(Config._get_cfg_path('mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py', '')[0]).model
    cfg.backbone.update(depth=18, base_channels=8, frozen_stages=-1, norm_eval=False, init_cfg=None)
    cfg.neck.update(in_channels=[8, 16, 32, 64], out_channels=16)
    cfg.rpn_head.update(in_channels=16, feat_channels=16)
    cfg.roi_head.bbox_roi_extractor.out_channels = 16
    cfg.roi_head.bbox_head.update(in_channels=16, fc_out_channels=32, num_classes=3)
    return MODELS.build(cfg)


def main(out: str) -> None:
    from sr4ir_mm.compat.mmcv_ops import ops_provider

    results = {name: run(name) for name in CASES}
    extension = sys.modules['mmcv._ext']
    torch.save({'provider': ops_provider(), 'names': dir(extension), 'results': results}, out)


if __name__ == '__main__':
    torch.set_num_threads(1)  # as conftest.py: another number of threads sums in another order
    main(sys.argv[1])
