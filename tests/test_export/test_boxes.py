"""Files of detectors return the boxes, scores and labels that mmdet's own ``predict`` returns."""

import numpy as np
import pytest
import torch
from helpers.torch_version import needs_export
from helpers.toy import EDSR
from helpers.zoo import net_config
from mmengine.registry import DefaultScope
from torch import nn

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.export.box_differences import box_differences
from sr4ir_mm.export.candidates import best, suppress
from sr4ir_mm.export.comparison import HALF_TOLERANCE, TOLERANCE
from sr4ir_mm.export.exporter import export
from sr4ir_mm.export.nets import parts
from sr4ir_mm.export.reference import Reference, to_tensor
from sr4ir_mm.models import SR4IR

R50 = {'backbone.base_channels': 8, 'backbone.stem_channels': 8, 'neck.in_channels': [32, 64, 128, 256],
       'neck.out_channels': 8}  # fmt: skip
DENSE = {**R50, 'bbox_head.in_channels': 8, 'bbox_head.feat_channels': 8, 'bbox_head.stacked_convs': 1}
GROUPS = {'bbox_head.norm_cfg': dict(type='GN', num_groups=2)}
TWO_STAGE = {**R50, 'rpn_head.in_channels': 8, 'rpn_head.feat_channels': 8,
             'roi_head.bbox_roi_extractor.out_channels': 8}  # fmt: skip
ROI = {**TWO_STAGE, 'roi_head.bbox_head.in_channels': 8, 'roi_head.bbox_head.fc_out_channels': 16}
MASK = {'roi_head.mask_roi_extractor.out_channels': 8, 'roi_head.mask_head.in_channels': 8,
        'roi_head.mask_head.conv_out_channels': 8}  # fmt: skip
NETS = dict(
    retinanet=('retinanet/retinanet_r50_fpn_1x_coco.py', DENSE),
    atss=('atss/atss_r50_fpn_1x_coco.py', {**DENSE, **GROUPS}),
    fcos=('fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py', {**DENSE, **GROUPS}),
    gfl=('gfl/gfl_r50_fpn_1x_coco.py', {**DENSE, **GROUPS}),
    yolox=('yolox/yolox_tiny_8xb8-300e_coco.py', {}),
    faster_rcnn=('faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py', ROI),
    mask_rcnn=('mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py', {**ROI, **MASK}),
    detr=('detr/detr_r50_8xb2-150e_coco.py', {**R50, 'neck.in_channels': [256], 'neck.out_channels': 256}),
)


STD = dict(multi_level_conv_reg=1e-4, shared_fcs=0.1, fc_cls=0.5, cls=0.3, rpn=0.3)


def make(name: str, scheme: str = 'S+T') -> SR4IR:
    path, options = NETS[name]
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = SR4IR(EDSR, net_config(f'mmdet::{path}', **options), 4, scheme).eval()
    for module_name, module in model.task.named_modules():
        # else no score is above the threshold, and the boxes of YOLOX are infinite
        std = next((value for part, value in STD.items() if part in module_name), None)
        if std and isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(module.weight, std=std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return model


def noise(*size: int) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8))


@pytest.mark.parametrize('name', NETS)
@torch.no_grad()
def test_functions_predict_as_mmdet(name):
    """What is traced, in PyTorch, on sizes that the preprocessor pads; clipped at the image, not at its padding."""
    model = make(name)
    for net, factor, scheme in (parts(model, False) | parts(model, True)).values():
        for height, width in ((33, 30), (17, 23)):
            images = noise(1, factor * height, factor * width)
            expected = {key: value for key, (value, _) in Reference(model, scheme)(images).items()}
            found = net(to_tensor(images))
            assert list(found) == list(expected)
            if scheme is None:
                continue
            assert len(expected['scores']) > 10
            rows = box_differences(found, expected, 1e-5)
            assert all(difference <= 1e-5 * size for difference, size in rows.values()), (name, rows)


@needs_export
@pytest.mark.parametrize('name', ['retinanet', 'yolox', 'mask_rcnn', 'detr'])
@pytest.mark.slow
def test_files(name, tmp_path):
    pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    ((_, rows),) = export(make(name), tmp_path / 'model.onnx').items()
    counts = {row.size: int(row.output[7:-1]) for row in rows if row.output.startswith('boxes')}
    assert len(counts) == 3 and min(counts.values()) > 10  # of one image each


@needs_export
@pytest.mark.slow
def test_heads_for_any_batch(tmp_path):
    ((_, rows),) = export(make('retinanet'), tmp_path / 'model.pt2', raw=True).items()
    assert {row.size[0] for row in rows} == {1, 2, 3} and 'task_0_0' in {row.output for row in rows}


@needs_export
def test_what_no_file_holds_is_named(tmp_path):
    model = make('retinanet')
    model.task.bbox_head.test_cfg.nms = dict(type='soft_nms', iou_threshold=0.5)
    with pytest.raises(
        SR4IRError, match=r'NotImplementedError in RetinaHead.* NonMaxSuppression .*soft_nms(.|\n)*--raw'
    ):
        export(model, tmp_path / 'model.pt2')


def test_best():
    scores, index = best(torch.tensor([0.1, 0.9, 0.5, 0.2]), 0.1, 3)
    assert scores.tolist() == pytest.approx([0.9, 0.5, 0.2]) and index.tolist() == [1, 2, 3]
    scores, index = best(torch.tensor([0.1, 0.9]), 0.1, 4)  # fewer boxes than places
    assert scores.tolist() == pytest.approx([0.9, 0, 0, 0]) and index[0] == 1 and index.max() <= 1


@pytest.mark.parametrize('agnostic', [False, True])
def test_suppress_as_mmcv(agnostic):
    from mmcv.ops import batched_nms

    generator = torch.Generator().manual_seed(0)
    corners = torch.rand(200, 2, generator=generator) * 50
    boxes = torch.cat([corners, corners + 5 + torch.rand(200, 2, generator=generator) * 30], 1)
    scores, labels = torch.rand(200, generator=generator), torch.randint(3, (200,), generator=generator)
    cfg = dict(type='nms', iou_threshold=0.5, class_agnostic=agnostic)
    wanted = scores > 0.3
    expected = batched_nms(boxes[wanted], scores[wanted], labels[wanted], cfg)[0]
    found, keep = suppress(boxes, scores.where(wanted, 0), labels, cfg, 300)
    count = int((found > 0).sum())
    assert count == len(expected) and torch.equal(torch.cat([boxes[keep], found[:, None]], 1)[:count], expected)


def boxes(*rows: tuple[float, float, int]) -> dict[str, torch.Tensor]:
    left, scores, labels = (torch.tensor([row[i] for row in rows]) for i in range(3))
    corners = torch.stack([left, left * 0, left + 10, left * 0 + 10], 1)
    return dict(boxes=corners, scores=scores, labels=labels)


def test_differences_of_boxes():
    first = boxes((0.0, 0.9, 1), (20.0, 0.8, 1), (90.0, 0.3, 2))
    assert box_differences(first, first, 1e-3) == {'boxes (3)': (0.0, 100.0), 'scores (3)': (0.0, 1.0)}
    swapped = boxes((20.0, 0.8, 1), (0.0, 0.9, 1), (90.0, 0.3, 2))
    assert box_differences(swapped, first, 1e-3)['boxes (3)'][0] == 0
    moved = boxes((0.05, 0.9, 1), (20.0, 0.8, 1), (90.0, 0.3, 2))
    assert box_differences(moved, first, 1e-3)['boxes (3)'][0] == pytest.approx(0.05, rel=1e-4)
    for other in (
        boxes((0.0, 0.9, 1), (25.0, 0.8, 1), (90.0, 0.3, 2)),  # another place
        boxes((0.0, 0.9, 1), (20.0, 0.8, 2), (90.0, 0.3, 2)),  # another label
        boxes((0.0, 0.9, 1), (90.0, 0.3, 2)),  # one too few
        boxes((0.0, 0.9, 1), (20.0, 0.8, 1), (50.0, 0.7, 1), (90.0, 0.3, 2)),  # one too many
        boxes(),
    ):
        assert box_differences(other, first, 1e-3)['boxes (3)'][0] == float('inf')
    assert box_differences(boxes(), boxes(), 1e-3)['boxes (0)'][0] == 0


def is_equal(found: list[tuple], expected: list[tuple], tolerance: float) -> bool:
    rows = box_differences(boxes(*found), boxes(*expected), tolerance)
    return all(difference <= tolerance * size for difference, size in rows.values())


@pytest.mark.parametrize('tolerance', [TOLERANCE, HALF_TOLERANCE])
def test_a_file_without_the_lowest_boxes_differs(tolerance):
    every = [(10.0 * i, 0.99 - 0.009 * i, i) for i in range(100)]
    assert is_equal(every, every, tolerance) and is_equal(every[:97], every, tolerance)
    assert not is_equal(every[:5], every, tolerance)
    assert not is_equal(every[:80], every, tolerance)
    assert not is_equal(every, every[:5], tolerance)


def test_boxes_at_the_threshold_differ_in_float16_only():
    """The threshold is 0.05; in float16 scores of 0.051 may be 0.049."""
    sure = [(10.0 * i, 0.9, i) for i in range(10)]
    low = [(10.0 * i, 0.051, i) for i in range(10, 30)]
    for fewer, more in (([], low[:1]), ([], low[:2]), (sure, sure + low[:2]), (sure + low[:-3], sure + low)):
        for found, expected in ((fewer, more), (more, fewer)):
            assert is_equal(found, expected, HALF_TOLERANCE)
            assert not is_equal(found, expected, TOLERANCE)
    assert not is_equal(sure, sure + low, HALF_TOLERANCE)  # too many at once
    assert not is_equal(sure[:1], [], HALF_TOLERANCE)
