"""Scheme T->S: the losses of a frozen task network are those of the bare one in train mode, without dropout.

Many networks of the zoos compute other things in train mode, so in eval mode they would crash or give other losses.
"""

import copy

import numpy as np
import pytest
import torch
from helpers.toy import EDSR, ToyClassifier, toy_batch
from helpers.zoo import CONFIGS, bare_net, batch_for, net_config, state, wrappers_for
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import PixelData
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from sr4ir_mm.models import SR4IR

R18 = {'backbone.depth': 18, 'neck.in_channels': [64, 128, 256, 512]}
TINY_DETR = {
    'backbone.depth': 18, 'neck.in_channels': [128, 256, 512], 'encoder.num_layers': 1, 'decoder.num_layers': 2,
    'num_queries': 30,
}  # fmt: skip
#: path in the zoo and what makes it small; in train mode each does something that its losses need
NETS = {
    'fcos': ('mmdet::fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py', R18 | {'bbox_head.norm_on_bbox': True}),
    'solo': ('mmdet::solo/solo_r50_fpn_1x_coco.py', R18),
    'condinst': ('mmdet::condinst/condinst_r50_fpn_ms-poly-90k_coco_instance.py', R18),
    'centernet-update': ('mmdet::centernet/centernet-update_r50-caffe_fpn_ms-1x_coco.py', R18),
    'vfnet': ('mmdet::vfnet/vfnet_r50_fpn_1x_coco.py', R18),
    'reppoints': ('mmdet::reppoints/reppoints-moment_r50_fpn_1x_coco.py', R18),
    'ga-retinanet': ('mmdet::guided_anchoring/ga-retinanet_r50-caffe_fpn_1x_coco.py', R18),
    'yolact': ('mmdet::yolact/yolact_r50_1xb8-55e_coco.py', R18),
    'tridentnet': (
        'mmdet::tridentnet/tridentnet_r50-caffe_1x_coco.py',
        {'train_cfg.rcnn.sampler.num': 8, 'train_cfg.rpn_proposal.max_per_img': 20},
    ),
    'deformable-detr': ('mmdet::deformable_detr/deformable-detr-refine-twostage_r50_16xb2-50e_coco.py', TINY_DETR),
    'dino': ('mmdet::dino/dino-4scale_r50_8xb2-12e_coco.py', TINY_DETR),
    'ddq': ('mmdet::ddq/ddq-detr-4scale_r50_8xb2-12e_coco.py', TINY_DETR),
    'pidnet': ('mmseg::pidnet/pidnet-s_2xb6-120k_1024x1024-cityscapes.py', {}),
    'ddrnet': ('mmseg::ddrnet/ddrnet_23-slim_in1k-pre_2xb6-120k_cityscapes-1024x1024.py', {}),
    'knet': ('mmseg::knet/knet-s3_r50-d8_fcn_8xb2-adamw-80k_ade20k-512x512.py', {}),
    # averages its bases in train mode
    'emanet': ('mmseg::emanet/emanet_r50-d8_4xb2-80k_cityscapes-512x1024.py', {}),
    'segnext': ('mmseg::segnext/segnext_mscan-t_1xb16-adamw-160k_ade20k-512x512.py', {}),
    'tinyvit': ('mmpretrain::tinyvit/tinyvit-5m_8xb256_in1k.py', {}),
    'inception': ('mmpretrain::inception_v3/inception-v3_8xb32_in1k.py', {}),
}
#: of a kind of which the list has another one
SIMILAR = ('solo', 'centernet-update', 'vfnet', 'reppoints', 'ga-retinanet', 'tridentnet', 'ddq', 'knet', 'ddrnet')


def labeled_batch(cfg: dict, size: int) -> dict:
    """Add masks of objects and edges of classes, which some networks need."""
    batch = batch_for(cfg, (size, size), (size, size))
    for sample in batch['data_samples']:
        if 'gt_instances' in sample:
            masks = np.zeros((len(sample.gt_instances), size, size), np.uint8)
            for mask, (x1, y1, x2, y2) in zip(masks, sample.gt_instances.bboxes.tensor.int().tolist()):
                mask[y1:y2, x1:x2] = 1
            sample.gt_instances.masks = BitmapMasks(masks, size, size)
        if 'gt_sem_seg' in sample:
            sample.gt_edge_map = PixelData(data=sample.gt_sem_seg.data % 2)
    return batch


@pytest.mark.parametrize(
    'name', [pytest.param(name, marks=pytest.mark.slow) if name in SIMILAR else name for name in NETS]
)
def test_losses_are_those_of_the_bare_net(name, monkeypatch):
    path, options = NETS[name]
    monkeypatch.setitem(CONFIGS, name, path)
    cfg = net_config(name, **options)
    size = dict(tinyvit=224, inception=96).get(name, 64)
    model = SR4IR(EDSR, copy.deepcopy(cfg), scale=4, scheme='T->S').train()
    model.init_weights()
    for module in model.modules():
        if type(module).__name__ == 'TridentConv':  # mmdet leaves what was in memory, since files of weights replace it
            nn.init.kaiming_normal_(module.weight)
    bare = bare_net(cfg).train()
    bare.load_state_dict(model.task.state_dict())
    for module in bare.modules():
        kind = type(module).__name__
        if isinstance(module, (_NormBase, nn.MultiheadAttention)) or 'Dropout' in kind or 'DropPath' in kind:
            module.eval()
    batch, before = labeled_batch(cfg, size), state(model.task)
    data = model.data_preprocessor(copy.deepcopy(batch), True)
    inputs = model.normalized_input('sr', data['inputs'] | dict(sr=model.sr(data['inputs']['lr']).detach()))
    torch.manual_seed(1)
    _, expected = bare.parse_losses(bare(inputs, data['data_samples'], mode='loss'))
    torch.manual_seed(1)
    logs = model.train_step(batch, wrappers_for(model))
    found = {key.removeprefix('task.sr.'): value for key, value in logs.items() if key.startswith('task.')}
    torch.testing.assert_close(found, dict(expected))
    after = model.task.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())
    assert not any(module.training for module in model.task.modules())


def test_features_and_losses_in_one_phase():
    """The TDP loss compares features in eval mode, also where the frozen network gives a loss too."""
    phases = [dict(learn=['sr'], tdp=1.0, task=dict(sr=0.5)), dict(learn=['task'], task=dict(hr=1.0))]
    model = SR4IR(EDSR, ToyClassifier(), scale=4, scheme=dict(phases=phases, test_input='sr')).train()
    task, seen = model.task, []

    def note(net, args, kwargs):
        seen.append((kwargs.get('mode'), task.training, task.backbone[1].training))

    task.register_forward_pre_hook(note, with_kwargs=True)
    model.train_step(toy_batch(), wrappers_for(model))
    assert list(dict.fromkeys(seen)) == [('tensor', False, False), ('loss', True, False), ('loss', True, True)]
    assert all(module.training for module in model.modules())
