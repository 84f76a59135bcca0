"""Layouts of the networks that we share with the official code, EDSR-PyTorch and SwinIR."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ..errors import SR4IRError
from .loads import State, check_fit


@dataclass
class Layout:
    """Relation between our state dict of a network and the official one.

    Args:
        names (dict[str, str]): Official key of each key of ours.
        bias_scale (float): Factor from our biases to the official ones; the weights are equal.
        fixed (dict[str, Tensor]): Entries that only the official file has; they are not learned.
        derived (set[str]): Keys of ours that follow from the network's config, whatever the file says.

    Example:
        >>> Layout({'conv.weight': 'module.conv.weight'}).names
    """

    names: dict[str, str]
    bias_scale: float = 1.0
    fixed: dict[str, Tensor] = field(default_factory=dict)
    derived: set[str] = field(default_factory=set)

    def scaled(self, key: str, value: Tensor, direction: int) -> Tensor:
        """Convert the value of a key of ours: to ours from theirs (``direction`` -1), or to theirs from ours (1)."""
        if self.bias_scale == 1 or not key.endswith('.bias'):
            return value
        return value * self.bias_scale if direction > 0 else value / self.bias_scale


def _edsr(net: nn.Module) -> Layout | str:
    """Describe the layout of EDSR-PyTorch, which the official release has too.

    EDSR-PyTorch works in the range 0 to 255, mmagic in that of (x - mean) / std. A network of convolutions, ReLU and
    sums commutes with a positive factor that also multiplies the biases. So the weights stay, and only the biases are
    scaled.
    """
    if net.std.min() != net.std.max():
        return (
            f'The official EDSR has one range for all channels, but rgb_std of model.sr is '
            f'{net.std.flatten().tolist()}: use three equal values.'
        )
    scale = round(255 * net.std.max().item(), 3)
    mean, eye = 255 * net.mean.flatten(), torch.eye(3)[:, :, None, None]
    rules: dict[str, str | Callable] = {
        r'^conv_first': 'head.0',
        r'^body\.(\d+)\.conv([12])': lambda m: f'body.{m[1]}.body.{2 * int(m[2]) - 2}',
        r'^conv_after_body': f'body.{net.num_blocks}',
        r'^upsample\.(\d+)\.upsample_conv': lambda m: f'tail.0.{2 * int(m[1])}',  # a PixelShuffle after each
        r'^conv_last': 'tail.1',
    }
    names = {key: key for key in net.state_dict()}
    for pattern, name in rules.items():
        names = {ours: re.sub(pattern, name, theirs) for ours, theirs in names.items()}
    fixed = {'sub_mean.weight': eye, 'sub_mean.bias': -mean, 'add_mean.weight': eye, 'add_mean.bias': mean}
    return Layout(names, scale, fixed)


def _swinir(net: nn.Module) -> Layout:
    """Describe SwinIR's layout: mmagic kept its names. The masks depend on ``img_size``, which differs in the files."""
    names = {key: key for key in net.state_dict()}
    return Layout(names, derived={key for key in names if key.endswith(('attn_mask', 'relative_position_index'))})


def _torchvision(net: nn.Module) -> Layout:
    """Describe torchvision's layout, which the official task networks have; our adapters have it under ``net``."""
    return Layout({key: key.removeprefix('net.') for key in net.state_dict()})


def _mmpretrain_resnet(net: nn.Module) -> Layout | str:
    if type(net.backbone).__name__ != 'ResNet':
        return f'{type(net.backbone).__name__} has no counterpart in the official code: use ResNet.'
    return Layout({key: key.removeprefix('backbone.').removeprefix('head.') for key in net.state_dict()})


LAYOUTS: dict[str, Callable[[nn.Module], Layout | str]] = dict(
    EDSRNet=_edsr,
    SwinIRNet=_swinir,
    ImageClassifier=_mmpretrain_resnet,
    TorchvisionClassifier=_torchvision,
    TorchvisionDetector=_torchvision,
    TorchvisionSegmentor=_torchvision,
)


def find_layout(net: nn.Module) -> Layout | str:
    """Return the official layout of one of our networks, or why the official code has no such network."""
    name = type(net).__name__
    if name not in LAYOUTS:
        return f'{name} has no counterpart in the official code: use one of {", ".join(sorted(LAYOUTS))}.'
    return LAYOUTS[name](net)


def to_ours(net: nn.Module, state: State, what: str = 'the state dict') -> State:
    """Convert an official state dict to one that a network of ours loads strictly.

    Args:
        net (nn.Module): Our SR or task network; only its keys, shapes and settings are read.
        state (dict[str, Tensor]): Names and values of the official code.
        what (str): Name of the state dict in a message.

    Raises:
        SR4IRError: If the network has no official layout, or if names, shapes or the fixed mean of the images differ.
    """
    layout, current = _layout_of(net), net.state_dict()
    ignored = {layout.names[key] for key in layout.derived} | layout.fixed.keys()
    learned = {key: value for key, value in state.items() if key not in ignored}
    names = {theirs: current[ours] for ours, theirs in layout.names.items() if ours not in layout.derived}
    check_fit(f'{what}, as {type(net).__name__},', learned, names)
    return rename(net, layout, state, what)


def rename(net: nn.Module, layout: Layout, state: State, what: str) -> State:
    """Give the entries of an official state dict our names and scale; what is unknown keeps its name.

    Raises:
        SR4IRError: If the fixed mean of the images differs.
    """
    for key in layout.fixed.keys() & state.keys():
        if not torch.allclose(state[key].flatten(), layout.fixed[key].flatten(), atol=1e-2):
            raise SR4IRError(
                f'{what} has {key} = {state[key].flatten().tolist()}, but the config means '
                f'{layout.fixed[key].flatten().tolist()}: set rgb_mean of model.sr to the mean of the file.'
            )
    known = {*layout.names.values(), *layout.fixed}
    found = {ours: layout.scaled(ours, state[key], -1) for ours, key in layout.names.items() if key in state}
    rest = {key: value for key, value in state.items() if key not in known}
    return {**found, **rest, **{key: value for key, value in net.state_dict().items() if key in layout.derived}}


def to_theirs(net: nn.Module) -> State:
    """Return the state dict of our SR or task network as the official code loads it; inverse of :func:`to_ours`."""
    layout, current = _layout_of(net), net.state_dict()
    learned = {theirs: layout.scaled(ours, current[ours], 1) for ours, theirs in layout.names.items()}
    return {**layout.fixed, **learned}


def _layout_of(net: nn.Module) -> Layout:
    if isinstance(layout := find_layout(net), str):
        raise SR4IRError(layout)
    return layout
