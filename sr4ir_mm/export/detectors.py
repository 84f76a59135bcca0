"""Predictions of mmdet's detectors as functions of tensors: decoding and NMS, in a form that can be traced.

The replaced functions do as those of mmdet 3.3 with the same names, for one image, with :mod:`.candidates`.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import torch
from mmengine.logging import print_log
from mmengine.structures import InstanceData
from torch import Tensor, nn

from .candidates import CANDIDATES, best, suppress


def predict_boxes(task: nn.Module, inputs: Tensor, size: tuple[int, int]) -> dict[str, Tensor]:
    """Detect objects in one image.

    Args:
        task (nn.Module): Detector of mmdet.
        inputs (Tensor): Normalized and padded image, 1 x 3 x H x W.
        size (tuple[int, int]): Height and width without padding.

    Returns:
        dict[str, Tensor]: 'boxes' (x1, y1, x2, y2) in pixels of the image, n x 4; 'scores', n, best first; and
        'labels', n.
    """
    from mmdet.structures import DetDataSample  # the task network is mmdet's

    shape = tuple(inputs.shape[-2:])
    meta = dict(img_shape=size, ori_shape=size, pad_shape=shape, batch_input_shape=shape, scale_factor=(1.0, 1.0))
    with ExitStack() as stack:
        for replacement in _replacements(task):
            stack.enter_context(patch.object(*replacement))
        # data samples copy their metainfo, in which sizes that are free are no numbers
        stack.enter_context(patch.object(torch.SymInt, '__deepcopy__', lambda size, memo: size, create=True))
        (sample,) = task.predict(inputs, [DetDataSample(metainfo=meta)], rescale=False)
    found = sample.pred_instances
    is_real = (found.scores > 0).nonzero()[:, 0]
    return dict(boxes=found.bboxes[is_real], scores=found.scores[is_real], labels=found.labels[is_real])


def warn_of_masks(task: nn.Module | None) -> None:
    """Report that masks of objects are not in the file."""
    if _has_masks(task):
        print_log('The file returns boxes, scores and labels: it does not hold the masks.', 'current', logging.WARNING)


def _has_masks(task: nn.Module | None) -> bool:
    return bool(getattr(getattr(task, 'roi_head', None), 'with_mask', False))


def _replacements(task: nn.Module) -> Iterator[tuple[object, str, object]]:
    """List owner, name and new value of what cannot be traced."""
    from mmcv.ops import RoIAlign
    from mmdet.models import dense_heads, layers, roi_heads, utils

    yield dense_heads.YOLOXHead, 'predict_by_feat', _yolox
    yield dense_heads.RPNHead, '_predict_by_feat_single', _proposals
    for head in (dense_heads.base_dense_head.BaseDenseHead, dense_heads.RPNHead, dense_heads.YOLOXHead):
        yield head, '_bbox_post_process', _post_process
    yield roi_heads.SingleRoIExtractor, 'forward', _extract
    yield RoIAlign, 'forward', _roi_align
    if _has_masks(task):
        # of the base: while it is traced, the head is of a class of PyTorch's
        yield roi_heads.BaseRoIHead, 'with_mask', False
    functions = (utils.filter_scores_and_topk, _filter), (layers.multiclass_nms, _multiclass)
    for old, new in functions:
        for module in [module for name, module in sys.modules.items() if name.startswith('mmdet.')]:
            if vars(module).get(old.__name__) is old:
                yield module, old.__name__, new


def _filter(scores: Tensor, score_thr: float, topk: int, results: Any = None) -> tuple[Tensor, Tensor, Tensor, Any]:
    classes = scores.shape[1]
    scores, index = best(scores.flatten(), score_thr, topk if topk > 0 else CANDIDATES)
    keep = index // classes
    if isinstance(results, dict):
        results = {name: value[keep] for name, value in results.items()}
    elif results is not None:
        results = [value[keep] for value in results] if isinstance(results, list) else results[keep]
    return scores, index % classes, keep, results


def _post_process(
    self: nn.Module, results: InstanceData, cfg: dict, rescale: bool = False, with_nms: bool = True, **kwargs: Any
) -> InstanceData:
    boxes, scores = results.bboxes, results.scores * results.get('score_factors', 1)
    if (smallest := cfg.get('min_bbox_size', -1)) >= 0:
        scores = torch.where((boxes[:, 2:] - boxes[:, :2] > smallest).all(1), scores, 0.0)
    limit = cfg.get('max_per_img', CANDIDATES)
    scores, keep = suppress(boxes, scores, results.labels, cfg.get('nms') if with_nms else None, limit)
    return InstanceData(bboxes=boxes[keep], scores=scores, labels=results.labels[keep])


def _proposals(
    self: nn.Module,
    cls_score_list: list[Tensor],
    bbox_pred_list: list[Tensor],
    score_factor_list: list,
    mlvl_priors: list[Tensor],
    img_meta: dict,
    cfg: dict,
    **kwargs: Any,
) -> InstanceData:
    """Do as mmdet's RPN, whose levels take part in NMS as classes do."""
    cfg, levels = cfg or self.test_cfg, []
    for level, (logits, deltas, priors) in enumerate(zip(cls_score_list, bbox_pred_list, mlvl_priors)):
        logits = logits.permute(1, 2, 0).reshape(-1, self.cls_out_channels)
        scores = logits.sigmoid() if self.use_sigmoid_cls else logits.softmax(-1)[:, :-1]
        scores, keep = best(scores[:, 0], 0.0, cfg['nms_pre'])
        deltas = deltas.permute(1, 2, 0).reshape(-1, self.bbox_coder.encode_size)[keep]
        levels.append((scores, self.bbox_coder.decode(priors[keep], deltas, img_meta['img_shape']), scores * 0 + level))
    scores, boxes, groups = map(torch.cat, zip(*levels))
    return self._bbox_post_process(InstanceData(scores=scores, bboxes=boxes, labels=groups.long()), cfg)


def _yolox(
    self: nn.Module,
    cls_scores: list[Tensor],
    bbox_preds: list[Tensor],
    objectnesses: list[Tensor],
    batch_img_metas: list[dict],
    cfg: dict | None = None,
    **kwargs: Any,
) -> list[InstanceData]:
    cfg = cfg or self.test_cfg
    sizes = [level.shape[2:] for level in cls_scores]
    dtype, device = cls_scores[0].dtype, cls_scores[0].device
    priors = torch.cat(self.prior_generator.grid_priors(sizes, dtype=dtype, device=device, with_stride=True))
    logits, deltas, objects = (
        torch.cat([level[0].flatten(1).T for level in maps]) for maps in (cls_scores, bbox_preds, objectnesses)
    )
    scores, labels = logits.sigmoid().max(1)
    scores, keep = best(scores * objects[:, 0].sigmoid(), cfg['score_thr'], CANDIDATES)
    boxes = self._bbox_decode(priors[keep], deltas[None, keep])[0]
    return [self._bbox_post_process(InstanceData(bboxes=boxes, scores=scores, labels=labels[keep]), cfg)]


def _multiclass(
    multi_bboxes: Tensor,
    multi_scores: Tensor,
    score_thr: float,
    nms_cfg: dict,
    max_num: int = -1,
    score_factors: Tensor | None = None,
    **kwargs: Any,
) -> tuple[Tensor, Tensor]:
    classes = multi_scores.shape[1] - 1
    scores, index = best(multi_scores[:, :-1].flatten(), score_thr, CANDIDATES)
    scores = scores if score_factors is None else scores * score_factors[index // classes]
    boxes = multi_bboxes.reshape(len(multi_scores), -1, 4).expand(-1, classes, 4).flatten(0, 1)[index]
    scores, keep = suppress(boxes, scores, index % classes, nms_cfg, max_num if max_num > 0 else CANDIDATES)
    return torch.cat([boxes[keep], scores[:, None]], 1), (index % classes)[keep]


def _extract(self: nn.Module, feats: tuple[Tensor, ...], rois: Tensor, roi_scale_factor: float | None = None) -> Tensor:
    """Take each region from all levels, and those of the other levels times 0."""
    levels = self.map_roi_levels(rois, len(feats))
    rois = rois if roi_scale_factor is None else self.roi_rescale(rois, roi_scale_factor)
    total: Any = 0
    for level, (feature, layer) in enumerate(zip(feats, self.roi_layers)):
        is_here = (levels == level).to(feature)[:, None]
        total = total + layer(feature, rois * is_here) * is_here[..., None, None]
    return total


def _roi_align(self: nn.Module, input: Tensor, rois: Tensor) -> Tensor:
    from torchvision.ops import roi_align

    if self.pool_mode != 'avg':
        raise NotImplementedError(f"ONNX has the operator RoiAlign for pool_mode='avg', not for '{self.pool_mode}'")
    return roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned)
