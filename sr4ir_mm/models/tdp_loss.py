"""Task-driven perceptual loss."""

import torch
from torch import Tensor, nn

from ..errors import SR4IRError
from ..registry import MODELS
from ..utils import check_number

_CRITERIA = {'l1': nn.functional.l1_loss, 'l2': nn.functional.mse_loss}


@MODELS.register_module()
class TDPLoss(nn.Module):
    """Distance between the features of the SR and the HR image in the task network T (SR4IR, section 3.2).

    Args:
        layers (dict[str, float]): Weight of each layer of T, by module path: 'backbone' (last element of a tuple),
            'neck[0]' (an element of a tuple), 'backbone.layer3.1'. See :class:`FeatureRecorder`.
        loss_weight (float): Weight of the whole loss.
        criterion (str): Distance, 'l1' or 'l2', averaged over all elements of a feature.
        relative (bool): Whether to divide the loss of each layer by the mean size of its HR feature (mean square for
            'l2'), without gradient. Then one weight fits every T; otherwise the loss grows with the size of T's
            features.

    Raises:
        SR4IRError: If the criterion is unknown, or a weight is negative.

    Example:
        >>> loss = TDPLoss({'neck[0]': 0.5, 'neck[1]': 0.5}, relative=True)
        >>> loss(recorder(sr_inputs), recorder(hr_inputs))
    """

    def __init__(
        self, layers: dict[str, float], loss_weight: float = 1.0, criterion: str = 'l1', relative: bool = False
    ) -> None:
        super().__init__()
        if criterion not in _CRITERIA:
            raise SR4IRError(f"TDPLoss: unknown criterion '{criterion}'; choose one of {', '.join(sorted(_CRITERIA))}.")
        check_number('TDPLoss', low=0, loss_weight=loss_weight)
        check_number('TDPLoss: layers', low=0, **layers)
        self.layers = dict(layers)
        self.loss_weight = loss_weight
        self.criterion = _CRITERIA[criterion]
        self.relative = relative

    def forward(self, sr_feats: dict[str, Tensor], hr_feats: dict[str, Tensor]) -> Tensor:
        """Sum the weighted distances over the layers.

        Args:
            sr_feats (dict[str, Tensor]): Features of the SR image by layer name, any shape; other names are ignored.
            hr_feats (dict[str, Tensor]): Features of the HR image, same shapes; no gradient flows into them.

        Returns:
            Tensor: Scalar loss.
        """
        return self.loss_weight * sum(
            weight * self._distance(sr_feats[name], hr_feats[name].detach()) for name, weight in self.layers.items()
        )

    def _distance(self, sr: Tensor, hr: Tensor) -> Tensor:
        loss = self.criterion(sr, hr)
        if self.relative:
            # the distance to zero is the size of the feature
            loss = loss / self.criterion(hr, torch.zeros_like(hr)).clamp(min=1e-12)
        return loss
