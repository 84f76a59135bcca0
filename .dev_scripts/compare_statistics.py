"""Test the runs of a study with the BatchNorm statistics of their training, next to those of TaskStatisticsHook:

    python .dev_scripts/compare_statistics.py configs/_studies/cars.py --work-dir work_dirs/cars --out numbers.json

Checkpoints of the hook hold both. The other tests are in the folders '<run>/seed<seed>-training', so an interrupted
command goes on where it was.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[1] / 'tools'
sys.path.insert(0, str(TOOLS))

from paper_table.runs import Run  # noqa: E402
from paper_table.study import Study  # noqa: E402
from paper_table.study_files import to_markdown  # noqa: E402
from paper_table.study_numbers import REPLICATES, _block, study_numbers  # noqa: E402
from paper_table.work import call  # noqa: E402

from sr4ir_mm.config import last_checkpoint, read_metrics  # noqa: E402
from sr4ir_mm.config.cli import Parser  # noqa: E402
from sr4ir_mm.utils.locks import locked  # noqa: E402

LABEL = 'statistics of the training'


def main() -> None:
    """Test, and write the numbers of both kinds of statistics."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('study', type=Path)
    parser.add_argument('--work-dir', type=Path, required=True)
    parser.add_argument('--cfg-options', nargs='+', default=[])
    parser.add_argument('--out', type=Path, required=True)
    args = parser.parse_args()
    study = Study(args.study, args.work_dir, args.cfg_options)
    blocks = [_block(name, both(rows), study.metrics[name], REPLICATES) for name, rows in study.blocks.items()]
    for block in blocks:
        block['differences'] = [pair for pair in block['differences'] if pair['a'] == f'{pair["b"]}, {LABEL}']
    numbers = study_numbers(study) | dict(blocks=blocks)
    args.out.write_text(json.dumps(numbers, indent=1) + '\n')
    print(to_markdown(numbers))


def both(rows: dict[str, dict[int, list[Run]]]) -> dict[str, dict[int, list[Run]]]:
    """Return the rows of a block, each with the one of the same runs that are tested with the other statistics."""
    return dict(pair for row in rows.items() for pair in (row, _others(*row)))


def _others(row: str, seeds: dict[int, list[Run]]) -> tuple[str, dict[int, list[Run]]]:
    return f'{row}, {LABEL}', {seed: list(map(tested, runs)) for seed, runs in seeds.items()}


def tested(run: Run) -> Run:
    """Test a run, if it is done, with the statistics that its training ended with."""
    other = replace(run, folder=run.folder.with_name(f'{run.folder.name}-training'))
    if run.status() == 'done' and other.status() != 'done':
        with locked(other.folder) as lock:
            checkpoint = write_checkpoint(Path(last_checkpoint(run.folder)), other.folder / 'weights.pth')
            options = [*other.config_args(), checkpoint, '--work-dir', other.folder / 'test']
            call('test.py', 1, lock, *options, '--per-image', other.image_file, '--cfg-options', *run.cfg_options())
            other.store(read_metrics(other.folder / 'test'))
            checkpoint.unlink()
    return other


def write_checkpoint(source: Path, target: Path) -> Path:
    """Write the weights of a checkpoint with the statistics of its training."""
    import torch
    from mmengine.runner import CheckpointLoader

    checkpoint = CheckpointLoader.load_checkpoint(str(source), 'cpu')
    state = checkpoint['state_dict'] | checkpoint['run_state'].get('statistics', {})
    torch.save(dict(meta=checkpoint['meta'], state_dict=state), target)
    return target


if __name__ == '__main__':
    main()
