"""Test the runs of a study with other BatchNorm statistics, next to those of TaskStatisticsHook:

    python .dev_scripts/compare_statistics.py configs/_studies/cars.py --work-dir work_dirs/cars --out numbers.json

The others are those that the training ended with, which checkpoints of the hook hold, too, and those of the hook's
images as the training loads them (crops), enlarged as in a test. The other tests are in folders such as
'<run>/seed<seed>-training', so an interrupted command goes on where it was.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import torch
from mmengine.runner import CheckpointLoader

TOOLS = Path(__file__).resolve().parents[1] / 'tools'
sys.path.insert(0, str(TOOLS))

from paper_table.runs import Run  # noqa: E402
from paper_table.study import Study  # noqa: E402
from paper_table.study_files import to_markdown  # noqa: E402
from paper_table.study_numbers import _run_numbers, study_numbers  # noqa: E402
from paper_table.work import call  # noqa: E402

from sr4ir_mm.config import last_checkpoint, load_run, read_metrics  # noqa: E402
from sr4ir_mm.config.cli import Parser  # noqa: E402
from sr4ir_mm.errors import SR4IRError  # noqa: E402
from sr4ir_mm.utils.locks import locked  # noqa: E402

#: folder of a test -> label of its row
KINDS = {'training': 'statistics of the training', 'crops': 'statistics of crops'}


def main() -> None:
    """Test, and write the numbers of all kinds of statistics."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('study', type=Path)
    parser.add_argument('--work-dir', type=Path, required=True)
    parser.add_argument('--cfg-options', nargs='+', default=[])
    parser.add_argument('--out', type=Path, required=True)
    args = parser.parse_args()
    study = Study(args.study, args.work_dir, args.cfg_options)
    study.blocks = {name: with_others(rows) for name, rows in study.blocks.items()}
    numbers = study_numbers(study) | dict(tests=metrics(study.blocks))
    args.out.write_text(json.dumps(numbers, indent=1) + '\n')
    print(to_markdown(numbers))


def metrics(blocks: dict[str, dict[str, dict[int, list[Run]]]]) -> dict:
    """Return the metrics of each test by block, row and seed, in the order of the folds."""
    return {
        name: {
            row: {seed: [_run_numbers(run)['metrics'] for run in runs] for seed, runs in seeds.items()}
            for row, seeds in rows.items()
        }
        for name, rows in blocks.items()
    }


def with_others(rows: dict[str, dict[int, list[Run]]]) -> dict[str, dict[int, list[Run]]]:
    """Return the rows of a block, each with those of the same runs that are tested with other statistics."""
    found = dict(rows)
    for row, seeds in rows.items():
        done = [run for runs in seeds.values() for run in runs if run.status() == 'done']
        if without := [run.folder for run in done if not statistics(run)]:
            print(f"Not compared: {row}, because '{without[0]}' has no statistics of a TaskStatisticsHook")
            continue
        for kind, label in KINDS.items():
            found[f'{row}, {label}'] = {seed: [tested(run, kind) for run in runs] for seed, runs in seeds.items()}
    return found


def statistics(run: Run) -> dict:
    """Return the statistics that a training ended with, where its checkpoint has those of the hook instead."""
    return read_checkpoint(run).get('run_state', {}).get('statistics', {})


def read_checkpoint(run: Run) -> dict:
    """Read the last checkpoint of a run."""
    return CheckpointLoader.load_checkpoint(str(last_checkpoint(run.folder)), 'cpu')


def tested(run: Run, kind: str) -> Run:
    """Test a run, if it is done, with statistics of another kind."""
    other = replace(run, folder=run.folder.with_name(f'{run.folder.name}-{kind}'))
    if run.status() == 'done' and other.status() != 'done':
        with locked(other.folder) as lock:
            checkpoint = write_checkpoint(run, kind, other.folder / 'weights.pth')
            options = [*other.config_args(), checkpoint, '--work-dir', other.folder / 'test']
            call('test.py', 1, lock, *options, '--per-image', other.image_file, '--cfg-options', *run.cfg_options())
            if (found := read_metrics(other.folder / 'test')) is None:
                raise SR4IRError(f"tools/test.py left no metrics in '{other.folder / 'test'}': see its output.")
            other.store(found)
            checkpoint.unlink()
    return other


def write_checkpoint(run: Run, kind: str, target: Path) -> Path:
    """Write the weights of a run with other statistics."""
    checkpoint = read_checkpoint(run)
    others = of_crops(run, target.parent) if kind == 'crops' else statistics(run)
    torch.save(dict(meta=checkpoint['meta'], state_dict=checkpoint['state_dict'] | others), target)
    return target


def of_crops(run: Run, folder: Path) -> dict:
    """Measure the statistics of images that are loaded as in training, enlarged and recognized as in a test."""
    from sr4ir_mm.engine.fast_runner import FastRunner
    from sr4ir_mm.engine.task_statistics import measure_statistics
    from sr4ir_mm.engine.tested_images import ImagesAsTested
    from sr4ir_mm.utils import unwrap

    cfg = load_run(run.folder)
    of_run = dict(load_from=str(last_checkpoint(run.folder)), resume=False, work_dir=str(folder), log_level='WARNING')
    cfg.merge_from_dict(of_run)
    hook, amp = cfg.default_hooks.pop('task_statistics'), cfg.val_cfg.get('fp16', False)
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None  # without one, images are loaded as in training
    runner = FastRunner.from_cfg(cfg)
    runner.load_or_resume()
    images = ImagesAsTested(runner, hook.get('images'), hook.get('batch_size'))
    return {f'task.{name}': value for name, value in measure_statistics(unwrap(runner.model), images, amp).items()}


if __name__ == '__main__':
    main()
