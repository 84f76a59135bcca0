"""Networks of transformers for semantic segmentation, as segmentors of mmseg."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.config import ConfigDict
from mmseg.models import BaseSegmentor, EncoderDecoder
from torch import Tensor, nn

from ...compat.torch_export import is_exporting
from ...registry import MODELS
from .hf_masks import MASK_NETS, class_scores, of_semantic_map, takes_masks, task_inputs
from .hf_nets import HFNet
from .hf_patches import check_patches, side_of


@MODELS.register_module()
class HFSegmentor(HFNet):
    """A network of transformers for semantic segmentation with mmseg's data samples, metrics and visualizer.

    SegFormer, UPerNet, DPT, BEiT, MobileViT and others, with their own loss; and Mask2Former, MaskFormer, OneFormer
    and EoMT, which learn masks and classes, with theirs. Pixels of label 255 are ignored; networks of masks
    learn, as in transformers, that they are in no mask.

    Args:
        test_cfg (dict, optional): As in mmseg: ``dict(mode='whole')``, or windows, ``dict(mode='slide',
            crop_size=(512, 512), stride=(341, 341))``. The default of EoMT, which takes images of one size, is windows
            of this size; smaller images and crops are padded to it.
        **kwargs: Arguments of :class:`HFNet`.

    Example:
        >>> task = dict(type='sr4ir_mm.HFSegmentor', pretrained='nvidia/segformer-b0-finetuned-ade-512-512',
        ...             num_classes=21)
        >>> task = dict(type='sr4ir_mm.HFSegmentor', architecture='SegformerForSemanticSegmentation',
        ...             config=dict(depths=[2, 2, 2, 2]), num_classes=21)
    """

    mappings = ('MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING_NAMES', MASK_NETS)
    preprocessor = ('mmseg.SegDataPreProcessor', 'bgr_to_rgb', 'size_divisor')
    least_classes = 2
    align_corners = False  # of the logits that mmseg resizes
    inference = EncoderDecoder.inference
    whole_inference = EncoderDecoder.whole_inference
    slide_inference = EncoderDecoder.slide_inference

    def __init__(self, *args: Any, test_cfg: dict | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        side = side_of(self.net.config)
        usual = dict(mode='slide', crop_size=(side, side), stride=(side, side)) if side else dict(mode='whole')
        self.test_cfg = ConfigDict(test_cfg or usual)  # mmseg reads its entries as attributes
        self.out_channels = self.num_classes

    @classmethod
    def preprocessor_of(cls, normalization: dict | None, config: Any, given: dict | None = None) -> dict:
        """Return mmseg's data preprocessor, which pads in tests only if ``test_cfg`` says so."""
        found = super().preprocessor_of(normalization, config, given)
        tested, divisor = dict(found.get('test_cfg') or {}), cls.divisor(config)
        if tested.get('size'):
            check_patches(cls.__name__, config, tested['size'])
        elif side := side_of(config):
            tested = dict(size=(side, side))  # at least, for windows
        elif divisor > 1:
            tested['size_divisor'] = math.lcm(divisor, tested.get('size_divisor') or 1)
        return found | (dict(test_cfg=tested) if tested else {})

    @property
    def encoder(self) -> str:
        """Path of the part that makes features of the image; of EoMT, the last layer without tokens of queries."""
        config = self.net.config
        if side_of(config) is None:
            return super().encoder
        return f'net.layers.{config.num_hidden_layers - config.num_blocks - 1}'

    def run(self, inputs: Tensor, data_samples: list | None = None, **targets: Any) -> Any:
        """Run the network of transformers, with the name of the task if it takes one."""
        with _numbers(self.net):
            return super().run(inputs, data_samples, **task_inputs(self.net, inputs), **targets)

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """Compute the loss of transformers, 'loss'.

        Of a batch of label 255 alone it is 0; networks of masks learn from it that the images have no class.
        """
        labels = torch.cat([sample.gt_sem_seg.data for sample in data_samples]).long()
        if not takes_masks(self.net):
            loss = self.run(inputs, labels=labels).loss
        else:
            loss = self.run(inputs, **of_semantic_map(labels)).loss.sum()
        return dict(loss=loss if (labels != 255).any() else loss.nan_to_num())

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict] | None = None) -> Tensor:
        """Compute logits of the size of the images, N x classes x H x W."""
        outputs = self.run(inputs)
        size = tuple(inputs.shape[-2:])
        if takes_masks(self.net):
            return class_scores(self.net, outputs, size)
        return F.interpolate(outputs.logits, size, mode='bilinear', align_corners=False)

    def predict(self, inputs: Tensor, data_samples: list | None = None) -> list:
        """Add ``seg_logits`` and ``pred_sem_seg`` to samples, without padding and of the size ``ori_shape``."""
        shape = tuple(inputs.shape[-2:])
        metas = [sample.metainfo for sample in data_samples or ()]
        metas = metas or [dict(ori_shape=shape, img_shape=shape, pad_shape=shape, padding_size=[0] * 4)] * len(inputs)
        return BaseSegmentor.postprocess_result(self, self.inference(inputs, metas), data_samples)


@contextmanager
def _numbers(net: nn.Module) -> Iterator[None]:
    """Let an export of EoMT find the probabilities of its attention's masks as numbers, those of the test before it.

    Its code depends on them, and an export knows no values of tensors.
    """
    probs = net._buffers.get('attn_mask_probs')
    if probs is None or net.training:
        yield
    elif not is_exporting():
        net.numbers = probs.tolist()
        yield
    elif hasattr(net, 'numbers'):
        del net.attn_mask_probs
        net.attn_mask_probs = net.numbers
        try:
            yield
        finally:
            del net.attn_mask_probs
            net.register_buffer('attn_mask_probs', probs)
    else:
        yield
