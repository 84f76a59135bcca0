"""Networks of transformers in configs: what a folder, here or on the hub, says about one."""

from collections.abc import Sequence
from importlib import import_module
from itertools import chain
from typing import Any

from mmengine import list_from_file
from mmengine.config import Config, ConfigDict

from ..errors import SR4IRError
from .arguments import find_class
from .channel_order import loads_rgb
from .folds import data_sets
from .nodes import all_dicts, type_name

#: adapters by the library whose data samples they take
ADAPTERS = dict(mmseg='HFSegmentor', mmpretrain='HFClassifier', mmdet='HFDetector')

_NORMALIZATION = ('mean', 'std', 'bgr_to_rgb', 'rgb_to_bgr', 'to_rgb')


def read_pretrained(cfg: Config) -> Config:
    """Replace the folders of transformers that a config names by what they hold, so that they can be lost.

    The entries of a ``data_preprocessor`` next to the task network, such as the size of crops, stay; its normalization
    becomes that of the folder.
    """
    model = cfg.get('model')
    for node in all_dicts([model]):
        if type_name(node.get('type', '')) not in (*ADAPTERS.values(), 'HFBackbone') or not node.get('pretrained'):
            continue
        adapter = getattr(import_module('sr4ir_mm.models'), type_name(node.type))
        owner = next((owner for owner in (model, cfg) if owner.get('data_preprocessor')), None)
        if owner and node in (model, model.get('task')) and not node.get('data_preprocessor'):
            node.data_preprocessor = _sizes(owner.pop('data_preprocessor'))
        found = ConfigDict(adapter.resolve(node.to_dict()))
        if any(node is net for net in (model, model.get('task'))) and reads_normalization(node):
            _keep_order(cfg, found, node)
        node.clear()
        node.update(found)
    return cfg


def reads_normalization(node: dict) -> bool:
    """Return whether a folder says how images are normalized for a network, because its config does not."""
    given = set(node.get('data_preprocessor') or {})
    is_ours = type_name(node.get('type', '')) in ADAPTERS.values()
    return is_ours and bool(node.get('pretrained')) and not {'mean', 'std'} <= given


def _keep_order(cfg: Config, found: ConfigDict, node: ConfigDict) -> None:
    """Give a network images in the channel order of its folder, also if the pipelines make RGB.

    Args:
        cfg (Config): The whole config.
        found (ConfigDict): Config of the network with what the folder says, which changes.
        node (ConfigDict): Its config as it was given. A channel order in it stays.

    Raises:
        SR4IRError: If ``model.channel_order`` is another one.
    """
    preprocessor, given = found.data_preprocessor, node.get('data_preprocessor') or {}
    flip = next(key for key in ('bgr_to_rgb', 'to_rgb') if key in preprocessor)
    if set(given) & {'bgr_to_rgb', 'rgb_to_bgr', 'to_rgb'}:
        return
    order = 'rgb' if preprocessor[flip] else 'bgr'
    is_whole = 'sr' in cfg.model
    if is_whole and cfg.model.get('channel_order') not in (None, order):
        raise SR4IRError(
            f"model.channel_order='{cfg.model.channel_order}', but '{node.pretrained}' is for {order.upper()}: leave "
            f'channel_order out, or set mean, std and {flip} of model.task.data_preprocessor, too.'
        )
    if loads_rgb(cfg):
        preprocessor[flip] = not preprocessor[flip]
        if is_whole:
            cfg.model.channel_order = order


def task_config(name: str, cfg: Config) -> dict:
    """Return the config of a network of transformers for the data of a config of a zoo.

    Args:
        name (str): Folder, or name on the Hugging Face Hub.
        cfg (Config): Config of a zoo, whose library says which adapter is meant. The classes are those of its training
            data if it names them, or those of its own network, or those that the data set itself has.

    Raises:
        SR4IRError: If they are unknown.
    """
    adapter = ADAPTERS.get(cfg.get('default_scope'))
    if adapter is None:
        raise SR4IRError(
            f"--task needs data for mmseg, mmdet or mmpretrain, and '{cfg.filename}' has "
            f'default_scope={cfg.get("default_scope")}.'
        )
    model = cfg.get('model') or {}
    if not (classes := _number_of_classes(cfg, model)):
        raise SR4IRError(
            f"'{cfg.filename}' does not say how many classes its data have: name them, "
            'train_dataloader.dataset.metainfo=dict(classes=(...)).'
        )
    sizes = _sizes(model.get('data_preprocessor') or cfg.get('data_preprocessor') or {})
    return dict(type=f'sr4ir_mm.{adapter}', pretrained=name, num_classes=classes, data_preprocessor=sizes)


def _number_of_classes(cfg: Config, model: dict) -> int | None:
    loader = cfg.get('train_dataloader') or {}
    named = (len(_names(node['classes'])) for node in all_dicts([loader]) if node.get('classes'))
    counts = (
        node['num_classes']
        for node in all_dicts([model])
        if isinstance(node.get('num_classes'), int) and 'type' in node and 'reprocessor' not in str(node['type'])
    )
    found = (_class_of(node, cfg.default_scope) for node in data_sets(loader.get('dataset') or {}))
    own = (len(kind.METAINFO['classes']) for kind in found if getattr(kind, 'METAINFO', {}).get('classes'))
    return next(chain(named, counts, own), None)


def _names(classes: Sequence[str] | str) -> Sequence[str]:
    """Return the names of classes, which may be the path of a file, as MMEngine reads it."""
    if not isinstance(classes, str):
        return classes
    try:
        return list_from_file(classes)
    except OSError as error:
        raise SR4IRError(f"classes='{classes}' of train_dataloader is no file that can be read: {error}") from error


def _class_of(dataset: dict, scope: str) -> Any:
    """Return the class of a data set, None if it has no type."""
    scope = dataset.get('_scope_', scope)
    found = find_class(['train_dataloader'], kind := dataset.get('type'), scope)
    if kind and found is None:
        raise SR4IRError(f"train_dataloader: '{kind}' is not a data set of {scope}: correct the name.")
    return found


def _sizes(preprocessor: dict) -> dict:
    """Return the entries of another network's data preprocessor, without its normalization."""
    return {key: value for key, value in dict(preprocessor).items() if key not in _NORMALIZATION}
