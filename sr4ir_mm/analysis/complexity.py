"""Cost of the SR and the task network: parameters and FLOPs."""

from collections import Counter
from dataclasses import dataclass

from mmengine.analysis import FlopAnalyzer, parameter_count
from torch import Tensor, nn

from ..models import SR4IR
from ..models.features import tensors
from .synthetic_batch import synthetic_batch


@dataclass(frozen=True)
class Complexity:
    """Cost of one network for one image.

    Args:
        input_shape (tuple[int, ...]): N x C x H x W.
        params (int): Number of all parameters, trained or frozen.
        flops (int): Number of operations; a multiplication with an addition counts as one.
        uncounted (Counter[str]): Number of calls of the operators that ``flops`` leaves out.
        idle (list[str]): Parts with parameters that are not called: heads only for training, or layers whose weights
            another part uses.

    Example:
        >>> measure(model, 64, 64)['T'].flops
    """

    input_shape: tuple[int, ...]
    params: int
    flops: int
    uncounted: Counter[str]
    idle: list[str]


class _TensorOutput(nn.Module):
    """Task network that keeps its data samples and returns only tensors, because PyTorch can trace only these."""

    def __init__(self, net: nn.Module, samples: list) -> None:
        super().__init__()
        self.net = net
        self.samples = samples

    def forward(self, image: Tensor) -> list[Tensor]:
        return list(tensors(self.net(image, self.samples, mode='tensor')).values())


def measure(model: SR4IR, height: int, width: int) -> dict[str, Complexity]:
    """Measure the cost of each network of a model by running it once.

    Args:
        model (SR4IR): Model with the networks.
        height (int): Height of the LR image. The task network receives an image ``scale`` times as large, padded as
            its preprocessor pads.
        width (int): Width of the LR image.

    Returns:
        dict[str, Complexity]: Cost by 'S' (the SR network) and 'T' (the task network), of those that the model has.
    """
    model.eval()
    batch = model.data_preprocessor(synthetic_batch((height * model.scale, width * model.scale)))
    images, costs = batch['inputs'], {}
    if model.sr is not None:
        costs['S'] = _measure(model.sr, images['lr'])
    if model.task is not None:
        costs['T'] = _measure(_TensorOutput(model.task, batch['data_samples']), images['hr_inputs'])
    return costs


def _measure(net: nn.Module, image: Tensor) -> Complexity:
    analyzer = FlopAnalyzer(net, (image,))
    analyzer.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings('none')
    idle: list[str] = []
    for name in sorted(analyzer.uncalled_modules()):
        has_parameters = any(True for _ in net.get_submodule(name).parameters())
        if has_parameters and not any(name.startswith(f'{other}.') for other in idle):
            idle.append(name)
    return Complexity(
        tuple(image.shape),
        parameter_count(net)[''],
        int(analyzer.total()),
        analyzer.unsupported_ops(),
        [name.removeprefix('net.') for name in idle],
    )
