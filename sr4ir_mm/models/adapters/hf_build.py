"""Networks of transformers from the name of a class and a config, with random weights."""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import nn

from ...errors import SR4IRError
from ..loads import first_few
from .hf_entries import check_parts, known_entries, plain
from .hf_files import class_of, tables_of, transformers


def check_source(name: str, node: dict) -> None:
    """Check that a config names a class of transformers or a folder, not both.

    Raises:
        SR4IRError: If it does not.
    """
    if bool(node.get('architecture')) == bool(node.get('pretrained')):
        raise SR4IRError(f'{name} takes an architecture with its config, or pretrained: give one of them.')


def config_class(architecture: str, mappings: Sequence[str | dict]) -> Any:
    """Return the config class of a network of transformers.

    Raises:
        SR4IRError: If transformers has no network of this name for the task.
    """
    entries = [entry for table in tables_of(mappings) for entry in table.values()]
    names = sorted({name for entry in entries for name in ([entry] if isinstance(entry, str) else entry)})
    if architecture not in names:
        raise SR4IRError(
            f"transformers has no network '{architecture}' for this task; choose one of {', '.join(names)}."
        )
    return class_of(architecture).config_class


def build_net(
    architecture: str, config: dict, num_classes: int, class_names: Sequence[str] | None, mappings: Sequence[str | dict]
) -> nn.Module:
    """Build a network of transformers for a task, with random weights.

    Raises:
        SR4IRError: If the class is unknown, its config does not have such an entry or value, or it needs more than
            images.
    """
    labels = dict(enumerate(class_names if class_names and len(class_names) == num_classes else ()))
    labels = labels or {i: f'LABEL_{i}' for i in range(num_classes)}
    numbers = {name: i for i, name in labels.items()}
    settings = build_config(architecture, config, mappings, id2label=labels, label2id=numbers)
    _check_inputs(architecture)
    if getattr(settings, 'is_training', False):
        raise SR4IRError(
            f'{architecture} with is_training=True also learns texts, which the data do not have. Write the folder '
            f'without them: {architecture}.from_pretrained(FOLDER, is_training=False).save_pretrained(FOLDER_2)'
        )
    for key in ('semantic_loss_ignore_index', 'loss_ignore_index'):
        if hasattr(settings, key):
            setattr(settings, key, 255)  # as in all data sets of the zoos
    return build_from(architecture, settings)


def build_config(architecture: str, config: dict, mappings: Sequence[str | dict], **labels: dict) -> Any:
    """Build the config of a network of transformers.

    Raises:
        SR4IRError: If the class is unknown, or its config does not have such an entry or value.
    """
    kind = config_class(architecture, mappings)
    config = {key: value for key, value in plain(config).items() if key != 'model_type'}
    if unknown := set(config) - known_entries(kind):
        raise SR4IRError(f"{kind.__name__} has no entry '{min(unknown)}': correct the config of {architecture}.")
    with _explained(architecture, config):
        settings = kind(**config, **labels)
    check_parts(settings, config)
    for key, value in vars(settings).items():
        if isinstance(value, tuple):  # as in files: backbones of ConvNeXt add lists to their defaults
            setattr(settings, key, list(value))
    return settings


def build_from(architecture: str, settings: Any) -> nn.Module:
    """Build a network of transformers from its config, with random weights."""
    with _explained(architecture):
        return getattr(transformers(), architecture)(settings)


@contextmanager
def _explained(architecture: str, config: dict | None = None) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # of many kinds, by each class
        reason = ' '.join(f'{type(error).__name__}: {error}'.split())
        for name, part in (config or {}).items():
            if isinstance(error, KeyError) and isinstance(part, dict) and part.get('model_type') in error.args:
                reason = f"{name} needs a model_type that transformers has, such as 'swin', not {error}"
        raise SR4IRError(f'{architecture} cannot be built from its config: {reason}') from error


def _check_inputs(architecture: str) -> None:
    """Check that a network of transformers takes images alone, or with the name of a task, and has a loss."""
    inputs = dict(inspect.signature(getattr(transformers(), architecture).forward).parameters)
    inputs = {name: entry for name, entry in inputs.items() if name not in ('self', 'args', 'kwargs')}
    needs = [name for name, entry in inputs.items() if entry.default is entry.empty and name != 'task_inputs']
    if 'pixel_values' not in inputs or 'input_ids' in inputs or len(needs) > 1:
        names = first_few(needs if len(needs) > 1 else inputs)
        raise SR4IRError(
            f'{architecture} takes {names}, but the task network receives images alone: choose another one.'
        )
    if not {'labels', 'mask_labels'} & set(inputs):
        raise SR4IRError(
            f'{architecture} of transformers has no loss, so it cannot be trained: choose another network.'
        )
