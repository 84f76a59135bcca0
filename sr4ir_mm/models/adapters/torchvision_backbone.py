"""Backbones of torchvision under heads of mmseg and mmdet."""

from collections.abc import Sequence
from typing import Any

from mmengine.model import BaseModule, initialize
from torch import Tensor
from torchvision.models import get_model
from torchvision.models.feature_extraction import create_feature_extractor

from ...registry import MODELS


@MODELS.register_module()
class TorchvisionBackbone(BaseModule):
    """Features of any classification network of torchvision.

    Args:
        name (str): Name of the network, as in :func:`torchvision.models.get_model`.
        out_nodes (Sequence[str]): Names of the layers whose outputs are returned, e.g. 'features.12'.
        frozen (Sequence[str]): Names of the parts that are not trained and stay in eval mode, e.g. 'features'.
        init_cfg (dict, optional): Initialization as in MMEngine; keys of a checkpoint are torchvision's own.
        **kwargs: Further arguments of torchvision's builder, e.g. ``replace_stride_with_dilation`` of a ResNet. No
            weights are loaded by default.

    Example:
        >>> backbone = dict(type='sr4ir_mm.TorchvisionBackbone', name='squeezenet1_0', out_nodes=['features.12'])
    """

    def __init__(
        self,
        name: str,
        out_nodes: Sequence[str],
        frozen: Sequence[str] = (),
        init_cfg: dict | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(init_cfg)
        self.net = create_feature_extractor(get_model(name, **{'weights': None, **kwargs}), list(out_nodes))
        self.frozen = [self.net.get_submodule(part) for part in frozen]
        for part in self.frozen:
            part.requires_grad_(False)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute one feature map for each of ``out_nodes``, of N x 3 x H x W."""
        return tuple(self.net(x).values())

    def train(self, mode: bool = True) -> 'TorchvisionBackbone':
        """Set the mode of the parts that are not frozen."""
        super().train(mode)
        for part in self.frozen:
            part.eval()
        return self

    def init_weights(self) -> None:
        """Load ``init_cfg`` into the network; without one, torchvision's own initialization stays."""
        if self.init_cfg:
            initialize(self.net, self.init_cfg)
