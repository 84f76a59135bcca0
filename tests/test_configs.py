"""The configs: every one builds, and those of the paper hold what the paper fixes."""

import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, METRICS, VISUALIZERS, init_default_scope
from zoo import make_voc

from sr4ir_mm.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS

ROOT = Path(__file__).parent.parent / 'configs'
LEAVES = {path.stem: path for folder in ('sr4ir', 'baselines') for path in sorted((ROOT / folder).glob('*.py'))}
VOC = [name for name in LEAVES if name.startswith('deeplabv3_') and '_voc' in name]
SUFFIXES = {'': 'SR4IR', 'h2t': 'H->T', 'l2t': 'L->T', 's2t': 'S->T', 't2s': 'T->S', 'st': 'S+T', 'sr': 'S'}
BEST = dict(mmseg='mIoU')
SR_NETS = dict(edsr='mmagic.EDSRNet', swinir='mmagic.SwinIRNet')


def load(name: str) -> Config:
    cfg = Config.fromfile(LEAVES[name])
    init_default_scope(cfg.default_scope)
    return cfg


def build_model(cfg: Config) -> torch.nn.Module:
    if cfg.model.sr and cfg.model.sr.type == SR_NETS['swinir']:
        cfg.model.sr.update(depths=[1], num_heads=[6], embed_dim=12)  # 12 M parameters take seconds to make
    return MODELS.build(cfg.model)


def built_wrappers(cfg: Config, model: torch.nn.Module):
    constructor = OPTIM_WRAPPER_CONSTRUCTORS.get(cfg.optim_wrapper.constructor)
    return constructor(cfg.optim_wrapper)(model)


@pytest.mark.parametrize('name', LEAVES)
def test_a_config_is_short_and_says_in_its_name_what_it_is(name):
    text = LEAVES[name].read_text()
    assert len(text.splitlines()) <= 30
    cfg = load(name)
    words = name.split('_')
    suffix = words.pop() if words[-1] in SUFFIXES else ''
    assert cfg.model.scheme == SUFFIXES[suffix]
    for base in re.findall(r"'(\.\./[^']+)'", text):
        assert (LEAVES[name].parent / base).is_file() and base.split('/')[1] in ('_base_', 'sr4ir')
    if suffix == 'h2t':
        assert cfg.model.sr is None
        return
    assert f'x{cfg.model.scale}' in words
    if suffix == 'l2t':
        assert cfg.model.sr is None
    else:
        assert SR_NETS[words[1].split('-')[0]] == cfg.model.sr.type
        assert cfg.model.scale in (cfg.model.sr.get('upscale'), cfg.model.sr.get('upscale_factor'))


@pytest.mark.parametrize('name', LEAVES)
def test_a_config_builds(name):
    cfg = load(name)
    model = build_model(cfg)
    optim_wrapper = built_wrappers(cfg, model)
    assert set(optim_wrapper.keys()) == set(model.learning)
    VISUALIZERS.build(cfg.visualizer)
    for evaluator in (cfg.val_evaluator, cfg.test_evaluator):
        assert [METRICS.build(metric) for metric in evaluator]
    best = cfg.default_hooks.checkpoint.get('save_best')
    assert best == 'sr/PSNR' if cfg.model.scheme == 'S' else best == BEST.get(cfg.default_scope, best)


# ---- what reference/PROTOCOL.md fixes


@pytest.mark.parametrize('name', VOC)
def test_schedule_of_the_paper(name):
    cfg = load(name)
    assert (cfg.train_cfg.max_epochs, cfg.train_cfg.by_epoch, cfg.train_dataloader.batch_size) == (100, True, 16)
    assert cfg.train_dataloader.get('drop_last', False) is False and cfg.randomness.seed == 200
    assert cfg.val_dataloader.batch_size == cfg.test_dataloader.batch_size == 1
    assert [hook.warmup_epochs for hook in cfg.custom_hooks if 'Alternating' in hook.type] == [10]
    periods = [10, 90] if cfg.model.scheme == 'SR4IR' else [100]
    for net, eta_min in dict(sr=1e-6, task=1e-4).items():
        (schedule,) = cfg.param_scheduler[net]
        assert schedule.type == 'sr4ir_mm.CosineRestartLR' and schedule.convert_to_iter_based and schedule.by_epoch
        assert (schedule.periods, schedule.restart_weights) == (periods, [1] * len(periods))
        assert schedule.eta_min == eta_min


def test_optimizers_of_the_paper():
    cfg = load('deeplabv3_edsr_x8_voc')
    model = build_model(cfg)
    optim_wrapper = built_wrappers(cfg, model)
    sr, task = (optim_wrapper[name].optimizer for name in ('sr', 'task'))
    assert isinstance(sr, torch.optim.AdamW) and isinstance(task, torch.optim.SGD)
    assert {(g['lr'], g['betas'], g['eps'], g['weight_decay']) for g in sr.param_groups} == {
        (1e-4, (0.9, 0.999), 1e-8, 0)
    }
    assert {(g['momentum'], g['weight_decay'], g['nesterov']) for g in task.param_groups} == {(0.9, 1e-6, False)}
    lrs = {id(p): group['lr'] for group in task.param_groups for p in group['params']}
    for name, p in model.task.named_parameters():  # all of them, norms and biases too
        assert lrs[id(p)] == pytest.approx(0.2 if name.startswith('auxiliary_head') else 0.02), name
    assert all(not wrapper.clip_grad_kwargs for wrapper in optim_wrapper.values())


@pytest.mark.parametrize('name', [name for name in VOC if LEAVES[name].parent.name == 'sr4ir'])
def test_losses_of_the_paper(name):
    cfg = load(name)
    model = build_model(cfg)
    first, second = model.phases
    assert (first.learn, first.pixel, first.tdp, first.task) == (('sr',), 1.0, 1.0, {})
    assert (second.learn, second.pixel, second.task) == (('task',), 0.0, dict(sr=0.34, hr=0.34, mix=0.34))
    assert (model.cqmix.grid, model.cqmix.prob) == (8, 0.5)
    assert (model.tdp.loss_weight, model.tdp.relative, list(model.tdp.layers.values())) == (1.0, False, [1.0])
    heads = (model.task.decode_head, model.task.auxiliary_head)
    assert [head.loss_decode.loss_weight for head in heads] == [1.0, 0.5]
    assert [head.dropout_ratio for head in heads] == [0.5, 0.1]
    assert all(head.num_classes == 21 and head.ignore_index == 255 and not head.align_corners for head in heads)


def tdp_feature(size: int) -> torch.Tensor:
    model = build_model(load('deeplabv3_edsr_x8_voc'))
    last = list(model.task.backbone.modules())[-1]
    seen = []
    last.register_forward_hook(lambda net, args, output: seen.append(output))
    with torch.no_grad():
        (feature,) = model.recorder(torch.rand(1, 3, size, size)).values()
    assert isinstance(last, torch.nn.Hardswish) and torch.equal(seen[-1], feature)
    return feature


def test_the_tdp_feature_is_the_last_of_the_backbone():
    assert tdp_feature(64).shape[1] == 960


@pytest.mark.xfail(
    strict=True, reason="mmseg's MobileNetV3 is dilated to stride 8, torchvision's, as in the paper, to 16"
)
def test_the_stride_of_the_paper():
    assert tdp_feature(96).shape[-2:] == (6, 6)


@pytest.mark.parametrize('name', ['deeplabv3_edsr_x8_voc', 'deeplabv3plus-squeezenet_edsr-s_x4_voc-mini'])
def test_images_and_ground_truth(name, tmp_path):
    """Crops for training; for testing, T predicts at the size at which it sees the image."""
    cfg = load(name)
    root = make_voc(tmp_path / 'voc', sizes=[(64, 96), (96, 64)])
    for dataset in (cfg.train_dataloader.dataset, cfg.test_dataloader.dataset):
        dataset.data_root = str(root)
    crop = (480, 480) if name in VOC else (128, 128)
    train, test = (DATASETS.build(loader.dataset) for loader in (cfg.train_dataloader, cfg.test_dataloader))
    preprocess = MODELS.build(cfg.model.task.data_preprocessor)
    assert len(train) == len(test) == 2
    for item in train:
        batch = preprocess(dict(inputs=[item['inputs']], data_samples=[item['data_samples']]), True)
        assert batch['inputs'].shape[-2:] == batch['data_samples'][0].gt_sem_seg.shape == crop
    sizes = [(520, 780), (780, 520)] if name in VOC else [(64, 96), (96, 64)]
    for item, size in zip(test, sizes):
        sample = item['data_samples']
        assert item['inputs'].shape[-2:] == sample.gt_sem_seg.shape == size
        assert sample.ori_shape == sample.img_shape == size
        assert sample.img_path.endswith('.jpg')
