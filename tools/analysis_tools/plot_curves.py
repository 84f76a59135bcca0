"""Plot losses and metrics of one or several runs: python tools/analysis_tools/plot_curves.py WORK_DIR ... --out x.png

A training may still be running, or have been resumed.
"""

from pathlib import Path

from sr4ir_mm.config.cli import Parser
from sr4ir_mm.errors import SR4IRError, user_errors


def main() -> None:
    """Read the command line, draw, save."""
    parser = Parser(description=__doc__)
    parser.add_argument('work_dirs', nargs='+', type=Path, help='work dirs of tools/train.py')
    parser.add_argument(
        '--out', type=Path, default=Path('curves.png'), help='PNG, SVG or PDF file (default: curves.png)'
    )
    parser.add_argument(
        '--keys', nargs='+', default=[], metavar='NAME', help="names to plot, e.g. mIoU 'sr.loss_*' '*.lr'"
    )
    args = parser.parse_args()
    if args.out.suffix.lower() not in ('.png', '.svg', '.pdf'):
        raise SR4IRError(f"The format of '{args.out}' is unknown: let --out end in .png, .svg or .pdf.")

    from sr4ir_mm.analysis import name_runs, plot_all, read_curves, select  # matplotlib takes a second

    runs = {name: read_curves(path) for name, path in name_runs(args.work_dirs).items()}
    names = select({name: None for curves in runs.values() for name in curves}, args.keys)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    plot_all(runs, names).savefig(args.out, dpi=150)
    print(f'{len(names)} curves of {len(runs)} run(s): {args.out}')


if __name__ == '__main__':
    with user_errors():
        main()
