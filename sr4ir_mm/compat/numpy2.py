"""Let mmagic 1.2.0 be imported with NumPy 2. This can go when mmagic uses ``np.bool_``."""

import numpy as np


def restore_bool8() -> None:
    """Restore ``np.bool8``, the only one of the names removed in NumPy 2 that mmagic uses."""
    if int(np.__version__.split('.')[0]) >= 2 and not hasattr(np, 'bool8'):
        np.bool8 = np.bool_
