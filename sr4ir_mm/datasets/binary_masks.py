"""Masks whose second value was written as 255, which is ignored."""

import os
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from ..errors import SR4IRError
from .class_names import class_names

_MASKS = 20  # that are read although they have the value 0 only


def check_binary(part: Any) -> None:
    """Check that one of two classes is not written as 255, in data for a training or a test.

    Args:
        part (BaseSegDataset): Data set with masks of two classes.

    Raises:
        SR4IRError: If all masks together have the values 0 and 255, and no other.
    """
    folder, seen = _values(part)
    if part.label_map is None and not getattr(part, 'reduce_zero_label', False) and seen == {0, 255}:
        raise SR4IRError(
            f"The masks in '{folder}' have only the values 0 and 255, and 255 is ignored, so that the class "
            f"'{class_names(part)[1]}' would never be learned: write it as 1."
        )


def check_learned(part: Any) -> None:
    """Check that there is something to learn; only masks of test data may be ignored as a whole.

    Args:
        part (BaseSegDataset): Data set of a training, with masks of any number of classes.

    Raises:
        SR4IRError: If all masks have only the values 0 and 255, and 255 is among those of the first ones.
    """
    folder, seen = _values(part)
    if 255 not in seen or seen - {0, 255}:
        return
    names = class_names(part)
    label = -1 if getattr(part, 'reduce_zero_label', False) else (part.label_map or {}).get(0, 0)
    learned = names[label] if 0 in seen and 0 <= label < len(names) else None
    remedy = 'write the number of its class instead of 255'
    if len(names) == 1:
        remedy = f"set metainfo.classes=('background', {names[0]!r}) and num_classes=2, and write 255 as 1"
    values, but = ' and '.join(map(str, sorted(seen))), f' but {learned!r}' if learned else ''
    raise SR4IRError(
        f"The masks in '{folder}' have only the values {values}, and 255 is ignored, so that no class{but} would be "
        f'learned: {remedy}.'
    )


def _values(part: Any) -> tuple[str, set[int]]:
    """Return the folder of the masks, and the values in as many of them as it takes to find another one than 0 and 255.

    Most often the first mask tells, and no other is read.
    """
    folder, seen = '', set()
    for index in range(len(part)):
        path = part.get_data_info(index).get('seg_map_path')
        if not path or not os.path.isfile(path):
            return folder, set()
        folder = os.path.dirname(path)
        try:
            with Image.open(path) as image:
                seen.update(np.unique(np.asarray(image)).tolist())
        except (UnidentifiedImageError, OSError):
            return folder, set()  # the pipeline will say so
        if not seen <= {0, 255} or (index >= _MASKS and 255 not in seen):
            break
    return folder, seen
