"""Prepare CUB-200-2011 from the official archive, or from a .zip of the same folder, for mmpretrain's CUB:

python tools/dataset_converters/cub200.py CUB_200_2011.tgz

If the run is interrupted, repeat the command: it continues.
"""

import argparse
from pathlib import Path

from archives import Counts, arrange, below, lines

from sr4ir_mm.errors import user_errors

EXPECTED = {'images': 11788, 'train': 5994, 'test': 5794, 'classes': 200}


def count(root: Path) -> Counts:
    """Count the existing images, those of each split, and the classes."""
    there = {number for number, name in lines(root / 'images.txt') if (root / 'images' / name).is_file()}
    splits = {number: is_train for number, is_train in lines(root / 'train_test_split.txt') if number in there}
    labels = {label for number, label in lines(root / 'image_class_labels.txt') if number in there}
    train = sum(is_train == '1' for is_train in splits.values())
    return {'images': len(there), 'train': train, 'test': len(splits) - train, 'classes': len(labels)}


def main() -> None:
    """Read the command line and unpack the archive."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('archive', type=Path, help='CUB_200_2011.tgz')
    parser.add_argument('--out', type=Path, default=Path('data/CUB_200_2011'), help='default: %(default)s')
    args = parser.parse_args()
    arrange(args.out, lambda: [below(args.archive, 'CUB_200_2011')], count, EXPECTED)


if __name__ == '__main__':
    with user_errors():
        main()
