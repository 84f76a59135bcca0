"""With the scheme H->T, the wrapper is the bare zoo model. This property guards every mix."""

import copy

import numpy as np
import pytest
import torch
from helpers.zoo import CAFFE, UNNORMALISED, bare_net, batch_for, net_config, state, watch_grads, wrappers_for
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper
from mmengine.runner import set_random_seed
from mmengine.structures import BaseDataElement

from sr4ir_mm.models import SR4IR

EQUAL, UNEQUAL = ((64, 64), (64, 64)), ((64, 48), (56, 61))
# heads of random weights do not reach their score thresholds
SURE = {'test_cfg.score_thr': 0.0, 'test_cfg.rcnn.score_thr': 0.0}
# most of the time would go to the largest layers of the heads
NARROW = {'decode_head.channels': 64, 'auxiliary_head.channels': 64}
NARROW_BOXES = {'roi_head.bbox_head.fc_out_channels': 64}
RESIZED = {'data_preprocessor.batch_augments': [
    dict(type='BatchSyncRandomResize', random_size_range=(96, 96), size_divisor=32, interval=1)]}  # fmt: skip
MIXED = {'train_cfg': dict(augments=dict(type='Mixup', alpha=0.8)), 'head.loss.use_soft': True}
CASES = {
    # net, what to change of its preprocessor, sizes of the images in training and in testing, of its config
    'deeplabv3': ('deeplabv3', {}, UNEQUAL, EQUAL, NARROW),
    'segformer': ('segformer', {}, UNEQUAL, ((61, 50),), {}),
    'segformer-bgr': ('segformer', CAFFE, UNEQUAL, EQUAL, {}),
    'segformer-unnormalized': ('segformer', UNNORMALISED, UNEQUAL, EQUAL, {}),
    'faster_rcnn-caffe': ('faster_rcnn', {}, UNEQUAL, UNEQUAL, SURE | NARROW_BOXES),
    'retinanet': ('retinanet', {}, UNEQUAL, UNEQUAL, SURE),
    'retinanet-unpadded': ('retinanet', dict(UNNORMALISED, pad_size_divisor=1, pad_value=114), UNEQUAL, UNEQUAL, SURE),
    'yolox-unnormalized': ('yolox', {}, EQUAL, UNEQUAL, RESIZED),
    'resnet18': ('resnet18', {}, EQUAL, EQUAL, {}),
    'resnet18-bgr': ('resnet18', CAFFE, EQUAL, EQUAL, {}),
    'resnet18-mixup': ('resnet18', {}, EQUAL, EQUAL, MIXED),
    'mobilenetv3': ('mobilenetv3', {}, EQUAL, EQUAL, {}),
    'mobilenetv3-unnormalized': ('mobilenetv3', UNNORMALISED, EQUAL, EQUAL, {}),
}


def train_step(model, net, wrapper, optimizer, batch) -> tuple[dict, dict]:
    """Make one seeded training step, and return its losses and gradients."""
    grads = watch_grads(optimizer, net)
    set_random_seed(3)
    model.train()
    MessageHub.get_current_instance().update_info('iter', 0)
    model.data_preprocessor(copy.deepcopy(batch), True)  # the augmentation draws the size of the next batch
    return model.train_step(copy.deepcopy(batch), wrapper), grads


def assert_same(ours, bare, path: str = '') -> None:
    """Assert that nested outputs are equal bit by bit; ours may also have the images."""
    if isinstance(bare, BaseDataElement):
        bare, ours = (dict(sample.all_items()) for sample in (bare, ours))
        ours = {key: value for key, value in ours.items() if key not in ('lr', 'task_input', 'hr')}
    if hasattr(bare, 'to_ndarray') or hasattr(bare, 'tensor'):  # mmdet's masks and boxes
        assert type(ours) is type(bare), path
        bare, ours = (x.to_ndarray() if hasattr(x, 'to_ndarray') else x.tensor for x in (bare, ours))
    if isinstance(bare, dict):
        assert ours.keys() == bare.keys(), path
        for key in bare:
            assert_same(ours[key], bare[key], f'{path}.{key}')
    elif isinstance(bare, (list, tuple)):
        assert len(ours) == len(bare), path
        for i, (a, b) in enumerate(zip(ours, bare)):
            assert_same(a, b, f'{path}[{i}]')
    elif isinstance(bare, torch.Tensor):
        assert torch.equal(ours, bare), path
    elif isinstance(bare, np.ndarray):
        np.testing.assert_array_equal(ours, bare, path)
    else:
        assert ours == bare, path


@pytest.mark.parametrize('case', CASES)
def test_oracle_is_the_bare_net(case):
    name, preprocessor, train_sizes, test_sizes, options = CASES[case]
    cfg = net_config(name, preprocessor, **options)
    bare = bare_net(cfg)
    model = SR4IR(None, copy.deepcopy(cfg), scale=4, scheme='H->T')
    model.task.load_state_dict(bare.state_dict())

    batch = batch_for(cfg, *train_sizes)
    bare_wrapper = OptimWrapper(torch.optim.SGD(bare.parameters(), lr=1e-4, momentum=0.9))
    losses, grads = train_step(bare, bare, bare_wrapper, bare_wrapper.optimizer, batch)
    wrappers = wrappers_for(model, lr=1e-4)
    our_losses, our_grads = train_step(model, model.task, wrappers, wrappers['task'].optimizer, batch)
    assert len(grads) > 20 and float(losses['loss']) > 0
    assert_same(our_losses, dict({f'task.hr.{key}': value for key, value in losses.items()}, loss=losses['loss']))
    assert_same(our_grads, grads)
    assert_same(state(model.task), state(bare))

    batch = batch_for(cfg, *test_sizes, seed=1)
    predictions = [net.eval().test_step(copy.deepcopy(batch)) for net in (model, bare)]
    assert all(len(p.pred_instances) for p in predictions[1] if 'pred_instances' in p)
    assert_same(*predictions)


class NoDegradation(torch.nn.Identity):
    scale = 1


@pytest.mark.parametrize(
    'case', ['segformer', 'segformer-bgr', 'retinanet-unpadded', 'yolox-unnormalized', 'resnet18-bgr']
)
def test_with_a_perfect_sr_net_the_task_network_receives_the_input_of_the_bare_net(case):
    """Channel order, normalization and padding on the way from HR to LR, SR and the task network."""
    name, preprocessor, sizes, *_ = CASES[case]
    cfg = net_config(name, preprocessor, **{'data_preprocessor.batch_augments': None} if name == 'yolox' else {})
    model = SR4IR(torch.nn.Identity(), cfg, scale=1, scheme='S->T', degradation=NoDegradation())
    bare = model.task.data_preprocessor(batch_for(cfg, *sizes), True)['inputs']
    seen = []
    model.task.register_forward_pre_hook(lambda net, args: seen.append(args[0]))
    model.train_step(batch_for(cfg, *sizes), wrappers_for(model))
    torch.testing.assert_close(seen, [bare], rtol=0, atol=1e-3 if bare.abs().max() > 10 else 1e-5)
