"""A config of a zoo and an SR network make a complete config."""

from pathlib import Path

import pytest
import torch
from helpers.zoo import run_tool
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.registry import MODELS, init_default_scope

from sr4ir_mm import mix
from sr4ir_mm.config.mixing import mix_text
from sr4ir_mm.errors import SR4IRError

RETINANET = 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'
RESNET = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'
AMP = 'mmseg::convnext/convnext-tiny_upernet_8xb2-amp-160k_ade20k-512x512.py'
ZOO_CONFIG = Path(__file__).parents[2] / 'configs/zoo/retinanet_edsr_x4_coco.py'


def test_all_but_the_model_and_its_updates_stays_as_in_the_zoo():
    zoo, cfg = get_config(RETINANET), mix(RETINANET)
    ours = {'model', 'optim_wrapper', 'param_scheduler', 'default_hooks', 'model_wrapper_cfg'}
    for key in set(zoo) - ours:
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


def test_the_teacher_of_a_distilled_net_is_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = mix('mmdet::ld/ld_r18-gflv1-r101_fpn_1x_coco.py').model.task
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
