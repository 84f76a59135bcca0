"""One training in one work dir: a second one would overwrite what the first one has written."""

import logging
import os
from pathlib import Path
from typing import IO

from mmengine.config import Config
from mmengine.logging import print_log

from ..errors import SR4IRError
from .checks import find_checkpoint
from .resuming import check_changes
from .stored import read_meta, stored_config
from .work_dir import holds_training, last_checkpoint

#: number of the process among all, as the launchers tell it
_RANKS = dict(pytorch='RANK', slurm='SLURM_PROCID', mpi='OMPI_COMM_WORLD_RANK')
_claims: list[IO] = []  # open until this process ends


def set_resume(cfg: Config, checkpoint: str, allow_changes: bool = False) -> None:
    """Let a training go on from a checkpoint.

    Args:
        cfg (Config): Complete config with ``work_dir``; changed in place.
        checkpoint (str): File or URL; 'auto' for the last complete one of the work dir, if there is one. Otherwise the
            training starts as the config says.
        allow_changes (bool): Whether the scheme, the networks and the data may be others.

    Raises:
        SR4IRError: If the file is missing, holds only weights, or is of another scheme, network or data set.
    """
    cfg.resume = False
    found = last_checkpoint(Path(cfg.work_dir)) if checkpoint == 'auto' else find_checkpoint(checkpoint)
    if found:
        seed = _check_resumable(str(found), cfg, allow_changes)
        if seed is not None:
            _keep_seed(cfg, seed)
        if _is_in(found, cfg.work_dir):
            found = Path(cfg.work_dir) / Path(found).name  # so that the logs say that this training goes on
        cfg.resume, cfg.load_from = True, str(found)


def _keep_seed(cfg: Config, seed: int) -> None:
    """Set the seed of the checkpoint: MMEngine does so too, but only when the samplers have taken another one."""
    given = (cfg.get('randomness') or {}).get('seed')
    if given not in (None, seed):
        text = f'randomness.seed={given} has no effect: a resumed training keeps its seed, which is {seed}.'
        print_log(text, 'current', logging.WARNING)
    cfg.randomness = {**(cfg.get('randomness') or {}), 'seed': seed}


def claim_work_dir(cfg: Config, resume: str | None = None) -> None:
    """Refuse a training that would overwrite another one, finished or running; nothing is written before.

    Args:
        cfg (Config): Complete config with ``work_dir`` and ``launcher``.
        resume (str, optional): What ``--resume`` names.

    Raises:
        SR4IRError: If the work dir holds a training that is not to be resumed, or is in use.
    """
    folder = Path(cfg.work_dir)
    resumes = resume == 'auto' or (resume and _is_in(resume, folder))
    if holds_training(folder) and not resumes:
        raise SR4IRError(
            f"'{folder}' holds a training, which this one would overwrite: continue it with --resume, or name another "
            'folder with --work-dir.'
        )
    if os.environ.get(_RANKS.get(cfg.get('launcher'), ''), '0') == '0':
        _lock(folder)


def _is_in(path: str | Path, folder: str | Path) -> bool:
    return Path(path).parent.resolve() == Path(folder).resolve()


def _lock(folder: Path) -> None:
    """Keep other trainings out until this process ends; where the system has no locks, do nothing."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(folder / '.training', 'w')  # noqa: SIM115
    except OSError as error:
        raise SR4IRError(f"'{folder}' cannot be written ({error}): name another folder with --work-dir.") from error
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        raise SR4IRError(
            f"Another training is running in '{folder}': wait for it, stop it, or name another folder with --work-dir."
        ) from None
    except OSError:  # some network file systems
        file.close()
    else:
        _claims.append(file)


def _check_resumable(path: str, cfg: Config, allow_changes: bool) -> int | None:
    """Return the seed of the training."""
    meta = read_meta(path)
    missing = [name for name in ('optimizer', 'message_hub') if name not in meta['entries']]
    missing += [name for name in ('epoch', 'iter') if name not in meta]
    if missing:
        raise SR4IRError(
            f"'{path}' has no {missing[0]}: it holds weights, but not the state of a training that could be resumed. "
            f'To start from the weights, leave out --resume: --cfg-options load_from={path}'
        )
    if isinstance(meta.get('cfg'), str):
        check_changes(path, stored_config(path), cfg, allow_changes)
    return meta.get('seed')
