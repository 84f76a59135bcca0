"""The enlarged LR image: where a point of the HR image is in it, with and without aligned corners, and who uses it."""

import copy
from types import SimpleNamespace

import pytest
import torch
from helpers.toy import EDSR, ToyClassifier, toy_batch
from helpers.zoo import wrappers_for

from sr4ir_mm.export.nets import parts
from sr4ir_mm.models import SR4IR
from sr4ir_mm.visualization import predict_on_bilinear
from sr4ir_mm.webui.comparison import on_bilinear

SIDE, SCALE = 256, 8


def model_of(scheme: str = 'L->T', **options) -> SR4IR:
    torch.manual_seed(0)
    sr = None if scheme == 'L->T' else dict(EDSR, upscale_factor=SCALE)
    return SR4IR(sr, ToyClassifier(), SCALE, scheme, **options).eval()


def blob(x: float) -> torch.Tensor:
    """An HR image with a soft spot in column ``x`` and row ``SIDE - 1 - x``, 1 x 3 x SIDE x SIDE."""
    place = torch.arange(SIDE, dtype=torch.float64)
    row, column = (torch.exp(-((place - center) ** 2) / (2 * 8**2)) for center in (SIDE - 1 - x, x))
    return (row[:, None] * column).float().expand(1, 3, SIDE, SIDE)


def center(image: torch.Tensor) -> tuple[float, float]:
    """The row and the column of the center of mass."""
    weights = image.double().clamp(min=0).mean((0, 1))
    place = torch.arange(SIDE, dtype=torch.float64)
    return float((weights.sum(1) * place).sum() / weights.sum()), float((weights.sum(0) * place).sum() / weights.sum())


@pytest.mark.parametrize('x', [35.5, 60.0, 127.5, 200.0, 219.5])
def test_a_point_stays_where_it_is_unless_corners_are_aligned(x):
    """With aligned corners it moves away from the middle: by half a pixel of LR, 3.5 px, at the border."""
    for align_corners in (False, True):
        model = model_of(align_corners=align_corners)
        row, column = center(model.bilinear(model.data_preprocessor.degradation(blob(x))))
        moved = (SCALE - 1) * (x - (SIDE - 1) / 2) / (SIDE - SCALE) if align_corners else 0.0
        assert column - x == pytest.approx(moved, abs=0.1)
        assert row - (SIDE - 1 - x) == pytest.approx(-moved, abs=0.1)


def test_how_far_corners_move():
    lr = torch.zeros(1, 3, 32, 32)
    lr[..., 0, 0] = 1
    peaks = [float(model_of(align_corners=align).bilinear(lr)[0, 0, 0].argmax()) for align in (True, False)]
    assert peaks[0] == 0  # the center of the LR pixel is at 3.5 px in HR
    flat = model_of(align_corners=False).bilinear(lr)[0, 0, 0]
    assert (flat[:4] == flat[0]).all() and flat[4] < flat[3]


def test_the_paper_s_way_is_the_default_and_a_point_stays_in_a_padded_image_too():
    assert model_of().align_corners
    model = model_of(align_corners=False)
    hr = blob(100.0)[..., :250, :253]  # the degradation pads to 256 px
    images = dict(hr=hr, lr=model.data_preprocessor.degradation(hr))
    assert model.select_input('bilinear', images).shape == hr.shape
    padded = torch.zeros(1, 3, SIDE, SIDE)
    padded[..., :250, :253] = model.select_input('bilinear', images)
    assert center(padded) == pytest.approx((155, 100), abs=0.2)


@torch.no_grad()
@pytest.mark.parametrize('align_corners', [False, True])
def test_all_who_enlarge_do_it_in_one_way(align_corners):
    model, batch = model_of(align_corners=align_corners), toy_batch(size=32)
    lr = model.data_preprocessor(copy.deepcopy(batch))['inputs']['lr']
    expected = torch.nn.functional.interpolate(lr, scale_factor=SCALE, mode='bilinear', align_corners=align_corners)
    samples = model.test_step(copy.deepcopy(batch))
    torch.testing.assert_close(torch.stack([sample.task_input for sample in samples]), expected)
    torch.testing.assert_close(model.upsample(lr), expected)  # of real LR images
    torch.testing.assert_close(parts(model, False)[''][0].upsample(lr), expected)  # in exported files
    learned = model_of('SR4IR', align_corners=align_corners)
    panel = predict_on_bilinear(learned, learned.test_step(copy.deepcopy(batch)))  # in panels
    torch.testing.assert_close(torch.stack([sample.task_input for sample in panel]), expected)
    page = on_bilinear(SimpleNamespace(model=learned, pipeline=SimpleNamespace()))  # on the web page
    torch.testing.assert_close(page.model.upsample(lr), expected)


def test_t_learns_from_the_image_that_it_is_tested_on():
    model, seen = model_of(align_corners=False).train(), []
    model.task.register_forward_pre_hook(lambda net, args: seen.append(args[0]))
    model.train_step(toy_batch(size=32), wrappers_for(model))
    model.eval().test_step(toy_batch(size=32))
    torch.testing.assert_close(seen[0], seen[1])
