"""What made the results in a folder, so that those of another run never pass for those of this one."""

import glob
import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..config.nodes import find_all
from ..errors import SR4IRError
from ..utils.locks import LockedError, is_locked
from ..version import __version__
from .inferencer import SR4IRInferencer
from .journal import ROWS, part_folder
from .shards import Shard

#: entries of a config that predictions depend on, in addition to the test pipeline
_ENTRIES = ('model', 'tta_model', 'tta_pipeline', 'predict')


def run_record(inferencer: SR4IRInferencer, shards: int, options: Mapping[str, Any]) -> dict:
    """Collect what results depend on, as plain data.

    Args:
        inferencer (SR4IRInferencer): Inferencer; of its config and its weights the content counts, not the place.
        shards (int): Number of shards.
        options (Mapping[str, Any]): Options of the run.
    """
    cfg = inferencer.cfg
    entries = {name: cfg.get(name) for name in _ENTRIES}
    entries.update(pipeline=next(find_all(cfg.test_dataloader, 'pipeline')), classes=inferencer.dataset_meta)
    text = json.dumps(entries, sort_keys=True, default=_plain)
    record = dict(version=__version__, weights=_weights(inferencer), shards=shards)
    record['config'] = hashlib.sha256(text.encode()).hexdigest()
    return json.loads(json.dumps({**record, **options}, default=str))


def check_folder(out_dir: Path, shard: Shard, record: dict, resume: bool) -> None:
    """Check that a folder holds no results of another run; without ``resume``, a run of one process replaces them.

    Args:
        out_dir (Path): Folder of all results.
        shard (Shard): Shard of this process.
        record (dict): See :func:`run_record`.
        resume (bool): Whether results that are there count.

    Raises:
        SR4IRError: If it does, or another process works there.
    """
    own = part_folder(out_dir, shard)
    for folder in sorted(own.parent.glob('*-of-*')):
        found = _read_record(folder / ROWS)
        if (resume or shard.count > 1) and found not in (None, record):
            raise SR4IRError(
                f"'{out_dir}' holds results of another run, which differs in {_differences(found, record)}: name "
                'another --out-dir, or delete it.'
            )
        if not resume and shard.count == 1 and folder != own:
            if is_locked(folder):
                raise LockedError(f"Another process is at work in '{out_dir}': wait for it, or stop it.")
            shutil.rmtree(folder)


def _read_record(path: Path) -> dict | None:
    if not path.exists():
        return None
    with open(path, encoding='utf-8') as file:
        try:
            return json.loads(file.readline())
        except ValueError:
            return {}


def _differences(before: dict, now: dict) -> str:
    texts = []
    for name in sorted(key for key in {*before, *now} if before.get(key) != now.get(key)):
        values = before.get(name), now.get(name)
        is_hash = any(isinstance(value, str) and len(value) == 64 for value in values)
        texts.append(name if is_hash else f'{name} ({values[0]}, now {values[1]})')
    return ', '.join(texts)


def _weights(inferencer: SR4IRInferencer) -> str:
    """Return the hash of the weights, or of the exported files."""
    found = hashlib.sha256()
    for path in inferencer.files:
        for file in sorted(path.parent.glob(f'{glob.escape(path.name)}*')):  # large weights are in files of their own
            found.update(file.read_bytes())
    for name, value in {} if inferencer.files else inferencer.model.state_dict().items():
        found.update(name.encode())
        found.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return found.hexdigest()


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, 'tolist') else getattr(value, '__qualname__', str(value))
