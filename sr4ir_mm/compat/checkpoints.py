"""Let MMEngine read checkpoints without running code that a file holds.

torch 2.6 made the safe loader (``weights_only=True``) the default. MMEngine 0.10.7 cannot resume from its own
checkpoints with it, turns it off for URLs, and runs ``meta['config']`` of a checkpoint as Python. This module
allow-lists the contents of these checkpoints, and nothing that could run code, and keeps the safe loader on.
It can go when MMEngine allow-lists its own classes, loads URLs safely, and no longer runs ``meta['config']``.
"""

import os
import pickle
import re
from codecs import encode
from collections import Counter
from collections.abc import Callable
from functools import wraps
from types import ModuleType, SimpleNamespace
from typing import Any, BinaryIO, NoReturn
from unittest.mock import patch
from urllib.error import URLError

import numpy as np
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer
from mmengine.utils import digit_version
from torch._weights_only_unpickler import _get_allowed_globals

from ..errors import SR4IRError
from .checkpoint_files import name_the_file
from .import_hooks import Run

#: what torch's safe loader takes from 2.6 on, and not before; NumPy's numbers are pickled with ``encode``
PLAIN_TYPES = (Counter, bytearray, complex, encode, set, torch.device)
HAS_SAFE_GLOBALS = digit_version(torch.__version__) >= digit_version('2.6')

ONE_CYCLE = 'mmengine.optim.scheduler.param_scheduler.OneCycleParamScheduler'


def one_cycle(*args: Any, **kwargs: Any) -> NoReturn:
    """Replace the class :data:`ONE_CYCLE`, whose import takes seconds, while a checkpoint is read.

    Raises:
        pickle.UnpicklingError: If it is called; a checkpoint contains the class only to name its methods.
    """
    raise pickle.UnpicklingError(f'a checkpoint must not contain an object of {ONE_CYCLE}: do not load this file')


def getattr_of_known_methods(owner: Any, name: str) -> Any:
    """Replace the builtin ``getattr`` while a checkpoint is read.

    The state of MMEngine's objects contains some of their methods, which pickle writes as ``getattr(class, name)``. The
    builtin itself must not be allow-listed: it leads from any class to the globals of a module, and so to everything.

    Raises:
        pickle.UnpicklingError: For all other attributes.
    """
    if owner is HistoryBuffer and name in ('min', 'max', 'current', 'mean'):
        return getattr(HistoryBuffer, name)
    if owner is one_cycle and name in ('_annealing_cos', '_annealing_linear'):
        from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler

        return getattr(OneCycleParamScheduler, name)
    raise pickle.UnpicklingError(f'a checkpoint must not contain getattr({owner!r}, {name!r}): do not load this file')


def allow_mmengine_checkpoints() -> None:
    """Add the contents of MMEngine's checkpoints to torch's safe globals; torch before 2.6 has none."""
    if HAS_SAFE_GLOBALS:
        torch.serialization.add_safe_globals(_allowed())


def load_safely(checkpoint: ModuleType, run: Run) -> None:
    """Let ``mmengine.runner.checkpoint``, through which all checkpoints are loaded, run no code of a file."""
    run(checkpoint)
    loader = checkpoint.CheckpointLoader
    loader.load_checkpoint = staticmethod(name_the_file(_safe(loader.load_checkpoint)))
    checkpoint.load_url = _check_hash(checkpoint.load_url)


def _allowed() -> list[tuple[Any, str]]:
    """Return what MMEngine's checkpoints hold besides tensors, with the names in the files."""
    # NumPy 2 moved these functions; a file may come from either version
    numpy_2 = digit_version(np.__version__) >= digit_version('2.0')
    multiarray = np._core.multiarray if numpy_2 else np.core.multiarray
    moved = [
        (getattr(multiarray, function), f'numpy.{package}.multiarray.{function}')
        for package in ('core', '_core')
        for function in ('_reconstruct', 'scalar')
    ]
    number_codes = np.typecodes['AllInteger'] + np.typecodes['Float'] + np.typecodes['Complex']
    dtypes = {type(np.dtype(code)) for code in f'?US{number_codes}'}  # not 'O', Python objects
    kinds = [HistoryBuffer, ConfigDict, np.ndarray, np.dtype, *sorted(dtypes, key=str)]
    named = [(kind, f'{kind.__module__}.{kind.__qualname__}') for kind in kinds]
    return [*named, *moved, (one_cycle, ONE_CYCLE), (getattr_of_known_methods, 'builtins.getattr')]


class AllowListUnpickler(pickle.Unpickler):
    """Unpickler for torch before 2.6, whose safe loader cannot read MMEngine's checkpoints."""

    def find_class(self, module: str, name: str) -> Any:
        """Return an allowed class or function.

        Raises:
            pickle.UnpicklingError: For all others.
        """
        plain = {f'{kind.__module__}.{kind.__name__}': kind for kind in PLAIN_TYPES}
        allowed = {**_get_allowed_globals(), **plain, **{path: found for found, path in _allowed()}}
        path = f'{module.replace("__builtin__", "builtins")}.{name}'  # pickle's second protocol has Python 2's names
        if path not in allowed:
            raise pickle.UnpicklingError(f'a checkpoint must not contain {path}: do not load this file')
        return allowed[path]


def _load_allowed(file: BinaryIO, **options: Any) -> Any:
    return AllowListUnpickler(file, **options).load()


def _safe(load_checkpoint: Callable) -> Callable:
    """Wrap MMEngine's loader of all checkpoints: no code runs, neither now nor when the run is resumed."""
    allow_list = SimpleNamespace(__name__='allow_list', Unpickler=AllowListUnpickler, load=_load_allowed)
    options = dict(weights_only=True) if HAS_SAFE_GLOBALS else dict(pickle_module=allow_list, weights_only=False)

    @wraps(load_checkpoint)
    def load_without_code(*args: Any, **kwargs: Any) -> Any:
        load = torch.load
        with patch.object(torch, 'load', lambda *args, **kwargs: load(*args, **(kwargs | options))):
            loaded = load_checkpoint(*args, **kwargs)
        if isinstance(loaded, dict) and isinstance(loaded.get('meta'), dict):
            loaded['meta'].pop('config', None)  # of MMCV 1; MMEngine's own entry, which it only stores, is 'cfg'
        return loaded

    return load_without_code


def _check_hash(load_url: Callable) -> Callable:
    """Let torch compare a downloaded file with the hash in its name, such as ``model-1a2b3c4d.pth``, if it has one.

    Without a network the message says which file to put where.
    """

    @wraps(load_url)
    def load(url: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return load_url(url, *args, check_hash=bool(re.search(r'-[0-9a-f]{8,64}\.\w+$', url)), **kwargs)
        except (URLError, ConnectionError, TimeoutError) as error:
            folder = os.path.join(torch.hub.get_dir(), 'checkpoints')
            raise SR4IRError(
                f"'{url}' cannot be downloaded: {getattr(error, 'reason', error)}. Download it on another machine and "
                f"copy it to '{folder}', or name another file. To start without these weights, set their init_cfg (or "
                'pretrained) to None, such as --cfg-options model.sr.init_cfg=None, or leave out --pretrained.'
            ) from error

    return load
