"""Let torch's safe loader (``weights_only=True``) read MMEngine's checkpoints.

torch 2.6 made the safe loader the default, and MMEngine 0.10.7 cannot resume from its own checkpoints with it. This
module allow-lists the contents of these checkpoints, and nothing that could run code; the safe loader stays on.
It can go when MMEngine allow-lists its own classes.
"""

import pickle
from typing import Any, NoReturn

import numpy as np
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer
from mmengine.utils import digit_version

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
    """Add the contents of MMEngine's checkpoints to torch's safe globals; before torch 2.6, do nothing."""
    if digit_version(torch.__version__) < digit_version('2.6'):
        return
    # NumPy 2 moved these functions; a file may come from either version
    numpy_2 = digit_version(np.__version__) >= digit_version('2.0')
    multiarray = np._core.multiarray if numpy_2 else np.core.multiarray
    moved = [
        (getattr(multiarray, function), f'numpy.{package}.multiarray.{function}')
        for package in ('core', '_core')
        for function in ('_reconstruct', 'scalar')
    ]
    number_codes = np.typecodes['AllInteger'] + np.typecodes['Float'] + np.typecodes['Complex']
    dtypes = sorted({type(np.dtype(code)) for code in f'?US{number_codes}'}, key=str)  # not 'O', Python objects
    stand_ins = [(one_cycle, ONE_CYCLE), (getattr_of_known_methods, 'builtins.getattr')]
    torch.serialization.add_safe_globals([HistoryBuffer, ConfigDict, np.ndarray, np.dtype, *dtypes, *moved, *stand_ins])
