"""Let no kill and no full disk leave a run of MMEngine 0.10.7 without a complete checkpoint.

MMEngine writes a checkpoint under its final name, and deletes an older one before. Here it writes to another name
first, and deletes afterwards.
This can go when MMEngine does so itself.
"""

import os
from collections import deque
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend

from ..errors import SR4IRError
from .import_hooks import Run


def write_files_whole() -> None:
    """Let MMEngine's backend for local files replace a file only when the new one is complete."""
    LocalBackend.put = _put


def _put(self: LocalBackend, obj: bytes | memoryview, filepath: str | Path) -> None:
    path = Path(filepath)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f'.{path.name}.part')  # the next one replaces what a kill leaves
    try:
        with part.open('wb') as file:
            file.write(obj)
            file.flush()
            os.fsync(file.fileno())  # else a power failure could leave the new name with the old content
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SR4IRError(
            f"'{path}' cannot be written: {error.strerror}. Earlier checkpoints are complete: make room, and continue "
            'with --resume.'
        ) from error


def delete_after_saving(checkpoint_hook: ModuleType, run: Run) -> None:
    """Let ``CheckpointHook`` delete the oldest checkpoint when the new one is complete, not before."""
    run(checkpoint_hook)
    hook = checkpoint_hook.CheckpointHook
    save = hook._save_checkpoint_with_step

    @wraps(save)
    def save_first(self: Any, runner: Any, step: int, meta: dict) -> None:
        if self.max_keep_ckpts <= 0:
            return save(self, runner, step, meta)
        # The new checkpoint still lists the oldest: if a kill comes before it is deleted, MMEngine does so on resume.
        self.keep_ckpt_ids = deque(self.keep_ckpt_ids, self.max_keep_ckpts + 1)
        self.max_keep_ckpts += 1
        try:
            save(self, runner, step, meta)
        finally:
            self.max_keep_ckpts -= 1
        if len(self.keep_ckpt_ids) > self.max_keep_ckpts:
            oldest = self.filename_tmpl.format(self.keep_ckpt_ids.popleft())
            runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
            path = self.file_backend.join_path(self.out_dir, oldest)
            if is_main_process() and self.file_backend.isfile(path):
                self.file_backend.remove(path)

    hook._save_checkpoint_with_step = save_first
