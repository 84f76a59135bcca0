"""A config of a zoo and an SR network make a complete config."""

from pathlib import Path

import pytest
import torch
from helpers.zoo import run_tool
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.registry import MODELS, init_default_scope

from sr4ir_mm import mix
from sr4ir_mm.config.building import build_task
from sr4ir_mm.config.mixing import mix_text
from sr4ir_mm.config.zoo import load_zoo_config, without_weights
from sr4ir_mm.errors import SR4IRError

RETINANET = 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'
CONVNEXT = 'mmpretrain::convnext/convnext-tiny_32xb128_in1k.py'
RESNET = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'
AMP = 'mmseg::convnext/convnext-tiny_upernet_8xb2-amp-160k_ade20k-512x512.py'
ZOO_CONFIG = Path(__file__).parents[2] / 'configs/zoo/retinanet_edsr_x4_coco.py'


def test_all_but_the_model_and_its_updates_stays_as_in_the_zoo():
    zoo, cfg = get_config(RETINANET), mix(RETINANET)
    ours = {'model', 'optim_wrapper', 'param_scheduler', 'default_hooks', 'model_wrapper_cfg'}
    workers = dict(persistent_workers=False, worker_init_fn=dict(type='sr4ir_mm.epoch_worker_init_fn'))
    assert _without_scope(cfg.train_dataloader) == zoo.train_dataloader | workers
    for key in set(zoo) - ours - {'train_dataloader'}:
        assert _without_scope(cfg[key]) == zoo[key], key
    for key in ('model', 'optim_wrapper', 'param_scheduler'):
        assert _without_scope(cfg[key].task) == zoo[key], key
    assert set(zoo.default_hooks) < set(cfg.default_hooks)


def test_file_call_and_command_agree(tmp_path):
    written = tmp_path / 'mixed.py'
    assert run_tool('train', RETINANET, '--sr', 'edsr', '--scale', 4, '--write-config', written, cwd=tmp_path) == 0
    assert len(written.read_text().splitlines()) <= 10
    file, call, command = Config.fromfile(ZOO_CONFIG), mix(RETINANET, 'edsr', 4), Config.fromfile(written)
    for key in ('model', 'optim_wrapper', 'param_scheduler', 'default_hooks', 'model_wrapper_cfg'):
        assert call[key] == command[key], key
        assert _without_scope(call[key]) == _without_scope(file[key]), key


@pytest.mark.parametrize('scheme', ['SR4IR', 'H->T'])
def test_the_memory_format(scheme):
    """The fastest one for every scheme, except for the networks that do not take it; an option wins."""
    centernet = 'mmdet::centernet/centernet_r18_8xb16-crop512-140e_coco.py'
    assert mix(RETINANET, scheme=scheme).model.channels_last
    assert not mix(centernet, scheme=scheme).model.channels_last
    assert not mix(RETINANET, scheme=scheme, **{'model.channels_last': False}).model.channels_last
    assert mix(centernet, scheme=scheme, **{'model.channels_last': True}).model.channels_last


def _without_scope(node):
    if isinstance(node, dict):
        return {key: _without_scope(value) for key, value in node.items() if key != '_scope_'}
    return [_without_scope(item) for item in node] if isinstance(node, list) else node


def test_the_model_builds_with_a_preprocessor_that_stands_next_to_it():
    cfg = mix(RESNET, scheme='L->T', sr=None, **{'model.task.head.num_classes': 10})
    init_default_scope(cfg.default_scope)
    model = MODELS.build(dict(cfg.model, data_preprocessor=cfg.data_preprocessor))  # as MMEngine's Runner does
    assert model.task.head.num_classes == 10 and model.scheme.test_input == 'bilinear'
    assert torch.equal(model.task.data_preprocessor.mean.flatten(), torch.tensor(cfg.data_preprocessor['mean']))


def test_weights_of_the_zoo():
    init = mix(RETINANET, pretrained=True).model.task.init_cfg
    assert init.type == 'Pretrained' and 'retinanet_r50_fpn_1x_coco' in init.checkpoint


@pytest.mark.parametrize('own', [False, True])
def test_the_teacher_of_a_distilled_net_is_found_from_anywhere(own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = 'mmdet::ld/ld_r18-gflv1-r101_fpn_1x_coco.py'
    Path('own.py').write_text(f'_base_ = {name!r}')
    model = mix('own.py' if own else name).model.task
    assert (model.type, Config.fromfile(model.teacher_config).model.backbone.depth) == (
        'KnowledgeDistillationSingleStageDetector',
        101,
    )


def test_the_task_network_starts_from_the_weights_of_the_zoos_config(tmp_path):
    base = tmp_path / 'own.py'
    base.write_text(f"_base_ = {RETINANET!r}\nload_from = 'detector.pth'\nfind_unused_parameters = True\n")
    cfg = mix(str(base))
    assert cfg.load_from is None and cfg.model.task.init_cfg.checkpoint == 'detector.pth'
    assert cfg.model_wrapper_cfg.find_unused_parameters
    assert cfg.model_wrapper_cfg.type == 'MMSeparateDistributedDataParallel'
    assert mix(str(base), load_from='other.pth').model.task.init_cfg.checkpoint == 'other.pth'
    without = mix(str(base), load_from=None)
    assert without.load_from is None and 'init_cfg' not in without.model.task


@pytest.mark.parametrize('scheme', ['SR4IR', 'T->S', 'H->T'])
def test_load_from_as_an_option_is_the_start_of_the_task_network(scheme):
    """Also of one that is frozen: it needs no other run then."""
    cfg = mix(RETINANET, scheme=scheme, load_from='detector.pth', **{'model.task.init_cfg.prefix': 'task.'})
    assert cfg.load_from is None and 'pretraining' not in cfg
    assert _without_scope(cfg.model.task.init_cfg) == dict(type='Pretrained', checkpoint='detector.pth', prefix='task.')


def test_two_names_for_the_same_weights():
    with pytest.raises(SR4IRError, match='--pretrained and load_from both name weights'):
        mix(RETINANET, pretrained=True, load_from='detector.pth')


def test_a_training_to_resume_is_no_start():
    cfg = mix(RETINANET, load_from='work_dirs/a/epoch_1.pth', resume=True)
    assert cfg.load_from == 'work_dirs/a/epoch_1.pth' and 'init_cfg' not in cfg.model.task


def test_initializers_of_the_zoos_network_stay():
    """They draw the same numbers as in a training without us, and initialize a head for other classes."""
    zoo = get_config(CONVNEXT).model.init_cfg
    cfg = mix(CONVNEXT, scheme='T->S', load_from='a.pth')
    *others, file = _without_scope(cfg.model.task.init_cfg)
    assert others == [zoo] and file == dict(type='Pretrained', checkpoint='a.pth') and 'pretraining' not in cfg


#: networks that initialize all of themselves after loading, or take no init_cfg
SPECIAL = ['detr/detr_r50_8xb2-150e_coco.py', 'ld/ld_r18-gflv1-r101_fpn_1x_coco.py']
MORE = [
    'lad/lad_r50-paa-r101_fpn_2xb8_coco_1x.py', 'conditional_detr/conditional-detr_r50_8xb2-50e_coco.py',
    'dab_detr/dab-detr_r50_8xb2-50e_coco.py', 'deformable_detr/deformable-detr_r50_16xb2-50e_coco.py',
    'dino/dino-4scale_r50_8xb2-12e_coco.py', 'ddq/ddq-detr-4scale_r50_8xb2-12e_coco.py',
]  # fmt: skip


@pytest.mark.parametrize('name', [*SPECIAL, *(pytest.param(name, marks=pytest.mark.slow) for name in MORE)])
@torch.no_grad()
def test_all_weights_that_are_given_to_the_task_network_are_there(name, tmp_path, monkeypatch):
    name = f'mmdet::{name}'
    monkeypatch.chdir(tmp_path)
    trained = build_task(load_zoo_config(name))
    for value in trained.state_dict().values():
        value.copy_(torch.rand(value.shape) if value.is_floating_point() else value)
    torch.save(dict(state_dict=trained.state_dict()), 'T.pth')
    cfg = mix(name, scheme='T->S', load_from='T.pth')
    start = cfg.model.task.init_cfg
    cfg.model = without_weights(cfg.model)  # nothing is downloaded
    cfg.model.task.init_cfg = start
    init_default_scope(cfg.default_scope)
    model = MODELS.build(cfg.model)
    model.init_weights()
    assert all(torch.equal(value, model.task.state_dict()[key]) for key, value in trained.state_dict().items())


def test_one_backward_pass_for_two_nets_has_one_precision():
    wrappers = mix(AMP, scheme='S+T').optim_wrapper
    assert wrappers.sr.type == wrappers.task.type == 'sr4ir_mm.AnyDeviceAmpOptimWrapper'
    assert wrappers.task.constructor == 'LearningRateDecayOptimizerConstructor' and 'constructor' not in wrappers.sr


@pytest.mark.parametrize(
    ('task', 'words'),
    [
        ('mmdet::retinanet/none.py', "Config 'mmdet::retinanet/none.py' not found"),
        ('nowhere.py', "Config 'nowhere.py' not found"),
        ('mmdet::_base_/models/retinanet_r50_fpn.py', 'has no optim_wrapper'),
        ('mmpretrain::mae/benchmarks/vit-large-p16_8xb128-fsdp-coslr-50e_in1k.py', 'FlexibleRunner'),
        ('mmpretrain::mae/mae_vit-base-p16_8xb512-amp-coslr-300e_in1k.py', 'MAE is not a segmentor'),
        ('mmdet::soft_teacher/soft-teacher_faster-rcnn_r50-caffe_fpn_180k_semi-0.1-coco.py', 'SoftTeacher is not'),
        ('mmdet::grounding_dino/grounding_dino_swin-t_finetune_16xb2_1x_coco.py', 'GroundingDINO is not'),
    ],
)
def test_what_cannot_be_mixed(task, words):
    with pytest.raises(SR4IRError, match=words):
        mix_text(task)


def test_a_zoos_config_without_sr_says_what_to_add(tmp_path, capsys):
    assert run_tool('train', RETINANET, cwd=tmp_path) == 2
    assert '--sr edsr' in capsys.readouterr().err


@pytest.mark.parametrize('schedule', ['param_scheduler = None', ''])
def test_a_task_network_without_a_schedule(schedule, tmp_path):
    """Its learning rate is constant."""
    base = tmp_path / 'own.py'
    cfg = get_config(RESNET).to_dict()
    cfg.pop('param_scheduler')
    Config(cfg).dump(base)
    base.write_text(f'{base.read_text()}\n{schedule}\n')
    schedules = mix(str(base)).param_scheduler
    assert schedules.keys() == {'sr', 'task'} and schedules.task == []


def test_a_model_without_a_type(tmp_path):
    base = tmp_path / 'own.py'
    base.write_text(f'_base_ = {RESNET!r}\nmodel = dict(_delete_=True, backbone=dict())')
    with pytest.raises(SR4IRError, match='None is not a segmentor'):
        mix(str(base))
