"""The stretch of rasters, which needs no rasterio."""

import numpy as np
import pytest

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.geo.stretch import apply_stretch, format_stretch, parse_stretch, percentiles

TYPES = ['uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'int64', 'float32', 'float64']


@pytest.mark.parametrize('dtype', TYPES)
def test_values_of_any_type(dtype):
    """Compare with exact numbers, over the whole range of the type."""
    limits = np.iinfo(dtype) if np.issubdtype(dtype, np.integer) else np.finfo(np.float32)
    low, high = float(limits.min) / 4, float(limits.max) / 4
    values = np.linspace(float(limits.min) / 2, float(limits.max) / 2, 999).astype(dtype).reshape(3, 1, 333)
    expected = np.clip((values.astype(float) - low) / (high - low) * 255, 0, 255)
    found = apply_stretch(values, [(low, high)] * 3)
    assert found.dtype == np.uint8
    np.testing.assert_allclose(found, expected, atol=0.51)


def test_each_band_has_its_limits():
    values = np.full((2, 1, 1), 50, np.uint16)
    assert apply_stretch(values, [(0, 100), (50, 51)]).ravel().tolist() == [128, 0]


@pytest.mark.parametrize(
    ('option', 'expected'),
    [
        ('0,3000', ([(0, 3000)], False)),
        ((0, 3000), ([(0, 3000)], False)),
        (' -1.5, 1e4 ', ([(-1.5, 1e4)], False)),
        ('2%,98%', ([(2, 98)], True)),
        (('0.5%', '100%'), ([(0.5, 100)], True)),
        ('0,1;2,3;4,5', ([(0, 1), (2, 3), (4, 5)], False)),
        ([[0, 1], [2, 3], [4, 5]], ([(0, 1), (2, 3), (4, 5)], False)),
        (None, None),
    ],
)
def test_forms_of_the_option(option, expected):
    assert parse_stretch(option) == expected


@pytest.mark.parametrize(
    'option', ['', ',', '1', '1,2,3', '1;2', 'a,b', '0,inf', '0,101%', [], [[]], 5, {'low': 1}, [1, [2]]]
)
def test_what_is_no_stretch(option):
    with pytest.raises(SR4IRError, match='must be LOW,HIGH'):
        parse_stretch(option)


def test_limits_are_written_as_they_are_read():
    limits = [(0.25, 3000), (-1, 1e9), (1 / 3, 65535)]
    assert parse_stretch(format_stretch(limits)) == (limits, False)
    assert format_stretch([(0, 3000)] * 3) == '0,3000'
    assert format_stretch(None) == 'none'


def test_percentiles_of_hardly_any_pixel():
    nothing, values = np.zeros((5, 5), bool), np.ones((1, 5, 5))
    assert percentiles(values, nothing, 2, 98, is_whole=True) == [(0, 1)]  # a tile without data in a training
    with pytest.raises(SR4IRError, match='hardly a pixel with data'):
        percentiles(values, nothing, 2, 98, is_whole=False)
