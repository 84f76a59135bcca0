"""Numbers out of range are refused, whoever takes them."""

import math

import numpy as np
import pytest
import torch
from helpers.toy import ToyClassifier
from torch import nn

from sr4ir_mm.datasets import AspectRatioGroupedBatchSampler
from sr4ir_mm.engine import AlternatingUpdateHook
from sr4ir_mm.engine.schedulers import BasicSRCosineRestartLR, WarmUpLR
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.evaluation import DumpPredictions, SRQuality
from sr4ir_mm.inference.lr_predictor import LRPredictor
from sr4ir_mm.inference.lr_test_loop import LRTestLoop
from sr4ir_mm.inference.tiling import tiled
from sr4ir_mm.models import SR4IR, CQMix, SRDataPreprocessor, TDPLoss
from sr4ir_mm.models.adapters.image_to_image import ImageToImage
from sr4ir_mm.models.degradations.bicubic import BicubicDegradation
from sr4ir_mm.models.degradations.random_degradation import RandomDegradation
from sr4ir_mm.models.scheme import Phase
from sr4ir_mm.utils import check_limits, check_number, check_positive


def test_messages():
    for wrong, message in (
        (dict(low=0, high=1, prob=2), 'CQMix: prob=2 must be between 0 and 1.'),
        (dict(low=1, whole=True, grid=0), 'CQMix: grid=0 must be a whole number, 1 or more.'),
        (dict(low=1, high=9, whole=True, grid=10), 'CQMix: grid=10 must be a whole number between 1 and 9.'),
        (dict(prob=math.nan), 'CQMix: prob=nan must be a number.'),
        (dict(low=0, prob='1'), "CQMix: prob='1' must be a number, 0 or more."),
    ):
        with pytest.raises(SR4IRError) as error:
            check_number('CQMix', **wrong)
        assert str(error.value) == message


def test_right_numbers():
    check_number('x', low=0, high=1, a=0, b=1, c=0.5, d=np.float32(0.5), e=np.int64(1))
    check_number('x', low=1, whole=True, a=1, b=np.int64(7))
    check_positive('x', a=1e-9)
    check_limits('x', low=0, a=(0, 0), b=[0.5, 2])


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf, None, True, '1', [1], 1.5, 1.0])
def test_what_is_no_whole_number(value):
    with pytest.raises(SR4IRError, match='must be a whole number'):
        check_number('x', whole=True, a=value)


@pytest.mark.parametrize('value', [(2, 1), (0, math.nan), (-1, 1), 1, (1,), '12', (1, 2, 3)])
def test_what_are_no_limits(value):
    with pytest.raises(SR4IRError, match='must be two numbers, the smaller one first, each a number, 0 or more'):
        check_limits('x', low=0, a=value)


def preprocessor(**kwargs) -> SRDataPreprocessor:
    task = dict(type='mmengine.ImgDataPreprocessor', mean=[0.0] * 3, std=[1.0] * 3) | kwargs.pop('task', {})
    return SRDataPreprocessor(task, BicubicDegradation(4), **kwargs)


def optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)


def cosine(**kwargs) -> BasicSRCosineRestartLR:
    return BasicSRCosineRestartLR(optimizer(), **dict(periods=[5], restart_weights=[1], eta_min=0) | kwargs)


def sr4ir(**kwargs) -> SR4IR:
    return SR4IR(None, ToyClassifier(), **dict(scale=4, scheme='L->T') | kwargs)


def random(**step) -> RandomDegradation:
    return RandomDegradation(4, [step])


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: CQMix(grid=0), 'CQMix: grid=0'),
        (lambda: CQMix(grid=2.5), 'CQMix: grid=2.5'),
        (lambda: CQMix(prob=2), 'CQMix: prob=2 must be between 0 and 1'),
        (lambda: CQMix(prob=math.nan), 'CQMix: prob=nan'),
        (lambda: TDPLoss({'a': 1.0}, loss_weight=-1), 'TDPLoss: loss_weight=-1'),
        (lambda: TDPLoss({'a': math.inf}), 'TDPLoss: layers: a=inf'),
        (lambda: TDPLoss({'neck[0]': '1'}), r"TDPLoss: layers: neck\[0\]='1'"),
        (lambda: BicubicDegradation(0), 'BicubicDegradation: scale=0'),
        (lambda: BicubicDegradation(2.5), 'BicubicDegradation: scale=2.5'),
        (lambda: random(type='RandomNoise', std=(0.1, -0.1)), 'RandomNoise: std='),
        (lambda: random(type='RandomNoise', std=(0, 0.1), gray=2), 'RandomNoise: gray=2'),
        (lambda: random(type='RandomResize', factor=(-1, 2)), 'RandomResize: factor='),
        (lambda: random(type='RandomJPEG', jpeg_quality=(0, 200)), 'RandomJPEG does not work .*out of bounds'),
        (lambda: random(type='RandomJPEG', jpeg_quality=(50, 90), p=3), 'RandomJPEG: p=3'),
        (lambda: random(type='RandomGaussianBlur', kernel_size=4, sigma=(1, 2), p=0.1), 'RandomGaussianBlur .*odd'),
        (lambda: random(type='RandomGaussianBlur', kernl=3), "RandomGaussianBlur .*'kernl'"),
        (lambda: cosine(periods=[0]), r'BasicSRCosineRestartLR: periods=0 must be a number larger than 0'),
        (lambda: cosine(restart_weights=[1, 1]), 'must be of one length'),
        (lambda: cosine(eta_min=-1), 'eta_min=-1'),
        (lambda: cosine(eta_min=None), 'set either eta_min or eta_min_ratio'),
        (lambda: WarmUpLR.build_iter_from_epoch(optimizer(), end=0, epoch_length=3), 'WarmUpLR: end=0'),
        (lambda: AspectRatioGroupedBatchSampler([], 0), 'batch_size=0'),
        (lambda: AspectRatioGroupedBatchSampler([], 1, bins=0), 'bins=0'),
        (lambda: ImageToImage(dict(), std=(1, 1, 0)), 'ImageToImage: std=0'),
        (lambda: LRPredictor(None, [], tile=0), 'LRPredictor: tile=0 must be a whole number, 1 or more'),
        (lambda: LRPredictor(None, [], max_pixels=-1), 'LRPredictor: max_pixels=-1'),
        (lambda: LRTestLoop(None, None, None, [], annotations='sr'), "annotations='sr' must be 'lr' or 'hr'"),
        (lambda: SRQuality(['PSNR'], crop_border=-1), 'SRQuality: crop_border=-1'),
        (lambda: SRQuality('NIQE'), 'SRQuality has no metric'),
        (lambda: DumpPredictions('x.json'), r"let out_file_path='x\.json' end in \.pkl"),
        (lambda: AlternatingUpdateHook(warmup_ratio=2), 'warmup_ratio=2 must be between 0 and 1'),
        (lambda: AlternatingUpdateHook(warmup_epochs=-1), 'warmup_epochs=-1'),
        (lambda: sr4ir(scale=-4), 'SR4IR: scale=-4 must be a whole number, 1 or more'),
        (lambda: sr4ir(scale=2.5), 'SR4IR: scale=2.5'),
        (
            lambda: sr4ir(degradation=dict(type='sr4ir_mm.BicubicDegradation', scale=2)),
            'scale=2, .* scale=4: set the same',
        ),
        (lambda: Phase(('sr',), pixel='1'), 'or no number'),
        (lambda: Phase(('sr',), pixel=math.nan), 'not finite'),
        (lambda: preprocessor(channel_order='RGB'), "channel_order='RGB'"),
        (lambda: preprocessor(task=dict(std=[1, 0, 1])), 'ImgDataPreprocessor of the task network: std=0'),
        (lambda: preprocessor(task=dict(mean=[math.nan, 0, 0])), 'mean=nan'),
    ],
)
def test_modules(make, message):
    with pytest.raises(SR4IRError, match=message):
        make()


@pytest.mark.parametrize('wrong', [dict(tile=0), dict(tile=-8), dict(tile=8.5), dict(overlap=-1), dict(scale=0)])
def test_tiles(wrong):
    """A tile of 0 or less returned memory that nothing had written."""
    with pytest.raises(SR4IRError, match=rf'tiled: {next(iter(wrong))}='):
        tiled(nn.Upsample(scale_factor=2), torch.rand(1, 3, 16, 16), **dict(scale=2) | wrong)


def test_trying_a_step_leaves_the_random_numbers():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    random(type='RandomNoise', std=(0, 0.1))
    assert torch.equal(torch.rand(3), expected)
