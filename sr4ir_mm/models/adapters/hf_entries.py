"""Entries of configs of transformers: those of a folder, some of them changed."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

from ...errors import SR4IRError

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

#: entries of a config.json that say nothing about the network
_NOT_OURS = {
    '_name_or_path', 'architectures', 'auto_map', 'dtype', 'id2label', 'label2id', 'model_type', 'num_labels',
    'torch_dtype', 'transformers_version', 'use_pretrained_backbone',
}  # fmt: skip
#: two entries that name the same stages
_STAGES = {'out_features', 'out_indices'}


def entries_of(config: PreTrainedConfig, changes: dict | None) -> dict[str, Any]:
    """Return the entries of a folder's config, some of them changed.

    Args:
        config (PreTrainedConfig): Config of the folder.
        changes (dict, optional): Entries that are other ones, at any depth, such as
            ``dict(backbone_config=dict(drop_path_rate=0.2))``.

    Raises:
        SR4IRError: If a part of the config, such as its ``backbone_config``, has no such entry.
    """
    changes = plain(changes or {})
    check_parts(config, changes)
    return change_entries(plain_config(config), changes)


def change_entries(entries: dict, changes: dict) -> dict:
    """Return the entries of a config with others, at any depth; a part of another ``model_type`` becomes a new one."""
    if len(_STAGES & set(changes)) == 1:
        entries = {key: value for key, value in entries.items() if key not in _STAGES}
    return entries | {
        key: change_entries(entries[key], value) if _is_same_part(entries.get(key), value) else value
        for key, value in changes.items()
    }


def plain_config(config: PreTrainedConfig) -> dict[str, Any]:
    """Return the entries of a config that differ from transformers' defaults, as what a config file can hold.

    Those of earlier releases, which files of the hub have, are left out: transformers has read them.
    """
    entries = json.loads(json.dumps(config.to_diff_dict(), default=str))
    return {key: value for key, value in _known(config, entries).items() if key not in _NOT_OURS}


def _known(config: PreTrainedConfig, entries: dict) -> dict[str, Any]:
    """Return those of the entries of a config, and of the configs in it, that its class reads."""
    names = known_entries(type(config)) | _NOT_OURS
    return {
        key: _known(part, value) if _is_part(part := getattr(config, key, None), value) else value
        for key, value in entries.items()
        if key in names
    }


def known_entries(kind: type[PreTrainedConfig]) -> set[str]:
    """Return the names of the entries that a config class reads."""
    return set(inspect.signature(kind).parameters) | set(kind.attribute_map) | _STAGES


def plain(node: Any) -> Any:
    """Return nested dicts and lists of a config as Python's own."""
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items()}
    return [plain(value) for value in node] if isinstance(node, (list, tuple)) else node


def check_parts(config: PreTrainedConfig, entries: dict) -> None:
    """Check the entries of configs in a config, where transformers takes any name without a word.

    Raises:
        SR4IRError: If one has no such entry.
    """
    for name, values in entries.items():
        part = getattr(config, name, None)
        if not _is_part(part, values):
            continue
        kind = type(part)
        if unknown := set(values) - known_entries(kind) - _NOT_OURS:
            raise SR4IRError(f"{kind.__name__} has no entry '{min(unknown)}': correct the config, {name}.")
        check_parts(part, values)


def _is_same_part(old: Any, new: Any) -> bool:
    """Return whether both are dicts of the same kind of network, or of none."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return False
    return new.get('model_type', old.get('model_type')) == old.get('model_type')


def _is_part(part: Any, entries: Any) -> bool:
    """Return whether entries are those of a config in a config, and of its kind of network."""
    return hasattr(part, 'model_type') and _is_same_part(dict(model_type=part.model_type), entries)
