"""Starts of trainings in a work dir: the first one, and those that resumed it. Each has its own folder of logs."""

import re
from ast import literal_eval
from pathlib import Path
from typing import Any

from ..errors import SR4IRError
from .stored import training_of
from .work_dir import last_checkpoint

#: in the folder of logs: the config of this start, which MMEngine writes first
CONFIG = 'vis_data/config.py'


def training_starts(folder: Path) -> list[str]:
    """Return the names of the log folders of the training in a work dir, from the first start to the latest.

    A training that left no checkpoint before the next one began has no part in it.

    Args:
        folder (Path): Work dir.

    Returns:
        list[str]: Times such as '20260101_235959', ascending; [''] if they are unknown. A folder may have been deleted.

    Raises:
        SR4IRError: If the checkpoint, or the logs, may be of another training.
    """
    checkpoint = last_checkpoint(folder)
    wrote = training_of(checkpoint) if checkpoint else ''
    names = {path.parents[1].name for path in folder.glob('*/vis_data/scalars.json')}
    if wrote and (folder / wrote / CONFIG).is_file():  # nothing was logged before the checkpoint
        names.add(wrote)
    line = [max(names, default=wrote)]
    while before := _resumed(folder, line[0], sorted(name for name in names if name < line[0])):
        line.insert(0, before)
    if checkpoint and wrote not in line and (wrote or set(line) != names):
        raise SR4IRError(
            f"'{folder}' has files of several trainings: '{checkpoint.name}' is of {wrote or 'an unknown one'}, the "
            f'latest logs are of {line[-1]}. Move the files of one to another folder, or name a checkpoint.'
        )
    return line


def _resumed(folder: Path, start: str, earlier: list[str]) -> str:
    """Return the start whose training another one resumed, or '' if it began a training."""
    path = folder / start / CONFIG
    if not path.is_file():
        if earlier:
            raise SR4IRError(
                f"'{path}' is missing, so that it is unknown whether this training resumed that of {earlier[-1]}: "
                'move the files of one to another folder.'
            )
        return ''
    resumes, load_from, work_dir = (_entry(path, name) for name in ('resume', 'load_from', 'work_dir'))
    if not resumes or (load_from and Path(load_from).parent != Path(work_dir or '')):
        return ''
    checkpoint = folder / Path(load_from or '').name
    wrote = training_of(checkpoint) if checkpoint.is_file() else ''
    # the checkpoint may have been deleted, or written again
    return wrote if wrote and wrote < start else max(earlier, default='')


def _entry(path: Path, name: str) -> Any:
    found = re.search(rf'^{name} = (.*)$', path.read_text(errors='replace'), re.MULTILINE)
    try:
        return literal_eval(found[1]) if found else None
    except (SyntaxError, ValueError) as error:
        raise SR4IRError(
            f"'{path}' is damaged ({found[0]}): correct it, or move the files of this start to another folder."
        ) from error
