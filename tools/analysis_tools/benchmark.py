"""Measure time and memory of training, next to plain PyTorch on the same networks (the floor):

    python tools/analysis_tools/benchmark.py configs/sr4ir/deeplabv3_edsr_x4_voc.py
    python tools/analysis_tools/benchmark.py mmdet::retinanet/retinanet_r50_fpn_1x_coco.py --sr edsr
    python tools/analysis_tools/benchmark.py paper --out benchmark.json

Networks have random weights, and images are synthetic: no file is needed. 'paper' stands for the paper's three jobs,
with EDSR and with SwinIR. Each variant has a process of its own, and they take turns.
"""

import json
from pathlib import Path

from sr4ir_mm.config.cli import Parser, add_cfg_options, at_least
from sr4ir_mm.errors import SR4IRError, user_errors


def main() -> None:
    """Read the command line, measure, print the tables, write the JSON."""
    args = build_parser().parse_args()
    if args.scale and not args.sr:
        raise SR4IRError('--scale is that of an SR network for the config of a zoo: add --sr, or leave out --scale.')

    # these take seconds to import, which --help does not need
    from sr4ir_mm.analysis.benchmark.environment import environment
    from sr4ir_mm.analysis.benchmark.jobs import find_jobs
    from sr4ir_mm.analysis.benchmark.results import rows, text_table
    from sr4ir_mm.analysis.benchmark.run import measure
    from sr4ir_mm.utils.devices import check_device

    check_device(args.device)
    nets = dict(sr=args.sr, scale=args.scale or 4, options=args.cfg_options or {})
    jobs = find_jobs(args.config, args.batch, args.size, **nets)
    result = dict(environment(), results=[])
    for job in jobs:
        for entry in measure(job, args):
            result['results'].append(entry)
            print(f'\n{entry["what"]}, {entry["device"]}: {entry["job"]}\n{text_table(rows(entry), args.markdown)}')
            if args.out:  # after each, so that a later failure loses nothing
                args.out.parent.mkdir(parents=True, exist_ok=True)
                args.out.write_text(json.dumps(result, indent=1) + '\n')


def build_parser() -> Parser:
    """Build the parser with the arguments of this tool."""
    from sr4ir_mm.analysis.benchmark.variants import VARIANTS

    parser = Parser(description=__doc__)
    parser.add_argument('config', nargs='+', help="configs of ours, 'paper', or with --sr those of a zoo")
    parser.add_argument('--variants', nargs='+', default=list(VARIANTS), choices=list(VARIANTS), help='default: all')
    parser.add_argument('--iters', type=at_least(1), default=5, help='iterations that are measured (default: 5)')
    parser.add_argument('--warmup', type=at_least(1), default=1, help='iterations before them (default: 1)')
    parser.add_argument('--batch', type=at_least(1), help="images of a batch (default: those of the paper's job, or 2)")
    parser.add_argument(
        '--size', nargs=2, type=at_least(1), metavar=('H', 'W'), help="size of HR images (default: the paper's, or 256)"
    )
    parser.add_argument('--device', default='cpu', help="'cpu' (default), 'cuda', ...")
    parser.add_argument('--threads', type=at_least(1), help="PyTorch's threads (default: as many as it takes)")
    parser.add_argument('--out', type=Path, metavar='FILE', help='write everything measured to a JSON file')
    parser.add_argument('--markdown', action='store_true', help='print tables in Markdown')
    parser.add_argument('--sr', help="SR network for the config of a zoo, e.g. 'edsr'")
    parser.add_argument('--scale', type=at_least(1), help='up-sampling factor of that SR network (default: 4)')
    add_cfg_options(parser)
    return parser


if __name__ == '__main__':
    with user_errors():
        main()
