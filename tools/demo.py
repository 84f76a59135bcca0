"""SR4IR on a small scale: python tools/demo.py [--work-dir work_dirs/demo]

Makes a synthetic data set, trains and tests the oracle (H->T), the baseline (L->T) and SR4IR with the usual tools, and
prints a table and the path of a picture. Takes some minutes on a CPU.
"""

import subprocess
import sys
import time
from pathlib import Path

import cv2
from prettytable import PrettyTable

from sr4ir_mm.config import last_checkpoint, read_metrics
from sr4ir_mm.config.cli import Parser
from sr4ir_mm.config.schemes import run_name
from sr4ir_mm.utils import write_image

ROOT = Path(__file__).resolve().parent.parent
CONFIG = 'configs/demo/fcn-tiny_edsr-tiny_x4_demo.py'
#: row of the table -> scheme
ROWS = {'H->T (oracle)': 'H->T', 'L->T (bilinear)': 'L->T', 'SR4IR': 'SR4IR'}


def run(*args: object) -> None:
    """Run one of the tools with its output on the screen; stop if it fails."""
    result = subprocess.run([sys.executable, '-W', 'ignore', *map(str, args)], cwd=ROOT)
    if result.returncode:
        sys.exit(result.returncode)


def train_and_test(scheme: str, work_dir: Path, data: Path, *test_args: object) -> dict:
    """Train and test with one scheme, and return the metrics of the test."""
    config = [CONFIG, '--scheme', scheme]
    options = ['--cfg-options', f'data_root={data}']
    folder = work_dir / run_name(Path(CONFIG).stem, scheme)
    run('tools/train.py', *config, '--work-dir', folder, '--resume', *options)  # of an earlier call, if there is one
    test_dir = folder / 'test'
    run('tools/test.py', *config, last_checkpoint(folder), '--work-dir', test_dir, *test_args, *options)
    return read_metrics(test_dir)


def picture(panels: Path, target: Path, count: int = 2) -> None:
    """Stack the panels of the first few test images."""
    images = [cv2.imread(str(path)) for path in sorted(panels.glob('*.png'))[:count]]
    write_image(target, cv2.vconcat(images)[..., ::-1])


def main() -> None:
    """Run everything and report."""
    parser = Parser(description=__doc__)
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/demo'), help='folder for data, runs, pictures')
    work_dir = parser.parse_args().work_dir.resolve()
    panels = work_dir / 'panels'
    data, begin = work_dir / 'VOCdevkit/VOC2012', time.time()
    table = PrettyTable(['scheme', 'mIoU (%)', 'PSNR (dB)', 'SSIM'], float_format='.2')
    run('tools/make_demo_data.py', data)
    for i, (name, scheme) in enumerate(ROWS.items(), 1):
        print(f'\n===== {i}/{len(ROWS)} {name}: {CONFIG} ({time.time() - begin:.0f} s so far)', flush=True)
        show = ['--show-dir', panels] if scheme == 'SR4IR' else []  # drawing takes a while, and the picture shows SR4IR
        metrics = train_and_test(scheme, work_dir, data, *show)
        table.add_row([name, *(metrics.get(key, '-') for key in ('mIoU', 'sr/PSNR', 'sr/SSIM'))])
    picture(panels, work_dir / 'panels.png')
    print(f'\nDone in {time.time() - begin:.0f} s. Test images are LR (x4), except for the oracle.\n')
    print(table)
    print(f'\nPicture (LR, bilinear, SR, HR; predictions; where predictions differ): {work_dir / "panels.png"}')


if __name__ == '__main__':
    main()
