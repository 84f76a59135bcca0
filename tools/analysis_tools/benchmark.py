"""Measure time and memory next to plain PyTorch on the same networks (the floor):

    python tools/analysis_tools/benchmark.py configs/sr4ir/deeplabv3_edsr_x4_voc.py
    python tools/analysis_tools/benchmark.py mmdet::retinanet/retinanet_r50_fpn_1x_coco.py --sr edsr
    python tools/analysis_tools/benchmark.py paper --what training inference --out new.json
    python tools/analysis_tools/benchmark.py new.json --compare old.json --markdown

Networks have random weights, and images are synthetic: only 'loading' needs data. 'paper' stands for the paper's three
jobs, with EDSR and with SwinIR. Each variant has a process of its own, and they take turns.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sr4ir_mm.config.cli import Parser, add_cfg_options, at_least
from sr4ir_mm.errors import SR4IRError, user_errors

if TYPE_CHECKING:
    from sr4ir_mm.analysis.benchmark.jobs import Job

WHATS = ('training', 'inference', 'loading')


def main() -> None:
    """Read the command line, measure or read results, print tables, write files."""
    parser = build_parser()
    args = parser.parse_args()
    _check(args, parser.given)

    from sr4ir_mm.analysis.benchmark.report import comparison, describe, read, text_of  # takes seconds

    old = read(args.compare) if args.compare else None
    if args.config[0].endswith('.json'):
        content = read(Path(args.config[0]))
        print(describe(content), *(text_of(entry, args.markdown) for entry in content['results']), sep='\n')
    else:
        content = measure_all(args)
    if old:
        print(comparison(content, old, args.markdown))
    if args.plot:
        from sr4ir_mm.analysis.benchmark.losses import plot_losses

        args.plot.parent.mkdir(parents=True, exist_ok=True)
        plot_losses([entry for entry in content['results'] if entry['what'] == 'losses']).savefig(args.plot, dpi=150)


def measure_all(args: argparse.Namespace) -> dict:
    """Measure what the arguments name; after each measurement, print its table and write the JSON."""
    from sr4ir_mm.analysis.benchmark.environment import environment
    from sr4ir_mm.analysis.benchmark.report import FORMAT, describe, text_of, write

    content = dict(format=FORMAT, **environment(), results=[])
    print(describe(content))
    for entry in measurements(args):
        content['results'].append(entry)
        print(text_of(entry, args.markdown), flush=True)
        if args.out:
            write(args.out, content)
    return content


def measurements(args: argparse.Namespace) -> Iterator[dict]:
    """Measure each job."""
    from sr4ir_mm.analysis.benchmark.jobs import find_jobs
    from sr4ir_mm.analysis.benchmark.losses import measure_losses
    from sr4ir_mm.analysis.benchmark.run import MEASURES, Settings
    from sr4ir_mm.analysis.benchmark.variants import check_choice
    from sr4ir_mm.utils.devices import check_device

    check_device(args.device)
    whats = ['losses'] if args.losses else args.what
    check_choice(args.variants, whats)
    nets = dict(sr=args.sr, scale=args.scale or 4, options=args.cfg_options or {})
    jobs = find_jobs(args.config, args.batch, args.size, **nets)
    settings = Settings(args.variants, args.losses or args.iters, args.warmup, args.threads, args.device, args.images)
    for job in jobs:  # a mistake in the last one would be found after minutes
        job.load()
    for job in jobs:
        for name in whats:
            if name != 'loading' or has_data(job):
                yield measure_losses(job, settings) if name == 'losses' else MEASURES[name](job, settings)


def has_data(job: Job) -> bool:
    """Return whether the training data of a job exist; say what is missing."""
    from sr4ir_mm.config import check_data

    try:
        check_data(job.load(), 'train_dataloader')
    except SR4IRError as error:
        print(f'\nloading, {job.name}: not measured. {error}')
        return False
    return True


def build_parser() -> Parser:
    """Build the parser with the arguments of this tool."""
    from sr4ir_mm.analysis.benchmark.variants import NAMES, ON_REQUEST

    text = f'some of {", ".join(NAMES)}; default: all but {", ".join(ON_REQUEST)}'
    parser = Parser(description=__doc__)
    parser.add_argument(
        'config', nargs='+', help="configs of ours, 'paper', with --sr those of a zoo; or a JSON of --out"
    )
    parser.add_argument('--what', nargs='+', default=['training'], choices=WHATS, help='default: training')
    parser.add_argument(
        '--variants',
        nargs='+',
        choices=NAMES,
        metavar='NAME',
        help=text,
    )
    parser.add_argument(
        '--losses',
        type=at_least(2),
        metavar='N',
        help='instead, compare the losses of N iterations with those of float32',
    )
    parser.add_argument('--plot', type=Path, metavar='FILE', help='plot the losses: PNG, SVG or PDF file')
    parser.add_argument('--out', type=Path, metavar='FILE', help='write all that was measured to a JSON file')
    parser.add_argument('--compare', type=Path, metavar='FILE', help='ratios to the JSON of another revision')
    parser.add_argument('--markdown', action='store_true', help='print tables in Markdown')
    group = parser.add_argument_group('how to measure')
    group.add_argument('--iters', type=at_least(1), default=5, help='measured turns of each variant (default: 5)')
    group.add_argument('--warmup', type=at_least(1), default=2, help='turns before them (default: 2)')
    group.add_argument(
        '--batch', type=at_least(1), help="images of a training batch (default: the paper's job's, or 2)"
    )
    group.add_argument(
        '--size', nargs=2, type=at_least(1), metavar=('H', 'W'), help="size of HR images (default: the paper's, or 256)"
    )
    group.add_argument('--images', type=at_least(1), default=8, help='LR images of a turn of inference (default: 8)')
    group.add_argument('--device', default='cpu', help="'cpu' (default), 'cuda', ...")
    group.add_argument('--threads', type=at_least(1), help="PyTorch's threads (default: as many as it takes)")
    group = parser.add_argument_group('any network of a zoo', "if 'config' is e.g. mmdet::retinanet/retinanet_r50...py")
    group.add_argument('--sr', help="SR network, e.g. 'edsr'")
    group.add_argument('--scale', type=at_least(1), help='up-sampling factor of that SR network (default: 4)')
    add_cfg_options(parser)
    return parser


def _check(args: argparse.Namespace, given: set[str]) -> None:
    """Refuse options that would have no effect."""
    is_json = any(name.endswith('.json') for name in args.config)
    if args.scale and not args.sr:
        raise SR4IRError('--scale is that of an SR network for the config of a zoo: add --sr, or leave out --scale.')
    if args.plot and not (args.losses or is_json):
        raise SR4IRError('--plot plots the losses of --losses N: add it.')
    if args.plot and args.plot.suffix.lower() not in ('.png', '.svg', '.pdf'):
        raise SR4IRError(f"The format of '{args.plot}' is unknown: let --plot end in .png, .svg or .pdf.")
    useless = set()
    if is_json:
        useless = given - {'config', 'compare', 'markdown', 'plot'}
    elif args.losses:
        useless = given & {'what', 'iters', 'warmup', 'images'}
    elif 'inference' not in args.what:
        useless = given & {'images'}
    if useless:
        raise SR4IRError(f'--{min(useless).replace("_", "-")} has no effect here: leave it out.')
    if is_json and len(args.config) > 1:
        raise SR4IRError('A JSON of --out is printed or compared alone: leave out the other configs.')


if __name__ == '__main__':
    with user_errors():
        main()
