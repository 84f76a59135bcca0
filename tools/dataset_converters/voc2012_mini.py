"""Prepare 822 + 300 small images of PASCAL VOC 2012 from its official archive, or from the folder that voc2012.py made:

python tools/dataset_converters/voc2012_mini.py VOCtrainval_11-May-2012.tar
python tools/dataset_converters/voc2012_mini.py data/VOCdevkit/VOC2012

The training and validation images, for segmentation and detection, are listed in lists/voc2012_mini. All of them belong
to the official validation split of the segmentation task. The longest side of an image is at most 320 px; masks and boxes
are scaled with it. If the run is interrupted, repeat the command: it continues.
"""  # noqa: E501

from pathlib import Path, PurePosixPath

from archives import Part, below, lines, run_converter
from small_images import small_annotation, small_image, small_mask
from voc2012 import count

from sr4ir_mm.errors import user_errors

LISTS = Path(__file__).with_name('lists') / 'voc2012_mini'
CONVERTERS = dict(JPEGImages=small_image, SegmentationClass=small_mask, Annotations=small_annotation)
SOURCES = 'VOCtrainval_11-May-2012.tar, or a folder VOC2012'
EXPECTED = {
    'images': 1122,
    'segmentation train': 822,
    'segmentation val': 300,
    'detection train': 822,
    'detection val': 300,
}


def plan(source: Path) -> list[Part]:
    """Verify the archive and select the files of the listed images; both tasks get the same lists."""
    files = {f'{LISTS.name}/{split}.txt': f'{split}.txt' for split in ('train', 'val')}
    names = {name for file in files.values() for (name,) in lines(LISTS / file)}
    targets = {
        name: target
        for name, target in below(source, 'VOC2012').targets.items()
        if (path := PurePosixPath(target)).parts[0] in CONVERTERS and path.stem in names
    }
    return [
        Part(source, targets, convert),
        *(
            Part(LISTS, {name: f'ImageSets/{task}/{file}' for name, file in files.items()})
            for task in ('Segmentation', 'Main')
        ),
    ]


def convert(target: str, data: bytes) -> bytes:
    """Scale an image, a mask or an annotation file; the folder of its target tells which."""
    return CONVERTERS[PurePosixPath(target).parts[0]](data)


def main() -> None:
    """Read the command line and make the data set."""
    run_converter(
        __doc__, 'VOCtrainval_11-May-2012.tar, or a folder VOC2012', 'data/voc2012_mini', plan, count, EXPECTED
    )


if __name__ == '__main__':
    with user_errors():
        main()
