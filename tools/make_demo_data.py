"""Make the data set of the demo, in PASCAL VOC layout: python tools/make_demo_data.py OUT/VOCdevkit/VOC2012

The images are scenes of 128 x 128 px with smooth shapes of random colors. The class of a shape is visible only in its
fine texture, a sum of one to four plane waves of about 3 px. Down-sampling x4 without antialiasing turns them into
other, coarser waves. An SR network (S) can learn to restore the texture from these; a small task network (T) on
bilinearly up-sampled images does not learn it in the same time.
"""

import xml.etree.ElementTree as ET
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from sr4ir_mm.config.cli import Parser
from sr4ir_mm.errors import user_errors
from sr4ir_mm.utils import check_number

CLASSES = ('background', 'stripes', 'weave', 'dots', 'grain')
PALETTE = ((0, 0, 0), (230, 75, 60), (60, 140, 230), (250, 200, 60), (90, 190, 90))
#: directions of the waves in degrees; a class has those of its tuple of indices, all shifted by a random index
DIRECTIONS = (-18.6, 18.6, 71.4, 108.6)
WAVES = {1: (0,), 2: (0, 2), 3: (0, 1), 4: (0, 1, 2, 3)}
SIZE, PERIOD, SHAPES = 128, 3.03, 5
YY, XX = np.mgrid[:SIZE, :SIZE].astype(np.float64)


def texture(rng: np.random.Generator, label: int) -> np.ndarray:
    """Draw the H x W texture of a class: waves of random phase, with zero mean and unit variance."""
    waves = np.array(WAVES[label])
    angles = rng.uniform(-0.06, 0.06) + np.deg2rad(DIRECTIONS)[(waves + rng.integers(4)) % 4]
    phases = rng.uniform(0, 2 * np.pi, len(waves))
    frequency = 2 * np.pi / (PERIOD * rng.uniform(0.98, 1.02))
    fields = (
        np.cos(frequency * (XX * np.cos(a) + YY * np.sin(a)) + phase) for a, phase in zip(angles, phases, strict=True)
    )
    return sum(fields) / np.sqrt(len(waves) / 2)


def paint(rng: np.random.Generator) -> np.ndarray:
    """Draw a surface, H x W x 3: a random color in [0, 1] under smooth light."""
    light = cv2.resize(rng.uniform(-1, 1, (4, 4)), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    return rng.uniform(0.3, 0.7, 3) + 0.1 * np.clip(light, -1, 1)[..., None]


def shape(rng: np.random.Generator) -> np.ndarray:
    """Draw the H x W mask of a random ellipse or polygon."""
    center, radii = rng.uniform(28, SIZE - 28, 2), rng.uniform(20, 34, 2)
    corners = (72, 4, 3, 5, 6)[rng.integers(5)]
    turns = (np.arange(corners) + rng.uniform()) * 2 * np.pi / corners
    points = center + radii * (1 if corners == 72 else 1.2) * np.stack([np.cos(turns), np.sin(turns)], 1)
    return cv2.fillPoly(np.zeros((SIZE, SIZE), np.uint8), [np.rint(points).astype(np.int32)], 1) > 0


def scene(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list]:
    """Draw a scene.

    Returns:
        tuple: The image (H x W x 3, uint8, RGB), its mask of classes (H x W, uint8), and for each visible shape
        (class, xmin, ymin, xmax, ymax) in pixels, from 0, both ends included.
    """
    labels = rng.integers(1, len(CLASSES), SHAPES)
    image, shapes = paint(rng), np.zeros((SIZE, SIZE), int)
    for i, label in enumerate(labels, 1):
        inside = shape(rng)
        contrast = rng.uniform(0.10, 0.16) * rng.uniform(0.8, 1.2, 3)
        image = np.where(inside[..., None], paint(rng) + texture(rng, label)[..., None] * contrast, image)
        shapes[inside] = i
    image = np.clip(image + rng.normal(0, 0.01, image.shape), 0, 1)
    boxes = []
    for i, label in enumerate(labels, 1):
        ys, xs = np.nonzero(shapes == i)
        if len(xs):
            boxes.append((CLASSES[label], xs.min(), ys.min(), xs.max(), ys.max()))
    return np.uint8(np.rint(image * 255)), np.uint8([0, *labels])[shapes], boxes


def annotation(name: str, boxes: list) -> ET.ElementTree:
    """Build the annotation of an image in PASCAL VOC's format: pixels count from 1, both ends are included."""
    root = ET.Element('annotation')
    ET.SubElement(root, 'filename').text = f'{name}.jpg'
    size = ET.SubElement(root, 'size')
    for key, value in (('width', SIZE), ('height', SIZE), ('depth', 3)):
        ET.SubElement(size, key).text = str(value)
    for label, *corners in boxes:
        item = ET.SubElement(root, 'object')
        for key, value in (('name', label), ('truncated', 0), ('difficult', 0)):
            ET.SubElement(item, key).text = str(value)
        box = ET.SubElement(item, 'bndbox')
        for key, value in zip(('xmin', 'ymin', 'xmax', 'ymax'), corners, strict=True):
            ET.SubElement(box, key).text = str(value + 1)
    return ET.ElementTree(root)


def save(out: Path, name: str, image: np.ndarray, mask: np.ndarray, boxes: list) -> None:
    """Write one image, its mask and its boxes."""
    # chroma subsampling would remove the texture
    Image.fromarray(image).save(out / 'JPEGImages' / f'{name}.jpg', quality=97, subsampling=0)
    labels = Image.fromarray(mask, mode='P')
    labels.putpalette(np.uint8(PALETTE).ravel().tolist())
    labels.save(out / 'SegmentationClass' / f'{name}.png')
    annotation(name, boxes).write(out / 'Annotations' / f'{name}.xml')


def make(out: Path, train: int = 192, val: int = 64, seed: int = 0) -> None:
    """Write the whole data set; equal arguments give equal bytes."""
    check_number('make_demo_data.py', low=1, whole=True, train=train, val=val)
    check_number('make_demo_data.py', low=0, whole=True, seed=seed)
    for folder in ('JPEGImages', 'SegmentationClass', 'Annotations', 'ImageSets/Segmentation', 'ImageSets/Main'):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for number, (split, count) in enumerate(dict(train=train, val=val).items()):
        rng = np.random.default_rng([seed, number])
        names = [f'{split}_{i:04d}' for i in range(count)]
        for name in names:
            save(out, name, *scene(rng))
        for kind in ('Segmentation', 'Main'):
            (out / 'ImageSets' / kind / f'{split}.txt').write_text('\n'.join(names) + '\n')
    print(f'{train} training and {val} validation images in {out}')


if __name__ == '__main__':
    parser = Parser(description=__doc__)
    parser.add_argument('out', type=Path)
    parser.add_argument('--train', type=int, default=192)
    parser.add_argument('--val', type=int, default=64)
    parser.add_argument('--seed', type=int, default=0)
    with user_errors():
        make(**vars(parser.parse_args()))
