"""No result overwrites another."""

from pathlib import Path

import pytest

from sr4ir_mm.utils import output_names


@pytest.mark.parametrize(
    ('images', 'expected'),
    [
        (['a/0.jpg', 'a/0.png', 'b/0.jpg'], ['0', '0_2', '0_3']),
        (['scan.001', 'scan.002', 'v1.2'], ['scan.001', 'scan.002', 'v1.2']),
        (['x_2.png', 'x.png', 'x.jpg'], ['x_2', 'x', 'x_3']),
        (['Cat.png', 'cat.png'], ['Cat', 'cat_2']),
        (['https://host/y.PNG?z=1.2', 'https://host/', 'what?.png'], ['y', 'host', 'what?']),
        ([], []),
    ],
)
def test_names(images, expected):
    assert output_names(images) == expected
    assert output_names(images) == expected  # in each epoch and process


def test_names_with_folders():
    assert output_names(['d/x/1.png', str(Path('d/y/1.png').resolve())], folders=True) == ['x/1', 'y/1']
    assert output_names(['d/1.png', 'd/1.png'], folders=True) == ['1', '1_2']
    assert output_names([], folders=True) == []
