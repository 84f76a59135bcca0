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
            features. An HR feature of zeros has no size: its distance is not divided.

    Raises:
        SR4IRError: If the criterion is unknown, or a weight is negative; later, if a feature of the SR image has
            another shape than that of the HR image.

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
            weight * self._distance(name, sr_feats[name], hr_feats[name].detach())
            for name, weight in self.layers.items()
        )

    def _distance(self, name: str, sr: Tensor, hr: Tensor) -> Tensor:
        if sr.shape != hr.shape:
            shapes = ' and '.join(' x '.join(map(str, feature.shape)) for feature in (sr, hr))
            raise SR4IRError(
                f"TDP layer '{name}' has features of two shapes, {shapes}, for the SR and the HR image: they depend on "
                'what the image shows. Choose another layer.'
            )
        if not self.relative:
            return self.criterion(sr, hr)
        if self.criterion is nn.functional.mse_loss:
            unit = _unit(hr)
            sr, hr = sr / unit, hr / unit
        # the distance to zero is the size of the feature; without a size, the distance stays as it is
        size = self.criterion(hr, torch.zeros_like(hr))
        return self.criterion(sr, hr) / torch.where(size > 0, size, 1)


def _unit(feature: Tensor) -> Tensor:
    """Return the largest absolute value: divided by it, no square is too small for a float."""
    largest = feature.float().abs().amax().view(1)  # one float32, not a scalar, makes half precision a float32
    return torch.where(largest > 0, largest, 1)
