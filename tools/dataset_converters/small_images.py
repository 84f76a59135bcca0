"""Scale images, masks and boxes of a data set down to a longest side of 320 px; smaller ones keep their size."""

import math
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
from PIL import Image

LONGEST = 320
Box = tuple[int, int, int, int]


def small_size(width: int, height: int) -> tuple[int, int]:
    """Return the width and height that an image gets, in pixels."""
    scale = min(1, LONGEST / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def small_image(data: bytes, box: Box | None = None) -> bytes:
    """Crop and scale an image file with Pillow's Lanczos filter and encode it as JPEG of quality 92.

    Args:
        data (bytes): Image file. It is returned as it is if it needs neither a crop nor a smaller size.
        box (tuple[int, int, int, int], optional): Left, top, right and bottom edge of the crop in pixels; parts outside
            the image are ignored.
    """
    with Image.open(BytesIO(data)) as image:
        if box is None and max(image.size) <= LONGEST:
            image.load()  # raises an error if the file is cut off
            return data
        image = image.convert('RGB')
    if box is not None:
        left, top, right, bottom = box
        image = image.crop((max(left, 0), max(top, 0), min(right, image.width), min(bottom, image.height)))
    return _encode(image.resize(small_size(*image.size), Image.Resampling.LANCZOS), 'JPEG', quality=92)


def small_mask(data: bytes) -> bytes:
    """Scale a mask file by nearest neighbor and encode it as 8-bit gray PNG, whose gray values are the class numbers.

    Raises:
        ValueError: If the file is neither a palette image nor an 8-bit gray image.
    """
    with Image.open(BytesIO(data)) as image:
        if image.mode not in ('P', 'L'):
            raise ValueError(f'its mode is {image.mode}, not P or L')
        labels = Image.fromarray(np.asarray(image))  # a palette image becomes an image of its indices
    return _encode(labels.resize(small_size(*labels.size), Image.Resampling.NEAREST), 'PNG')


def small_annotation(data: bytes) -> bytes:
    """Scale the image size and the boxes of a VOC annotation file.

    Boxes stay 1-based and include their last pixel. They are rounded outwards and clipped to the image. Body parts and
    points, which have coordinates too, are removed.
    """
    root = ElementTree.fromstring(data)
    size = root.find('size')
    old = int(size.findtext('width')), int(size.findtext('height'))
    new = small_size(*old)
    size.find('width').text, size.find('height').text = map(str, new)
    for thing in root.iter('object'):
        for extra in thing.findall('part') + thing.findall('point'):
            thing.remove(extra)
        for axis, before, after in zip('xy', old, new):
            low, high = (thing.find(f'bndbox/{axis}{end}') for end in ('min', 'max'))
            low.text = str(max(1, math.floor((float(low.text) - 1) * after / before) + 1))
            high.text = str(min(after, math.ceil(float(high.text) * after / before)))
    return ElementTree.tostring(root)


def _encode(image: Image.Image, format: str, **options: int) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()
