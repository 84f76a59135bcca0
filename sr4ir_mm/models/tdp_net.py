"""A network whose features the TDP loss compares in place of the task network that learns."""

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ..errors import SR4IRError
from ..utils import check_number
from ..utils.nested import walk
from .data_preprocessor import SRDataPreprocessor
from .degradations.bicubic import BicubicDegradation
from .starts import start
from .task_net import build_task


class TDPNet(nn.Module):
    """A network that stays in eval mode and that no optimizer trains.

    Args:
        net (nn.Module): The network, with a data preprocessor.
        files (Sequence[dict]): Files from which it starts.
    """

    def __init__(self, net: nn.Module, files: Sequence[dict] = ()) -> None:
        super().__init__()
        self.net = net.requires_grad_(False)
        self.files = files
        self.eval()

    def train(self, mode: bool = True) -> 'TDPNet':
        """Stay in eval mode."""
        return super().train(False)

    def follow(self, task: nn.Module) -> None:
        """Take note of the task network at the start of an iteration."""


class OtherNet(TDPNet):
    """Any network with weights of its own, such as a classifier of ImageNet.

    Args:
        cfg (dict): Config of the network, with a ``data_preprocessor``, and with the files of its weights.

    Raises:
        SR4IRError: If the config has no weights or no data preprocessor.
    """

    def __init__(self, cfg: dict) -> None:
        if not any(value == 'Pretrained' or (path[-1:] == ('pretrained',) and value) for path, value in walk(cfg)):
            raise SR4IRError(
                'model.tdp_net would keep random weights: add a file, e.g. '
                "init_cfg=dict(type='Pretrained', checkpoint=...) to it or to its backbone."
            )
        if not cfg.get('data_preprocessor'):
            raise SR4IRError('model.tdp_net has no data_preprocessor, which says how images are normalized: add it.')
        net, files = build_task(cfg, None, losses=0)
        super().__init__(net, files)
        # only for the normalization
        self.preprocessor = SRDataPreprocessor(net.data_preprocessor, BicubicDegradation(1))

    def init_weights(self) -> None:
        """Initialize the network, then load its files."""
        if hasattr(self.net, 'init_weights'):
            self.net.init_weights()
        start(self.net, self.files)
        self.net.requires_grad_(False)

    def normalize(self, image: Tensor) -> Tensor:
        """Turn [0, 1] RGB into the input of the network, with gradient; N x 3 x H x W, same shape."""
        return self.preprocessor.normalize(image)


class TaskCopy(TDPNet):
    """The task network as it was when the training started, or a moving average of it since then.

    Args:
        task (nn.Module): Task network, not wrapped.
        momentum (float): Share of the task network that learns in the average at each iteration; 0 keeps the start.
    """

    def __init__(self, task: nn.Module, momentum: float = 0.0) -> None:
        check_number('model.tdp_net', low=0, high=1, momentum=momentum)
        super().__init__(copy.deepcopy(task))
        self.momentum = momentum
        #: whether the training has started; the engine saves it in checkpoints
        self.has_started = False

    @torch.no_grad()
    def follow(self, task: nn.Module) -> None:
        """Copy the task network in the first iteration, and average it in the others."""
        momentum = self.momentum if self.has_started else 1.0
        self.has_started = True
        if momentum:
            theirs = task.state_dict()
            for name, mine in self.net.state_dict().items():
                new = theirs[name]
                mine.lerp_(new, momentum) if mine.is_floating_point() else mine.copy_(new)


def build_tdp_net(cfg: 'str | Mapping | None', task: nn.Module) -> TDPNet | None:
    """Build what ``model.tdp_net`` asks for.

    Args:
        cfg (str or dict, optional): 'start' for the task network as it is when the training starts,
            ``dict(momentum=0.001)`` for its moving average, or the config of another network. None for the task
            network that learns.
        task (nn.Module): Task network, not wrapped.

    Raises:
        SR4IRError: If it is none of these.
    """
    if cfg is None:
        return None
    if cfg == 'start':
        return TaskCopy(task)
    if isinstance(cfg, Mapping) and 'type' in cfg:
        return OtherNet(dict(cfg))
    if isinstance(cfg, Mapping) and set(cfg) == {'momentum'}:
        return TaskCopy(task, **cfg)
    raise SR4IRError(
        f"model.tdp_net={cfg!r} must be 'start', dict(momentum=...), or the config of a network, dict(type=...)."
    )
