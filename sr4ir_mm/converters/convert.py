"""Conversion of weights of the official release, EDSR-PyTorch and SwinIR into ours, and back."""

from pathlib import Path

import torch
from mmengine.config import Config
from torch import nn

from ..compat.checkpoints import SafeTorch
from ..config.building import build_model
from ..config.checkpoints import State, check_fit, check_state, read_checkpoint, readable
from ..config.checks import find_checkpoint
from ..errors import SR4IRError
from ..version import __version__
from .layouts import layout_of

#: name of the task network in the official release, by the library of our task network
_TASKS = dict(mmseg='seg', mmdet='det', mmpretrain='cls')


def from_official(cfg: Config, sr: str | None = None, task: str | None = None) -> dict:
    """Make a checkpoint of ours from official weights.

    Args:
        cfg (Config): Config of the model.
        sr (str, optional): Official file of the SR network.
        task (str, optional): Official file of the task network; at least one of the two is needed.

    Returns:
        dict: ``state_dict`` with the given parts under 'sr.' and 'task.', and ``meta``.

    Raises:
        SR4IRError: If a file does not fit the config.

    Example:
        >>> checkpoint = from_official(load_config('tv-deeplabv3_edsr_x4_voc'), sr='net_sr_latest.pth')
    """
    files = {part: path for part, path in (('sr', sr), ('task', task)) if path}
    if not files:
        raise SR4IRError('Name a file to convert: --sr FILE, --task FILE or both.')
    model, state_dict = build_model(cfg), {}
    for part, path in files.items():
        net = getattr(model, part)
        if net is None:
            raise SR4IRError(
                f"The config has no network for '{path}' (model.{part}): leave out the file, or name another config."
            )
        state = to_ours(net, load_official(path), f"'{path}'")
        state_dict.update({f'{part}.{key}': value for key, value in state.items()})
    names = {part: Path(path).name for part, path in files.items()}
    return dict(state_dict=state_dict, meta=dict(cfg=cfg.pretty_text, converted_from=names, sr4ir_mm=__version__))


def to_official(cfg: Config, checkpoint: str) -> dict[str, State]:
    """Convert a checkpoint of ours to the files of the official release.

    Args:
        cfg (Config): Config of its training.
        checkpoint (str): File of ours; it may hold only one of the two networks.

    Returns:
        dict[str, dict[str, Tensor]]: State dicts by 'net_sr' and 'net_seg', 'net_det' or 'net_cls'.

    Raises:
        SR4IRError: If the file cannot be read or does not fit the config.
    """
    model = build_model(cfg)
    loaded = read_checkpoint(checkpoint)
    nets = {}
    for part, name in (('sr', 'net_sr'), ('task', f'net_{_TASKS.get(cfg.get("default_scope"), "task")}')):
        state = {key.removeprefix(f'{part}.'): value for key, value in loaded.items() if key.startswith(f'{part}.')}
        net = getattr(model, part)
        if state and net is not None:
            check_fit(f"'{checkpoint}', its {part}.*,", state, net.state_dict())
            net.load_state_dict(state)
            nets[name] = to_theirs(net)
    if not nets:
        raise SR4IRError(
            f"'{checkpoint}' has no weights for a network of '{cfg.filename}' (keys sr.* and task.*): name a "
            'checkpoint of this config.'
        )
    return nets


def load_official(path: str) -> State:
    """Read an official state dict; BasicSR puts it under a key of its own.

    Raises:
        SR4IRError: If the file is missing or has no state dict.
    """
    with readable(path):
        state = SafeTorch.load(find_checkpoint(path), map_location='cpu')
    found = [key for key in ('params_ema', 'params', 'state_dict') if isinstance(state, dict) and key in state]
    return check_state(path, state[found[0]] if found else state)


def to_ours(net: nn.Module, state: State, what: str = 'the state dict') -> State:
    """Convert an official state dict to one that a network of ours loads strictly.

    Args:
        net (nn.Module): Our SR or task network; only its keys, shapes and settings are read.
        state (dict[str, Tensor]): Names and values of the official code.
        what (str): Name of the state dict in a message.

    Raises:
        SR4IRError: If the network has no official layout, or if names, shapes or the fixed mean of the images differ.
    """
    layout, current = layout_of(net), net.state_dict()
    names = {ours: theirs for ours, theirs in layout.names.items() if ours not in layout.derived}
    ignored = {layout.names[key] for key in layout.derived}
    fixed = {key: state[key] for key in layout.fixed if key in state}
    learned = {key: value for key, value in state.items() if key not in ignored and key not in fixed}
    check_fit(f'{what}, as {type(net).__name__},', learned, {theirs: current[ours] for ours, theirs in names.items()})
    for key, value in fixed.items():
        if not torch.allclose(value.flatten(), layout.fixed[key].flatten(), atol=1e-2):
            raise SR4IRError(
                f'{what} has {key} = {value.flatten().tolist()}, but the config means '
                f'{layout.fixed[key].flatten().tolist()}: set rgb_mean of model.sr to the mean of the file.'
            )
    converted = {ours: layout.scaled(ours, state[theirs], -1) for ours, theirs in names.items()}
    return {key: converted.get(key, current[key]) for key in current}


def to_theirs(net: nn.Module) -> State:
    """Return the state dict of our SR or task network as the official code loads it; inverse of :func:`to_ours`."""
    layout, current = layout_of(net), net.state_dict()
    learned = {theirs: layout.scaled(ours, current[ours], 1) for ours, theirs in layout.names.items()}
    return {**layout.fixed, **learned}
