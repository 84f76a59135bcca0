"""Detection networks of torchvision as task networks in MMEngine's form."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torchvision
from mmengine.structures import InstanceData
from torch import Tensor, nn
from torchvision.ops import FrozenBatchNorm2d

from ...registry import MODELS
from ...utils import check_number
from .torchvision_nets import TorchvisionNet


@MODELS.register_module()
class TorchvisionDetector(TorchvisionNet):
    """A detection network of torchvision with mmdet's data samples, metrics and visualizer.

    The data preprocessor must leave images in [0, 1] RGB (mean 0, standard deviation 255): torchvision normalizes and
    resizes inside the network. It receives each image without padding (``img_shape``).

    Args:
        name (str): Name of the network, e.g. 'fasterrcnn_mobilenet_v3_large_fpn'.
        num_classes (int): Number of classes without the background, as in mmdet; torchvision counts it.
        frozen_layers (int, optional): Number of children of the backbone that are frozen, together with all of its
            BatchNorm, as torchvision does when it starts from ImageNet weights (7 for 'mobilenet_v3_large', 5 for a
            ResNet leave torchvision's usual 3 stages to train). By default nothing is frozen.
        **kwargs: Arguments of :class:`TorchvisionNet`.

    Example:
        >>> task = dict(type='sr4ir_mm.TorchvisionDetector', name='fasterrcnn_mobilenet_v3_large_fpn', num_classes=20)
    """

    family = torchvision.models.detection

    def __init__(self, name: str, num_classes: int, frozen_layers: int | None = None, **kwargs: Any) -> None:
        check_number(type(self).__name__, low=1, whole=True, num_classes=num_classes)
        super().__init__(name, num_classes=num_classes + 1, **{'weights_backbone': None, **kwargs})
        self.num_classes = num_classes
        if frozen_layers is not None:
            check_number(type(self).__name__, low=0, whole=True, frozen_layers=frozen_layers)
            _freeze_batch_norm(self.backbone)
            for layer in list(self.backbone.children())[:frozen_layers]:
                layer.requires_grad_(False)

    @property
    def backbone(self) -> nn.Module:
        """Backbone without FPN."""
        return getattr(self.net.backbone, 'body', self.net.backbone)

    def extract_feat(self, inputs: Tensor, data_samples: list | None = None) -> tuple[Tensor, ...]:
        """Compute features of backbone and FPN, of the images as torchvision resizes, normalizes and pads them."""
        with self._returning('detections'):
            images, _ = self.net.transform(_without_padding(inputs, data_samples))
        return tuple(self.net.backbone(images.tensors).values())

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """Compute torchvision's losses; all names start with 'loss'."""
        targets = [_target(sample.gt_instances) for sample in data_samples]
        with self._returning('losses'):
            losses = self.net(_without_padding(inputs, data_samples), targets)
        if not any(len(target['boxes']) for target in targets):
            # where RPN has no proposal either, the mean is one of nothing
            losses = {name: loss.nan_to_num() for name, loss in losses.items()}
        return {name if name.startswith('loss') else f'loss_{name}': loss for name, loss in losses.items()}

    def predict(self, inputs: Tensor, data_samples: list) -> list:
        """Add ``pred_instances`` to samples: ``bboxes`` in the original image, ``scores``, and ``labels`` from 0."""
        for sample, found in zip(data_samples, self._forward(inputs, data_samples)):
            scale = found['boxes'].new_tensor(sample.metainfo.get('scale_factor', (1, 1))).repeat(2)
            sample.pred_instances = InstanceData(
                bboxes=found['boxes'] / scale, scores=found['scores'], labels=found['labels'] - 1
            )
        return data_samples

    def _forward(self, inputs: Tensor, data_samples: list | None = None) -> list[dict[str, Tensor]]:
        with self._returning('detections'):
            return self.net(_without_padding(inputs, data_samples))

    @contextmanager
    def _returning(self, what: str) -> Iterator[None]:
        """Let the network return losses or detections in either mode.

        Torchvision's detectors return losses in train mode and detections in eval mode. Only the mode of their own
        modules changes here: norm and dropout layers keep theirs.
        """
        own = [m for m in self.net.modules() if type(m).__module__.startswith(self.family.__name__)]
        modes = [m.training for m in own]
        for module in own:
            module.training = what == 'losses'
        try:
            yield
        finally:
            for module, mode in zip(own, modes):
                module.training = mode


def _without_padding(inputs: Tensor, data_samples: list | None) -> list[Tensor]:
    if data_samples is None:
        return list(inputs)
    sizes = [sample.metainfo['img_shape'][:2] for sample in data_samples]
    return [image[:, :height, :width] for image, (height, width) in zip(inputs, sizes)]


def _target(instances: InstanceData) -> dict[str, Tensor]:
    boxes = instances.bboxes
    real = (boxes[:, 2:] > boxes[:, :2]).all(1)  # torchvision refuses all others
    return dict(boxes=boxes[real], labels=instances.labels[real].long() + 1)


class _FrozenBatchNorm2d(FrozenBatchNorm2d):
    """Torchvision's norm with one tensor less in memory: the sum is made in place."""

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W to the same shape."""
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        bias = self.bias - self.running_mean * scale
        return (x * scale.view(1, -1, 1, 1)).add_(bias.view(1, -1, 1, 1))


def _freeze_batch_norm(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            # eps too is what torchvision has there, whatever the BatchNorm had
            setattr(module, name, _FrozenBatchNorm2d(child.num_features))
        else:
            _freeze_batch_norm(child)
