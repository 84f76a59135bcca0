"""Writing predictions of any task to files."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.structures import BaseDataElement, InstanceData, PixelData


def save_images(images: Mapping[str, np.ndarray | None], folder: Path, name: str) -> None:
    """Write images as ``<folder>/<key>/<name>.png``.

    Args:
        images (Mapping[str, np.ndarray or None]): Images by subfolder, H x W x 3, uint8, RGB. None is skipped.
        folder (Path): Folder of all results.
        name (str): File name without suffix.
    """
    for subfolder, image in images.items():
        if image is not None:
            (folder / subfolder).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / subfolder / f'{name}.png'), image[..., ::-1])


def save_prediction(sample: BaseDataElement, stem: Path, classes: Sequence[str] | None = None) -> None:
    """Write predictions to ``<stem>.json``, and maps of classes to ``<stem>_<field>.png`` of 8 or 16 bits.

    Args:
        sample (BaseDataElement): Data sample of the task network. Its fields 'pred_...' are written, logits are not.
        stem (Path): Path without suffix.
        classes (Sequence[str], optional): Names of the classes, by label.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    height, width = sample.metainfo['ori_shape']
    content: dict[str, Any] = dict(width=int(width), height=int(height))
    for name, field in sample.items():
        if not name.startswith('pred_'):
            continue
        if isinstance(field, PixelData):
            file = stem.with_name(f'{stem.name}_{name}.png')
            cv2.imwrite(str(file), _to_image(next(iter(field.values()))))
            content[name] = file.name
        else:
            content[name] = _to_json(dict(field.items()) if isinstance(field, InstanceData) else field)
    if classes:
        content['classes'] = list(classes)
    stem.with_name(f'{stem.name}.json').write_text(json.dumps(content))


def _to_image(data: Any) -> np.ndarray:
    array = torch.as_tensor(data).squeeze(0).cpu().numpy()
    if np.issubdtype(array.dtype, np.floating):  # e.g. depth in meters: written in millimeters, as is usual
        array = (array * 1000).round()
    return array.astype(np.uint8 if array.max() < 256 and array.min() >= 0 else np.uint16)


def _to_json(value: Any) -> Any:
    """Convert to numbers and lists, and instance masks to COCO's run lengths."""
    if isinstance(value, dict):
        return {key: _to_json(entry) for key, entry in value.items()}
    value = getattr(value, 'tensor', value)  # boxes of mmdet
    if isinstance(value, (torch.Tensor, np.ndarray)):
        array = np.asarray(torch.as_tensor(value).cpu())
        return [_run_lengths(mask) for mask in array] if array.dtype == bool and array.ndim == 3 else array.tolist()
    return value


def _run_lengths(mask: np.ndarray) -> dict:
    from pycocotools.mask import encode  # installed with mmdet

    code = encode(np.asfortranarray(mask.astype(np.uint8)))
    return dict(code, counts=code['counts'].decode())
