"""Prepare Stanford Cars as {train,val}/<class>/<image>, the official test split as val, from the archives at hand:

python tools/dataset_converters/stanford_cars.py cars_train.tgz cars_test.tgz car_devkit.tgz cars_test_annos_withlabels.mat
python tools/dataset_converters/stanford_cars.py car_ims.tgz cars_annos.mat
python tools/dataset_converters/stanford_cars.py archive.zip

The last is a copy that is sorted by class already, {train,test}/<class>/<image> below any folder, packed or not. A copy
of cars_train and cars_test in one .zip also needs car_devkit.tgz and cars_test_annos_withlabels.mat. Images are not
cropped. A '/' in the name of a class becomes '-', as in those copies: class numbers are the order of the folders' names.
Run it again after an interruption.
"""  # noqa: E501

import argparse
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath

import numpy as np
from archives import Counts, Plan, arrange, entries, verify
from scipy.io import loadmat

from sr4ir_mm.errors import SR4IRError, user_errors

EXPECTED = {'train': 8144, 'val': 8041, 'classes': 196}
SPLITS = dict(train='train', test='val', val='val')
SUFFIXES = ('.jpg', '.jpeg', '.png')


def count(root: Path) -> Counts:
    """Count the images of each split, and the classes that both have."""
    train, val = (
        [path for path in (root / split).glob('*/*') if path.suffix.lower() in SUFFIXES] for split in ('train', 'val')
    )
    classes = {path.parent.name for path in train} & {path.parent.name for path in val}
    return {'train': len(train), 'val': len(val), 'classes': len(classes)}


def plan(sources: list[Path]) -> Plan:
    """Verify the sources and say where each of their images goes.

    Raises:
        SR4IRError: If a source is damaged, or the images have no labels.
    """
    listing = {source: verify(source) for source in sources}
    by_class = [(source, _sorted_already(names)) for source, names in listing.items()]
    if any(targets for _, targets in by_class):
        return by_class
    tables = {PurePosixPath(name).name: (source, name) for source in sources for name in listing[source]}
    labels = dict(_labels(tables))
    return [
        (source, {name: labels[key] for name in names if (key := '/'.join(PurePosixPath(name).parts[-2:])) in labels})
        for source, names in listing.items()
    ]


def _sorted_already(names: Counts) -> dict[str, str]:
    paths = {name: PurePosixPath(name) for name in names if name.lower().endswith(SUFFIXES)}
    return {
        name: f'{SPLITS[path.parts[-3]]}/{path.parts[-2]}/{path.name}'
        for name, path in paths.items()
        if len(path.parts) > 2 and path.parts[-3] in SPLITS
    }


def _labels(tables: dict[str, tuple[Path, str]]) -> Iterator[tuple[str, str]]:
    """Folder and name of each image, and its place in the data set."""
    # cars_annos.mat numbers the images of car_ims; copies with cars_train and cars_test have it too, to no use
    if {'cars_annos.mat', '000001.jpg'} <= tables.keys():
        mat = _load('cars_annos.mat', tables)
        for row in mat['annotations']:
            yield _place(row['relative_im_path'], 'val' if row['test'] else 'train', mat, row)
        return
    names = _load('cars_meta.mat', tables)
    for split, folder, table in (
        ('train', 'cars_train', 'cars_train_annos.mat'),
        ('val', 'cars_test', 'cars_test_annos_withlabels.mat'),
    ):
        for row in _load(table, tables)['annotations']:
            yield _place(f'{folder}/{row["fname"]}', split, names, row)


def _place(image: str, split: str, mat: dict, row: np.void) -> tuple[str, str]:
    folder = str(mat['class_names'][int(row['class']) - 1]).replace('/', '-')
    return image, f'{split}/{folder}/{PurePosixPath(image).name}'


def _load(table: str, tables: dict[str, tuple[Path, str]]) -> dict:
    if table not in tables:
        raise SR4IRError(
            f"There is no '{table}' in what was given, which tells the classes. Give either car_ims.tgz and "
            'cars_annos.mat; or cars_train.tgz, cars_test.tgz, car_devkit.tgz and cars_test_annos_withlabels.mat; '
            'or a copy with folders {train,test}/<class>.'
        )
    source, name = tables[table]
    data = next(entry.open().read() for entry in entries(source) if entry.name == name)
    try:
        mat = loadmat(BytesIO(data), squeeze_me=True)
        return {key: np.atleast_1d(mat[key]) for key in ('annotations', 'class_names') if key in mat}
    except ValueError as error:
        raise SR4IRError(f"'{table}' of '{source}' is damaged ({error}): download it again.") from error


def main() -> None:
    """Read the command line, unpack."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('sources', type=Path, nargs='+', help='archives, .mat files, folders')
    parser.add_argument('--out', type=Path, default=Path('data/stanford_cars'), help='default: %(default)s')
    args = parser.parse_args()
    arrange(args.out, lambda: plan(args.sources), count, EXPECTED)


if __name__ == '__main__':
    with user_errors():
        main()
