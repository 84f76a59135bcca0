"""Prepare PASCAL VOC 2012 (segmentation and detection) from its official archive:

python tools/dataset_converters/voc2012.py VOCtrainval_11-May-2012.tar

mmseg's PascalVOCDataset, mmdet's VOCDataset and mmpretrain's VOC read the result. If the run is interrupted, repeat the
command: it continues.
"""

from pathlib import Path

from archives import Counts, Part, below, lines, run_converter, stems

from sr4ir_mm.errors import user_errors

EXPECTED = {
    'images': 17125,
    'segmentation train': 1464,
    'segmentation val': 1449,
    'detection train': 5717,
    'detection val': 5823,
    'classes': 20,
}


def count(root: Path) -> Counts:
    """Count the images, the samples of each split that have an image and an annotation, and the classes."""
    images = stems(root / 'JPEGImages', '.jpg')
    annotations = dict(
        segmentation=('Segmentation', stems(root / 'SegmentationClass', '.png')),
        detection=('Main', stems(root / 'Annotations', '.xml')),
    )
    counts = {'images': len(images), 'classes': len(stems(root / 'ImageSets/Main', '_trainval.txt'))}
    for task, (folder, annotated) in annotations.items():
        for split in ('train', 'val'):
            names = {words[0] for words in lines(root / f'ImageSets/{folder}/{split}.txt')}
            counts[f'{task} {split}'] = len(names & images & annotated)
    return counts


def plan(archive: Path) -> list[Part]:
    """Plan to unpack the folder of the data set."""
    return [below(archive, 'VOC2012')]


def main() -> None:
    """Read the command line and make the data set."""
    run_converter(__doc__, 'VOCtrainval_11-May-2012.tar', 'data/VOCdevkit/VOC2012', plan, count, EXPECTED)


if __name__ == '__main__':
    with user_errors():
        main()
