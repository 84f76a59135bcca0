import logging

import numpy as np
import pytest
import torch
from helpers.toy import ToyClassifier
from mmcv.transforms import Compose
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmengine.registry import METRICS, init_default_scope
from mmengine.structures import BaseDataElement, PixelData

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.evaluation import SRQuality
from sr4ir_mm.evaluation.bilinear import enlarge, worse_than_bilinear
from sr4ir_mm.models import SR4IR

ROUNDED = 6e-5  # metrics are rounded to four digits


def samples(sr: np.ndarray, hr: np.ndarray, **meta) -> list[BaseDataElement]:
    sr, hr = (torch.from_numpy(x).float() / (255 if x.dtype == np.uint8 else 1) for x in (sr, hr))
    return [BaseDataElement(metainfo=meta, task_input=a, hr=b) for a, b in zip(sr, hr)]


def evaluate(data_samples: list[BaseDataElement], **kwargs) -> dict[str, float]:
    """As a test loop does, in batches of two."""
    evaluator = Evaluator(dict(type='sr4ir_mm.SRQuality', **kwargs))
    for start in range(0, len(data_samples), 2):
        evaluator.process(data_samples[start : start + 2], {})
    return evaluator.evaluate(len(data_samples))


@pytest.mark.parametrize(
    'sr, border, expected',
    [
        ('sr_u8', 8, 'psnr_cb8'),  # one of the four images is identical, and left out
        ('sr_u8', 0, 'psnr_cb0'),
        ('sr_float', 8, 'psnr_float_quantized_cb8'),
    ],
)
def test_psnr_is_that_of_the_paper_code(fixture, sr, border, expected):
    npz = fixture('metrics')
    metrics = evaluate(samples(npz[sr], npz['hr_u8']), metrics=['PSNR'], crop_border=border)
    assert metrics == {'sr/PSNR': pytest.approx(float(npz[expected]), abs=ROUNDED)}


@pytest.mark.parametrize('i', range(4))
def test_psnr_of_single_images(fixture, i):
    npz = fixture('metrics')
    metrics = evaluate(samples(npz['sr_u8'][[i]], npz['hr_u8'][[i]]), metrics=['PSNR'])
    assert metrics['sr/PSNR'] == pytest.approx(float(npz['psnr_single_cb8'][i]), abs=ROUNDED)  # one is infinite


def test_padding_does_not_count(fixture):
    npz = fixture('metrics')
    pads = (0, 0), (0, 0), (0, 16), (0, 9)
    padded = [np.pad(npz[name], pads, constant_values=value) for name, value in (('sr_u8', 0), ('hr_u8', 200))]
    size = npz['hr_u8'].shape[-2:]
    plain = evaluate(samples(npz['sr_u8'], npz['hr_u8']), metrics=['PSNR', 'SSIM'])
    assert evaluate(samples(*padded, img_shape=size), metrics=['PSNR', 'SSIM']) == plain
    assert evaluate(samples(*padded), metrics=['PSNR', 'SSIM']) != plain


def test_border_of_a_tiny_image_stays():
    sr, hr = torch.full((1, 3, 16, 40), 0.4).numpy(), torch.full((1, 3, 16, 40), 0.5).numpy()
    level = round(0.4 * 255) / 255
    expected = -20 * np.log10(0.5 - level)
    assert evaluate(samples(sr, hr), metrics=['PSNR'])['sr/PSNR'] == pytest.approx(expected, abs=1e-3)


def test_ssim(fixture):
    npz = fixture('metrics')
    same = evaluate(samples(npz['hr_u8'], npz['hr_u8']), metrics=['SSIM'])['sr/SSIM']
    near = evaluate(samples(npz['sr_u8'], npz['hr_u8']), metrics=['SSIM'])['sr/SSIM']
    far = evaluate(samples(npz['sr_float'], npz['hr_u8']), metrics=['SSIM'])['sr/SSIM']
    assert same == 1
    assert 0.5 < far < near < 1
    # flat images differ in the luminance term alone
    a, b, c = 0.4, 0.6, 0.01**2
    flat = evaluate(samples(*(np.full((1, 3, 40, 40), x, np.float32) for x in (a, b))), metrics=['SSIM'])
    assert flat['sr/SSIM'] == pytest.approx((2 * a * b + c) / (a * a + b * b + c), abs=1e-3)


def test_lpips_is_left_out_with_one_warning_without_its_trunk(tmp_path, monkeypatch, fixture):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    logger, records = MMLogger.get_instance('lpips'), []
    monkeypatch.setattr(logger, 'handle', records.append)
    npz = fixture('metrics')
    metrics = evaluate(samples(npz['sr_u8'], npz['hr_u8']))
    assert list(metrics) == ['sr/PSNR', 'sr/SSIM']
    warnings = [record.getMessage() for record in records if record.levelno == logging.WARNING]
    trunk = 'vgg16-397923af.pth'
    assert warnings == [f"LPIPS is not measured: put torchvision's {trunk} at {tmp_path / 'checkpoints' / trunk}"]


def test_unknown_metric():
    with pytest.raises(SR4IRError, match=r"no metric \['NIQE'\]: choose from 'PSNR', 'SSIM' and 'LPIPS'"):
        SRQuality(metrics=['PSNR', 'NIQE'])


def segmented(npz, prefix: str) -> list[BaseDataElement]:
    """Samples that hold what mmseg's metric and ours need."""
    rng = np.random.default_rng(0)
    elements = []
    for pred, target in zip(npz[f'{prefix}_pred'], npz[f'{prefix}_target']):
        images = rng.integers(0, 256, (2, 1, 3, *target.shape), dtype=np.uint8)
        (sample,) = samples(*images)
        for name, labels in (('pred_sem_seg', pred), ('gt_sem_seg', target)):
            sample.set_field(PixelData(data=torch.from_numpy(labels).long()[None]), name)
        elements.append(sample)
    return elements


@pytest.mark.parametrize('prefix', ['miou', 'miou2'])
def test_miou_of_mmseg_is_that_of_the_paper_code(fixture, prefix):
    """Both metrics also work together. The code of the paper gives NaN for a class that never occurs (miou2)."""
    npz = fixture('metrics')
    iou_metric = dict(type='mmseg.IoUMetric', iou_metrics=['mIoU'])
    evaluator = Evaluator([iou_metric, dict(type='sr4ir_mm.SRQuality', metrics=['PSNR'])])
    evaluator.dataset_meta = dict(classes=[str(i) for i in range(21)])
    evaluator.process(segmented(npz, prefix), {})
    metrics = evaluator.evaluate(3)
    iou = npz[f'{prefix}_iou']
    assert np.isnan(iou).sum() == (1 if prefix == 'miou2' else 0)
    assert metrics['mIoU'] == pytest.approx(100 * np.nanmean(iou.astype(float)), abs=0.006)
    if prefix == 'miou':
        assert metrics['mIoU'] == pytest.approx(100 * float(npz['miou_mean']), abs=0.006)
    assert metrics['sr/PSNR'] > 0


@pytest.mark.parametrize('prefix', ['miou', 'miou2'])
def test_iou_of_each_class(fixture, prefix):
    npz = fixture('metrics')
    metric = METRICS.build(dict(type='mmseg.IoUMetric'))
    metric.dataset_meta = dict(classes=[str(i) for i in range(21)])
    metric.process({}, [sample.to_dict() for sample in segmented(npz, prefix)])
    areas = [sum(parts) for parts in zip(*metric.results)]
    per_class = metric.total_area_to_metrics(*areas)['IoU']
    np.testing.assert_allclose(per_class, npz[f'{prefix}_iou'], rtol=1e-6)
    intersection, _, predicted, labeled = (area.numpy() for area in areas)
    confusion = npz[f'{prefix}_confmat']  # [target, prediction]
    np.testing.assert_array_equal(intersection, confusion.diagonal())
    np.testing.assert_array_equal(predicted, confusion.sum(0))
    np.testing.assert_array_equal(labeled, confusion.sum(1))


@pytest.mark.parametrize('side', [1, 5, 10, 11, 15])
def test_images_that_are_too_small_for_a_metric(side, monkeypatch):
    """They ended SSIM with an error; the others count."""
    messages = []
    monkeypatch.setattr('sr4ir_mm.evaluation.sr_quality.print_log', lambda text, *args: messages.append(text))
    rng = np.random.default_rng(0)
    large, small = (rng.random((1, 3, n, n)).astype(np.float32) for n in (40, side))
    expected = evaluate(samples(large, large * 0.9), metrics=['SSIM'])
    both = samples(large, large * 0.9) + samples(small, small)
    found = evaluate(both, metrics=['PSNR', 'SSIM'])
    assert np.isfinite(found['sr/PSNR'])
    if side < 11:
        assert found['sr/SSIM'] == expected['sr/SSIM']
        assert messages == ['SSIM leaves out 1 of 2 images: they are smaller than it needs']
    else:
        assert found['sr/SSIM'] == pytest.approx((expected['sr/SSIM'] + 1) / 2, abs=1e-4) and not messages
    assert np.isnan(evaluate(samples(small, small), metrics=['SSIM'])['sr/SSIM']) == (side < 11)


@pytest.mark.parametrize('side', [*range(16, 33), 48])
def test_the_border_stays_where_the_rest_would_be_too_small(side):
    """Sides of 17 to 21 px ended SSIM with an error, although smaller and larger images had one."""
    rng = np.random.default_rng(0)
    hr = (rng.random((1, 3, side, 64)) * 255).round() / 255
    sr = np.clip(hr + 0.1 * rng.standard_normal(hr.shape), 0, 1)
    found = evaluate(samples(sr, hr), metrics=['PSNR', 'SSIM'])
    for name, smallest in (('PSNR', 1), ('SSIM', 11)):
        border = 8 if side - 16 >= smallest else 0
        inside = (..., slice(border, side - border), slice(border, 64 - border))
        expected = evaluate(samples(sr[inside], hr[inside]), metrics=[name], crop_border=0)
        assert found[f'sr/{name}'] == expected[f'sr/{name}']


def test_lpips_of_any_size_gets_an_image_that_vgg_takes(monkeypatch):
    sizes = []
    monkeypatch.setattr('sr4ir_mm.evaluation.sr_quality._lpips_available', lambda: True)
    monkeypatch.setattr(SRQuality, 'lpips', lambda self, sr, hr: sizes.append(tuple(hr.shape[2:])) or 0.5)
    for side in (15, 16, 17, 31, 32, 33):
        image = np.full((1, 3, side, 40), 0.5, np.float32)
        evaluate(samples(image, image), metrics='LPIPS')
    assert sizes == [(16, 40), (17, 40), (31, 40), (16, 24), (17, 24)]


@pytest.mark.parametrize('size', [24, 64, 500])
def test_an_image_that_torchvision_resizes(size):
    """It leaves img_shape as it was: only a corner of an enlarged image was compared."""
    init_default_scope('mmpretrain')
    steps = [dict(type='NumpyToPIL'), dict(type='torchvision/Resize', size=(64, 64), interpolation='nearest'),
             dict(type='PILToNumpy'), dict(type='PackInputs')]  # fmt: skip
    image = np.random.default_rng(0).integers(256, size=(size, size, 3), dtype=np.uint8)
    image[: size // 2, : size // 2] = 128  # equal in bilinear and HR
    data = Compose(steps)(dict(img=image, img_shape=(size, size), ori_shape=(size, size)))
    assert data['inputs'].shape == (3, 64, 64) and data['data_samples'].img_shape == (size, size)
    batch = dict(inputs=[data['inputs']], data_samples=[data['data_samples']])
    (sample,) = SR4IR(None, ToyClassifier(), 4, 'L->T').eval().val_step(batch)
    evaluator = Evaluator(dict(type='sr4ir_mm.SRQuality', metrics=['PSNR'], crop_border=0))
    evaluator.process([sample], batch)
    error = (sample.task_input.clamp(0, 1) * 255).round() / 255 - sample.hr
    assert evaluator.evaluate(1)['sr/PSNR'] == pytest.approx(-10 * float(error.square().mean().log10()), abs=ROUNDED)


def test_an_image_that_is_not_finite_shows_in_the_mean():
    hr = np.full((1, 3, 20, 20), 0.5, np.float32)
    data = samples(hr * np.nan, hr) + samples(hr * 0.9, hr)
    assert np.isnan(evaluate(data, metrics=['PSNR'])['sr/PSNR'])


@pytest.mark.parametrize('levels, warns', [(11, False), (12, True)])  # 0.8 and 1.6 dB worse than 10 levels
def test_sr_images_worse_than_bilinear_ones(levels, warns, monkeypatch):
    """A training ended with such images, and only PSNR showed it. The figures of the metric stay as they are."""
    messages = []
    monkeypatch.setattr('sr4ir_mm.evaluation.sr_quality.print_log', lambda text, *args: messages.append(text))
    data = samples(*(np.full((3, 3, 64, 64), level, np.uint8) for level in (150 - levels, 150)))
    for sample, level in zip(data, (140, 140, 150)):  # the bilinear image of the last one is equal to HR
        sample.set_data(dict(lr=torch.full((3, 18, 17), level / 255)))
    expected = evaluate(data, metrics=['PSNR', 'SSIM'])
    evaluator = Evaluator(metric := SRQuality(['PSNR', 'SSIM']))
    metric.compared_scale = 4
    for _ in range(2):  # two validations
        evaluator.process(data, {})
        assert evaluator.evaluate(3) == expected
    assert len(messages) == warns  # once
    sr, bilinear = (20 * np.log10(255 / error) for error in (levels, 10))
    assert all(f'PSNR {sr:.1f} dB, not {bilinear:.1f} dB. Train it longer' in text for text in messages)


@pytest.mark.parametrize('scale, text', [(4, 'bilinear enlargement: PSNR'), (1, 'the LR images themselves: PSNR')])
def test_the_warning_names_what_sr_images_are_worse_than(scale, text):
    warning = worse_than_bilinear([(20.0, 25.0), (24.0, 27.0)], scale)
    assert f'worse than {text} 22.0 dB, not 26.0 dB. Train it longer with --scheme S' in warning
    assert ('edsr-s' in warning) == (scale > 1)  # it has no weights for 1
    assert not worse_than_bilinear([(25.5, 26.0)], scale)


def test_points_of_bilinear_images_stay_where_they_are():
    ramp = torch.arange(40.0) + 0.5
    lr = ramp.reshape(10, 4).mean(1)
    image = enlarge(lr.expand(1, 3, 8, 10), 4, (30, 39))
    assert image.shape == (1, 3, 30, 39)
    torch.testing.assert_close(image[0, 0, 7, 2:38], ramp[2:38])
