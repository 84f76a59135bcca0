"""Masks of two classes whose second one was written as 255, which is ignored."""

import os
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from ..errors import SR4IRError

_MASKS = 20  # that are read although they have the value 0 only


def check_binary(part: Any) -> None:
    """Check that one of two classes is not written as 255; most often the first mask tells, and no other is read.

    Args:
        part (BaseSegDataset): Data set with masks of two classes.

    Raises:
        SR4IRError: If all masks have only the values 0 and 255, and 255 is among those of the first ones.
    """
    if part.label_map is not None or getattr(part, 'reduce_zero_label', False):
        return
    seen: set[int] = set()
    for index in range(len(part)):
        path = part.get_data_info(index).get('seg_map_path')
        if not path or not os.path.isfile(path):
            return
        try:
            with Image.open(path) as image:
                seen.update(np.unique(np.asarray(image)).tolist())
        except (UnidentifiedImageError, OSError):
            return  # the pipeline will say so
        if not seen <= {0, 255} or (index >= _MASKS and 255 not in seen):
            return
    if 255 in seen:
        raise SR4IRError(
            f"The masks in '{os.path.dirname(path)}' have only the values 0 and 255, and 255 is ignored, so that the "
            f"class '{part.metainfo['classes'][1]}' would never be learned: write it as 1."
        )
