"""The loader of configs: files, our own by name, those of the zoos, and those of runs."""

import copy
from pathlib import Path

from mmengine.config import Config

from ..errors import SR4IRError
from .data_root import check_evaluators, move_data
from .hf_nets import read_pretrained
from .normalization import move_normalization
from .options import merge_options
from .reading import read_config
from .runs import run_config
from .shared import find_shared, shared_config
from .sr_nets import read_sr_file
from .stored import is_checkpoint, stored_config
from .zoo import config_folder, load_zoo_config

#: entries of MMCV 1.x that change a training, and what stands for them in MMEngine, which ignores them
_OLD = {
    'lr_config': 'param_scheduler',
    'momentum_config': 'param_scheduler',
    'optimizer_config': 'optim_wrapper.clip_grad and optim_wrapper.accumulative_counts',
    'resume_from': 'tools/train.py --resume FILE',
}


def load_config(source: str | Path, options: dict | None = None, zoo: bool = False, weights: bool = False) -> Config:
    """Load a config and override entries.

    Args:
        source (str or Path): Config file; name of one of our configs ('faster-rcnn_edsr_x4_voc' or
            'sr4ir_mm::sr4ir/faster-rcnn_edsr_x4_voc.py'); work dir of :file:`tools/train.py`; one of its
            checkpoints, which hold their config; or a shared model, see ``find_shared``.
        options (dict, optional): Dotted keys and values of ``--cfg-options``. A new ``data_root`` also reaches every
            path below the old one.
        zoo (bool): Whether the config of another package is accepted too, e.g.
            'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'.
        weights (bool): Whether to look up the URL of the published weights of such a config; see
            :func:`load_zoo_config`.

    Raises:
        SR4IRError: If the config is missing, nothing reads an option, a file has entries of MMCV 1.x that would be
            ignored, or a new ``data_root`` reaches no path.

    Example:
        >>> cfg = load_config('faster-rcnn_edsr_x4_voc', {'data_root': 'data/voc'})
    """
    source = str(source)
    if '::' in source:
        if not zoo and not source.startswith('sr4ir_mm::'):
            raise SR4IRError(
                f"'{source}' is a config without a super-resolution network. To train it with one, add --sr edsr "
                '--scale 4.'
            )
        cfg = load_zoo_config(source, weights)
    elif folder := find_shared(source):
        cfg = shared_config(folder)
    else:
        path = source if is_checkpoint(source) else _find_file(source)
        cfg = stored_config(path) if is_checkpoint(path) else read_config(path)
        _check_old(cfg, source)
    return read_pretrained(read_sr_file(move_normalization(override(cfg, options))))


def override(cfg: Config, options: dict | None) -> Config:
    """Apply ``--cfg-options`` to a config, in place, and return it; see :func:`load_config`."""
    if options:
        if 'data_root' in options:
            move_data(cfg, options['data_root'])
        before = copy.copy(cfg)
        merge_options(cfg, options)
        check_evaluators(before, cfg)
    return cfg


def _check_old(cfg: Config, source: str) -> None:
    """Check that a file of the user has no entries of MMCV 1.x; those of a run had no effect on it."""
    old = [key for key in _OLD if cfg.get(key)] if source.endswith('.py') else []
    if old:
        raise SR4IRError(
            f"Nothing reads '{old[0]}' in '{source}': it is of MMCV 1.x. Remove it (or set it to None, if a base has "
            f'it), and set {_OLD[old[0]]} instead.'
        )


def _find_file(source: str) -> Path:
    path = Path(source)
    if path.is_dir():
        return run_config(path)
    if path.is_file():
        return path
    found = sorted(config_folder().glob(f'[!_]*/{path.stem}.py')) if path.parent == Path() else []
    if not found:
        raise SR4IRError(
            f"Config '{source}' not found: give a config file, the name of one of our configs, or a work dir or a "
            'checkpoint of tools/train.py.'
        )
    return found[0]
