"""The numbers of a study: means over seeds, and intervals from resamples of the test images, the same for all rows."""

import math
import statistics
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

import numpy as np
from paper_table.runs import Run
from paper_table.study import Study
from paper_table.table import TASK_METRICS

from sr4ir_mm.analysis.benchmark.environment import environment
from sr4ir_mm.analysis.image_scores import score
from sr4ir_mm.analysis.image_tables import ImageTable, join_tables, read_table
from sr4ir_mm.errors import SR4IRError

#: task metric of each resample, by row and seed
Samples = Mapping[str, Mapping[int, np.ndarray]]
REPLICATES, SEED, LEVEL = 2000, 0, 95
PSNR = 'sr/PSNR'


def study_numbers(study: Study, replicates: int = REPLICATES) -> dict[str, Any]:
    """Return all numbers of a study, as ``study.json`` holds them.

    A seed of a row counts when the runs of all its folds are done. Their images are then one test set. Each of
    ``replicates`` resamples draws as many images as there are, and as many seeds, both with replacement, and is the
    same for all rows of a block; intervals are percentiles of the resampled values.

    Raises:
        SR4IRError: If the rows of a block were tested on different images.
    """
    blocks = [_block(name, rows, study.metrics[name], replicates) for name, rows in study.blocks.items()]
    made = dict(replicates=replicates, bootstrap_seed=SEED, level=LEVEL)
    runs = [_run_numbers(run) for run in study.runs.values() if run.status() == 'done']
    left = len(study.runs) - len(runs)
    return dict(study=str(study.path), **environment(), bootstrap=made, runs_left=left, blocks=blocks, runs=runs)


def _run_numbers(run: Run) -> dict[str, Any]:
    metrics = {name: None if value in (math.inf, -math.inf) else value for name, value in (run.metrics() or {}).items()}
    return dict(
        run=run.folder.parent.name, seed=run.seed, folder=str(run.folder), scheme=run.scheme or 'SR4IR',
        options=list(run.options), metrics=metrics, made=run.made(),
    )  # fmt: skip


def _block(name: str, rows: Mapping[str, Mapping[int, list[Run]]], metric: str, replicates: int) -> dict[str, Any]:
    done = {row: _tables(seeds) for row, seeds in rows.items()}
    images = _same_images(done)
    title, factor = TASK_METRICS[metric]
    rng = np.random.default_rng(SEED)
    # the first "resample" has each image once
    drawn = rng.multinomial(len(images), [1 / len(images)] * len(images), replicates) if images else np.zeros((0, 0))
    weights = np.concatenate([np.ones((1, len(images)), int), drawn.astype(int)])
    samples = {
        row: {seed: factor * score(table, metric, weights) for seed, table in tables.items()}
        for row, tables in done.items()
        if tables
    }
    every = [run for seeds in rows.values() for runs in seeds.values() for run in runs]
    folds = {option.partition('=')[2] for run in every for option in run.options if option.startswith('fold=')}
    return dict(
        name=name, metric=title, images=len(images), folds=sorted(folds),
        rows=[_row(row, rows[row], tables, samples, weights) for row, tables in done.items()],
        differences=[_difference(a, b, samples) for b, a in combinations(samples, 2) if _common(samples, a, b)],
    )  # fmt: skip


def _tables(seeds: Mapping[int, list[Run]]) -> dict[int, ImageTable]:
    """Return the results of all images by seed, of the seeds whose runs are done."""
    complete = {seed: runs for seed, runs in seeds.items() if all(run.status() == 'done' for run in runs)}
    return {seed: join_tables([read_table(run.image_file) for run in runs]) for seed, runs in complete.items()}


def _same_images(done: Mapping[str, Mapping[int, ImageTable]]) -> list[str]:
    tables = {(row, seed): table for row, seeds in done.items() for seed, table in seeds.items()}
    first = next(iter(tables.values())).images if tables else []
    for (row, seed), table in tables.items():
        if table.images != first:
            raise SR4IRError(
                f"'{row}' with seed {seed} was tested on other images than '{next(iter(tables))[0]}': give cells of "
                'one block the same folds and data, or one of them another block.'
            )
    return first


def _common(samples: Samples, *rows: str) -> list[int]:
    """Return the seeds that all rows have: others would be part of the difference."""
    return [seed for seed in samples[rows[0]] if all(seed in samples[row] for row in rows)]


def _mean(by_seed: Iterable[np.ndarray]) -> np.ndarray:
    """Return the mean over the seeds that each resample draws; the first "resample" has each of them once."""
    values = np.stack(list(by_seed))
    seeds, resamples = values.shape
    # the same for all rows with as many seeds, and not those numbers by which the images were drawn
    drawn = np.random.default_rng([SEED, seeds]).multinomial(seeds, [1 / seeds] * seeds, resamples - 1)
    return (np.concatenate([np.ones((1, seeds)), drawn]) * values.T).sum(1) / seeds


def _mean_of(samples: Samples, row: str, seeds: Iterable[int]) -> np.ndarray:
    return _mean(samples[row][seed] for seed in seeds)


def _difference(a: str, b: str, samples: Samples) -> dict[str, Any]:
    seeds = _common(samples, a, b)
    return dict(a=a, b=b, seeds=seeds, **_summary(_mean_of(samples, a, seeds) - _mean_of(samples, b, seeds)))


def _row(
    row: str, runs: Mapping[int, list[Run]], tables: Mapping[int, ImageTable], samples: Samples, weights: np.ndarray,
) -> dict[str, Any]:  # fmt: skip
    values = {seed: float(scores[0]) for seed, scores in samples.get(row, {}).items()}
    found: dict[str, Any] = dict(row=row, seeds=list(runs), values=values)
    if not values:
        return found
    spread = statistics.stdev(values.values()) if len(values) > 1 else None
    found.update(_summary(_mean_of(samples, row, values)), std_over_seeds=spread)
    if {'L->T', 'H->T'} <= samples.keys() and (seeds := _common(samples, row, 'L->T', 'H->T')):
        value, low, high = (_mean_of(samples, name, seeds) for name in (row, 'L->T', 'H->T'))
        with np.errstate(divide='ignore', invalid='ignore'):
            found['gap_closed'] = _summary((value - low) / (high - low))
    if all(table.of(PSNR) for table in tables.values()):
        with np.errstate(invalid='ignore'):  # the image of H->T is the HR image
            found['PSNR'] = _summary(_mean(score(table, PSNR, weights) for table in tables.values()))
    return found


def _summary(samples: np.ndarray) -> dict[str, Any]:
    """Return the value of all images and the interval of the resamples; None for a value that is not finite."""
    finite = samples[1:][np.isfinite(samples[1:])]
    ends = np.percentile(finite, [50 - LEVEL / 2, 50 + LEVEL / 2]).tolist() if len(finite) else None
    return dict(mean=float(samples[0]) if np.isfinite(samples[0]) else None, interval=ends)
