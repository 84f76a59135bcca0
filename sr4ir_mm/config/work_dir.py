"""Files that a training or a test leaves in its work dir."""

import re
import zipfile
from pathlib import Path

from ..errors import SR4IRError
from ..utils.files import read_json_lines
from .stored import training_of


def last_checkpoint(work_dir: Path) -> Path | None:
    """Return the latest complete checkpoint of a work dir, or None.

    This is the file that MMEngine's ``last_checkpoint`` names, if it is complete: other tools may have left a part of a
    file. Otherwise it is the complete one with the highest number that the latest training wrote; without these, the
    best one, then one with more in its name (published, averaged).
    """
    named = work_dir / 'last_checkpoint'
    # only the name, because the folder may have been moved
    latest = work_dir / (Path(named.read_text(errors='replace').strip()).name if named.is_file() else '')
    if latest.suffix == '.pth' and zipfile.is_zipfile(latest):
        return latest
    kinds: tuple[list[Path], ...] = ([], [], [])
    for path in sorted(path for kind in ('epoch_*.pth', 'iter_*.pth', 'best_*.pth') for path in work_dir.glob(kind)):
        is_plain, is_best = re.fullmatch(r'(epoch|iter)_\d+', path.stem), path.name.startswith('best_')
        if zipfile.is_zipfile(path):
            kinds[0 if is_plain else 1 if is_best else 2].append(path)
    files = next(filter(None, kinds), [])
    return max(files, key=lambda path: (training_of(path), _number(path)) if len(files) > 1 else 0, default=None)


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


def is_run(folder: Path) -> bool:
    """Return whether a training has written anything but its config into a folder."""
    return any(any(folder.glob(pattern)) for pattern in ('*.pth', '*/*.log', '*/vis_data'))


def result_files(folder: Path) -> list[Path]:
    """Return the files of metrics in a work dir and in its subfolder ``test``, from the first test to the latest.

    MMEngine writes them to ``<time>/<time>.json``.
    """
    paths = [*folder.glob('*/*.json'), *folder.glob('test/*/*.json')]
    found = [path for path in paths if path.stem == path.parent.name and re.fullmatch(r'\d{8}_\d{6}', path.stem)]
    return sorted(found, key=lambda path: path.stem)


def read_result(path: Path) -> dict:
    """Return the metrics in a file of :func:`result_files`, and under 'tested' what was tested.

    Raises:
        SR4IRError: If the file cannot be read.
    """
    if entries := read_json_lines(path):
        return {name.removeprefix('test/'): value for name, value in entries[-1].items()}
    raise SR4IRError(f"'{path}' holds no metrics: delete it, or test again.")


def read_metrics(folder: Path) -> dict | None:
    """Return the latest metrics in a folder of tests, or None; see ``read_result``."""
    files = result_files(folder)
    return read_result(files[-1]) if files else None


def _number(path: Path) -> int:
    found = re.search(r'(?:epoch|iter)_(\d+)', path.stem)
    return int(found[1]) if found else -1
