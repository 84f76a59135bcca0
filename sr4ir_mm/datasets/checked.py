"""Data sets that are checked when they are built, whatever builds them."""

import json
import os
import traceback
from collections import Counter
from typing import Any

from mmengine.registry import Registry, build_from_cfg
from torch.utils.data import Dataset

from ..errors import SR4IRError
from ..transforms.checked_steps import add_checks
from .class_names import check_names, class_names, parts, with_nearest

#: what mmdet and COCO's evaluation read of each entry
COCO_KEYS = dict(
    images=('id', 'file_name', 'width', 'height'),
    annotations=('id', 'image_id', 'category_id', 'bbox', 'area', 'iscrowd'),
    categories=('id', 'name'),
)


def build_checked(cfg: dict, *args: Any, registry: Registry, **kwargs: Any) -> Dataset:
    """Build a data set and check its files; MMEngine's registry calls it for each data set of a run.

    Raises:
        SR4IRError: If the files cannot be read, contain no sample, or do not fit the names of the classes.
    """
    _check_comma(cfg)
    try:
        dataset = _build(cfg, *args, registry=registry, **kwargs)
    except SR4IRError:
        raise
    except Exception as error:  # whatever the reader of a kind of files raises, most without the name of the file
        raise SR4IRError(_explain(cfg, error, registry)) from error
    for part in parts(dataset):
        if getattr(part, '_fully_initialized', False):
            check_part(part)
    return dataset


def check_part(part: Dataset) -> None:
    """Check a data set that reads files, and let its pipeline check images, masks and labels."""
    check_names(part)
    if len(part) == 0:
        raise SR4IRError(_explain_empty(part))
    bases = {base.__name__ for base in type(part).__mro__}
    ignored = {255, getattr(part, 'ignore_index', 255)}
    semantic = 'BaseSegDataset' in bases  # mmseg's and mmdet's
    add_checks(part.pipeline.transforms, classes=len(class_names(part)), ignored=ignored, semantic=semantic)


def find_incomplete(content: dict) -> str | None:
    """Return the first entry of a COCO file that lacks a key, with the key; None if all are complete."""
    for kind, keys in COCO_KEYS.items():
        for number, entry in enumerate(content.get(kind, ())):
            if absent := [key for key in keys if key not in entry]:
                return f"{kind}[{number}] (id {entry.get('id')}) has no '{absent[0]}'"
    return next((f"it has no '{kind}'" for kind in COCO_KEYS if kind not in content), None)


def _build(cfg: dict, *args: Any, **kwargs: Any) -> Dataset:
    try:
        return build_from_cfg(cfg, *args, **kwargs)
    except ValueError as error:
        if 'at least one array' not in str(error):
            raise
        # MMEngine cannot serialize an empty list; the data set itself tells why it is empty
        return build_from_cfg(dict(cfg, serialize_data=False), *args, **kwargs)


def _check_comma(cfg: dict) -> None:
    for classes in ((cfg.get('metainfo') or {}).get('classes'), cfg.get('classes')):
        if isinstance(classes, str) and not os.path.isfile(os.path.expanduser(classes)):
            raise SR4IRError(
                f"The classes of the data set {cfg.get('type')} are the text '{classes}', not a list of names: a tuple "
                f"of one name needs a comma, classes=('{classes}',)."
            )


def _explain(cfg: dict, error: Exception, registry: Registry) -> str:
    path = os.path.join(cfg.get('data_root') or '', cfg.get('ann_file') or '')
    frame = traceback.extract_tb(error.__traceback__)[-1]
    reason = (
        f'{type(error).__name__}: {str(error) or frame.line} ({os.path.basename(frame.filename)}, line {frame.lineno})'
    )
    if path.endswith('.json') and os.path.isfile(path):
        reason = _explain_json(path) or reason
    kind, classes = cfg.get('type'), (cfg.get('metainfo') or {}).get('classes') or ()
    with registry.switch_scope_and_registry(cfg.get('_scope_')) as library:
        found = library.get(kind) if isinstance(kind, str) else kind
    known = getattr(found, 'METAINFO', {}).get('classes', ())
    if 'subset of classes' in str(error) and (unknown := [name for name in classes if name not in known]):
        reason = f'it has no class {with_nearest(unknown, known)}, but {", ".join(known)}'
    name = f"The data set {getattr(kind, '__name__', kind)} of '{path}'"
    return f'{name} cannot be built: {reason}. Correct the file or the entries of the data set.'


def _explain_json(path: str) -> str | None:
    try:
        with open(path, encoding='utf-8') as file:
            content = json.load(file)
    except ValueError as error:
        return f'the file is no JSON, or cut off ({error})'
    return find_incomplete(content) if 'images' in content else None


def _explain_empty(part: Any) -> str:
    folder, suffix = (getattr(part, 'data_prefix', None) or {}).get('img_path'), getattr(part, 'img_suffix', None)
    name = f"The data set {type(part).__name__} of '{getattr(part, 'ann_file', '') or folder}'"
    if suffix and not part.ann_file and os.path.isdir(folder):
        found = Counter(os.path.splitext(file)[1] for _, _, files in os.walk(folder) for file in files)
        others = ', '.join(f"{number} with '{other}'" for other, number in found.most_common(3)) or 'no other files'
        return f"{name} has no image with the suffix '{suffix}', but {others}: set img_suffix."
    return f'{name} has no image left: the list is empty, or filter_cfg leaves out all images, as those without a box.'
