"""Torchvision's segmentation and classification nets as task nets that speak MMEngine."""

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


class TorchvisionNet(BaseModel):
    """What the adapters share; the one for detection is in a file of its own.

    The net itself is the submodule ``net``, with torchvision's own names in it.

    Args:
        name (str): As in :func:`torchvision.models.get_model`.
        data_preprocessor (dict): One of the zoo whose data samples the net is to speak.
        backbone_init_cfg (dict, optional): Where the backbone starts from: an ``init_cfg`` of MMEngine for a file in
            torchvision's layout. A ``prefix`` is cut off, such as 'features.' of a MobileNet under FPN.
        init_cfg (dict, optional): Where the whole model starts from, as in MMEngine.
        **kwargs: More for torchvision's builder. No weights are loaded by default.

    Raises:
        SR4IRError: If torchvision has no net of this name for the task.
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
            raise SR4IRError(f"{type(self).__name__} knows no net '{name}'; torchvision has {', '.join(names)}.")
        self.net = get_model(name, **{'weights': None, **kwargs})
        self.backbone_init_cfg = backbone_init_cfg

    @property
    def backbone(self) -> nn.Module:
        """The part that ``backbone_init_cfg`` is for."""
        return self.net.backbone

    def init_weights(self) -> None:
        """Load the backbone, then the whole model, as far as there is a config; all else stays torchvision's own."""
        if self.backbone_init_cfg and not self.is_init:
            initialize(self.backbone, self.backbone_init_cfg)
        super().init_weights()

    def forward(self, inputs: Tensor, data_samples: list | None = None, mode: str = 'tensor') -> Any:
        """Run on N x 3 x H x W as the data preprocessor makes them.

        Args:
            inputs (Tensor): Images.
            data_samples (list, optional): The zoo's data samples.
            mode (str): 'loss' for a dict of losses (also in eval mode, then with running statistics), 'predict' for
                the samples with predictions, 'tensor' for what torchvision returns.
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            return self._forward(inputs, data_samples)
        raise RuntimeError(f"Invalid mode '{mode}'; there are loss, predict and tensor.")

    def _forward(self, inputs: Tensor, data_samples: list | None = None) -> Any:
        return self.net(inputs)


@MODELS.register_module()
class TorchvisionSegmentor(TorchvisionNet):
    """A segmentation net of torchvision with mmseg's data samples, metrics and visualizer.

    The loss is the cross entropy over all pixels but those of label 255, plus half of the auxiliary head's (SR4IR,
    section 4.1), which ``aux_loss=True`` adds.

    Args:
        name (str): E.g. 'deeplabv3_mobilenet_v3_large'.
        num_classes (int): With the background, as in mmseg.
        **kwargs: See :class:`TorchvisionNet`.
    """

    family = torchvision.models.segmentation
    align_corners = False  # of the logits that mmseg resizes

    def __init__(self, name: str, num_classes: int, **kwargs: Any) -> None:
        super().__init__(name, num_classes=num_classes, **{'weights_backbone': None, **kwargs})
        self.num_classes = num_classes

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Features of the backbone."""
        return tuple(self.net.backbone(inputs).values())

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """Losses 'decode.loss_ce' and 'aux.loss_ce', named as in mmseg."""
        target = torch.cat([sample.gt_sem_seg.data for sample in data_samples]).long()
        outputs = self.net(inputs)
        losses = {'decode.loss_ce': _cross_entropy(outputs['out'], target)}
        if 'aux' in outputs:
            losses['aux.loss_ce'] = 0.5 * _cross_entropy(outputs['aux'], target)
        return losses

    def predict(self, inputs: Tensor, data_samples: list | None = None) -> list:
        """Samples with ``seg_logits`` and ``pred_sem_seg``, without padding and of the size ``ori_shape``."""
        from mmseg.models import BaseSegmentor  # here, so that the other zoos' users need not wait for it

        return BaseSegmentor.postprocess_result(self, self.net(inputs)['out'], data_samples)


def _cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    # the mean, except that it is 0 where there is nothing but pixels to ignore
    return F.cross_entropy(logits, target, ignore_index=255, reduction='sum') / (target != 255).sum().clamp(min=1)


@MODELS.register_module()
class TorchvisionClassifier(TorchvisionNet):
    """A classification net of torchvision with mmpretrain's data samples, metrics and visualizer.

    ``backbone_init_cfg`` fills the whole net; a last layer for another number of classes stays as initialized.

    Args:
        name (str): E.g. 'resnet18'. Nets with auxiliary heads need ``aux_logits=False``.
        num_classes (int): As in the data set.
        head (dict, optional): What makes losses and predictions of the net's logits.
        **kwargs: See :class:`TorchvisionNet`.
    """

    family = torchvision.models

    def __init__(self, name: str, num_classes: int, head: dict | None = None, **kwargs: Any) -> None:
        super().__init__(name, num_classes=num_classes, **kwargs)
        self.num_classes = num_classes
        self.head = MODELS.build(head or dict(type='mmpretrain.ClsHead'))

    @property
    def backbone(self) -> nn.Module:
        """All of the net: what does not fit is left out."""
        return self.net

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor]:
        """What the last child of the net, its classifier, gets to see."""
        *_, classifier = self.net.children()
        seen = []
        handle = classifier.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
        try:
            self.net(inputs)
        finally:
            handle.remove()
        return tuple(seen)

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """The loss of ``head``, by default the cross entropy."""
        return self.head.loss((self.net(inputs),), data_samples)

    def predict(self, inputs: Tensor, data_samples: list | None = None) -> list:
        """Samples with ``pred_score`` and ``pred_label``."""
        return self.head.predict((self.net(inputs),), data_samples)
