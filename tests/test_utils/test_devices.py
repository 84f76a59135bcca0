"""Names of devices that a user gives."""

import pytest

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.utils.devices import check_device


@pytest.mark.parametrize('name', [None, 'cpu'])
def test_what_every_machine_has(name):
    check_device(name)


@pytest.mark.parametrize('name', ['gpu', 'cuda:99', 'cuda:x', 'meta', '', 'cpu:-1', 'xla', 'hip', '0'])
def test_what_no_machine_has(name):
    with pytest.raises(SR4IRError, match=rf"The device '{name}' is unknown or not available; choose from: cpu"):
        check_device(name)
