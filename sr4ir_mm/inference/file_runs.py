"""Predictions of many images as files: the part of one process, which a later one continues."""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import SR4IRError
from ..utils.files import check_writable
from ..utils.locks import locked
from ..utils.names import VIDEO_SUFFIXES
from .coco_rows import check_coco
from .frames import frame_options
from .images import SUFFIXES, Inputs, list_images, unique_names
from .inferencer import SR4IRInferencer
from .journal import ROWS, Journal, digest, open_journal, part_folder
from .parts import all_rows, unfinished
from .predictions import to_row
from .record import check_folder, run_record
from .shards import Shard
from .tables import write_table
from .video import is_video

#: options without an influence on results
_FREE = ('out_dir', 'batch_size', 'show')
_VIDEO_OPTIONS = dict(every=1, max_frames=None, save_frames=False)


@dataclass
class Outcome:
    """What a run has done.

    Args:
        done (int): Number of images and frames that were predicted.
        before (int): Number of images and videos that were complete before.
        failed (dict): Why images have no result, by their paths.
        is_stopped (bool): Whether Ctrl-C has ended the run.
        missing (list[int]): Numbers of the shards without which no table of predictions is written.
    """

    done: int = 0
    before: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    is_stopped: bool = False
    missing: list[int] = field(default_factory=list)


def predict_files(
    inferencer: SR4IRInferencer,
    inputs: Inputs,
    options: Mapping[str, Any],
    settings: Mapping[str, Any],
    shard: Shard,
    tables: Mapping[Path, str],
    resume: bool = False,
) -> Outcome:
    """Predict the images of a shard, and write tables of all predictions if it is the last one.

    Args:
        inferencer (SR4IRInferencer): Inferencer.
        inputs (Inputs): Images and videos of all shards.
        options (Mapping[str, Any]): Options of :meth:`SR4IRInferencer.stream` with ``out_dir``.
        settings (Mapping[str, Any]): Other options that results depend on.
        shard (Shard): Part of the images.
        tables (Mapping[Path, str]): Files for all predictions and their formats, see :func:`table_files`.
        resume (bool): Whether results that are complete stay.

    Raises:
        SR4IRError: If the folder holds results of another run, another process works on the shard, or a file cannot be
            written.
    """
    out_dir = Path(options['out_dir'])
    images, names = _list(inputs, options)
    found = digest(images, names)
    record = _record(inferencer, options, settings, shard, tables)
    chosen = dict(zip(shard.select(names), zip(shard.select(range(len(images))), shard.select(images))))
    outcome = Outcome()
    with _claimed(out_dir, shard, record, resume) as folder:
        is_written = partial(_is_written, out_dir, options, inferencer.model.scheme.uses_task_net)
        with open_journal(folder, record, chosen, is_written if resume else None) as journal:
            outcome.before = len(journal.done)
            _predict(inferencer, journal, options, tables, outcome)
            if not outcome.is_stopped:
                journal.finish(found, outcome.failed)
        # what was stopped, such as a stream, has a table, too
        outcome.missing = unfinished(out_dir, shard.count, record, found) if shard.count > 1 else []
        if tables and not outcome.missing:
            rows = all_rows(out_dir, shard.count)
            for path, kind in tables.items():
                write_table(path, kind, rows, inferencer.dataset_meta.get('classes') or ())
    return outcome


def _list(inputs: Inputs, options: Mapping) -> tuple[list[str], list[str]]:
    """Return all images and videos, and the names of their results."""
    images = list_images(inputs, SUFFIXES + VIDEO_SUFFIXES, options['recursive'], str(options['out_dir']))
    frame_options(images, **{name: options[name] for name in _VIDEO_OPTIONS})
    return images, unique_names(images, options['recursive'])


@contextmanager
def _claimed(out_dir: Path, shard: Shard, record: dict, resume: bool) -> Iterator[Path]:
    folder = part_folder(out_dir, shard)
    check_writable(folder / ROWS)
    with locked(folder):
        check_folder(out_dir, shard, record, resume)
        yield folder


def _record(inferencer: SR4IRInferencer, options: Mapping, settings: Mapping, shard: Shard, tables: Mapping) -> dict:
    found = {**settings, **options, 'predictions': bool(tables)}
    flags = {f'--{name.replace("_", "-")}': value for name, value in found.items() if name not in _FREE}
    return run_record(inferencer, shard.count, flags)


def _predict(
    inferencer: SR4IRInferencer, journal: Journal, options: Mapping, tables: Mapping[Path, str], outcome: Outcome
) -> None:
    names = [name for name in journal.images if name not in journal.done]
    images = [journal.images[name][1] for name in names]
    options = dict(options, **({} if any(map(is_video, images)) else _VIDEO_OPTIONS))
    stream = inferencer.stream(images, names=names, keep_going=True, skipped=outcome.failed, **options)
    try:
        with closing(stream):
            for result in stream:
                row = dict(image=result['input'], name=result['name'])
                if not result.get('is_complete', True):  # a later run may read the whole scene
                    row['is_complete'] = False
                if tables:
                    row |= to_row(result['prediction'], row['name'])
                    _check_row(row, tables, options['no_save_pred'])
                journal.add(row, outcome.failed)
                outcome.done += 1
    except KeyboardInterrupt:  # the only end of a camera
        outcome.is_stopped = True


def _check_row(row: dict, tables: Mapping[Path, str], no_save_pred: bool) -> None:
    """Refuse tables that cannot hold the predictions before all of them are made."""
    if 'coco' in tables.values():
        check_coco(row)
    if no_save_pred and any(str(value).startswith('preds/') for key, value in row.items() if key.startswith('pred_')):
        raise SR4IRError('--predictions names the maps of classes in preds/: leave out --no-save-pred.')


def _is_written(out_dir: Path, options: Mapping, has_predictions: bool, name: str, image: str) -> bool:
    """Return whether the main result of an image or of a video is there; pictures may have been deleted for space."""
    if is_video(image):
        files = [] if options['save_frames'] else [f'{"sr" if options["no_save_vis"] else "vis"}/{name}.mp4']
    elif has_predictions:
        files = [f'preds/{name}.json'] if not options['no_save_pred'] else []
    else:
        files = [f'sr/{name}.png', f'sr/{name}.tif']
    return not files or any(os.path.exists(out_dir / file) for file in files)
