"""What may be built from a checkpoint besides tensors: the contents of MMEngine's, and nothing that could run code.

torch 2.6 made its safe loader (``weights_only=True``) the default, with which MMEngine 0.10.7 cannot resume from its
own checkpoints. Stand-ins take the place of what believes the file without a check. This can go when MMEngine
allow-lists its own classes; :class:`AllowListUnpickler` can go with the support of torch before 2.6.
"""

import pickle
import re
from codecs import encode
from collections import Counter, OrderedDict
from typing import Any, BinaryIO, NoReturn

import numpy as np
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer
from torch._weights_only_unpickler import _get_allowed_globals

ONE_CYCLE = 'mmengine.optim.scheduler.param_scheduler.OneCycleParamScheduler'
#: what torch's safe loader takes from 2.6 on, and not before; NumPy's numbers are pickled with ``encode``
_PLAIN_TYPES = (Counter, bytearray, complex, encode, set, torch.device)


def refuse(what: str) -> NoReturn:
    """Stop reading a file."""
    raise pickle.UnpicklingError(f'it must not contain {what}: do not load this file')


class PlainDtype:
    """Stand-in for ``numpy.dtype``, whose own ``__setstate__`` would make numbers of a file into addresses."""

    def __init__(self, code: str, align: bool = False, copy: bool = True) -> None:
        if not re.fullmatch(r'b1|[iufc](1|2|4|8|16|32)|[SU][1-9]\d{0,5}', str(code)):
            refuse(f'an array of {code}')
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple) -> None:
        """Set the byte order, and accept no fields."""
        if any(state[2:5]) or state[1] not in ('<', '>', '=', '|'):
            refuse('an array of records')
        self.dtype = self.dtype if state[1] == '|' else self.dtype.newbyteorder(state[1])


class PlainArray(np.ndarray):
    """Array that was read from a checkpoint; elsewhere it is a usual one."""

    def __setstate__(self, state: tuple) -> None:
        """Take shape and values, if they fit each other."""
        _, shape, kind, is_fortran, values = state
        if not isinstance(kind, PlainDtype) or not isinstance(values, bytes) or any(size < 0 for size in shape):
            refuse('such an array')
        super().__setstate__((1, tuple(shape), kind.dtype, bool(is_fortran), values))

    def __reduce_ex__(self, protocol: int) -> tuple:
        """Save a usual array."""
        return self.view(np.ndarray).__reduce_ex__(protocol)


def make_array(kind: type, shape: tuple, code: bytes) -> PlainArray:
    """Replace NumPy's ``_reconstruct``: an empty array, which is filled next."""
    return np.ndarray.__new__(PlainArray, (0,), 'b')


def no_bytes() -> bytes:
    """Replace the builtin ``bytes``, by which pickle writes the values of an empty array."""
    return b''


def make_number(kind: PlainDtype, value: bytes) -> np.generic:
    """Replace NumPy's ``scalar``."""
    if not isinstance(kind, PlainDtype) or len(value) != kind.dtype.itemsize:
        refuse('such a number')
    return np.frombuffer(value, kind.dtype)[0]


def one_cycle(*args: Any, **kwargs: Any) -> NoReturn:
    """Replace the class :data:`ONE_CYCLE`, which a checkpoint contains only to name its methods."""
    refuse(f'an object of {ONE_CYCLE}')


def getattr_of_known_methods(owner: Any, name: str) -> Any:
    """Replace the builtin ``getattr``, by which pickle names methods.

    The builtin itself must not be allow-listed: it leads from any class to the globals of a module, and so to all.
    """
    if owner is HistoryBuffer and name in ('min', 'max', 'current', 'mean'):
        return getattr(HistoryBuffer, name)
    if owner is one_cycle and name in ('_annealing_cos', '_annealing_linear'):
        from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler

        return getattr(OneCycleParamScheduler, name)
    refuse(f'getattr({owner!r}, {name!r})')


def allowed() -> list[tuple[Any, str]]:
    """Return what may be built, with the names in the files; NumPy 2 has moved its functions."""
    functions = [
        (function, f'numpy.{package}.multiarray.{name}')
        for package in ('core', '_core')
        for name, function in dict(_reconstruct=make_array, scalar=make_number).items()
    ]
    return [
        (HistoryBuffer, 'mmengine.logging.history_buffer.HistoryBuffer'),
        (ConfigDict, 'mmengine.config.config.ConfigDict'),
        (PlainArray, 'numpy.ndarray'),
        (PlainDtype, 'numpy.dtype'),
        (no_bytes, 'builtins.bytes'),
        (one_cycle, ONE_CYCLE),
        (getattr_of_known_methods, 'builtins.getattr'),
        *functions,
    ]


class AllowListUnpickler(pickle._Unpickler):
    """Unpickler for torch before 2.6, derived from the one in Python, which lets the filling of objects be checked."""

    #: types whose objects may be filled
    KINDS: tuple[type, ...] = (OrderedDict, HistoryBuffer, PlainDtype, PlainArray)

    def load(self) -> Any:
        """Read an object; that the file is no pickle is the same error as of the unpickler in C."""
        try:
            return super().load()
        except (IndexError, KeyError) as error:
            raise pickle.UnpicklingError(f'invalid load key: {error}') from error

    def find_class(self, module: str, name: str) -> Any:
        """Return an allowed class or function."""
        plain = {f'{kind.__module__}.{kind.__name__}': kind for kind in _PLAIN_TYPES}
        known = {**_get_allowed_globals(), **plain, **{path: found for found, path in allowed()}}
        path = f'{module.replace("__builtin__", "builtins")}.{name}'  # pickle's second protocol has Python 2's names
        if path not in known:
            refuse(path)
        return known[path]

    def load_build(self) -> None:
        """Fill an object; never a class or a function, whose attributes others use."""
        kind, state = type(self.stack[-2]), self.stack[-1]
        if kind not in self.KINDS:
            refuse(f'values for {kind.__name__}')
        if kind not in (PlainDtype, PlainArray) and not isinstance(state, dict):
            refuse(f'such values for {kind.__name__}')
        super().load_build()

    dispatch = {**pickle._Unpickler.dispatch, pickle.BUILD[0]: load_build}


def load(file: BinaryIO, **options: Any) -> Any:
    """Replace ``pickle.load`` for torch before 2.6."""
    return AllowListUnpickler(file, **options).load()


Unpickler = AllowListUnpickler  # this module is the ``pickle_module`` of such a torch
