"""Writing predictions of any task to files."""

import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.structures import BaseDataElement, InstanceData, PixelData

from ..utils import new_file, write_file, write_image


def save_images(images: Mapping[str, np.ndarray | None], folder: Path, name: str) -> None:
    """Write images as ``<folder>/<key>/<name>.png``.

    Args:
        images (Mapping[str, np.ndarray or None]): Images by subfolder, H x W x 3, uint8, RGB. None is skipped.
        folder (Path): Folder of all results.
        name (str): File name without suffix.
    """
    for subfolder, image in images.items():
        if image is not None:
            write_image(folder / subfolder / f'{name}.png', image)


def save_prediction(sample: BaseDataElement, stem: Path, classes: Sequence[str] | None = None) -> None:
    """Write predictions to ``<stem>.json``, and maps to ``<stem>_<field>.png`` of 8 or 16 bits.

    Maps of meters (depth) are written in millimeters. A map whose values do not fit into 16 bits, such as panoptic ids
    above 65,535, is an array of NumPy instead, ``<stem>_<field>.npy``, of the values themselves. Numbers that are not
    finite, which JSON cannot hold, are ``null``.

    Args:
        sample (BaseDataElement): Data sample of the task network. Its fields 'pred_...' are written, logits are not.
        stem (Path): Path without suffix.
        classes (Sequence[str], optional): Names of the classes, by label.
    """
    height, width = sample.metainfo['ori_shape']
    content: dict[str, Any] = dict(width=int(width), height=int(height))
    for name, field in sorted(sample.items()):  # MMEngine has them in an order that changes
        if not name.startswith('pred_'):
            continue
        if isinstance(field, PixelData):
            content[name] = _write_map(next(iter(field.values())), stem.with_name(f'{stem.name}_{name}'))
        else:
            content[name] = _to_json(dict(sorted(field.items())) if isinstance(field, InstanceData) else field)
    if classes:
        content['classes'] = list(classes)
    write_file(stem.with_name(f'{stem.name}.json'), json.dumps(content, allow_nan=False))


def to_row(sample: BaseDataElement, name: str, has_files: bool = True) -> dict:
    """Return predictions as one flat dict of what JSON can hold, for a line of a table.

    Args:
        sample (BaseDataElement): Data sample of the task network.
        name (str): Name of the image's results.
        has_files (bool): Whether a map is written to a file by :func:`save_prediction`.

    Returns:
        dict: ``width`` and ``height``; of objects ``bboxes``, ``scores``, ``labels``, ``masks`` (run lengths) as lists;
        other fields 'pred_...'; and of a map its file, ``preds/<name>_<field>.png``, or the content of that file.
    """
    height, width = sample.metainfo['ori_shape'][:2]
    row: dict[str, Any] = dict(width=int(width), height=int(height))
    for key, field in sorted(sample.items()):
        if isinstance(field, PixelData) and key.startswith('pred_'):
            levels, suffix = _levels(next(iter(field.values())))
            row[key] = f'preds/{name}_{key}{suffix}' if has_files else _encoded(levels, suffix)
        elif isinstance(field, InstanceData) and key.startswith('pred_'):
            values = dict(sorted(field.items()))
            if hasattr(values.get('masks'), 'bool'):  # those of scenes are run lengths
                values['masks'] = values['masks'].bool()
            row |= _to_json(values)
        elif key.startswith('pred_') and key.endswith('_file'):  # of a scene
            row[key.removesuffix('_file')] = str(PurePosixPath('preds', name).with_name(field))
        elif key.startswith('pred_'):
            row[key] = _to_json(field)
    return row


def _write_map(data: Any, stem: Path) -> str:
    levels, suffix = _levels(data)
    file = stem.with_name(f'{stem.name}{suffix}')
    if suffix == '.png':
        write_image(file, levels)
    else:
        with new_file(file) as path:
            np.save(path, levels)
    return file.name


def _encoded(levels: np.ndarray, suffix: str) -> bytes:
    if suffix == '.png':
        return cv2.imencode(suffix, levels)[1].tobytes()
    buffer = io.BytesIO()
    np.save(buffer, levels)
    return buffer.getvalue()


def _levels(data: Any) -> tuple[np.ndarray, str]:
    """Return what is written of a map, and the suffix of its file."""
    array = torch.as_tensor(data).cpu().numpy()
    array = array[0] if array.ndim == 3 and len(array) == 1 else array
    is_float = np.issubdtype(array.dtype, np.floating)
    levels = (array.astype(float) * 1000).round() if is_float else array  # millimeters, as is usual
    if array.ndim == 2 and np.isfinite(levels).all() and levels.min() >= 0 and levels.max() < 2**16:
        return levels.astype(np.uint8 if levels.max() < 2**8 else np.uint16), '.png'
    return array, '.npy'


def _to_json(value: Any) -> Any:
    """Convert to finite numbers, None and lists, and instance masks to COCO's run lengths."""
    if isinstance(value, dict):
        return {key: _to_json(entry) for key, entry in value.items()}
    value = getattr(value, 'tensor', value)  # boxes of mmdet
    if isinstance(value, (torch.Tensor, np.ndarray, np.generic)):
        array = np.asarray(torch.as_tensor(value).cpu())
        are_masks = array.dtype == bool and array.ndim == 3
        return [run_lengths(mask) for mask in array] if are_masks else _to_json(array.tolist())
    if isinstance(value, (list, tuple)):
        return [_to_json(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def run_lengths(mask: np.ndarray) -> dict:
    """Return a mask, H x W, in the form of COCO's annotations."""
    from pycocotools.mask import encode  # installed with mmdet

    code = encode(np.asfortranarray(mask.astype(np.uint8)))
    return dict(code, counts=code['counts'].decode())


def run_mask(code: dict) -> np.ndarray:
    """Return the mask, H x W, bool, of :func:`run_lengths`."""
    from pycocotools.mask import decode

    return decode(dict(code, counts=code['counts'].encode())).astype(bool)
