"""Random degradations: what is drawn, from which seed, and that every step acts."""

import json
import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from helpers.toy import EDSR, ToyClassifier, ToyDataset, toy_batch
from helpers.zoo import Logs, make_voc, run_tool, runner_for, tiny_config, wrappers_for
from mmengine.config import Config
from mmengine.runner import Runner

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR, BicubicDegradation, RandomDegradation, quantize
from sr4ir_mm.registry import MODELS

BASES = Path(__file__).parents[3] / 'configs/_base_/degradations'
BLUR = dict(type='RandomGaussianBlur', kernel_size=11, sigma=(1.0, 2.0), border_type='replicate', p=1.0)
MOTION = dict(type='RandomMotionBlur', kernel_size=(7, 9), angle=180.0, direction=0.0, border_type='replicate', p=1.0)
NOISE = dict(type='RandomNoise', std=(0.05, 0.1))
JPEG = dict(type='RandomJPEG', jpeg_quality=(20, 40), p=1.0)
#: each step that the shipped mixture has, and more of kornia's
STEPS = dict(
    blur=BLUR, motion=MOTION, noise=NOISE, shot=dict(type='RandomNoise', std=(0, 0), shot=(0.01, 0.02)), jpeg=JPEG,
    gray=dict(NOISE, gray=1.0), resize=dict(type='RandomResize', factor=(0.3, 0.6)),
    box=dict(type='RandomBoxBlur', kernel_size=(5, 5), border_type='replicate', p=1.0),
    pepper=dict(type='RandomSaltAndPepperNoise', amount=(0.02, 0.05), p=1.0), snow=dict(type='RandomSnow', p=1.0),
)  # fmt: skip


def images(n: int = 2, size: tuple[int, int] = (48, 64), seed: int = 0) -> torch.Tensor:
    """Smooth images with a sharp edge, as of 8 bits."""
    small = torch.rand(n, 3, 6, 8, generator=torch.Generator().manual_seed(seed))
    hr = F.interpolate(small, size, mode='bilinear')
    hr[..., size[1] // 2 :] *= 0.5
    return quantize(hr)


def psnr(a: torch.Tensor, b: torch.Tensor) -> float:
    return 10 * torch.log10(1 / (a - b).square().mean()).item()


def practical(scale: int = 4) -> RandomDegradation:
    return MODELS.build(Config.fromfile(BASES / f'practical_x{scale}.py').degradation)


@pytest.mark.parametrize('name', STEPS)
def test_every_step_acts_and_keeps_the_image_in_its_place(name):
    hr = images(1)
    degrade = RandomDegradation(1, [STEPS[name]])
    lr = degrade(hr)
    assert 10 < psnr(lr, hr) < 45
    assert psnr(lr, hr) > max(psnr(lr, hr.roll(shift, (2, 3))) for shift in ((3, 0), (0, 3), (-3, 0), (0, -3)))
    fixed = name in ('box', 'snow')
    assert torch.equal(degrade(hr), lr) == fixed  # else another strength or pattern


def test_strengths_follow_their_ranges():
    """Against a closed form: the noise that is left of a flat image."""
    hr = torch.full((64, 3, 32, 32), 0.5)
    std = (RandomDegradation(1, [dict(type='RandomNoise', std=(0.02, 0.06))])(hr) - hr).std((1, 2, 3))
    assert 0.018 < std.min() < 0.028 and 0.052 < std.max() < 0.062
    shot = (RandomDegradation(1, [dict(type='RandomNoise', std=(0, 0), shot=(0.01, 0.01))])(hr) - hr).std()
    assert shot.item() == pytest.approx((0.01 * 0.5) ** 0.5, rel=0.02)
    gray = RandomDegradation(1, [dict(NOISE, gray=1.0)])(hr)
    assert torch.equal(gray[:, 0], gray[:, 1]) and torch.equal(gray[:, 0], gray[:, 2])


@pytest.mark.parametrize('scale', [1, 4, 8])
@pytest.mark.parametrize('size', [(48, 64), (49, 66), (9, 8)])
@pytest.mark.parametrize('training', [True, False])
def test_shape_and_range(scale, size, training):
    degrade = practical(scale).train(training)
    assert degrade.scale == scale
    hr = images(3, size).requires_grad_()
    for _ in range(8):
        lr = degrade(hr)
        assert lr.shape == (3, 3, -(-size[0] // scale), -(-size[1] // scale))
        assert lr.dtype == torch.float32 and not lr.requires_grad
        assert torch.equal(lr, quantize(lr))


def test_padding_continues_the_image():
    hr = torch.full((1, 3, 49, 50), 100 / 255)
    assert torch.equal(RandomDegradation(4, [dict(type='Downsample'), BLUR])(hr), torch.full((1, 3, 13, 13), 100 / 255))


def test_a_seed_repeats_what_was_drawn_in_training():
    hr, degrade = images(4), practical()
    torch.manual_seed(3)
    first, second = degrade(hr), degrade(hr)
    torch.manual_seed(3)
    assert torch.equal(degrade(hr), first) and torch.equal(degrade(hr), second)
    assert not torch.equal(first, second)


def test_images_of_a_batch_are_degraded_differently():
    hr = images(1).expand(12, -1, -1, -1)
    assert len(practical()(hr).unique(dim=0)) == 12


def test_an_image_has_one_lr_image_in_every_test():
    """Whatever else is in the batch, was drawn before and comes after."""
    hr, degrade = images(5), practical().eval()
    lr = degrade(hr)
    torch.manual_seed(77)
    assert torch.equal(degrade(hr[[3, 1]]), lr[[3, 1]])
    assert torch.equal(torch.cat([practical().eval()(image[None]) for image in hr]), lr)
    # what T's preprocessor leaves of float noise does not make it another image
    nearly = hr + 1e-4 * (0.5 - torch.rand_like(hr))
    assert (degrade(nearly) - lr).abs().max() < 0.05
    torch.manual_seed(77)
    expected = torch.rand(3)
    torch.manual_seed(77)
    degrade(hr)
    assert torch.equal(torch.rand(3), expected)  # nothing is taken from those who draw after it
    darker = quantize(hr[:1] * 0.5)
    assert psnr(degrade(darker), lr[:1] * 0.5) < 40  # another image, other draws


def test_the_order_within_a_group_is_drawn(monkeypatch):
    degrade = RandomDegradation(1, [[BLUR, NOISE], JPEG])
    (blur, noise), (jpeg,) = degrade.groups
    orders = [tuple(degrade._draw_order()) for _ in range(40)]
    assert set(orders) == {(blur, noise, jpeg), (noise, blur, jpeg)}
    hr, residue = images(1), {}
    for names in ((0, 1), (1, 0)):
        torch.manual_seed(0)
        monkeypatch.setattr(degrade, '_draw_order', lambda names=names: [(blur, noise)[i] for i in names])
        lr = degrade(hr)
        residue[names] = (lr[..., 1:] - lr[..., :-1]).abs().mean()
    assert residue[0, 1] > 2 * residue[1, 0]  # noise that is blurred is weak


def test_without_steps_only_the_size_changes():
    hr = images(4)
    assert psnr(RandomDegradation(4, [])(hr), BicubicDegradation(4)(hr)) > 30
    assert torch.equal(RandomDegradation(1, [])(hr), hr)


@pytest.mark.parametrize('kind', ['RandomBlurr', 'RandomAffine', None])
def test_an_unknown_step_names_those_there_are(kind):
    with pytest.raises(SR4IRError, match=re.escape(f"'{kind}'")) as error:
        RandomDegradation(4, [[BLUR, dict(type=kind)]])
    for name in ('Downsample', 'RandomGaussianBlur', 'RandomJPEG', 'RandomNoise', 'RandomResize'):
        assert name in str(error.value)
    assert 'RandomHorizontalFlip' not in str(error.value)  # LR must show what HR shows


def test_the_steps_in_the_docs_work():
    page = (BASES.parents[2] / 'docs/degradations.md').read_text()
    code = next(block for block in re.findall(r'```python\n(.*?)```', page, re.DOTALL) if 'steps' in block)
    names: dict = {}
    exec(code, names)
    assert MODELS.build(names['degradation'])(images(2)).shape == (2, 3, 12, 16)


def model(scale: int = 4) -> SR4IR:
    torch.manual_seed(0)
    sr = dict(EDSR, upscale_factor=scale)
    degradation = Config.fromfile(BASES / f'practical_x{scale}.py').degradation
    return SR4IR(sr, ToyClassifier(), scale, tdp=dict(layers=dict(backbone=1.0)), cqmix=dict(grid=4),
                 degradation=degradation)  # fmt: skip


def test_train_step_and_prediction():
    net, batch = model(), toy_batch(3, 32)
    logs = net.train_step(batch, wrappers_for(net))
    assert all(torch.isfinite(value).all() for value in logs.values())
    net.eval()
    assert not net.data_preprocessor.degradation.training
    first, again = (net.test_step(toy_batch(3, 32)) for _ in range(2))
    alone = net.test_step({key: values[1:2] for key, values in toy_batch(3, 32).items()})
    assert all(torch.equal(a.lr, b.lr) for a, b in zip(first, again))
    assert torch.equal(alone[0].lr, first[1].lr) and first[0].lr.shape == (3, 8, 8)
    net.train()
    assert net.data_preprocessor.degradation.training


def losses(runner: Runner) -> list[dict]:
    logs = Logs()
    runner.register_hook(logs)
    runner.train()
    return logs.items


def test_a_resumed_run_draws_what_a_whole_run_draws(tmp_path):
    data = ToyDataset(*(toy_batch(2, 32, seed) for seed in range(4)))
    options = dict(train_cfg=dict(by_epoch=False, max_iters=4),
                   default_hooks=dict(runtime_info=dict(type='sr4ir_mm.DeferredRuntimeInfoHook'),
                                      checkpoint=dict(type='CheckpointHook', interval=2, by_epoch=False)))  # fmt: skip
    whole = losses(runner_for(model(), data, tmp_path / 'a', **options))
    resumed = losses(
        runner_for(model(), data, tmp_path / 'b', load_from=str(tmp_path / 'a/iter_2.pth'), resume=True, **options)
    )
    assert len(whole) == 4 and resumed == whole[2:]


def test_a_config_inherits_it(tmp_path):
    """As docs/degradations.md says; two tests of a run measure the same images."""
    make_voc(tmp_path / 'voc')
    tiny_config(tmp_path)
    base = BASES / 'practical_x4.py'
    (tmp_path / 'practical.py').write_text(
        f"_base_ = ['tiny.py', {str(base)!r}]\nmodel = dict(degradation={{{{_base_.degradation}}}})\n"
    )
    options = ('--cfg-options', 'train_cfg.max_epochs=1', 'model.degradation.steps.0.0.sigma=0.1,0.2')
    assert run_tool('train', 'practical.py', *options, cwd=tmp_path) == 0
    work_dir = tmp_path / 'work_dirs/practical'
    cfg = Config.fromfile(work_dir / 'practical.py')
    assert (cfg.model.degradation.type, cfg.model.degradation.steps[0][0].sigma) == (
        'sr4ir_mm.RandomDegradation', [0.1, 0.2]
    )  # fmt: skip
    (log,) = work_dir.glob('*/vis_data/scalars.json')
    validated = json.loads(log.read_text().splitlines()[-1])
    assert (
        run_tool('test', work_dir / 'practical.py', work_dir / 'epoch_1.pth', '--work-dir', 'test', cwd=tmp_path) == 0
    )
    (log,) = (tmp_path / 'test').glob('*/*.json')
    tested = json.loads(log.read_text())
    assert [tested[name] for name in ('mIoU', 'sr/PSNR')] == [validated[name] for name in ('mIoU', 'sr/PSNR')]
