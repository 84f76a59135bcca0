import pytest

import sr4ir_mm  # noqa: F401  (puts the fallback in place)
from sr4ir_mm.compat.mmcv_ops import ops_provider


@pytest.fixture
def fallback() -> None:
    """Skip where mmcv has compiled ops, so that the fallback is not in use."""
    if ops_provider() != 'fallback':
        pytest.skip('the installed mmcv has compiled ops')
