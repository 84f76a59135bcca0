"""Prepare 716 + 264 small images of Stanford Cars from its archives, or from the folder that stanford_cars.py made:

python tools/dataset_converters/stanford_cars_mini.py cars_train.tgz car_devkit.tgz
python tools/dataset_converters/stanford_cars_mini.py data/stanford_cars car_devkit.tgz

The training and validation images of 22 classes are listed in lists/stanford_cars_mini. All of them belong to the official
training split. They become {train,val}/<class>/<image>, cropped to the boxes of car_devkit.tgz, with a longest side of at
most 320 px. car_ims.tgz, or a folder made from it, cannot be used, because it numbers the images in another way. If the
run is interrupted, repeat the command: it continues.
"""  # noqa: E501

from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from archives import Part, lines, run_converter, verify
from small_images import Box, small_image
from stanford_cars import count, find_files, load_table

from sr4ir_mm.errors import SR4IRError, user_errors

LISTS = Path(__file__).with_name('lists') / 'stanford_cars_mini'
SOURCES = 'archives, .mat files, folders'
EXPECTED = {'train': 716, 'val': 264, 'classes': 22}
TABLE = 'cars_train_annos.mat'
NEEDED = 'cars_train.tgz, or the folder that stanford_cars.py made from it, and car_devkit.tgz'


def plan(*sources: Path) -> list[Part]:
    """Verify the sources and select the listed images.

    Raises:
        SR4IRError: If a source is damaged, or the boxes or all images are missing.
    """
    listing = {source: verify(source) for source in sources}
    places = {
        Path(place).name: f'{split}/{place}' for split in ('train', 'val') for (place,) in lines(LISTS / f'{split}.txt')
    }
    edges = dict.fromkeys(('bbox_x1', 'bbox_y1', 'bbox_x2', 'bbox_y2'), int)
    table = load_table(TABLE, find_files(listing), NEEDED, fname=str, **{'class': int}, **edges)
    convert = partial(crop, boxes(table['annotations'], places))
    parts = [
        Part(source, {name: places[image] for name in names if (image := training_image(name)) in places}, convert)
        for source, names in listing.items()
    ]
    if not any(part.targets for part in parts):
        raise SR4IRError(f'None of the given files holds an image of cars_train. Give {NEEDED}.')
    return parts


def training_image(name: str) -> str | None:
    """Return the file name of an image in cars_train/ or train/<class>/, and None for any other file."""
    *folders, file = PurePosixPath(name).parts
    return file if folders[-1:] == ['cars_train'] or folders[-2:-1] == ['train'] else None


def boxes(rows: np.ndarray, places: dict[str, str]) -> dict[str, Box]:
    """Return the official box of each listed image by its file name.

    Raises:
        SR4IRError: If the table lacks an image, or its classes differ from the folders of the list.
    """
    listed = {str(row['fname']): row for row in rows if str(row['fname']) in places}
    pairs = {(Path(places[name]).parent.name, int(row['class'])) for name, row in listed.items()}
    if listed.keys() != places.keys() or not len(pairs) == len(set(dict(pairs).values())) == len(dict(pairs)):
        raise SR4IRError(f'{TABLE} is not the official table: its images or classes differ from the list in {LISTS}.')
    return {name: tuple(int(row[f'bbox_{edge}']) for edge in ('x1', 'y1', 'x2', 'y2')) for name, row in listed.items()}


def crop(boxes: dict[str, Box], target: str, data: bytes) -> bytes:
    """Crop an image to its box and scale it down."""
    return small_image(data, boxes[PurePosixPath(target).name])


def main() -> None:
    """Read the command line and make the data set."""
    run_converter(
        __doc__, 'archives, .mat files, folders', 'data/stanford_cars_mini', plan, count, EXPECTED, several=True
    )


if __name__ == '__main__':
    with user_errors():
        main()
