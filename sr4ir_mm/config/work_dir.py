"""Files that a training or a test leaves in its work dir."""

import re
import zipfile
from pathlib import Path

from ..errors import SR4IRError
from ..utils.files import read_json_lines
from .checks import find_checkpoint
from .stored import is_checkpoint, run_of


def run_config(work_dir: Path) -> Path:
    """Return the config file of the training in a work dir, which MMEngine writes when it starts.

    Of several, it is the one of the run that wrote the last checkpoint, else the one with the name of the folder, else
    the newest.

    Raises:
        SR4IRError: If the folder is not a work dir, or has no config.
    """
    configs = list(work_dir.glob('*.py'))
    if not configs or not any(any(work_dir.glob(pattern)) for pattern in ('*.pth', '*/*.log', '*/vis_data')):
        raise SR4IRError(
            f"No config of a run found in '{work_dir}': name a work dir of tools/train.py, a checkpoint, or a config "
            'file.'
        )
    names = (_trained_name(work_dir) if len(configs) > 1 else '', work_dir.resolve().name)
    return max(configs, key=lambda path: (*(path.stem == name for name in names), path.stat().st_mtime))


def last_checkpoint(work_dir: Path) -> Path | None:
    """Return the latest complete checkpoint of a work dir, or None.

    This is the file that MMEngine's ``last_checkpoint`` names, if it is complete: other tools may have left a part of a
    file. Otherwise it is the complete one with the highest number; without these, the best one, then one with more in
    its name (published, averaged).
    """
    named = work_dir / 'last_checkpoint'
    # only the name, because the folder may have been moved
    latest = Path(named.read_text(errors='replace').strip()).name if named.is_file() else ''

    def order(path: Path) -> tuple:
        number, is_best = re.search(r'(?:epoch|iter)_(\d+)', path.stem), path.stem.startswith('best_')
        is_plain = bool(re.fullmatch(r'(epoch|iter)_\d+', path.stem))
        return path.name == latest, is_plain, is_best, int(number[1]) if number else -1, path.stat().st_mtime

    files = [path for kind in ('epoch_*.pth', 'iter_*.pth', 'best_*.pth') for path in work_dir.glob(kind)]
    return next((path for path in sorted(files, key=order, reverse=True) if zipfile.is_zipfile(path)), None)


def find_weights(source: str | Path, weights: str | None = None) -> str:
    """Return the checkpoint of a run: the given one, else the checkpoint itself or the last one of a work dir.

    Args:
        source (str or Path): Config, checkpoint or work dir.
        weights (str, optional): Checkpoint file or URL.

    Raises:
        SR4IRError: If there is none.
    """
    if weights:
        return find_checkpoint(weights)
    if is_checkpoint(source):
        return find_checkpoint(str(source))
    if not Path(source).is_dir():
        raise SR4IRError(
            f"'{source}' is a config, without weights: name a checkpoint after it, or instead of it a checkpoint or a "
            'work dir of tools/train.py.'
        )
    if found := last_checkpoint(Path(source)):
        return str(found)
    raise SR4IRError(f"'{source}' has no complete checkpoint (epoch_*.pth, iter_*.pth, best_*.pth): name one.")


def holds_training(folder: Path) -> bool:
    """Return whether a training has written checkpoints into a folder."""
    return any(folder.glob('*.pth')) or (folder / 'last_checkpoint').is_file()


def is_work_dir(folder: Path) -> bool:
    """Return whether a folder has checkpoints, and the logs of their training."""
    return holds_training(folder) and any(folder.glob('*/vis_data'))


def folder_for_test(folder: Path, is_chosen: bool) -> Path:
    """Return the folder for a test, which never overwrites what a training has written.

    Args:
        folder (Path): Work dir of the run, or the folder that the user has chosen.
        is_chosen (bool): Whether the user has chosen it. Then it is taken, unless it holds a training.
    """
    return folder if is_chosen and not holds_training(folder) else folder / 'test'


def read_metrics(work_dir: Path) -> dict[str, float] | None:
    """Return the metrics of the latest test in a work dir or in its subfolder ``test``, or None.

    MMEngine writes them to ``<timestamp>/<timestamp>.json``.

    Raises:
        SR4IRError: If the file cannot be read.
    """
    paths = [*work_dir.glob('*/*.json'), *work_dir.glob('test/*/*.json')]
    tests = [path for path in paths if path.stem == path.parent.name]
    if not tests:
        return None
    latest = max(tests, key=lambda path: path.stat().st_mtime)
    if entries := read_json_lines(latest):
        return entries[-1]
    raise SR4IRError(f"'{latest}' holds no metrics: delete it, or test again.")


def _trained_name(work_dir: Path) -> str:
    """Return the name of the run that wrote the last checkpoint, or '' if that is unknown."""
    path = last_checkpoint(work_dir)
    return run_of(path) if path else ''
