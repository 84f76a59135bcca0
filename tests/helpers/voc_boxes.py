"""Small detection data in PASCAL VOC's layout."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

#: a box is (name, xmin, ymin, xmax, ymax), as VOC counts: from 1, the last pixel included
Box = tuple[str, int, int, int, int]


def write_boxes(path: Path, size: tuple[int, int], boxes: Sequence[Box], difficult: bool = False) -> None:
    """Write an annotation file for an image of (height, width)."""
    objects = ''.join(
        f'<object><name>{name}</name><difficult>{int(difficult)}</difficult><bndbox><xmin>{x1}</xmin>'
        f'<ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>'
        for name, x1, y1, x2, y2 in boxes
    )
    height, width = size
    path.write_text(
        f'<annotation><size><width>{width}</width><height>{height}</height><depth>3</depth></size>{objects}'
        '</annotation>'
    )


def textured(size: tuple[int, int], boxes: Sequence[Box], seed: int = 0) -> np.ndarray:
    """Draw an H x W x 3 image with noise outside of the boxes and a color for each name inside."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 80, (*size, 3), dtype=np.uint8)
    for name, x1, y1, x2, y2 in boxes:
        image[y1 - 1 : y2, x1 - 1 : x2] = [len(name) * 25, 255 - len(name) * 20, 200]
    return image


def make_voc_boxes(
    root: Path, images: Sequence[tuple[tuple[int, int], Sequence[Box]]], difficult: bool = False
) -> Path:
    """Write images of (height, width) with these boxes, all of them for training and for validation."""
    for folder in ('JPEGImages', 'Annotations', 'ImageSets/Main'):
        (root / folder).mkdir(parents=True)
    for i, (size, boxes) in enumerate(images):
        cv2.imwrite(str(root / f'JPEGImages/{i}.jpg'), textured(size, boxes, i))
        write_boxes(root / f'Annotations/{i}.xml', size, boxes, difficult)
    for split in ('train', 'val'):
        (root / f'ImageSets/Main/{split}.txt').write_text('\n'.join(map(str, range(len(images)))))
    return root
