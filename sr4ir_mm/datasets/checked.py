"""Data sets that are checked when they are built, whatever builds them."""

import os
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from mmengine.dataset import BaseDataset
from mmengine.registry import Registry, build_from_cfg
from torch.utils.data import Dataset

from ..errors import SR4IRError
from ..transforms.checked_steps import add_checks
from .binary_masks import check_binary
from .class_names import check_names, class_names, parts, source_of, with_nearest
from .coco_files import watch_coco_files


def build_checked(cfg: dict, *args: Any, registry: Registry, **kwargs: Any) -> Dataset:
    """Build a data set and check its files; MMEngine's registry calls it for each data set of a run.

    Raises:
        SR4IRError: If the files cannot be read, contain no sample, or do not fit the names of the classes.
    """
    _check_classes(cfg)
    watch_coco_files()
    with _explained(cfg):
        dataset = build_from_cfg(cfg, *args, registry=registry, **kwargs)
    for part in parts(dataset):
        if getattr(part, '_fully_initialized', False):
            check_part(part)
        elif hasattr(part, 'full_init'):  # with lazy_init, the Runner reads the files later
            part.full_init = partial(_read_later, part, cfg)
    return dataset


def check_part(part: Dataset) -> None:
    """Check a data set that reads files, and let its pipeline check images, masks and labels."""
    if vars(part).get('is_checked'):  # before it was wrapped
        return
    check_names(part)
    if len(part) == 0:
        raise SR4IRError(_explain_empty(part))
    if ignores_255(part) and len(class_names(part)) == 2:
        check_binary(part)
    _check_pipeline(part, part.pipeline)
    part.is_checked = True


def _check_pipeline(part: Dataset, pipeline: Any) -> None:
    add_checks(
        getattr(pipeline, 'transforms', []), classes=len(class_names(part)), semantic=_is_semantic(part),
        ignored={255, getattr(part, 'ignore_index', 255)}, source=source_of(part),
    )  # fmt: skip


def _set(part: BaseDataset, name: str, value: Any) -> None:
    """Set an attribute; hooks of the zoos replace the pipeline in a training (PipelineSwitchHook, SwitchRecipeHook)."""
    object.__setattr__(part, name, value)
    if name == 'pipeline' and vars(part).get('is_checked'):
        _check_pipeline(part, value)


BaseDataset.__setattr__ = _set


def ignores_255(part: Dataset) -> bool:
    """Return whether a data set has masks of its classes in which 255, and no other value, is ignored."""
    return _is_semantic(part) and bool(class_names(part)) and getattr(part, 'ignore_index', 255) == 255


def _is_semantic(part: Dataset) -> bool:
    return 'BaseSegDataset' in {base.__name__ for base in type(part).__mro__}  # mmseg's and mmdet's


def _read_later(part: Any, cfg: dict) -> None:
    """Read the files of a data set as its class does, and check them."""
    del part.full_init
    with _explained(cfg):
        part.full_init()
    check_part(part)


@contextmanager
def _explained(cfg: dict) -> Iterator[None]:
    """Turn what the reader of any kind of files raises, most without the name of the file, into one message."""
    try:
        yield
    except SR4IRError:
        raise
    except Exception as error:
        part = _unfinished(error)
        if 'at least one array' in str(error) and isinstance(part, Dataset):  # MMEngine serializes no empty list
            part.serialize_data = False
            part.full_init()
            check_part(part)  # which says why it is empty
        raise SR4IRError(_explain(cfg, error, part)) from error


def _check_classes(cfg: dict) -> None:
    """Check that the config gives a list of different names, or the file of one."""
    for classes in _metainfo(cfg).get('classes'), cfg.get('classes'):
        kind = f'The classes of {_name(cfg)} are'
        if isinstance(classes, str) and not os.path.isfile(os.path.expanduser(classes)):
            raise SR4IRError(
                f"{kind} the text '{classes}', not a list of names: a tuple of one name needs a comma, "
                f"classes=('{classes}',)."
            )
        if classes is None or isinstance(classes, str):
            continue
        if not isinstance(classes, (list, tuple)) or not classes or not all(isinstance(name, str) for name in classes):
            raise SR4IRError(f'{kind} {classes!r}, not a list of names: set metainfo=dict(classes=(...)).')
        if twice := [name for name, number in Counter(classes).items() if number > 1]:
            raise SR4IRError(f"{kind} not all different: '{twice[0]}' occurs twice. Give each class a name of its own.")


def _metainfo(cfg: dict) -> Mapping:
    found = cfg.get('metainfo')
    return found if isinstance(found, Mapping) else {}  # the data set has a message for the rest


def _name(cfg: dict) -> str:
    kind, paths = cfg.get('type'), (cfg.get('data_root'), cfg.get('ann_file'))
    # a data set may have entries of other types by these names
    path = os.path.join(*(path if isinstance(path, (str, os.PathLike)) else '' for path in paths))
    return f"the data set {getattr(kind, '__name__', kind)} of '{path}'"


def _explain(cfg: dict, error: Exception, part: Any) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f'{os.path.basename(frame.filename)}, line {frame.lineno}'
    reason = f'{type(error).__name__}: {str(error) or frame.line} ({place})'
    classes, known = _metainfo(cfg).get('classes') or (), getattr(part, 'METAINFO', {})
    names = known.get('classes', ())
    if 'subset of classes' in str(error) and (unknown := [name for name in classes if name not in names]):
        reason = f'it has no class {with_nearest(unknown, names)}, but {", ".join(names)}'
    if 'palette does not match' in str(error):
        colors = len(_metainfo(cfg).get('palette') or known.get('palette', ()))
        reason = f'it has {len(classes)} classes, but {colors} colors in its palette; a palette can be left out'
    return f'T{_name(cfg)[1:]} cannot be built: {reason}. Correct the file or the entries of the data set.'


def _unfinished(error: Exception) -> Any:
    """Return the data set, or its class, in whose code an error was raised."""
    frames = [frame.f_locals for frame, _ in traceback.walk_tb(error.__traceback__)]
    owners = [frame.get(name) for frame in frames for name in ('self', 'cls')]
    return next((owner for owner in reversed(owners) if hasattr(owner, 'METAINFO')), None)


def _explain_empty(part: Any) -> str:
    folder, suffix = (getattr(part, 'data_prefix', None) or {}).get('img_path'), getattr(part, 'img_suffix', None)
    name = f"The data set {type(part).__name__} of '{source_of(part)}'"
    if suffix and not part.ann_file and os.path.isdir(folder):
        found = Counter(os.path.splitext(file)[1] for _, _, files in os.walk(folder) for file in files)
        others = ', '.join(f"{number} with '{other}'" for other, number in found.most_common(3)) or 'no other files'
        return f"{name} has no image with the suffix '{suffix}', but {others}: set img_suffix."
    return (
        f'{name} has no image left: the list of images or annotations is empty, or filter_cfg leaves out all images, '
        'such as those without a box.'
    )
