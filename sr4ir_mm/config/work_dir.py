"""Files that a training or a test leaves in its work dir."""

import zipfile
from pathlib import Path

from ..errors import SR4IRError
from ..utils.files import read_json_lines


def run_config(work_dir: Path) -> Path:
    """Return the config file of the latest run in a work dir.

    MMEngine writes it when a run starts. The file with the name of the folder comes first, then the newest one.

    Raises:
        SR4IRError: If the folder is not a work dir, or has no config.
    """
    name = work_dir.resolve().name
    configs = sorted(work_dir.glob('*.py'), key=lambda path: (path.stem == name, path.stat().st_mtime))
    if not configs or not any(any(work_dir.glob(pattern)) for pattern in ('*.pth', '*/*.log', '*/vis_data')):
        raise SR4IRError(
            f"No config of a run found in '{work_dir}': name a work dir of tools/train.py, or a config file."
        )
    return configs[-1]


def last_checkpoint(work_dir: Path) -> Path | None:
    """Return the latest complete checkpoint of a work dir, or None.

    This is the file that MMEngine's ``last_checkpoint`` names, if it is complete: MMEngine writes checkpoints in place,
    so both files may be cut off. Otherwise it is the complete one with the highest number.
    """
    files = [*work_dir.glob('epoch_*.pth'), *work_dir.glob('iter_*.pth')]
    named = work_dir / 'last_checkpoint'
    # only the name, because the folder may have been moved
    latest = Path(named.read_text().strip()).name if named.is_file() else ''
    files.sort(key=lambda path: (path.name == latest, int(path.stem.rpartition('_')[2])), reverse=True)
    return next((path for path in files if zipfile.is_zipfile(path)), None)


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
