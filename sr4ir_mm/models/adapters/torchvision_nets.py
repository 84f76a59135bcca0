"""Segmentation and classification networks of torchvision as task networks in MMEngine's form."""

from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
import torchvision
from mmengine.model import BaseModel, initialize
from torch import Tensor, nn
from torchvision.models import get_model, list_models

from ...errors import SR4IRError
from ...registry import MODELS
from ...utils import check_number


class TorchvisionNet(BaseModel):
    """Common part of the adapters; the one for detection has a file of its own.

    The network itself is the submodule ``net``, with torchvision's own names in it.

    Args:
        name (str): Name of the network, as in :func:`torchvision.models.get_model`.
        data_preprocessor (dict, optional): Data preprocessor of the zoo whose data samples the network takes.
        backbone_init_cfg (dict, optional): Initialization of the backbone, an ``init_cfg`` of MMEngine for a file in
            torchvision's layout. A ``prefix`` is cut off, such as 'features.' of a MobileNet under FPN.
        init_cfg (dict, optional): Initialization of the whole model, as in MMEngine.
        **kwargs: Further arguments of torchvision's builder. No weights are loaded by default.

    Raises:
        SR4IRError: If torchvision has no network of this name for the task.
    """

    family: ModuleType

    def __init__(
        self,
        name: str,
        data_preprocessor: dict | nn.Module | None = None,
        backbone_init_cfg: dict | None = None,
        init_cfg: dict | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        names = list_models(self.family)
        if name not in names:
            raise SR4IRError(f"{type(self).__name__}: unknown network '{name}'; torchvision has {', '.join(names)}.")
        self.net = get_model(name, **{'weights': None, **kwargs})
        self.backbone_init_cfg = backbone_init_cfg

    @property
    def backbone(self) -> nn.Module:
        """Part that ``backbone_init_cfg`` is for."""
        return self.net.backbone

    def init_weights(self) -> None:
        """Load the backbone, then the whole model, where a config is given; the rest stays as torchvision made it."""
        if self.backbone_init_cfg and not self.is_init:
            initialize(self.backbone, self.backbone_init_cfg)
        super().init_weights()

    def forward(self, inputs: Tensor, data_samples: list | None = None, mode: str = 'tensor') -> Any:
        """Run on N x 3 x H x W as the data preprocessor makes them.

        Args:
            inputs (Tensor): Images, N x 3 x H x W.
            data_samples (list, optional): Data samples of the zoo.
            mode (str): 'loss' for a dict of losses (also in eval mode, then with running statistics), 'predict' for
                samples with predictions, 'tensor' for what torchvision returns.
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            return self._forward(inputs, data_samples)
        raise RuntimeError(f"Invalid mode '{mode}'; choose loss, predict or tensor.")

    def _forward(self, inputs: Tensor, data_samples: list | None = None) -> Any:
        return self.net(inputs)


@MODELS.register_module()
class TorchvisionSegmentor(TorchvisionNet):
    """A segmentation network of torchvision with mmseg's data samples, metrics and visualizer.

    The loss is the cross entropy over all pixels but those of label 255, plus half of the auxiliary head's (SR4IR,
    section 4.1), which ``aux_loss=True`` adds.

    Args:
        name (str): Name of the network, e.g. 'deeplabv3_mobilenet_v3_large'.
        num_classes (int): Number of classes with the background, as in mmseg.
        **kwargs: Arguments of :class:`TorchvisionNet`.

    Example:
        >>> task = dict(type='sr4ir_mm.TorchvisionSegmentor', name='deeplabv3_mobilenet_v3_large', num_classes=21)
    """

    family = torchvision.models.segmentation
    align_corners = False  # of the logits that mmseg resizes

    def __init__(self, name: str, num_classes: int, **kwargs: Any) -> None:
        check_number(type(self).__name__, low=1, whole=True, num_classes=num_classes)
        super().__init__(name, num_classes=num_classes, **{'weights_backbone': None, **kwargs})
        self.num_classes = num_classes

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Compute the features of the backbone."""
        return tuple(self.net.backbone(inputs).values())

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """Compute the losses 'decode.loss_ce' and 'aux.loss_ce', named as in mmseg."""
        target = torch.cat([sample.gt_sem_seg.data for sample in data_samples]).long()
        outputs = self.net(inputs)
        losses = {'decode.loss_ce': _cross_entropy(outputs['out'], target)}
        if 'aux' in outputs:
            losses['aux.loss_ce'] = 0.5 * _cross_entropy(outputs['aux'], target)
        return losses

    def predict(self, inputs: Tensor, data_samples: list | None = None) -> list:
        """Add ``seg_logits`` and ``pred_sem_seg`` to samples, without padding and of the size ``ori_shape``."""
        from mmseg.models import BaseSegmentor  # here, so that the other zoos' users need not wait for it

        return BaseSegmentor.postprocess_result(self, self.net(inputs)['out'], data_samples)


def _cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    if logits.is_contiguous(memory_format=torch.channels_last):  # as pixels, they need not be copied
        logits, target = logits.permute(0, 2, 3, 1).flatten(0, 2), target.flatten()
    # the mean, except that it is 0 where there is nothing but pixels to ignore
    return F.cross_entropy(logits, target, ignore_index=255, reduction='sum') / (target != 255).sum().clamp(min=1)


@MODELS.register_module()
class TorchvisionClassifier(TorchvisionNet):
    """A classification network of torchvision with mmpretrain's data samples, metrics and visualizer.

    ``backbone_init_cfg`` fills the whole network; a last layer for another number of classes stays as initialized.

    Args:
        name (str): Name of the network, e.g. 'resnet18'. One with auxiliary heads needs ``aux_logits=False``.
        num_classes (int): Number of classes of the data set.
        head (dict, optional): Head that makes losses and predictions of the logits; mmpretrain's ClsHead by default.
        **kwargs: Arguments of :class:`TorchvisionNet`.

    Example:
        >>> task = dict(type='sr4ir_mm.TorchvisionClassifier', name='resnet18', num_classes=196)
    """

    family = torchvision.models

    def __init__(self, name: str, num_classes: int, head: dict | None = None, **kwargs: Any) -> None:
        check_number(type(self).__name__, low=1, whole=True, num_classes=num_classes)
        super().__init__(name, num_classes=num_classes, **kwargs)
        self.num_classes = num_classes
        self.head = MODELS.build(head or dict(type='mmpretrain.ClsHead'))

    @property
    def backbone(self) -> nn.Module:
        """The whole network: weights that do not fit are left out."""
        return self.net

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor]:
        """Compute the input of the last child of the network, its classifier."""
        *_, classifier = self.net.children()
        inputs_of_classifier = []
        handle = classifier.register_forward_pre_hook(lambda module, args: inputs_of_classifier.append(args[0]))
        try:
            self.net(inputs)
        finally:
            handle.remove()
        return tuple(inputs_of_classifier)

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """Compute the loss of ``head``, by default the cross entropy."""
        return self.head.loss((self.net(inputs),), data_samples)

    def predict(self, inputs: Tensor, data_samples: list | None = None) -> list:
        """Add ``pred_score`` and ``pred_label`` to samples."""
        return self.head.predict((self.net(inputs),), data_samples)
