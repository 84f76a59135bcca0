"""Networks of transformers for image classification, as classifiers of mmpretrain."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import SR4IRError
from ...registry import MODELS
from .hf_nets import HFNet

_SINGLE, _MULTI = 'single_label_classification', 'multi_label_classification'


@MODELS.register_module()
class HFClassifier(HFNet):
    """A network of transformers for image classification with mmpretrain's data samples, metrics and visualizer.

    ViT, DINOv2, Swin, ConvNeXt V2, SigLIP's image encoder and others, with their own loss. Labels that are mixed
    (Mixup, CutMix) give the cross entropy with their shares. For data of several labels an image, set
    ``config=dict(problem_type='multi_label_classification')``.

    Args:
        **kwargs: Arguments of :class:`HFNet`.

    Example:
        >>> task = dict(type='sr4ir_mm.HFClassifier', pretrained='google/vit-base-patch16-224', num_classes=196)
    """

    mappings = ('MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES',)
    preprocessor = ('mmpretrain.ClsDataPreprocessor', 'to_rgb', 'pad_size_divisor')

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = self.net.config.problem_type or _SINGLE  # transformers would choose it by the type of the labels
        if kind not in (_SINGLE, _MULTI):
            raise SR4IRError(
                f"{type(self.net).__name__} has problem_type='{kind}' in its config, but the task network has to learn "
                f"classes: set model.task.config.problem_type to '{_SINGLE}' or '{_MULTI}'."
            )
        self.net.config.problem_type = kind
        self.is_multi_label = kind == _MULTI
        kind = 'MultiLabelClsHead' if self.is_multi_label else 'ClsHead'
        #: it has no weights, and makes predictions of logits
        self.head = MODELS.build(dict(type=f'mmpretrain.{kind}', _scope_='mmpretrain'))  # with a loss of its scope

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """Compute the loss of transformers, 'loss'."""
        if self.is_multi_label:
            return dict(
                loss=self.run(inputs, labels=torch.stack([self._shares(sample) for sample in data_samples])).loss
            )
        if 'gt_score' in data_samples[0]:  # mixed images
            shares = torch.stack([sample.gt_score for sample in data_samples])
            return dict(loss=F.cross_entropy(self.run(inputs).logits, shares))
        return dict(loss=self.run(inputs, labels=torch.cat([_label(sample) for sample in data_samples])).loss)

    def predict(self, inputs: Tensor, data_samples: list | None = None) -> list:
        """Add ``pred_score`` and ``pred_label`` to samples."""
        return self.head._get_predictions(self.run(inputs).logits, data_samples)

    def _shares(self, sample: Any) -> Tensor:
        if 'gt_score' in sample:
            return sample.gt_score.float()
        return F.one_hot(sample.gt_label, self.num_classes).sum(0).clamp(max=1).float()


def _label(sample: Any) -> Tensor:
    if len(sample.gt_label) != 1:
        raise SR4IRError(
            f"'{sample.get('img_path')}' has {len(sample.gt_label)} labels, and the task network learns one for each "
            f"image: set model.task.config.problem_type='{_MULTI}'."
        )
    return sample.gt_label
