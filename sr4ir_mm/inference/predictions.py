"""Predictions of any task as files."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.structures import BaseDataElement, InstanceData, PixelData


def save(sample: BaseDataElement, stem: Path, classes: list[str] | None = None) -> None:
    """Write what T predicted: ``<stem>.json``, and maps of classes as ``<stem>_<field>.png`` of 8 or 16 bits.

    Args:
        sample (BaseDataElement): T's data sample; its fields 'pred_...' are written, but no logits.
        stem (Path): Path without suffix.
        classes (list[str], optional): Names of T's classes, by label.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    height, width = sample.metainfo['ori_shape']
    content: dict[str, Any] = dict(width=int(width), height=int(height))
    for name, field in sample.items():
        if not name.startswith('pred_'):
            continue
        if isinstance(field, PixelData):
            file = stem.with_name(f'{stem.name}_{name}.png')
            cv2.imwrite(str(file), _image(next(iter(field.values()))))
            content[name] = file.name
        else:
            content[name] = _plain(dict(field.items()) if isinstance(field, InstanceData) else field)
    if classes:
        content['classes'] = list(classes)
    stem.with_name(f'{stem.name}.json').write_text(json.dumps(content))


def _image(data: Any) -> np.ndarray:
    array = torch.as_tensor(data).squeeze(0).cpu().numpy()
    if np.issubdtype(array.dtype, np.floating):  # e.g. depth in meters: in millimetres, as is usual
        array = (array * 1000).round()
    return array.astype(np.uint8 if array.max() < 256 and array.min() >= 0 else np.uint16)


def _plain(value: Any) -> Any:
    """Numbers and lists; instance masks as COCO's run lengths."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    value = getattr(value, 'tensor', value)  # boxes of mmdet
    if isinstance(value, (torch.Tensor, np.ndarray)):
        array = np.asarray(torch.as_tensor(value).cpu())
        return [_run_lengths(mask) for mask in array] if array.dtype == bool and array.ndim == 3 else array.tolist()
    return value


def _run_lengths(mask: np.ndarray) -> dict:
    from pycocotools.mask import encode

    code = encode(np.asfortranarray(mask.astype(np.uint8)))
    return dict(code, counts=code['counts'].decode())
