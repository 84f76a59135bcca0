"""The whole of SR4IR on a small scale: python tools/demo.py [--work-dir work_dirs/demo]

Makes the embedded data set, trains and tests the oracle (H->T), the baseline (L->T) and SR4IR, each with the ordinary
tools, and prints a table and the path of a picture. About eight minutes on two CPU cores.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import cv2
from prettytable import PrettyTable

from sr4ir_mm.config.work_dir import read_metrics

ROOT = Path(__file__).resolve().parent.parent
RUNS = {
    'H->T (oracle)': 'configs/baselines/fcn-tiny_demo_h2t.py',
    'L->T (bilinear)': 'configs/baselines/fcn-tiny_x4_demo_l2t.py',
    'SR4IR': 'configs/sr4ir/fcn-tiny_edsr-tiny_x4_demo.py',
}


def run(*args: object) -> None:
    """Run one of the tools, its output on the screen; stop if it fails."""
    result = subprocess.run([sys.executable, '-W', 'ignore', *map(str, args)], cwd=ROOT)
    if result.returncode:
        sys.exit(result.returncode)


def train_and_test(config: str, work_dir: Path, data: Path, *test_args: object) -> dict:
    """Train and test one config; returns the metrics of the test."""
    options = ['--cfg-options', f'data_root={data}']
    folder = work_dir / Path(config).stem
    run('tools/train.py', config, '--work-dir', folder, *options)
    checkpoint = (folder / 'last_checkpoint').read_text()
    run('tools/test.py', config, checkpoint, '--work-dir', folder / 'test', *test_args, *options)
    return read_metrics(folder / 'test')


def picture(panels: Path, target: Path, count: int = 2) -> None:
    """Stack the panels of the first few test images."""
    images = [cv2.imread(str(path)) for path in sorted(panels.glob('*.png'))[:count]]
    cv2.imwrite(str(target), cv2.vconcat(images))


def main() -> None:
    """Run everything and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/demo'))
    work_dir = parser.parse_args().work_dir.resolve()
    panels = work_dir / 'panels'
    data, begin = work_dir / 'VOCdevkit/VOC2012', time.time()
    table = PrettyTable(['scheme', 'mIoU (%)', 'PSNR (dB)', 'SSIM'])
    run('tools/make_demo_data.py', data)
    for i, (name, config) in enumerate(RUNS.items(), 1):
        print(f'\n===== {i}/{len(RUNS)} {name}: {config} ({time.time() - begin:.0f} s so far)', flush=True)
        show = ['--show-dir', panels] if name == 'SR4IR' else []  # the only ones in the picture; drawing takes a while
        metrics = train_and_test(config, work_dir, data, *show)
        table.add_row([name, *(metrics.get(key, '-') for key in ('mIoU', 'sr/PSNR', 'sr/SSIM'))])
    picture(panels, work_dir / 'panels.png')
    print(f'\nDone in {time.time() - begin:.0f} s. All images are tested at x4 low resolution, but for the oracle.\n')
    print(table)
    print(f'\nPicture (LR, bilinear, SR, HR; predictions; where they differ): {work_dir / "panels.png"}')


if __name__ == '__main__':
    main()
