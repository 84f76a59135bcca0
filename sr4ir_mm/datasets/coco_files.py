"""COCO files: checks of their content while mmdet reads them, for data sets and evaluators."""

import logging
import sys
from functools import wraps
from typing import Any

from mmengine.logging import print_log

from ..errors import SR4IRError

_KEYS = dict(
    images=('id', 'file_name', 'width', 'height'),
    categories=('id', 'name'),
    annotations=('id', 'image_id', 'category_id', 'bbox', 'area'),
)
_PANOPTIC = ('image_id', 'file_name', 'segments_info')
_categories: dict[str, dict[int, str]] = {}


def read_categories(path: str) -> dict[int, str]:
    """Return the ids and names of the categories of a file that mmdet has read; none of another file."""
    return _categories.get(path, {})


def watch_coco_files() -> None:
    """Let mmdet's readers of COCO files check what they read, once mmdet is imported."""
    module = sys.modules.get('mmdet.datasets.api_wrappers.coco_api')
    if module is None or hasattr(module.COCO.__init__, '__wrapped__'):
        return
    module.COCO.__init__ = _with_path(module.COCO.__init__)
    for reader in module.COCO, module.COCOPanoptic:
        reader.createIndex = _with_check(reader.createIndex)


def check_content(content: dict, path: str) -> None:
    """Check that a COCO file is complete, and that its parts belong together.

    Raises:
        SR4IRError: If a list or a key is missing, an image has no size, two images or categories have one id, an object
            is of an unknown category, or all are of other images. Objects that mmdet ignores are counted in a warning.
    """
    for kind in _KEYS:
        if kind != 'annotations' or kind in content:  # images to test on have none
            _check_entries(content.get(kind), kind, path)
    for kind in ('images', 'categories'):
        if len({entry['id'] for entry in content[kind]}) < len(content[kind]):
            raise SR4IRError(f"'{path}' has several {kind} of one id: give each an id of its own.")
    for image in content['images']:
        size = image['width'], image['height']
        if not all(isinstance(side, (int, float)) and side > 0 for side in size):
            raise SR4IRError(f"'{path}' gives the size of '{image['file_name']}' as {size[0]} x {size[1]}: correct it.")
    for category in content['categories']:
        if not isinstance(category['name'], str):
            raise SR4IRError(f"'{path}' has a category of the name {category['name']}, a number: write it in quotes.")
    _check_references(content, path)


def check_evaluated(reader: Any, masks: bool) -> None:
    """Check what COCO's evaluation needs in addition.

    Args:
        reader (COCO): mmdet's reader, which has read the file.
        masks (bool): Whether masks are evaluated.

    Raises:
        SR4IRError: If a key is missing.
    """
    path, entries = getattr(reader, 'path', None), reader.dataset.get('annotations')
    keys = ('iscrowd', 'segmentation') if masks else ('iscrowd',)
    if entries is None:
        raise SR4IRError(f"'{path}' has no list of annotations, which the evaluation needs: name another ann_file.")
    for number, entry in enumerate(entries):
        for key in keys:
            if key not in entry or (key == 'segmentation' and not entry[key]):
                raise SR4IRError(
                    f"'{path}': annotations[{number}] (id {entry.get('id')}) has no '{key}', which COCO's evaluation "
                    'needs: add it.'
                )


def _check_entries(entries: Any, kind: str, path: str) -> None:
    if not isinstance(entries, list):
        raise SR4IRError(f"'{path}' has no list of {kind}: it is no complete COCO file.")
    panoptic = kind == 'annotations' and entries and isinstance(entries[0], dict) and 'segments_info' in entries[0]
    keys = _PANOPTIC if panoptic else _KEYS[kind]
    needed = set(keys)
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise SR4IRError(f"'{path}': {kind}[{number}] is {entry!r}, not a dict with {', '.join(keys)}.")
        if not needed <= entry.keys():
            key = next(key for key in keys if key not in entry)
            raise SR4IRError(f"'{path}': {kind}[{number}] (id {entry.get('id')}) has no '{key}': add it.")


def _check_references(content: dict, path: str) -> None:
    entries = content.get('annotations') or []
    panoptic = bool(entries) and 'segments_info' in entries[0]
    objects = [segment for entry in entries for segment in entry['segments_info']] if panoptic else entries
    categories = {category['id'] for category in content['categories']}
    if unknown := {entry.get('category_id') for entry in objects} - categories:
        number = sum(entry.get('category_id') in unknown for entry in objects)
        raise SR4IRError(
            f"'{path}' has {number} objects of a category that it does not list (id {min(unknown, key=str)}), and they "
            'would be ignored: add it to the categories, or remove the objects.'
        )
    images = {image['id'] for image in content['images']}
    lost = sum(entry['image_id'] not in images for entry in entries)
    if images and 0 < lost == len(entries):
        raise SR4IRError(f"'{path}': all annotations are of images that it does not list: correct their image_id.")
    flat = 0 if panoptic else sum(entry['area'] <= 0 for entry in entries)
    for number, what in ((lost, 'are of images that it does not list'), (flat, 'have the area 0')):
        if number:
            print_log(f"'{path}': {number} annotations {what}, and are ignored", 'current', logging.WARNING)


def _with_path(init: Any) -> Any:
    @wraps(init)
    def wrapper(self: Any, annotation_file: str | None = None, **kwargs: Any) -> None:
        self.path = annotation_file
        try:
            init(self, annotation_file, **kwargs)
        except ValueError as error:
            if isinstance(error, SR4IRError):
                raise
            raise SR4IRError(f"'{annotation_file}' is no JSON, or cut off ({error}): replace it.") from error

    return wrapper


def _with_check(create_index: Any) -> Any:
    @wraps(create_index)
    def wrapper(self: Any) -> None:
        if self.path is not None:  # else it holds no file
            check_content(self.dataset, self.path)
            _categories[self.path] = {entry['id']: entry['name'] for entry in self.dataset['categories']}
        create_index(self)

    return wrapper
