"""Measure the reading and writing of rasters by windows, and the memory that it takes, and write them as JSON:

    python .dev_scripts/raster_speed.py 1000 4000 --out docs/raster_speed.json     # data everywhere
    python .dev_scripts/raster_speed.py 40000 --every 4096 --out sparse.json       # data in one tile of 4096 px

Scenes have four bands of 16 bits in tiles of 512 px; three of them are read. Each size has a process of its own. Times
are those of the processor: they count in relation to each other where other processes run.
"""

import json
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib import metadata
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from sr4ir_mm.analysis.benchmark.environment import environment
from sr4ir_mm.config.cli import Parser
from sr4ir_mm.geo import RasterScene, gdal, write_geotiff

WINDOW, STEP = 512, 448


def main() -> None:
    """Measure one size after the other, and write the numbers."""
    parser = Parser(description=__doc__)
    parser.add_argument('sides', type=int, nargs='+', help='sides of scenes in pixels')
    parser.add_argument('--every', type=int, default=WINDOW, help='distance of tiles with data, in pixels')
    parser.add_argument('--out', type=Path, required=True)
    args = parser.parse_args()
    made = environment() | dict(seed=0)
    made['versions']['rasterio'] = metadata.version('rasterio')
    results = {side: _in_process(_measure, side, args.every) for side in args.sides}
    args.out.write_text(json.dumps(made | dict(results=results), indent=1) + '\n')
    print(args.out.read_text())


def _in_process(function: Callable, *args: Any) -> Any:
    """Call a function in a process of its own, whose memory is that of the function."""
    with ProcessPoolExecutor(1, get_context('spawn')) as pool:
        return pool.submit(function, *args).result()


def _measure(side: int, every: int) -> dict[str, float]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / 'scene.tif'
        _in_process(_make, path, side, every)
        with RasterScene(path, bands=(4, 3, 2), stretch=(0, 4000)) as scene:
            begin = time.process_time()
            for window in _windows(side):
                scene.read(window)
            middle = time.process_time()
            rows = (np.zeros((min(STEP, side - top), side), np.uint8) for top in range(0, side, STEP))
            write_geotiff(path.with_name('classes.tif'), rows, scene, 1, nodata=255)
            end = time.process_time()
    megapixels = side**2 / 1e6
    return dict(
        reading_cpu_s_per_megapixel=round((middle - begin) / megapixels, 4),
        writing_cpu_s_per_megapixel=round((end - middle) / megapixels, 4),
        largest_memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )


def _make(path: Path, side: int, every: int) -> None:
    rng = np.random.default_rng(0)
    options = dict(driver='GTiff', width=side, height=side, count=4, dtype='uint16', nodata=0, sparse_ok=True)
    options |= dict(tiled=True, blockxsize=WINDOW, blockysize=WINDOW, compress='deflate', bigtiff='IF_SAFER')
    with gdal.environment(), gdal.library().open(path, 'w', **options) as file:
        for top in range(0, side, every):
            for left in range(0, side, every):
                height, width = min(WINDOW, side - top), min(WINDOW, side - left)
                values = rng.integers(1, 4000, (4, height, width)).astype(np.uint16)
                file.write(values, window=gdal.library().windows.Window(left, top, width, height))


def _windows(side: int) -> Iterator[tuple[int, int, int, int]]:
    for top in range(0, side, STEP):
        for left in range(0, side, STEP):
            yield left, top, min(left + WINDOW, side), min(top + WINDOW, side)


if __name__ == '__main__':
    main()
