"""What a folder of transformers, here or on the hub, says about a network: class, config, normalization, weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from ...errors import SR4IRError
from .hf_entries import entries_of
from .hf_images import normalization_of

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

#: earlier releases have other image processors, and other names in some networks
_OLDEST = '5.0'
#: the first releases in which these networks have a loss without texts
_SINCE = {'OneFormerForUniversalSegmentation': '5.23'}
_IMAGES, _ADAPTER = 'preprocessor_config.json', 'adapter_config.json'
_OR_SET = ', or set mean, std and the channel order of model.task.data_preprocessor'
_OF_TRAINING = (
    ' To start from a checkpoint of a training here, name the network that this training had (--task, pretrained), and '
    "give it init_cfg=dict(type='Pretrained', checkpoint=FILE, prefix='task.'), or prefix='task.backbone.' if it is a "
    'backbone.'
)
_WEIGHTS = ('model.safetensors', 'pytorch_model.bin')
#: model types without an entry in transformers' list of image processors
_PROCESSORS = {
    'd_fine': 'RTDetrImageProcessor',
    'dab-detr': 'ConditionalDetrImageProcessor',
    'rt_detr_v2': 'RTDetrImageProcessor',
}


def transformers() -> ModuleType:
    """Import transformers, which takes seconds.

    Raises:
        SR4IRError: If the installed release, or PyTorch, is too old.
    """
    if Version(found := version('transformers')) < Version(_OLDEST):
        raise SR4IRError(
            f'Networks of transformers need its release {_OLDEST} or a later one, and {found} is installed: '
            "pip install 'sr4ir_mm[transformers]'"
        )
    import transformers as package

    if not package.is_torch_available():
        raise SR4IRError(f'transformers {found} does not work with PyTorch {version("torch")}: install a later one.')
    return package


def class_of(architecture: str) -> type:
    """Return a network's class.

    Raises:
        SR4IRError: If the installed release is too old for it.
    """
    kind, oldest = getattr(transformers(), architecture, None), _SINCE.get(architecture, _OLDEST)
    if kind is None or Version(version('transformers')) < Version(oldest):
        raise _needs_later(architecture)
    return kind


def _needs_later(what: str) -> SR4IRError:
    found = version('transformers')
    return SR4IRError(f'{what} needs a later release of transformers than {found}: pip install -U transformers')


def read_pretrained(
    name: str, mappings: Sequence[str | dict], normalized: bool, changes: dict | None = None
) -> dict[str, Any]:
    """Read a folder of transformers.

    Args:
        name (str): Folder, or name on the Hugging Face Hub.
        mappings (Sequence[str or dict]): Classes that are wanted, see :func:`architecture_of`.
        normalized (bool): Whether the normalization of the images is asked for.
        changes (dict, optional): Entries of the config that are other ones, at any depth.

    Returns:
        dict: ``architecture``, ``config``, ``labels`` (names of the classes by their numbers), ``num_classes``,
        ``normalization`` or None, and ``file`` of weights.

    Raises:
        SR4IRError: If a file is missing, it is no such network, its config has no such entry, or its weights cannot
            be read as they are.
    """
    config = _read_config(name)
    return dict(
        architecture=architecture_of(name, config, mappings),
        config=entries_of(config, changes),
        labels=dict(config.id2label),
        num_classes=config.num_labels,
        normalization=_read_normalization(name, config.model_type) if normalized else None,
        file=_weights_of(name),
    )


def _read_config(name: str) -> PreTrainedConfig:
    """Read the config of a network whose weights can be trained as they are."""
    package = transformers()
    if Path(name).exists() and not any((Path(name) / file).is_file() for file in ('config.json', _ADAPTER)):
        raise SR4IRError(
            f"'{name}': config.json is missing. Name a folder that save_pretrained of transformers wrote."
            + _OF_TRAINING * _is_of_training(Path(name))
        )
    with _explained(name, 'config.json'):
        if is_folder := Path(name).is_dir():
            _check_adapter(name)  # such a folder may have no config.json
        config = package.AutoConfig.from_pretrained(name, trust_remote_code=False)
        if not is_folder:
            _check_adapter(name)  # only now, because the hub may not answer, which takes half a minute
    if getattr(config, 'quantization_config', None):
        raise SR4IRError(
            f"'{name}' has quantized weights (quantization_config in config.json), which cannot be trained: name a "
            'folder with those that they were made of.'
        )
    return config


def _read_normalization(name: str, model_type: str) -> dict[str, Any]:
    """Read the normalization of the images."""
    # OneFormer's processor would download the names of classes, which nothing here reads
    without = dict(class_info_file=None) if model_type == 'oneformer' else {}
    with _explained(name, _IMAGES, ', which says how images are normalized', _OR_SET):
        processor = transformers().AutoImageProcessor.from_pretrained(name, trust_remote_code=False, **without)
        return normalization_of(processor)


def names_of(name: str, labels: dict[int, str]) -> list[str] | None:
    """Return the names of a network's outputs, None if it has no names of its own.

    Args:
        name (str): Folder, or name on the hub, for a message.
        labels (dict[int, str]): Names of the classes by their numbers, ``id2label``.

    Raises:
        SR4IRError: If the numbers are not those of the outputs, so that it is unknown what an output stands for.
    """
    numbers = sorted(labels)
    if numbers != list(range(len(numbers))):
        wrong = next(number for i, number in enumerate(numbers) if number != i)
        raise SR4IRError(
            f"'{name}' has {len(numbers)} classes, but id2label in its config.json has the number {wrong}, so that it "
            f'is unknown what its outputs stand for: number them from 0 to {len(numbers) - 1} there.'
        )
    names = [str(labels[number]) for number in numbers]
    return None if all(text == f'LABEL_{i}' for i, text in enumerate(names)) else names


def architecture_of(name: str, config: PreTrainedConfig, mappings: Sequence[str | dict]) -> str:
    """Return the class for a task that a config is for.

    Args:
        name (str): Name of the network in a message.
        config (PreTrainedConfig): Its config.
        mappings (Sequence[str or dict]): Classes by model types, or the name of such a table in
            ``transformers.models.auto.modeling_auto``, such as 'MODEL_FOR_OBJECT_DETECTION_MAPPING_NAMES'.

    Raises:
        SR4IRError: If transformers has no such class for networks of this kind, or it is one of images and texts.
    """
    tables = tables_of(mappings)
    entries = [table[config.model_type] for table in tables if config.model_type in table]
    found = [kind for entry in entries for kind in ([entry] if isinstance(entry, str) else entry)]
    own = next((kind for kind in config.architectures or () if kind in found), None)
    if own is None and hasattr(config, 'text_config'):
        raise SR4IRError(
            f"'{name}' is a network of images and texts ({config.model_type}), but the task network receives images "
            'alone: choose another one.'
        )
    if not found:
        kinds = ', '.join(sorted({key for table in tables for key in table}))
        raise SR4IRError(
            f"'{name}' is of the type '{config.model_type}', for which transformers has no network of this task: "
            f'choose one of {kinds}.'
        )
    return own or found[0]


def tables_of(mappings: Sequence[str | dict]) -> list[dict]:
    """Return tables of classes by model types, of which transformers' own are named."""
    auto = transformers().models.auto.modeling_auto
    return [getattr(auto, mapping) if isinstance(mapping, str) else mapping for mapping in mappings]


def processor_for(config: PreTrainedConfig) -> Any:
    """Build the image processor that transformers has for networks of this kind, with its defaults."""
    tf = transformers()
    names = tf.models.auto.image_processing_auto.IMAGE_PROCESSOR_MAPPING_NAMES.get(config.model_type) or {}
    # the last one has the mean of ImageNet, as most networks that are trained from scratch
    name = names.get('torchvision') or _PROCESSORS.get(config.model_type, 'SegformerImageProcessor')
    return getattr(tf, name)()


def _weights_of(name: str) -> str:
    from transformers.utils.hub import cached_file

    for file in _WEIGHTS:
        with _explained(name, file):
            found = cached_file(
                name, file, _raise_exceptions_for_missing_entries=False, _raise_exceptions_for_gated_repo=True
            )
        if found:
            return found
    raise SR4IRError(
        f"'{name}' has neither {' nor '.join(_WEIGHTS)}. If its weights are in several files, write them to one: "
        "save_pretrained(FOLDER, max_shard_size='50GB')."
    )


def _is_of_training(path: Path) -> bool:
    return path.suffix == '.pth' or any(path.glob('*.pth'))


def _check_adapter(name: str) -> None:
    """Check that a folder has no weights that are to be added to those of the network."""
    from transformers.utils.hub import cached_file

    missing = dict(_raise_exceptions_for_missing_entries=False, _raise_exceptions_for_gated_repo=False)
    if cached_file(name, _ADAPTER, _raise_exceptions_for_connection_errors=False, **missing):
        raise SR4IRError(
            f"'{name}' has an adapter of PEFT ({_ADAPTER}), whose weights are not read: merge it into its "
            'network, model.merge_and_unload().save_pretrained(FOLDER), and name that folder.'
        )


@contextmanager
def _explained(name: str, file: str, purpose: str = '', remedy: str = '') -> Iterator[None]:
    try:
        yield
    except SR4IRError:
        raise
    except Exception as error:  # of the hub, or of a damaged file, by each class another kind
        reason = f'{type(error).__name__}: {error}'.strip().splitlines()[0]
        if 'does not recognize this architecture' in reason:
            raise _needs_later(f"'{name}'") from error
        if Path(name).is_dir():
            state, advice = ('damaged', 'Correct it') if (Path(name) / file).is_file() else ('missing', 'Put it there')
            raise SR4IRError(f"'{name}': {file}{purpose} is {state} ({reason}). {advice}{remedy}.") from error
        raise SR4IRError(
            f"'{name}' is no folder here, and the Hugging Face Hub gives no {file} of it{purpose} ({reason}). Correct "
            'the name, connect to the network, or name a folder into which it was downloaded.'
        ) from error
