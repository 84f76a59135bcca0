"""Prepare Stanford Cars as {train,val}/<class>/<image>; val is the official test split. Give one of these sets of files:

python tools/dataset_converters/stanford_cars.py cars_train.tgz cars_test.tgz car_devkit.tgz cars_test_annos_withlabels.mat
python tools/dataset_converters/stanford_cars.py car_ims.tgz cars_annos.mat
python tools/dataset_converters/stanford_cars.py archive.zip

The last one is a copy that is sorted by class already, {train,test}/<class>/<image> in any folder, packed or not. A .zip
of cars_train and cars_test also needs car_devkit.tgz and cars_test_annos_withlabels.mat. Images are not cropped. A '/' in
a class name becomes '-', as in the sorted copies, because the order of the folder names defines the class numbers. If the
run is interrupted, repeat the command: it continues.
"""  # noqa: E501

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath

import numpy as np
from archives import Counts, Part, entries, readable, run_converter, verify
from scipy.io import loadmat

from sr4ir_mm.errors import SR4IRError, user_errors

SOURCES = 'archives, .mat files, folders'
EXPECTED = {'train': 8144, 'val': 8041, 'classes': 196}
SPLITS = dict(train='train', test='val', val='val')
SUFFIXES = ('.jpg', '.jpeg', '.png')
NEEDED = (
    'car_ims.tgz and cars_annos.mat; or cars_train.tgz, cars_test.tgz, car_devkit.tgz and '
    'cars_test_annos_withlabels.mat; or a copy with folders {train,test}/<class>'
)
Tables = dict[str, tuple[Path, str]]  # file name -> source and name in it


def count(root: Path) -> Counts:
    """Count the images of each split and the classes that both splits have."""
    train, val = (
        [path for path in (root / split).glob('*/*') if path.suffix.lower() in SUFFIXES] for split in ('train', 'val')
    )
    classes = {path.parent.name for path in train} & {path.parent.name for path in val}
    return {'train': len(train), 'val': len(val), 'classes': len(classes)}


def plan(*sources: Path) -> list[Part]:
    """Verify the sources and find the target of each image.

    Raises:
        SR4IRError: If a source is damaged or the labels are missing.
    """
    listing = {source: verify(source) for source in sources}
    by_class = [Part(source, _sorted_already(names)) for source, names in listing.items()]
    if any(part.targets for part in by_class):
        return by_class
    labels = dict(_labels(find_files(listing)))
    return [
        Part(
            source, {name: labels[key] for name in names if (key := '/'.join(PurePosixPath(name).parts[-2:])) in labels}
        )
        for source, names in listing.items()
    ]


def find_files(listing: dict[Path, Counts]) -> Tables:
    """Return the source of each file, and the name in that source, by the file's own name."""
    return {PurePosixPath(name).name: (source, name) for source, names in listing.items() for name in names}


def _sorted_already(names: Counts) -> dict[str, str]:
    paths = {name: PurePosixPath(name) for name in names if name.lower().endswith(SUFFIXES)}
    return {
        name: f'{SPLITS[path.parts[-3]]}/{path.parts[-2]}/{path.name}'
        for name, path in paths.items()
        if len(path.parts) > 2 and path.parts[-3] in SPLITS
    }


def _labels(tables: Tables) -> Iterator[tuple[str, str]]:
    """Yield the folder and name of each image, and its target."""
    # cars_annos.mat numbers the images of car_ims; copies of cars_train and cars_test may hold it too, but do not fit
    if {'cars_annos.mat', '000001.jpg'} <= tables.keys():
        fields = dict(relative_im_path=str, test=int)
        mat = load_table('cars_annos.mat', tables, NEEDED, names=True, **fields, **{'class': int})
        for row in mat['annotations']:
            yield _target(row['relative_im_path'], 'val' if row['test'] else 'train', mat['class_names'], row)
        return
    names = load_table('cars_meta.mat', tables, NEEDED, names=True)['class_names']
    for split, folder, table in (
        ('train', 'cars_train', 'cars_train_annos.mat'),
        ('val', 'cars_test', 'cars_test_annos_withlabels.mat'),
    ):
        for row in load_table(table, tables, NEEDED, fname=str, **{'class': int})['annotations']:
            yield _target(f'{folder}/{row["fname"]}', split, names, row)


def _target(image: str, split: str, names: np.ndarray, row: np.void) -> tuple[str, str]:
    number = int(row['class'])
    if not 1 <= number <= len(names):
        raise SR4IRError(
            f"The labels give '{image}' the class {number}, but there are names of {len(names)} classes: give the "
            'files of one release.'
        )
    folder = str(names[number - 1]).replace('/', '-')
    return image, f'{split}/{folder}/{PurePosixPath(image).name}'


def load_table(table: str, tables: Tables, needed: str, names: bool = False, **fields: type) -> dict[str, np.ndarray]:
    """Read a .mat file with labels.

    Args:
        table (str): Name of the file.
        tables (dict): Source of each file, see :func:`find_files`.
        needed (str): Files that are needed, for the message if this one is missing.
        names (bool): Whether it has the names of the classes.
        **fields (type): Fields that each annotation has, and what they are: str or int.

    Returns:
        dict[str, np.ndarray]: 'annotations' if there are fields, and 'class_names' if there are names.

    Raises:
        SR4IRError: If the file is missing, damaged or another one.
    """
    if table not in tables:
        given = ', '.join(f"'{source}'" for source in sorted({source for source, _ in tables.values()}))
        raise SR4IRError(f"'{table}', which holds labels, is missing in {given or 'the given files'}. Give {needed}.")
    source, name = tables[table]
    with readable(source):
        data = next(entry.open().read() for entry in entries(source) if entry.name == name)
    try:
        mat = loadmat(BytesIO(data), squeeze_me=True)
        for row in np.atleast_1d(mat['annotations']) if fields else ():
            for field, kind in fields.items():
                kind(row[field])
        return {key: np.atleast_1d(mat[key]) for key in ['annotations'] * bool(fields) + ['class_names'] * names}
    except Exception as error:  # scipy's reader and wrong contents raise a dozen kinds, none with the name of the file
        raise SR4IRError(
            f"'{table}' of '{source}' is damaged or another file ({type(error).__name__}: {error}). Please download it "
            'again.'
        ) from error


def main() -> None:
    """Read the command line and make the data set."""
    run_converter(__doc__, 'archives, .mat files, folders', 'data/stanford_cars', plan, count, EXPECTED, several=True)


if __name__ == '__main__':
    with user_errors():
        main()
