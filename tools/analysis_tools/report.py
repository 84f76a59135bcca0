"""Write one HTML file about one or several runs:

    python tools/analysis_tools/report.py WORK_DIR ... --out report.html

It contains the table of metrics, the curves, the panels of tools/test.py --show-dir and the configs. A browser opens it
without a server or a network.
"""

from datetime import datetime
from pathlib import Path

from sr4ir_mm.config.cli import Parser
from sr4ir_mm.errors import user_errors

TEMPLATE = Path(__file__).with_name('report.html.j2')


def make_page(work_dirs: list[Path], panels: list[Path], count: int, title: str) -> str:
    """Make the text of the page.

    Args:
        work_dirs (list[Path]): Work dirs of trainings.
        panels (list[Path]): Folders of ``--show-dir``.
        count (int): Largest number of panels of each folder.
        title (str): Title of the page.
    """
    # these take seconds to import, which --help does not need
    from jinja2 import Environment
    from matplotlib.colors import to_hex

    from sr4ir_mm.analysis import name_runs, read_curves, select, summarize
    from sr4ir_mm.analysis.summary import curve_image, panel_images
    from sr4ir_mm.version import __version__

    folders = name_runs(work_dirs)
    runs = {name: read_curves(path) for name, path in folders.items()}
    names = select({name: None for run in runs.values() for name, curve in run.items() if len(curve.x) > 1})
    curves = {name: curve_image(runs, name) for name in names}
    measured = {name for run in runs.values() for name, curve in run.items() if curve.measured}
    summaries = [summarize(name, path, runs[name]) for name, path in folders.items()]
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(TEMPLATE.read_text()).render(
        title=title,
        runs=summaries,
        metrics={key: None for summary in summaries for key in summary.metrics},
        curves={
            'Metrics': {name: image for name, image in curves.items() if name in measured},
            'Training': {name: image for name, image in curves.items() if name not in measured},
        },
        panels={name: panel_images(folder, count) for name, folder in name_runs(panels).items()},
        colors=[to_hex(f'C{i}') for i in range(len(runs))],
        written=f'{datetime.now():%Y-%m-%d %H:%M}, sr4ir_mm {__version__}',
    )  # fmt: skip


def main() -> Path:
    """Read the command line, write the page, return its file."""
    parser = Parser(description=__doc__)
    parser.add_argument('work_dirs', nargs='+', type=Path, help='work dirs of tools/train.py')
    parser.add_argument('--out', type=Path, default=Path('report.html'), help='HTML file (default: report.html)')
    parser.add_argument('--panels', nargs='+', type=Path, default=[], help='folders of tools/test.py --show-dir')
    parser.add_argument('--max-panels', type=int, default=8, help='panels of each folder (default: 8)')
    parser.add_argument('--title', default='SR4IR report', help='title of the page')
    args = parser.parse_args()
    page = make_page(args.work_dirs, args.panels, args.max_panels, args.title)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(page, encoding='utf-8')
    print(f'{args.out} ({len(page) / 1e6:.1f} MB): open it in a browser.')
    return args.out


if __name__ == '__main__':
    with user_errors():
        main()
