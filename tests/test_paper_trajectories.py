"""Three iterations of the paper's code with its own task nets, reproduced by the configs in ``configs/paper``.

Tolerances are those of INDEX.md: what float32 leaves certain in nets with random weights.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.toy import EDSR
from helpers.trajectory import (
    EDSR_KEYS,
    Torch21Random,
    Trajectory,
    assert_final_sr,
    assert_images,
    assert_parameters,
    assert_psnr,
    follow,
    losses,
    stored_grids,
    take,
    total_norm,
)
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData, PixelData
from mmpretrain.structures import DataSample
from mmseg.structures import SegDataSample
from torch import nn
from torchvision.models import mobilenet_v3_large
from torchvision.models.detection import transform

from sr4ir_mm.registry import MODELS

pytestmark = pytest.mark.timeout(900)  # the slow ones, on a busy machine
CONFIGS = Path(__file__).parent.parent / 'configs/paper'


def bgr(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image[::-1].copy())


def cls_batches(npz) -> list[dict]:
    base = npz['batch_base_u8']
    return [
        dict(
            inputs=[bgr(image) for image in images],
            data_samples=[DataSample().set_gt_label(int(label)) for label in labels],
        )
        for images, labels in zip((base, base[..., ::-1], base[::-1, :, ::-1]), npz['labels'])
    ]


def seg_batches(npz) -> list[dict]:
    def samples(targets: np.ndarray) -> list:
        targets = torch.from_numpy(targets.copy()).long()
        return [SegDataSample(gt_sem_seg=PixelData(data=target[None])) for target in targets]

    base, target = npz['batch_base_u8'], npz['target_base']
    flips = (base, target), (base[..., ::-1], target[..., ::-1]), (base[:, :, ::-1], target[:, ::-1])
    return [dict(inputs=[bgr(image) for image in images], data_samples=samples(targets)) for images, targets in flips]


def det_batches(npz) -> list[dict]:
    def item(i: int, flip: bool = False) -> tuple:
        image, boxes = npz[f'img{i}_u8'], torch.from_numpy(npz[f'boxes{i}'])
        if flip:
            image = image[..., ::-1]
            boxes = torch.stack(
                [image.shape[2] - boxes[:, 2], boxes[:, 1], image.shape[2] - boxes[:, 0], boxes[:, 3]], 1
            )
        labels = torch.from_numpy(npz[f'labels{i}']) - 1  # 0 is the background there
        sample = DetDataSample(gt_instances=InstanceData(bboxes=HorizontalBoxes(boxes), labels=labels))
        sample.set_metainfo(dict(img_shape=image.shape[1:], ori_shape=image.shape[1:]))
        return bgr(image), sample

    order = (item(0), item(1)), (item(0, True), item(1, True)), (item(1), item(0))
    return [dict(zip(('inputs', 'data_samples'), zip(*items))) for items in order]


@dataclass
class Case:
    """A task of the paper: its config, what the fixtures changed in it, and tolerances of iteration 0 and the rest."""

    config: str
    batches: callable
    lr: float
    periods: list[int]
    eta_min: float
    losses: tuple[float, float]
    grads: tuple[float, float]
    feats: list[str]
    task: dict = field(default_factory=dict)


CASES = dict(
    cls=Case('tv-resnet18_edsr_x4_cars', cls_batches, 1e-3, [1, 3], 1e-4, (1e-6, 1e-3), (1e-4, 3e-2), ['l4'],
             dict(num_classes=10)),
    seg=Case('tv-deeplabv3_edsr_x4_voc', seg_batches, 1e-3, [1, 3], 1e-4, (1e-5, 2e-3), (3e-3, 2e-2), ['C5']),
    det=Case('tv-faster-rcnn_edsr_x4_voc', det_batches, 1e-4, [2, 3], 1e-6, (1e-4, 1e-2), (5e-3, 3e-2), ['0', '1']),
)  # fmt: skip


#: those that hold the images and the initial weights
FIXTURES = dict(cls='cls_resnet18', seg='seg', det='det')


def build(case: Case, npz, folder: Path, **task) -> tuple[Config, nn.Module]:
    """Build the config and its model, initialized as in the fixture."""
    cfg = Config.fromfile(CONFIGS / f'{case.config}.py')
    init_default_scope(cfg.default_scope)
    cfg.model.sr = dict(EDSR, rgb_std=[1 / 255] * 3)
    cfg.model.channels_last = False  # another order of sums
    cfg.model.task.update(backbone_init_cfg=None, **case.task, **task)
    if case is CASES['det']:
        torch.manual_seed(202)
        net = mobilenet_v3_large(weights=None)
        net.load_state_dict(arrays(npz, 'backbone_bn/'), strict=False)
        torch.save(net.state_dict(), folder / 'net.pth')
        cfg.model.task.backbone_init_cfg = dict(
            type='Pretrained', prefix='features.', checkpoint=str(folder / 'net.pth')
        )
    torch.manual_seed(203 if case is CASES['det'] else 202)
    model = MODELS.build(cfg.model)  # the task network is built first
    model.sr.load_state_dict(take(npz, 'init_sr/', EDSR_KEYS))
    model.task.net.load_state_dict(arrays(npz, 'bn/'), strict=False)
    model.task.init_weights()
    return cfg, model


def arrays(npz, prefix: str) -> dict[str, torch.Tensor]:
    names = [name for name in npz.files if name.startswith(prefix)]
    return {name.removeprefix(prefix): torch.from_numpy(npz[name]) for name in names}


@pytest.fixture
def run(fixture, tmp_path, monkeypatch):
    def run(kind: str, name: str, iterations: int, rng: Torch21Random | None = None, warm_up: bool = False, **task):
        case, npz = CASES[kind], fixture(f'traj_{FIXTURES[kind]}')
        cfg, model = build(case, npz, tmp_path, **task)
        expected = fixture(f'traj_{name}.json')
        init_checks = fixture(f'traj_{FIXTURES[kind]}.json')['init_checks']
        assert_initialized(model.task.net, init_checks['task'])
        if rng is None:
            set_dropout(model, 0)
            grids = stored_grids(fixture(f'traj_{name}'))
        else:
            grids = (drawn(rng, grid) for grid in stored_grids(fixture(f'traj_{name}')))
        cfg.optim_wrapper.task.optimizer.lr = case.lr
        schedules = cfg.param_scheduler
        for net, eta_min in dict(sr=1e-6, task=case.eta_min).items():
            cosine = dict(schedules[net][-1], begin=0, periods=case.periods, eta_min=eta_min)
            schedules[net] = schedules[net][:-1] if warm_up else [cosine]
        calls, feats = watch(model)
        result = follow(monkeypatch, tmp_path, model, case.batches(npz), grids, cfg.optim_wrapper, schedules,
                        warm_up=warm_up, iterations=iterations)  # fmt: skip
        assert_followed(result, calls, feats, case, expected)
        assert_state(result, case, expected, fixture(f'traj_{name}'), init_checks)
        return result, expected

    return run


def drawn(rng: Torch21Random, stored: torch.Tensor) -> torch.Tensor:
    """Draw the mask where the paper's code draws it: after the passes of the task network on SR and HR."""
    grid = rng.grid(*stored.shape)
    assert torch.equal(grid, stored)
    return grid


def set_dropout(model: nn.Module, p: float) -> None:
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = p


def assert_initialized(net: nn.Module, expected: dict) -> None:
    state = net.state_dict()
    assert expected.keys() <= state.keys()
    for name, (total, norm) in expected.items():
        value = state[name].double()
        assert (value.sum().item(), value.norm().item()) == pytest.approx((total, norm), rel=1e-5, abs=1e-4), name


def bn_totals(state: dict) -> list[float]:
    """L2 norms of all running means and of all running variances, and number of batches; empty without BatchNorm."""

    def values(suffix: str) -> list:
        return [torch.as_tensor(v).double().norm() for name, v in state.items() if name.endswith(suffix)]

    means, variances, counts = values('running_mean'), values('running_var'), values('num_batches_tracked')
    return [torch.stack(means).norm().item(), torch.stack(variances).norm().item(), counts[0].item()] if counts else []


def watch(model: nn.Module) -> tuple[list, list]:
    """Note each forward pass of the task network, and the features that the TDP loss receives (of SR and of HR)."""
    calls, feats = [], []

    def note(net, args):
        images = args[0] if isinstance(args[0], list) else [args[0]]
        trainable = sum(p.requires_grad for p in net.parameters())
        norm = torch.stack([image.detach().double().norm() for image in images]).norm().item()
        calls.append(dict(training=net.training, trainable=trainable, in_l2=norm, bn=bn_totals(net.state_dict())))

    model.task.net.register_forward_pre_hook(note)
    model.tdp.register_forward_pre_hook(lambda tdp, args: feats.extend([[*f.values()] for f in args]))
    return calls, feats


def assert_followed(result: Trajectory, calls: list, feats: list, case: Case, expected: dict) -> None:
    for name, i, ours, theirs in losses(result.logs, expected['losses']):
        np.testing.assert_allclose(ours, theirs, rtol=case.losses[i > 0], err_msg=f'{name} of iteration {i}')
    assert [step.net for step in result.steps] == ['sr', 'task'] * len(result.logs)
    for i, (step, theirs) in enumerate(zip(result.steps, expected['steps'])):
        assert_step(step, theirs, case.grads[i > 1])
    forward = [call for call in expected['call_trace'] if call['ev'] == 'forward' and call['net'] != 'sr']
    assert len(calls) * 3 == len(forward) * len(result.logs)
    assert_calls(calls, feats, case, forward)


def assert_state(result: Trajectory, case: Case, expected: dict, npz, init_checks: dict) -> None:
    """Check both nets after each step, and the images of the SR network."""
    keys = dict(sr=EDSR_KEYS, task={name: f'net.{name}' for name, _ in result.model.task.net.named_modules()})
    assert_parameters(result.steps, expected['steps'], keys, init_checks, case.grads[1])
    assert_psnr(result.images, expected['psnr_batch'])
    assert_images(result.images[0], npz, case.losses[0])
    if 'final_sr/head.0.weight' in npz.files and len(result.steps) == len(expected['steps']):
        assert_final_sr(result.model, npz, case.grads[1])


def assert_step(step, expected: dict, rtol: float) -> None:
    assert sorted(set(step.lr)) == pytest.approx(sorted(set(expected['lr'])), rel=1e-12)
    assert len(step.grads) == expected['n_grad']
    assert total_norm(step.grads) == pytest.approx(expected['grad_norm'], rel=rtol)
    for name, norm in expected.get('grad_norm_per_param', {}).items():
        if step.net == 'task' and f'net.{name}' in step.grads:
            difference = step.grads[f'net.{name}'] - norm
            assert abs(difference) < rtol * expected['grad_norm'], name
    if 'update_norm' in expected:
        assert total_norm(step.update) == pytest.approx(expected['update_norm'], rel=rtol)
    if expected.get('bn', {}).get('num_batches_tracked'):
        theirs = [expected['bn']['mean_l2'], expected['bn']['var_l2'], *expected['bn']['num_batches_tracked']]
        assert bn_totals(step.state) == pytest.approx(theirs, rel=1e-3)


def assert_calls(calls: list, feats: list, case: Case, expected: list) -> None:
    """Check what the task network received, in which mode, and the number of batches in its BatchNorm."""
    traced = [call['feats'] for call in expected if call['return_feats']]
    for i in range(0, len(expected), 5) if traced else ():
        expected[i : i + 2] = expected[i + 1], expected[i]  # our TDP loss begins with the HR image
    tracked = 0
    for i, (ours, theirs) in enumerate(zip(calls, expected)):
        assert ours['training'] == theirs['training'], i
        assert ours['in_l2'] == pytest.approx(theirs['in_l2'], rel=1e-4), i
        frozen = 30 if case is CASES['det'] else 0  # the paper's code computes their gradients, but never updates them
        assert ours['trainable'] == max(theirs['n_param_req_grad'] - frozen, 0), i
        if ours['bn']:
            assert ours['bn'][-1] == tracked
            (tracked,) = theirs['bn_after']['num_batches_tracked']
    assert len(feats) <= len(traced)
    for i, (ours, theirs) in enumerate(zip(feats, traced)):
        for feature, name in zip(ours, case.feats, strict=True):
            shape, _, norm = theirs[name]
            assert list(feature.shape) == shape
            assert feature.double().norm().item() == pytest.approx(norm, rel=case.grads[i > 1])


ALL = pytest.param(3, marks=pytest.mark.slow)


@pytest.mark.parametrize('iterations', [1, ALL])
def test_classifier(run, iterations):
    run('cls', 'cls_resnet18', iterations)


@pytest.mark.parametrize('iterations', [1, ALL])
def test_segmentor(run, iterations):
    run('seg', 'seg', iterations)


@pytest.fixture
def _torchvision_016(monkeypatch):
    """Resize images as torchvision 0.16, which computes their sides in float32: 160 may be 159.99998."""
    resize = transform._resize_image_and_masks

    def resize_by_float32(image, min_size, max_size, target=None, fixed_size=None):
        sides = np.float32(image.shape[-2:])
        scale = min((1 / sides).max() * np.float32(min_size), (1 / sides).min() * np.float32(max_size))
        height, width = (int(side) for side in sides * scale)
        return resize(image, min_size, max_size, target, (width, height))

    monkeypatch.setattr(transform, '_resize_image_and_masks', resize_by_float32)


#: no random choice among proposals, and few of them
FEW = dict(
    min_size=160, max_size=256, rpn_pre_nms_top_n_train=400, rpn_post_nms_top_n_train=200,
    rpn_pre_nms_top_n_test=400, rpn_post_nms_top_n_test=200, rpn_batch_size_per_image=100000,
    rpn_positive_fraction=0.5, box_batch_size_per_image=100000, box_positive_fraction=0.5,
)  # fmt: skip


def assert_parts(result: Trajectory, expected: dict) -> None:
    """Check the four losses of each of the three forward passes of the first iteration."""
    calls = [call['loss_dict'] for call in expected['call_trace'] if call.get('loss_dict')]
    for image, parts in zip(('sr', 'hr', 'mix'), calls):
        assert len(parts) == 4
        for name, value in parts.items():
            assert float(result.logs[0][f'task.{image}.{name}']) == pytest.approx(0.34 * value, rel=1e-3, abs=1e-6)


@pytest.mark.usefixtures('_torchvision_016')
@pytest.mark.parametrize('iterations', [1, ALL])
def test_detector(run, iterations):
    assert_parts(*run('det', 'det', iterations, **FEW))


@pytest.mark.usefixtures('_torchvision_016')
@pytest.mark.parametrize('iterations', [1, ALL])
def test_first_epoch_of_the_detector(run, iterations):
    """Rates that rise linearly, and no TDP loss."""
    result, expected = run('det', 'det_warmup', iterations, warm_up=True, **FEW)
    assert_parts(result, expected)
    assert 'sr.loss_tdp' not in result.logs[0]


@pytest.mark.slow
def test_segmentor_with_dropout(run, monkeypatch):
    rng = Torch21Random(303)

    def dropout(module, x):
        return x * rng.bernoulli(x.shape, 1 - module.p) / (1 - module.p) if module.training else x

    monkeypatch.setattr(nn.Dropout, 'forward', dropout)
    run('seg', 'seg_dropout', 3, rng)


@pytest.mark.slow
@pytest.mark.usefixtures('_torchvision_016')
def test_detector_with_random_samples(run, monkeypatch):
    rng = Torch21Random(303)
    monkeypatch.setattr(torch, 'randperm', rng.randperm)
    # the size for training is drawn for each image, from one
    monkeypatch.setattr(transform.GeneralizedRCNNTransform, 'torch_choice', lambda self, sizes: rng.choice(sizes))
    assert_parts(*run('det', 'det_default', 3, rng))
