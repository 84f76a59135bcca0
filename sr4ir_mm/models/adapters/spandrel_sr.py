"""SR networks of spandrel: the architectures of the community, and their files."""

from __future__ import annotations

import importlib
import inspect
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ...compat.torch_export import is_exporting
from ...errors import SR4IRError
from ...registry import MODELS
from ...utils.optional import import_optional
from ..loads import State
from ..starts import find_prefixes

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor


@MODELS.register_module()
class SpandrelSR(nn.Module):
    """An SR network of one of spandrel's architectures, such as SPAN, HAT, DAT, DRCT, PLKSR, or Real-ESRGAN's Compact.

    With ``checkpoint``, architecture and parameters are those of a file; it is read as data, and spandrel recognizes
    the names and shapes in it. Configs hold them in its place, so that a run does without the file.

    Args:
        architecture (str, optional): Name of a network's class in spandrel, e.g. 'SPAN' or 'RealPLKSR'.
        parameters (dict, optional): Its arguments, e.g. ``dict(upscale=4)``; spandrel's defaults for the others.
        checkpoint (str, optional): File of weights, ``*.pth`` or ``*.safetensors``, instead.

    Raises:
        SR4IRError: If spandrel is not installed, the architecture is unknown, or the file is of no SR network for RGB.

    Example:
        >>> sr = dict(type='sr4ir_mm.SpandrelSR', architecture='SPAN', parameters=dict(feature_channels=32, upscale=4))
        >>> sr = dict(type='sr4ir_mm.SpandrelSR', checkpoint='4x-something.pth')
    """

    def __init__(
        self, architecture: str | None = None, parameters: dict | None = None, checkpoint: str | None = None
    ) -> None:
        super().__init__()
        if bool(architecture) == bool(checkpoint) or (checkpoint and parameters):
            raise SR4IRError('SpandrelSR takes an architecture with its parameters, or a checkpoint: give one of them.')
        self.net = describe(checkpoint).model.train() if checkpoint else _build(architecture, parameters or {})
        # SPAN computes its weights of the test in each call
        self._computed = [module for module in self.net.modules() if hasattr(module, 'eval_conv')]
        for conv in self._computed:
            conv.eval_conv.requires_grad_(False)  # DDP would wait for their gradient
            conv.update_params = _nothing

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge N x 3 x H x W to N x 3 x (scale H) x (scale W), [0, 1], RGB; the output is not clamped."""
        if not all(conv.training for conv in self._computed):
            _update(self._computed)
        return self.net(x.clone())  # RCAN multiplies its input in place

    def with_own_names(self, state: State, file: str) -> State:
        """Return the weights of a file with the names of this network; those of a run of ours stay as they are."""
        if find_prefixes(state, self.state_dict()):
            return state
        return {f'net.{name}': value for name, value in describe(file, state).model.state_dict().items()}


def _nothing() -> None:
    """Do nothing: stands for a method."""


@torch.compiler.disable  # a compiled update would be left out: PyTorch 2.7 calls every trace an export
def _update(convs: list[nn.Module]) -> None:
    """Compute the weights of SPAN's convolutions for the test; an export finds those of the call before it."""
    if not is_exporting():
        for conv in convs:
            type(conv).update_params(conv)


def describe(file: str, state: State | None = None) -> ImageModelDescriptor:
    """Recognize the architecture of a file, and build its network.

    Args:
        file (str): File or URL.
        state (dict[str, Tensor], optional): Its content; by default it is read.

    Returns:
        ImageModelDescriptor: Network with its weights, ``scale``, and ``model.hyperparameters``.

    Raises:
        SR4IRError: If spandrel is not installed or does not know the architecture, or it is no SR network for RGB.
    """
    spandrel = _spandrel()
    if state is None:
        from mmengine.runner.checkpoint import CheckpointLoader  # takes seconds

        state = CheckpointLoader.load_checkpoint(str(file), 'cpu')
    try:
        found = spandrel.MAIN_REGISTRY.load(state)
    except Exception as error:  # UnsupportedModelError, or what an architecture raises for weights that do not fit
        reason = f'{type(error).__name__}: {error}'.splitlines()[0].rstrip(': ')
        raise SR4IRError(
            f"'{file}' is of no architecture that spandrel knows ({reason}): build the network from a config instead."
        ) from error
    kind = f'{found.architecture.name}, {found.purpose}'
    if found.purpose not in ('SR', 'Restoration'):
        raise SR4IRError(f"'{file}' is no super-resolution network ({kind}): choose another file.")
    if (channels := (found.input_channels, found.output_channels)) != (3, 3):
        raise SR4IRError(f"'{file}' ({kind}) takes and returns {channels} channels, not RGB: choose one for color.")
    return found


def config_of(net: nn.Module) -> dict:
    """Return the config of a network that spandrel has built, without its weights."""
    name = next(name for name, kind in _classes().items() if kind is type(net))
    usual = {key: entry.default for key, entry in inspect.signature(type(net)).parameters.items()}
    # the others may be classes and functions, which no config holds
    parameters = {key: value for key, value in net.hyperparameters.items() if value != usual.get(key)}
    return dict(type='sr4ir_mm.SpandrelSR', architecture=name, parameters=parameters)


def _build(architecture: str, parameters: dict) -> nn.Module:
    classes = _classes()
    if architecture not in classes:
        near = get_close_matches(architecture, classes, 1)
        advice = f'Did you mean {near[0]}?' if near else f'Choose one of {", ".join(sorted(classes))}.'
        raise SR4IRError(f"spandrel has no architecture '{architecture}'. {advice}")
    try:
        return classes[architecture](**parameters)
    except TypeError as error:  # of the class, whose arguments these are
        raise SR4IRError(f'SpandrelSR, {architecture}: {error}. Correct the parameters.') from error


@cache
def _classes() -> dict[str, type[nn.Module]]:
    """Return the networks' classes by their names."""
    names = [entry.architecture.id for entry in _spandrel().MAIN_REGISTRY]
    modules = [importlib.import_module(f'spandrel.architectures.{name}') for name in names]
    found = {name: value for module in modules for name, value in vars(module).items()}
    return {name: value for name, value in found.items() if isinstance(value, type) and issubclass(value, nn.Module)}


def _spandrel():
    # some 40 architectures, which take seconds
    return import_optional('spandrel', 'spandrel is not installed: pip install -r requirements/spandrel.txt')
