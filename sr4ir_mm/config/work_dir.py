"""What a training or a test leaves in its work dir."""

import json
import zipfile
from pathlib import Path


def last_checkpoint(folder: Path) -> Path | None:
    """The latest checkpoint in a folder that was written to its end, or None.

    MMEngine's ``last_checkpoint`` is not enough: the file that it names is written a second time if it is the best.
    """
    files = [*folder.glob('epoch_*.pth'), *folder.glob('iter_*.pth')]
    files.sort(key=lambda path: int(path.stem.rpartition('_')[2]), reverse=True)
    return next((path for path in files if zipfile.is_zipfile(path)), None)


def read_metrics(work_dir: Path) -> dict:
    """What the latest test with this work dir measured."""
    newest = max(work_dir.glob('*/*.json'), key=lambda path: path.stat().st_mtime)
    return json.loads(newest.read_text().splitlines()[-1])
