"""Let no YAML or pickle file that MMEngine reads run code: a config inherits from the one, annotations are the other.

MMEngine 0.10.7 reads both with loaders that construct any object. A checkpoint can make it do so, since the config in
it names the files of its data. This can go when MMEngine reads them as data.
"""

import pickle
from io import BytesIO
from typing import Any, BinaryIO, NoReturn

import numpy as np
import yaml
from mmengine.fileio.handlers import PickleHandler, YamlHandler
from mmengine.structures import BaseDataElement, InstanceData, LabelData, PixelData
from yaml.constructor import ConstructorError

from ..errors import SR4IRError
from .checkpoints import SafeTorch
from .safe_pickle import AllowListUnpickler, PlainDtype, refuse

_ERRORS = (pickle.UnpicklingError, EOFError)


def read_as_data() -> None:
    """Replace the loaders of MMEngine's handlers of files."""
    YamlHandler.load_from_fileobj = _load_yaml
    PickleHandler.load_from_fileobj = _load_pickle


class PlainLoader(getattr(yaml, 'CSafeLoader', yaml.SafeLoader)):
    """Loader of plain values, and of tuples, which MMEngine writes with a tag of Python."""


PlainLoader.add_constructor(
    'tag:yaml.org,2002:python/tuple', lambda loader, node: tuple(loader.construct_sequence(node, deep=True))
)


def _load_yaml(self: YamlHandler, file: Any, **kwargs: Any) -> Any:
    try:
        return yaml.load(file, **{'Loader': PlainLoader, **kwargs})
    except ConstructorError as error:
        line = f' (line {error.problem_mark.line + 1})' if error.problem_mark else ''
        raise SR4IRError(
            f'a YAML file holds more than plain values{line}: {error.problem}. Objects of Python are not built from '
            'it, since they could run code.'
        ) from error


class _PlainUnpickler(pickle.Unpickler):
    """Unpickler of plain values, as fast as that of Python."""

    def find_class(self, module: str, name: str) -> NoReturn:
        refuse(f'{module}.{name}')


class DataUnpickler(AllowListUnpickler):
    """Unpickler of plain values, arrays, tensors, and MMEngine's containers of these."""

    CONTAINERS = (BaseDataElement, InstanceData, LabelData, PixelData)
    KINDS = (*AllowListUnpickler.KINDS, *CONTAINERS)

    def find_class(self, module: str, name: str) -> Any:
        """Return an allowed class or function."""
        known = {f'{kind.__module__}.{kind.__name__}': kind for kind in self.CONTAINERS}
        known |= dict.fromkeys(('numpy.core.numeric._frombuffer', 'numpy._core.numeric._frombuffer'), _make_array)
        known['torch.storage._load_from_bytes'] = _load_tensor
        return known.get(f'{module}.{name}') or super().find_class(module, name)


def _load_pickle(self: PickleHandler, file: BinaryIO, **kwargs: Any) -> Any:
    start = file.tell()
    try:
        return _PlainUnpickler(file, **kwargs).load()
    except _ERRORS:
        file.seek(start)
    try:
        return DataUnpickler(file, **kwargs).load()
    except _ERRORS as error:
        raise SR4IRError(
            f'a pickle file holds more than plain values and arrays ({error or "it is cut off"}), which could '
            "run code. If you trust it, load it once with Python's pickle, and save it as JSON."
        ) from error


def _load_tensor(content: bytes) -> Any:
    """Replace PyTorch's function that loads the content of a tensor as if it were a file."""
    return SafeTorch.load(BytesIO(content))


def _make_array(values: bytes, kind: PlainDtype, shape: tuple, order: str) -> np.ndarray:
    """Replace NumPy's function that takes the bytes of an array, in pickles of the newest protocol."""
    if not isinstance(kind, PlainDtype) or not isinstance(values, (bytes, bytearray)):
        refuse('such an array')
    return np.frombuffer(values, kind.dtype).reshape(shape, order=order)
