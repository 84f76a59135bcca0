"""The fallback gives the results of the compiled ops, where a wheel of the full mmcv is at hand (../shared/wheels)."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from helpers import op_cases

from sr4ir_mm.compat.mmcv_ops import SERVED, ops_provider

ROOT = Path(__file__).resolve().parents[2]
WHEELS = sorted((ROOT.parent / 'shared' / 'wheels').glob('mmcv-2.1.0-cp311-*.whl'))
# Forward passes, and all of the others, agree to the last bit. torchvision adds up gradients of deformable convolution
# in another order than mmcv does, and exp() is vectorized.
TOLERANCES = {
    'deform_conv2d': 1e-5,
    'modulated_deform_conv2d': 1e-5,
    'modulated_deform_conv2d_of_dyhead': 1e-5,
    'soft_nms': 1e-6,
}

pytestmark = [
    pytest.mark.skipif(not WHEELS, reason='no wheel of the full mmcv in ../shared/wheels'),
    pytest.mark.skipif(
        sys.version_info[:2] != (3, 11) or not torch.__version__.startswith('2.11.'),
        reason='the wheel is built for Python 3.11 and torch 2.11; in 2.14 it loads, but takes a CPU for a GPU',
    ),
    pytest.mark.skipif(ops_provider() != 'fallback', reason='the installed mmcv has compiled ops'),
]


@pytest.fixture(scope='module')
def compiled(tmp_path_factory) -> dict:
    """The results of ``op_cases.py`` in a process that finds the full mmcv first."""
    folder = tmp_path_factory.mktemp('mmcv')
    with zipfile.ZipFile(WHEELS[-1]) as wheel:
        members = [name for name in wheel.namelist() if '/csrc/' not in name]
        wheel.extractall(folder, members)
    env = {**os.environ, 'PYTHONPATH': f'{folder}{os.pathsep}{ROOT}'}
    script = Path(op_cases.__file__)
    subprocess.run([sys.executable, '-W', 'ignore', script, folder / 'out.pt'], env=env, check=True)
    return torch.load(folder / 'out.pt')


def test_compiled_extension_comes_first(compiled):
    assert compiled['provider'] == 'compiled'


def test_fallback_has_no_other_functions_than_the_extension(compiled):
    assert set(SERVED) <= set(compiled['names'])


@pytest.mark.parametrize('name', op_cases.CASES)
def test_same_as_compiled(compiled, name):
    expected, found = compiled['results'][name], op_cases.run(name)
    tolerance = TOLERANCES.get(name, 0.0)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)
    torch.testing.assert_close(found[0], expected[0], rtol=0, atol=0)  # the first is always a forward pass
