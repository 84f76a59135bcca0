"""The definition of SSIM is that of scikit-image, BasicSR and mmagic, to the last digits."""

import math

import numpy as np
import pytest
import torch

from sr4ir_mm.evaluation import SRQuality
from sr4ir_mm.evaluation.ssim import structural_similarity

#: scikit-image 0.26: structural_similarity(sr / 255, hr / 255, channel_axis=0, gaussian_weights=True, sigma=1.5,
#: use_sample_covariance=False, data_range=1.0) of the images of the fixture
SCIKIT_IMAGE = dict(
    sr_u8=[0.9425151274147293, 0.9556503742141934, 1.0, 0.9750614083897092],
    sr_float=[0.7975331708388441, 0.8230685636294041, 0.8639141483670775, 0.8885166051940069],
)


def images(npz, name: str) -> torch.Tensor:
    array = npz[name]
    return torch.from_numpy(array / 255 if array.dtype == np.uint8 else array.astype(float))


@pytest.mark.parametrize('name', SCIKIT_IMAGE)
def test_numbers_of_scikit_image(fixture, name):
    npz = fixture('metrics')
    found = structural_similarity(images(npz, name), images(npz, 'hr_u8'))
    assert found.tolist() == pytest.approx(SCIKIT_IMAGE[name], abs=1e-12)


def test_scikit_image_itself():
    metrics = pytest.importorskip('skimage.metrics')
    rng = np.random.default_rng(0)
    for size in ((11, 11), (11, 40), (37, 12), (64, 64)):
        hr = rng.random((3, *size))
        sr = np.clip(hr + 0.1 * rng.standard_normal(hr.shape), 0, 1)
        options = dict(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0)
        expected = metrics.structural_similarity(sr, hr, channel_axis=0, **options)
        found = structural_similarity(torch.tensor(sr)[None], torch.tensor(hr)[None])
        assert float(found) == pytest.approx(expected, abs=1e-12)


def test_the_formula_at_a_single_place():
    rng = np.random.default_rng(1)
    x, y = rng.random((2, 11, 11))
    steps = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    weights = np.outer(steps, steps) / steps.sum() ** 2
    mean_x, mean_y = (weights * x).sum(), (weights * y).sum()
    var_x, var_y = (weights * (x - mean_x) ** 2).sum(), (weights * (y - mean_y) ** 2).sum()
    covariance = (weights * (x - mean_x) * (y - mean_y)).sum()
    expected = (2 * mean_x * mean_y + 1e-4) * (2 * covariance + 9e-4)
    expected /= (mean_x**2 + mean_y**2 + 1e-4) * (var_x + var_y + 9e-4)
    found = structural_similarity(torch.tensor(x)[None, None], torch.tensor(y)[None, None])
    assert math.isclose(float(found), expected, rel_tol=1e-12)


def test_the_metric_has_this_definition_in_single_precision(fixture):
    """Flat regions have variances of 1e-7, which single precision would lose; SR is rounded to 8 bits before."""
    npz = fixture('metrics')
    hr = torch.full((1, 3, 32, 32), 0.5)
    hr[..., 16:] = 0.502
    assert SRQuality(metrics='SSIM').ssim(hr, hr) == 1
    for i, expected in enumerate(SCIKIT_IMAGE['sr_u8']):
        found = SRQuality(metrics='SSIM').ssim(*(images(npz, name)[[i]].float() for name in ('sr_u8', 'hr_u8')))
        assert found == pytest.approx(expected, abs=1e-7)
