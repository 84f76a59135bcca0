import numpy as np
import pytest
import torch

from sr4ir_mm.models import BicubicDegradation, quantize

TAPS = torch.tensor([-0.09375, 0.59375, 0.59375, -0.09375], dtype=torch.float64)  # bicubic, half a pixel off


def image(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array).float() / 255


def exact(hr: np.ndarray, scale: int) -> torch.Tensor:
    """The unrounded result in float64, 0 to 255, from the four taps; independent of PyTorch's bicubic."""
    pad = [(0, 0), (0, 0), *((0, -side % scale) for side in hr.shape[-2:])]
    x = torch.from_numpy(np.pad(hr, pad, mode='edge')).double()
    first = (scale - 4) // 2
    x = x.unfold(-2, scale, scale).unfold(-2, scale, scale)[..., first : first + 4, first : first + 4]
    return torch.einsum('nchwij,i,j->nchw', x, TAPS, TAPS)


@pytest.mark.parametrize('scale', [4, 8])
@pytest.mark.parametrize(
    'hr, lr',
    [('even_hr_u8', 'even_x{}_lr'), ('odd_hr_u8', 'odd_x{}_lr')]
    + [(f'det_{pad}_x{{}}_batch_u8', f'det_{pad}_x{{}}_lr') for pad in ('reflect', 'replicate', 'mixed')],
)
def test_low_resolution_image_is_that_of_the_paper_code(fixture, hr, lr, scale):
    npz = fixture('degrade')
    hr, theirs = npz[hr.format(scale)], torch.from_numpy(npz[lr.format(scale)])
    ours = BicubicDegradation(scale)(image(hr))
    assert ours.shape == theirs.shape
    raw = exact(hr, scale)
    tie = ((raw % 1) - 0.5).abs() < 1e-4  # INDEX.md: one gray level may differ only there
    assert tie.float().mean() < 0.05
    assert torch.equal(ours[~tie], theirs[~tie])
    assert (ours - theirs).abs().max() < 1.01 / 255


@pytest.mark.parametrize('name', ['even_x4', 'even_x8', 'odd_x4', 'odd_x8'])
def test_rounding_is_that_of_the_paper_code(fixture, name):
    npz = fixture('degrade')
    raw = torch.from_numpy(npz[f'{name}_raw'])
    assert raw.min() < 0 and raw.max() > 1  # needs the clamp
    assert torch.equal(quantize(raw), torch.from_numpy(npz[f'{name}_lr']))


def test_rounding_clamps_and_takes_halves_to_even():
    levels = torch.tensor([-20.0, 0.5, 1.5, 2.5, 254.6, 300.0], dtype=torch.float64)
    assert (quantize(levels / 255) * 255).round().tolist() == [0, 0, 2, 2, 255, 255]


@pytest.mark.parametrize(
    'scale, size, expected', [(1, (5, 6), (5, 6)), (2, (5, 6), (3, 3)), (3, (9, 10), (3, 4)), (7, (49, 50), (7, 8))]
)
def test_any_scale_and_size(scale, size, expected):
    lr = BicubicDegradation(scale)(torch.full((1, 3, *size), 100.2 / 255))
    assert lr.shape == (1, 3, *expected)
    assert torch.equal(lr, torch.full_like(lr, 100 / 255))  # padding continues the image


def test_no_graph_is_kept():
    hr = torch.rand(1, 3, 8, 8, requires_grad=True)
    assert not BicubicDegradation(4)(hr).requires_grad
