"""The names of the classes of a data set, compared with the names in its files."""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any
from xml.etree import ElementTree

from torch.utils.data import Dataset

from ..errors import SR4IRError
from ..models.loads import first_few
from .coco_files import read_categories

_FIX = 'Labels follow these names: write them in metainfo=dict(classes=(...)) exactly as the data have them.'


def parts(dataset: Dataset) -> Iterator[Dataset]:
    """Yield the data sets that read files, from inside wrappers that concatenate, repeat, mix or split them."""
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    inner = [part for part in (inner.values() if isinstance(inner, dict) else inner) if isinstance(part, Dataset)]
    for part in inner:
        yield from parts(part)
    if not inner:
        yield dataset


def first_meta(meta: Any) -> dict:
    """Return the ``metainfo`` of a data set; mmdet's of several with different ones, such as palettes, is a list."""
    if isinstance(meta, list) and meta:
        meta = meta[0]
    return meta if isinstance(meta, dict) else {}


def class_names(dataset: Dataset) -> list[str]:
    """Return the names of the classes in the order of their labels.

    None if the data set does not know them, or if its labels are depth maps: NYU's classes are scenes.
    """
    classes = first_meta(getattr(dataset, 'metainfo', None)).get('classes')
    prefix = getattr(next(parts(dataset)), 'data_prefix', None)
    if not isinstance(classes, (list, tuple)) or (isinstance(prefix, dict) and 'depth_map_path' in prefix):
        return []
    return list(classes)


def label_names(dataset: Dataset) -> list[str]:
    """Return what the labels stand for in the files: the names of the folders, or else those of the classes."""
    folders = [name for part in parts(dataset) for name in getattr(part, 'folder_to_idx', None) or ()]
    return list(dict.fromkeys(folders)) or class_names(dataset)


def source_of(dataset: Dataset) -> str:
    """Return the list or the folder that a data set reads, for messages; of several, the first."""
    part = next(parts(dataset))
    prefix = getattr(part, 'data_prefix', None)
    folder = next(iter(prefix.values()), None) if isinstance(prefix, dict) else prefix
    return str(getattr(part, 'ann_file', None) or folder or getattr(part, 'data_root', None) or '')


def check_names(part: Dataset) -> None:
    """Compare the classes of a data set with the categories, folders or objects in its files.

    Raises:
        SR4IRError: If a class is not in the files, or the files number the classes in another order.
    """
    bases = {base.__name__ for base in type(part).__mro__}
    if not class_names(part):
        return
    if hasattr(part, 'cat_ids') and 'CocoDataset' in bases:
        _check_categories(part)
    elif getattr(part, 'folder_to_idx', None):
        _check_folders(list(part.folder_to_idx), class_names(part), part.img_prefix)
    elif 'XMLDataset' in bases and not part.test_mode:
        _check_objects(part)


def with_nearest(names: Sequence[str], known: Sequence[str]) -> str:
    """List names, each with the most similar one of the known names."""
    return ', '.join(
        f"'{name}'" + (f" (nearest: '{near}')" if (near := _nearest(name, known)) else '') for name in names
    )


def check_categories(
    categories: Sequence[str], classes: Sequence[str], path: str, used: Sequence[str] | None = None
) -> None:
    """Check that a COCO file has all classes, once each and in their order.

    Args:
        categories (Sequence[str]): Names of the categories of the file.
        classes (Sequence[str]): Names of the classes.
        path (str): Name of the file.
        used (Sequence[str], optional): Categories in the order of their labels; by default that of the file.

    Raises:
        SR4IRError: If it has not.
    """
    if missing := [name for name in classes if name not in categories]:
        raise SR4IRError(
            f"'{path}' has no category {with_nearest(missing, categories)}; its categories are "
            f'{first_few(categories, 20)}. {_FIX}'
        )
    used = list(used or [name for name in categories if name in classes])
    if twice := [name for name in classes if used.count(name) > 1]:
        raise SR4IRError(f"'{path}' lists the category '{twice[0]}' twice: give both another name, or join them.")
    if used != list(classes):
        raise SR4IRError(
            f"'{path}' numbers its categories in another order than metainfo.classes, and labels follow the file: "
            f'set metainfo=dict(classes={tuple(used)}).'
        )


def _check_categories(part: Any) -> None:
    classes, categories = class_names(part), read_categories(part.ann_file)
    if categories:
        used = [categories[id] for id in part.cat_ids]
        check_categories(list(categories.values()), classes, part.ann_file, used)
    if len(part.cat_ids) != len(classes):
        raise SR4IRError(f"'{part.ann_file}' has {len(part.cat_ids)} categories, but {len(classes)} classes. {_FIX}")


def _check_folders(folders: list[str], classes: list[str], root: str) -> None:
    """Check that no class resembles another folder than its own; both may be in two languages, or one a number."""
    plain = {name: re.sub(r'[\W_]', '', name.casefold()) for name in (*folders, *classes)}
    other = [(own, name) for own, name in zip(folders, classes) if not _same(plain[own], plain[name])]
    pairs = [(own, name) for own, name in other
             if _nearest(name, [own]) or any(_same(plain[folder], plain[name]) for folder in folders)]  # fmt: skip
    if pairs:
        texts = ', '.join(f"'{folder}' would be '{name}'" for folder, name in pairs[:5])
        raise SR4IRError(
            f"The folders in '{root}' are numbered in the order of their names, and metainfo.classes in another: "
            f'{texts}. Set metainfo=dict(classes={tuple(folders)}), or leave it out.'
        )


def _same(one: str, other: str) -> bool:
    return one == other or (len(one) > 2 and one in other) or (len(other) > 2 and other in one)  # crow, 001crow


def _check_objects(part: Any) -> None:
    """Check the names of the objects in VOC files, of as many files as it takes to find all classes."""
    classes, names, strange = class_names(part), set(), []
    for index in range(len(part)):
        path = part.get_data_info(index)['xml_path']
        root = ElementTree.parse(path).getroot()
        names.update(obj.findtext('name') for obj in root.iter('object'))
        strange += [path] if root.tag != 'annotation' else []
        if names.issuperset(classes):
            return
    if strange:
        raise SR4IRError(f"'{strange[0]}' is no annotation file of PASCAL VOC: replace it, or remove it from the list.")
    if not names:
        raise SR4IRError(f"The annotation files of '{part.ann_file}' hold no object: check the files and the list.")
    absent, others = [name for name in classes if name not in names], sorted(names - set(classes))
    wrong = [name for name in absent if _nearest(name, others)] or (absent if len(absent) == len(classes) else [])
    if others and wrong:
        raise SR4IRError(
            f"No object of '{part.ann_file}' is of the class {with_nearest(wrong, others)}; it has objects of other "
            f'names: {first_few(others, 20)}. {_FIX}'
        )


def _nearest(name: str, known: Sequence[str]) -> str | None:
    plain = {other.casefold(): other for other in known}
    found = get_close_matches(name.casefold(), plain, n=1, cutoff=0.6)
    return plain[found[0]] if found else None
