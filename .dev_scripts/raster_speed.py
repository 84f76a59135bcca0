"""Measure the reading and writing of rasters by windows, and the memory that it takes:

    python .dev_scripts/raster_speed.py 1000 4000 8000                     # data everywhere
    python .dev_scripts/raster_speed.py 1000 4000 40000 --every 4096       # data in one tile of 4096 px

Scenes have four bands of 16 bits in tiles of 512 px; three of them are read. Each size has a process of its own.
"""

import resource
import sys
import time
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from sr4ir_mm.config.cli import Parser
from sr4ir_mm.geo import RasterScene, write_geotiff
from sr4ir_mm.geo.gdal import environment, library

WINDOW, STEP = 512, 448


def main() -> None:
    """Measure, and print a line for each size."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument('sides', type=int, nargs='+', help='sides of scenes in pixels')
    parser.add_argument('--every', type=int, default=WINDOW, help='distance of tiles with data, in pixels')
    args = parser.parse_args()
    print('side     reading, CPU s/MP  writing, CPU s/MP  largest memory, MB', flush=True)
    for side in args.sides:
        process = get_context('spawn').Process(target=_measure, args=(side, args.every))
        process.start()
        process.join()
        if process.exitcode:
            sys.exit(process.exitcode)


def _measure(side: int, every: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / 'scene.tif'
        writer = get_context('spawn').Process(target=_make, args=(path, side, every))  # whose memory does not count
        writer.start()
        writer.join()
        with RasterScene(path, bands=(4, 3, 2), stretch=(0, 4000)) as scene:
            begin = time.process_time()
            for window in _windows(side):
                scene.read(window)
            middle = time.process_time()
            rows = (np.zeros((min(STEP, side - top), side), np.uint8) for top in range(0, side, STEP))
            write_geotiff(path.with_name('classes.tif'), rows, scene, 1, nodata=255)
            end = time.process_time()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    megapixels = side**2 / 1e6
    print(f'{side:6d}   {(middle - begin) / megapixels:17.4f}  {(end - middle) / megapixels:17.4f}  {memory:18.0f}')


def _make(path: Path, side: int, every: int) -> None:
    rng = np.random.default_rng(0)
    options = dict(driver='GTiff', width=side, height=side, count=4, dtype='uint16', nodata=0, sparse_ok=True)
    options |= dict(tiled=True, blockxsize=WINDOW, blockysize=WINDOW, compress='deflate', bigtiff='IF_SAFER')
    with environment(), library().open(path, 'w', **options) as file:
        for top in range(0, side, every):
            for left in range(0, side, every):
                height, width = min(WINDOW, side - top), min(WINDOW, side - left)
                values = rng.integers(1, 4000, (4, height, width)).astype(np.uint16)
                file.write(values, window=library().windows.Window(left, top, width, height))


def _windows(side: int) -> Iterator[tuple[int, int, int, int]]:
    for top in range(0, side, STEP):
        for left in range(0, side, STEP):
            yield left, top, min(left + WINDOW, side), min(top + WINDOW, side)


if __name__ == '__main__':
    main()
