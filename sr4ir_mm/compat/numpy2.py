"""Let mmagic 1.2.0 be imported with NumPy 2. This can go when mmagic writes ``np.bool_``."""

import numpy as np


def restore_bool8() -> None:
    """Give ``np.bool8``, the one name that mmagic needs of those that NumPy 2 removed, its old meaning."""
    if int(np.__version__.split('.')[0]) >= 2 and not hasattr(np, 'bool8'):
        np.bool8 = np.bool_
