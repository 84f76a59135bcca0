"""Prepare CUB-200-2011 from the official archive, or from a .zip of the same folder, for mmpretrain's CUB:

python tools/dataset_converters/cub200.py CUB_200_2011.tgz

If the run is interrupted, repeat the command: it continues.
"""

from pathlib import Path

from archives import Counts, Part, below, lines, run_converter

from sr4ir_mm.errors import user_errors

EXPECTED = {'images': 11788, 'train': 5994, 'test': 5794, 'classes': 200}


def count(root: Path) -> Counts:
    """Count the existing images, those of each split, and the classes."""
    there = {number for number, name in lines(root / 'images.txt', words=2) if (root / 'images' / name).is_file()}
    splits = {number: is_train for number, is_train in lines(root / 'train_test_split.txt', words=2) if number in there}
    labels = {label for number, label in lines(root / 'image_class_labels.txt', words=2) if number in there}
    train = sum(is_train == '1' for is_train in splits.values())
    return {'images': len(there), 'train': train, 'test': len(splits) - train, 'classes': len(labels)}


def plan(archive: Path) -> list[Part]:
    """Plan to unpack the folder of the data set."""
    return [below(archive, 'CUB_200_2011')]


def main() -> None:
    """Read the command line and make the data set."""
    run_converter(__doc__, 'CUB_200_2011.tgz', 'data/CUB_200_2011', plan, count, EXPECTED)


if __name__ == '__main__':
    with user_errors():
        main()
