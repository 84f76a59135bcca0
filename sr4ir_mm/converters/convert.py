"""Weights of the official release, of EDSR-PyTorch and of SwinIR, into ours and back."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from ..config.loading import find_checkpoint
from ..errors import SR4IRError
from ..registry import MODELS
from ..version import __version__
from .layouts import layout_of

State = dict[str, Tensor]
#: what the official release calls T, by the library that our T is of
_TASKS = dict(mmseg='seg', mmdet='det', mmpretrain='cls')


@contextmanager
def _readable(path: str) -> Iterator[None]:
    try:
        yield
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        reason = str(error).splitlines()[0] if str(error) else 'it is cut off'
        raise SR4IRError(f"'{path}' is not a file of weights, or a damaged one: {reason}") from error


def load_official(path: str) -> State:
    """Read a state dict, bare or under the key that BasicSR uses, of a net that may have been wrapped for DDP.

    Raises:
        SR4IRError: If there is no such file or it holds no state dict.
    """
    with _readable(path):
        state = torch.load(find_checkpoint(path), map_location='cpu', weights_only=True)
    found = [key for key in ('params_ema', 'params', 'state_dict') if isinstance(state, dict) and key in state]
    state = state[found[0]] if found else state
    if not isinstance(state, dict) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise SR4IRError(f"'{path}' holds no state dict of a net.")
    return {key.removeprefix('module.'): value for key, value in state.items()}


def check_fit(what: str, found: State, expected: State) -> None:
    """Compare names and shapes.

    Raises:
        SR4IRError: If they differ; the message names the first few.
    """
    shapes = {key: tuple(value.shape) for key, value in found.items()}
    differences = {
        'lacks': [key for key in expected if key not in found],
        'also has': [key for key in found if key not in expected],
        'has other shapes': [
            f'{key} {shapes[key]} for {tuple(value.shape)}'
            for key, value in expected.items()
            if key in found and shapes[key] != tuple(value.shape)
        ],
    }
    texts = [f'it {verb} {_some(keys)}' for verb, keys in differences.items() if keys]
    if texts:
        raise SR4IRError(f'{what} does not fit the config: {"; ".join(texts)}.')


def _some(keys: list[str], limit: int = 3) -> str:
    more = f' and {len(keys) - limit} more' if len(keys) > limit else ''
    return ', '.join(keys[:limit]) + more


def to_ours(net: nn.Module, state: State, what: str = 'the state dict') -> State:
    """Turn an official state dict into one that ``net`` loads strictly.

    Args:
        net (nn.Module): Our S or T; only its keys, shapes and settings are read.
        state (dict[str, Tensor]): Names and values as in the official code.
        what (str): What to call the state dict in an error.

    Raises:
        SR4IRError: If the net has no official layout, or names, shapes or the fixed mean of the images differ.
    """
    layout, own = layout_of(net), net.state_dict()
    names = {ours: theirs for ours, theirs in layout.names.items() if ours not in layout.derived}
    ignored = {layout.names[key] for key in layout.derived}
    fixed = {key: state[key] for key in layout.fixed if key in state}
    learned = {key: value for key, value in state.items() if key not in ignored and key not in fixed}
    check_fit(f'{what}, as {type(net).__name__},', learned, {theirs: own[ours] for ours, theirs in names.items()})
    for key, value in fixed.items():
        if not torch.allclose(value.flatten(), layout.fixed[key].flatten(), atol=1e-2):
            raise SR4IRError(
                f'{what} has {key} = {value.flatten().tolist()}, but the config means '
                f'{layout.fixed[key].flatten().tolist()}: set rgb_mean of model.sr to the mean of that net.'
            )
    loaded = {ours: layout.scaled(ours, state[theirs], -1) for ours, theirs in names.items()}
    return {key: loaded.get(key, own[key]) for key in own}


def to_theirs(net: nn.Module) -> State:
    """Return the state dict of our S or T as the official code loads it; the inverse of :func:`to_ours`."""
    layout, own = layout_of(net), net.state_dict()
    learned = {theirs: layout.scaled(ours, own[ours], 1) for ours, theirs in layout.names.items()}
    return {**layout.fixed, **learned}


def _build(cfg: Config) -> nn.Module:
    init_default_scope(cfg.get('default_scope', 'mmengine'))
    return MODELS.build(cfg.model)


def from_official(cfg: Config, sr: str | None = None, task: str | None = None) -> dict:
    """Make a checkpoint of ours.

    Args:
        cfg (Config): The config of the model.
        sr (str, optional): Official file of S.
        task (str, optional): Official file of T; at least one of the two.

    Returns:
        dict: ``state_dict``, with the parts that were given under 'sr.' and 'task.', and ``meta``.

    Raises:
        SR4IRError: If a file does not fit the config.
    """
    files = {part: path for part, path in (('sr', sr), ('task', task)) if path}
    if not files:
        raise SR4IRError('Name a file to convert: --sr FILE, --task FILE or both.')
    model, state_dict = _build(cfg), {}
    for part, path in files.items():
        net = getattr(model, part)
        if net is None:
            raise SR4IRError(f"The scheme '{cfg.model.scheme}' has no S: leave out '{path}', or name another config.")
        state = to_ours(net, load_official(path), f"'{path}'")
        state_dict.update({f'{part}.{key}': value for key, value in state.items()})
    names = {part: Path(path).name for part, path in files.items()}
    return dict(state_dict=state_dict, meta=dict(cfg=cfg.pretty_text, converted_from=names, sr4ir_mm=__version__))


def to_official(cfg: Config, checkpoint: str) -> dict[str, State]:
    """Turn a checkpoint of ours into the files of the official release.

    Args:
        cfg (Config): The config that it was trained with.
        checkpoint (str): A file of ours; it may hold S or T alone.

    Returns:
        dict[str, dict[str, Tensor]]: 'net_sr' and 'net_seg', 'net_det' or 'net_cls' -> state dict.

    Raises:
        SR4IRError: If it cannot be read or does not fit the config.
    """
    model = _build(cfg)
    # as every tool reads our files: by torch's default, which is the safe loader from torch 2.6 on
    with _readable(checkpoint):
        loaded = CheckpointLoader.load_checkpoint(find_checkpoint(checkpoint), map_location='cpu')
    loaded = loaded.get('state_dict', {}) if isinstance(loaded, dict) else {}
    nets = {}
    for part, name in (('sr', 'net_sr'), ('task', f'net_{_TASKS.get(cfg.get("default_scope"), "task")}')):
        own = {k.removeprefix(f'{part}.'): v for k, v in loaded.items() if k.startswith(f'{part}.')}
        net = getattr(model, part)
        if own and net is not None:
            check_fit(f"'{checkpoint}', its {part}.*,", own, net.state_dict())
            net.load_state_dict(own)
            nets[name] = to_theirs(net)
    if not nets:
        raise SR4IRError(f"'{checkpoint}' holds neither S nor T of '{cfg.filename}' (keys sr.* and task.*).")
    return nets
