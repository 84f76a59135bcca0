"""The numbers of classes that the parts of a task network are made for."""

from collections.abc import Mapping, Sequence

from torch import nn

#: parts whose ``num_classes`` is another number: edge or not; maps of stuff; a copy of the head's
_OTHER = {'STDCHead', 'FusedSemanticHead', 'SCNetSemanticHead', 'CdnQueryGenerator'}
#: attributes of networks whose classes are given as text
_TEXT = ('language_model', 'text_encoder')


def wrong_heads(task: nn.Module, meta: Mapping) -> dict[str, tuple[int, int]]:
    """Compare all heads of a task network with the classes of a data set.

    Args:
        task (nn.Module): Task network.
        meta (Mapping): ``metainfo`` of the data set: ``classes``, and ``thing_classes`` and ``stuff_classes`` if it is
            panoptic.

    Returns:
        dict[str, tuple[int, int]]: Entry of the network's config -> its number and that of the data, where they differ.
    """
    if any(hasattr(task, name) for name in _TEXT):
        return {}
    wrong = {
        f'{name}.{option}'.lstrip('.'): numbers
        for name, part in task.named_modules()
        if _is_head(name, part)
        for option, numbers in _numbers(part, meta).items()
        if numbers[0] != numbers[1]
    }
    preprocessor = getattr(task, 'data_preprocessor', None)
    if getattr(preprocessor, 'to_onehot', False) and preprocessor.num_classes not in (None, len(meta['classes'])):
        wrong['data_preprocessor.num_classes'] = preprocessor.num_classes, len(meta['classes'])
    # a whole network repeats the numbers of its head
    return {key: numbers for key, numbers in wrong.items() if '.' in key} or wrong


def moved_names(task: nn.Module, classes: Sequence[str]) -> str:
    """Compare the names that the weights of a network of transformers are for with those of the data.

    Names that only one of them has say nothing, as they may be written in other ways.

    Args:
        task (nn.Module): Task network; ``class_names`` if it has them.
        classes (Sequence[str]): Names of the data.

    Returns:
        str: The first name that stands in another place, for a message; '' if there is none.
    """
    theirs, ours = (
        [str(name).strip().lower() for name in names] for names in (getattr(task, 'class_names', None) or (), classes)
    )
    for place, name in enumerate(ours):
        places = [i for i, other in enumerate(theirs) if other == name]
        if places and place not in places and len(theirs) == len(ours):
            return f"'{classes[place]}' is {place} in the data, and {places[0]} in the task network"
    return ''


def predicts_masks(task: nn.Module | None) -> bool:
    """Return whether a detector has a part for masks, by the names of the parts and of their classes."""
    names = (f'{name} {type(part).__name__}' for name, part in task.named_modules()) if task is not None else ()
    return any('mask' in name.lower() or 'Ins' in name for name in names)


def _is_head(name: str, part: nn.Module) -> bool:
    inside = name.split('.')
    return not (
        inside[0] == 'data_preprocessor'
        or (inside[0] == 'backbone' and len(inside) > 1)  # a classifier that the backbone does not use
        or any(step.startswith('rpn') for step in inside)
        or 'RPN' in type(part).__name__  # object or not, also where a network of proposals is all there is
        or type(part).__name__ in _OTHER
        or getattr(part, 'class_agnostic', False)
    )


def _numbers(part: nn.Module, meta: Mapping) -> dict[str, tuple[int, int]]:
    """Return the options of a part that are numbers of classes: what they are, and what they should be."""
    count = getattr(part, 'num_classes', None)
    if not isinstance(count, int) or count <= 0:
        return {}
    classes = len(meta['classes'])
    things, stuff = (len(meta[key]) if key in meta else None for key in ('thing_classes', 'stuff_classes'))
    # heads of mmseg that inherit from mmdet's keep the two defaults of mmdet
    if hasattr(part, 'num_things_classes') and not type(part).__module__.startswith('mmseg'):
        split = part.num_things_classes, part.num_stuff_classes
        if things is None or stuff is None:
            things, stuff = split if sum(split) == classes else (classes, 0)
        return dict(num_things_classes=(split[0], things), num_stuff_classes=(split[1], stuff))
    binary = classes == 2 and getattr(part, 'out_channels', None) == 1
    fits = count == things or (binary and count == 1)
    return dict(num_classes=(count, count if fits else classes if things is None else things))
