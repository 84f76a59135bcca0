"""Conversion of weights of the official release, EDSR-PyTorch and SwinIR into ours, and back."""

from pathlib import Path

from mmengine.config import Config

from ..compat.checkpoints import load_weights
from ..config.building import build_model
from ..config.checkpoints import check_state, read_checkpoint
from ..config.checks import find_checkpoint
from ..errors import SR4IRError
from ..models.layouts import to_ours, to_theirs
from ..models.loads import State, check_fit, unpack
from ..version import __version__

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
        SR4IRError: If the file is missing, damaged, or has no state dict.
    """
    return check_state(path, unpack(load_weights(find_checkpoint(path), map_location='cpu')))
