"""Measure figures of the pages that no other script makes, and write them as JSON:

    python .dev_scripts/page_figures.py tdp --out docs/tdp_sizes.json
    python .dev_scripts/page_figures.py degradation --images data/voc2012_mini --out docs/degradation.json
    python .dev_scripts/page_figures.py scenes --out docs/scene_memory.json

One thread. Times are ratios of the processor's time, in turns, so that other processes on the machine matter little.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch
from kornia.augmentation import RandomJPEG
from mmengine.config import Config
from mmengine.registry import MODELS

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tests'))
from helpers.tdp_sizes import tdp_sizes  # noqa: E402

from sr4ir_mm.analysis.benchmark.environment import environment  # noqa: E402
from sr4ir_mm.config.cli import Parser  # noqa: E402
from sr4ir_mm.config.sr_nets import find_sr  # noqa: E402
from sr4ir_mm.models import BicubicDegradation  # noqa: E402
from sr4ir_mm.models.sr_net import build_sr  # noqa: E402

SCENE_NET = 'configs/mini/fpn-efficientnet-lite0_edsr-s_x4_voc-mini.py'
OPTIONS = ['--weights', 'random', '--device', 'cpu']
WHOLE, WINDOWS = ['--window', '0'], ['--window', '128', '--overlap', '32']


def main() -> None:
    """Measure what was asked for."""
    parser = Parser(description=__doc__)
    parser.add_argument('subject', choices=('tdp', 'degradation', 'scenes'))
    parser.add_argument('--images', type=Path, help='folder of photographs; degradation compresses the first 200')
    parser.add_argument('--out', type=Path, required=True)
    args = parser.parse_args()
    files = sorted(args.images.rglob('*.jpg'))[:200] if args.images else []
    if (args.subject == 'degradation') != bool(files):
        parser.error('--images, a folder with files *.jpg, belongs to degradation')
    torch.set_num_threads(1)
    made = environment() | dict(seed=0)
    results = dict(tdp=tdp_sizes, degradation=lambda: degradation(files), scenes=scenes)[args.subject]()
    args.out.write_text(json.dumps(made | dict(results=results), indent=1) + '\n')
    print(args.out.read_text())


@torch.no_grad()
def degradation(files: list[Path]) -> dict:
    """Compare the time of the practical mixture at x4 with bicubic and with S, and its JPEG with libjpeg."""
    mixture = Config.fromfile(ROOT / 'configs/_base_/degradations/practical_x4.py').degradation
    steps = (MODELS.build(mixture).train(), BicubicDegradation(4), build_sr(find_sr('edsr-s', 4), 4)[0].eval())
    results = {}
    for side in (128, 480):
        torch.manual_seed(0)
        hr = torch.rand(1, 3, side // 8, side // 8)
        hr = torch.nn.functional.interpolate(hr, size=(side, side), mode='bilinear')
        lr = hr[..., ::4, ::4].contiguous()
        practical, bicubic, sr = seconds(list(zip(steps, (hr, hr, lr))))
        results[f'{side} px'] = dict(practical_per_bicubic=practical / bicubic, practical_per_edsr_s=practical / sr)
    return results | dict(jpeg=jpeg(files))


def seconds(calls: list[tuple[Callable, torch.Tensor]], turns: int = 20) -> list[float]:
    """Return the mean processor time of each call, in turns: a random mixture has no shortest time."""
    times = np.zeros(len(calls))
    for _ in range(turns):
        for i, (call, image) in enumerate(calls):
            begin = time.process_time()
            call(image)
            times[i] += time.process_time() - begin
    return list(times / turns)


def jpeg(files: list[Path]) -> dict:
    """Return the mean PSNR of kornia's JPEG and libjpeg's at quality 50, to the original and to each other, in dB."""
    rows = []
    for file in files:
        image = cv2.resize(cv2.imread(str(file)), (128, 96), interpolation=cv2.INTER_AREA)
        libjpeg = cv2.imdecode(cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], cv2.IMREAD_COLOR)
        tensor = torch.from_numpy(image[..., ::-1].copy()).permute(2, 0, 1)[None] / 255
        ours = RandomJPEG(jpeg_quality=(50.0, 50.0), p=1.0)(tensor)[0].permute(1, 2, 0).numpy()[..., ::-1] * 255
        kornia = ours.round().clip(0, 255).astype(np.uint8)
        rows.append([cv2.PSNR(*pair) for pair in ((image, kornia), (image, libjpeg), (libjpeg, kornia))])
    return dict(zip(('kornia', 'libjpeg', 'both'), np.mean(rows, 0).tolist()), images=len(rows))


def scenes() -> dict[str, int]:
    """Return the largest memory of tools/infer.py in MB, for images as a whole and in windows of 128 px."""
    results = {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        for side in (16, 500, 1000):
            pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
            cv2.imwrite(str(folder / f'{side}.png'), pixels)
        results['16 x 16 px, whole'] = memory(folder / '16.png', *WHOLE)
        results['500 x 500 px, whole'] = memory(folder / '500.png', *WHOLE)
        results['500 x 500 px'] = memory(folder / '500.png', *WINDOWS)
        results['1000 x 1000 px'] = memory(folder / '1000.png', *WINDOWS)
    return results


def memory(image: Path, *options: str) -> int:
    """Return the largest memory of the process that predicts an image, in MB."""
    command = [sys.executable, ROOT / 'tools/infer.py', ROOT / SCENE_NET, image, *OPTIONS, *options]
    process = subprocess.Popen([*command, '--out-dir', image.parent / 'out'], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f'{image.name}: exit status {status}')
    print(image.name, *options, usage.ru_maxrss // 1024, f'{usage.ru_utime + usage.ru_stime:.0f} s', flush=True)
    return usage.ru_maxrss // 1024


if __name__ == '__main__':
    main()
