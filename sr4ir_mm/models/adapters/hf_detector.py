"""Networks of transformers for object detection, as detectors of mmdet."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any
from unittest.mock import patch

import torch
from mmdet.models import BaseDetector
from mmdet.structures.mask import mask2bbox
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ...registry import MODELS
from .hf_masks import MASK_NETS, of_instances, select_instances, takes_masks
from .hf_nets import HFNet

#: classes by model types; the others of transformers have no loss, or boxes of other kinds
_BOX_NETS = {
    'conditional_detr': 'ConditionalDetrForObjectDetection',
    'd_fine': 'DFineForObjectDetection',
    'dab-detr': 'DabDetrForObjectDetection',
    'deformable_detr': 'DeformableDetrForObjectDetection',
    'deimv2': 'Deimv2ForObjectDetection',
    'detr': 'DetrForObjectDetection',
    'lw_detr': 'LwDetrForObjectDetection',
    'rf_detr': 'RfDetrForObjectDetection',
    'rt_detr': 'RTDetrForObjectDetection',
    'rt_detr_v2': 'RTDetrV2ForObjectDetection',
    'table-transformer': 'TableTransformerForObjectDetection',
    'yolos': 'YolosForObjectDetection',
}
#: model types that receive a mask of the padding; their boxes are fractions of the image without it
_MASKED = ('conditional_detr', 'dab-detr', 'deformable_detr', 'detr', 'lw_detr', 'rf_detr', 'table-transformer')
#: model types with a neck of several maps, which are added to each other at twice the size
_WITH_NECK = ('d_fine', 'deimv2', 'rt_detr', 'rt_detr_v2')
#: model types with a class for no object; the others have a score for each pair of a box and a class
_WITH_NO_OBJECT = ('detr', 'table-transformer', 'yolos')
#: other model types of which as many boxes are returned as there are queries, not 100
_ALL_QUERIES = (*_WITH_NECK, 'rf_detr')


@MODELS.register_module()
class HFDetector(HFNet):
    """A network of transformers for object detection with mmdet's data samples, metrics and visualizer.

    DETR, Conditional, Deformable, LW- and RF-DETR receive the mask of the padding. RT-DETR 1 and 2, D-FINE, YOLOS and
    others take none: for them padding is a part of the image, of which boxes are fractions. Mask2Former learns and
    predicts the masks of objects; its boxes are those around them.

    Args:
        score_thr (float): Score above which boxes are returned; 0 returns all of them, as metrics need it.
        **kwargs: Arguments of :class:`HFNet`.

    Example:
        >>> task = dict(type='sr4ir_mm.HFDetector', pretrained='PekingU/rtdetr_r18vd', num_classes=3)
    """

    mappings = (_BOX_NETS, {'mask2former': MASK_NETS['mask2former']})
    preprocessor = ('mmdet.DetDataPreprocessor', 'bgr_to_rgb', 'pad_size_divisor')

    def __init__(self, *args: Any, score_thr: float = 0.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.score_thr = score_thr
        self.takes_mask = self.net.config.model_type in _MASKED

    @classmethod
    def divisor(cls, config: Any) -> int:
        """Return what the sides of images must be multiples of: of the neck's maps, each is half of the one before."""
        return max(super().divisor(config), 32 if config.model_type in _WITH_NECK else 1)

    @property
    def tdp_layers(self) -> dict[str, float]:
        """Default layers of the TDP loss: the two finest maps of a neck, or the last map of the encoder."""
        if self.net.config.model_type in _WITH_NECK:
            return {'net.model.encoder[fine0]': 0.5, 'net.model.encoder[fine1]': 0.5}
        if self.net.config.model_type == 'yolos':  # tokens of the image, and of detection behind them
            return {'net.vit.encoder[last_hidden_state]': 1.0}
        return super().tdp_layers

    def run(self, inputs: Tensor, data_samples: list | None = None, **targets: Any) -> Any:
        """Run the network of transformers on a batch, with the mask of its padding if it takes one."""
        if self.takes_mask:
            targets['pixel_mask'] = _mask(inputs, _sizes(inputs, data_samples))
        return super().run(inputs, **targets)

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """Compute the loss of transformers, 'loss'; and its parts under their names, without the word loss.

        The parts have no weights in some networks, such as DETR, so that only 'loss' counts.
        """
        if takes_masks(self.net):
            targets = of_instances([sample.gt_instances for sample in data_samples], tuple(inputs.shape[-2:]))
            return dict(loss=self.run(inputs, **targets).loss.sum())
        sizes = self._image_sizes(inputs, data_samples)
        labels = [_target(sample.gt_instances, size) for sample, size in zip(data_samples, sizes)]
        with _groups(self.net):
            outputs = self.run(inputs, data_samples, labels=labels)
        parts = {name.replace('loss_', ''): value.detach() for name, value in (outputs.loss_dict or {}).items()}
        return dict(loss=outputs.loss, **parts)

    def predict(self, inputs: Tensor, data_samples: list, rescale: bool = True) -> list:
        """Add ``pred_instances`` to samples: ``bboxes``, ``scores`` and ``labels``, as transformers selects them.

        Args:
            inputs (Tensor): Images, N x 3 x H x W.
            data_samples (list): Data samples of mmdet.
            rescale (bool): Whether boxes are in the original image, or in the image without padding.
        """
        outputs = self.run(inputs, data_samples)
        if takes_masks(self.net):
            return self.add_pred_to_datasample(data_samples, self._masks(inputs, outputs, data_samples, rescale))
        sizes = self._image_sizes(inputs, data_samples)
        found = [
            InstanceData(bboxes=boxes / _scale(boxes, sample, rescale), scores=scores, labels=labels)
            for boxes, scores, labels, sample in zip(*self._select(outputs, sizes), data_samples)
        ]
        found = [entry[entry.scores > self.score_thr] for entry in found] if self.score_thr else found
        return self.add_pred_to_datasample(data_samples, found)

    def add_pred_to_datasample(self, data_samples: list, results_list: list[InstanceData]) -> list:
        """Add ``pred_instances`` to samples, as mmdet's detectors do."""
        return BaseDetector.add_pred_to_datasample(self, data_samples, results_list)

    def _masks(self, inputs: Tensor, outputs: Any, data_samples: list, rescale: bool) -> list[InstanceData]:
        """Select objects with masks of the size of the original image, or of the image without padding."""
        found = []
        for classes, masks, sample in zip(outputs.class_queries_logits, outputs.masks_queries_logits, data_samples):
            inner = sample.img_shape[:2]
            size = sample.ori_shape[:2] if rescale else inner
            whole = [round(side * new / old) for side, new, old in zip(inputs.shape[-2:], size, inner)]
            objects = select_instances(classes, masks, tuple(whole))
            objects.masks = objects.masks[:, : size[0], : size[1]]
            objects.bboxes = mask2bbox(objects.masks)
            found.append(objects[objects.scores > self.score_thr])
        return found

    def _select(self, outputs: Any, sizes: list[tuple[int, int]]) -> tuple[Tensor, Tensor, Tensor]:
        """Do as ``post_process_object_detection`` without a threshold, in a form that can be traced."""
        logits, boxes = outputs.logits, _corners(outputs.pred_boxes)
        scale = torch.tensor([(width, height, width, height) for height, width in sizes], device=boxes.device)
        boxes = boxes * scale[:, None].to(boxes)
        if self.net.config.model_type in _WITH_NO_OBJECT:
            return boxes, *logits.softmax(-1)[..., :-1].max(-1)
        count = logits.shape[1] if self.net.config.model_type in _ALL_QUERIES else 100
        scores, index = logits.sigmoid().flatten(1).topk(min(count, logits[0].numel()))
        which = torch.div(index, logits.shape[2], rounding_mode='floor')[..., None].expand(-1, -1, 4)
        return boxes.gather(1, which), scores, index % logits.shape[2]

    def _image_sizes(self, inputs: Tensor, data_samples: list) -> list[tuple[int, int]]:
        """Return heights and widths of which boxes are fractions."""
        return _sizes(inputs, data_samples if self.takes_mask else None)


def _groups(net: nn.Module) -> AbstractContextManager:
    """Let the losses of LW- and RF-DETR count the groups of queries, which they have in the training alone.

    transformers divides the queries of eval mode into as many groups, and compares a part of them with each object.
    """
    if net.training or not hasattr(net.config, 'group_detr'):
        return nullcontext()
    return patch.object(net.config, 'group_detr', 1)


def _corners(boxes: Tensor) -> Tensor:
    (x, y, width, height) = boxes.unbind(-1)
    return torch.stack([x - 0.5 * width, y - 0.5 * height, x + 0.5 * width, y + 0.5 * height], -1)


def _sizes(inputs: Tensor, data_samples: list | None) -> list[tuple[int, int]]:
    if data_samples is None:
        return [tuple(inputs.shape[-2:])] * len(inputs)
    return [tuple(sample.metainfo['img_shape'][:2]) for sample in data_samples]


def _mask(inputs: Tensor, sizes: list[tuple[int, int]]) -> Tensor:
    """Return 1 where there is an image and 0 in its padding, N x H x W."""
    mask = torch.zeros_like(inputs[:, 0], dtype=torch.long)
    for entry, (height, width) in zip(mask, sizes):
        entry[:height, :width] = 1
    return mask


def _scale(boxes: Tensor, sample: Any, rescale: bool) -> Tensor:
    factor = sample.metainfo.get('scale_factor', (1, 1)) if rescale else (1, 1)
    return boxes.new_tensor(factor).repeat(2)


def _target(instances: InstanceData, size: tuple[int, int]) -> dict[str, Tensor]:
    """Return labels, and boxes (center, width, height) as fractions of the image."""
    boxes = getattr(instances.bboxes, 'tensor', instances.bboxes)
    (left, top, right, bottom), (height, width) = boxes.unbind(-1), size
    centers = [(left + right) / 2 / width, (top + bottom) / 2 / height]
    return dict(
        boxes=torch.stack([*centers, (right - left) / width, (bottom - top) / height], -1),
        class_labels=instances.labels.long(),
    )
