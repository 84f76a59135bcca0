"""A normalization in the pipelines: the task network receives the same images, S those of 0 to 255."""

import copy

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, TRANSFORMS

from sr4ir_mm.config.normalization import move_normalization
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models.data_preprocessor import SRDataPreprocessor

MEAN, STD = [123.0, 116.0, 103.0], [58.0, 57.0, 55.0]
UNIT = dict(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
MM, TO_TENSOR = dict(type='Normalize', mean=MEAN, std=STD), dict(type='torchvision/ToTensor')
PIL = dict(type='NumpyToPIL', to_rgb=True)
TV = dict(type='torchvision/Normalize', **UNIT)
PACK = dict(type='PackInputs')


def config(*steps: dict, preprocessor: dict | None = None, val: list | None = None, scope='mmpretrain') -> Config:
    train = dict(dataset=dict(pipeline=[dict(type='Load'), *map(dict, steps), dict(PACK)]))
    val = dict(dataset=dict(pipeline=val)) if val else train
    model = dict(sr=dict(type='EDSR'), task=dict(type='T'), scale=4)
    cfg = dict(model=model, train_dataloader=train, val_dataloader=val, test_dataloader=val, default_scope=scope)
    return Config(copy.deepcopy(cfg | dict(data_preprocessor=preprocessor)))


@pytest.mark.parametrize('steps, preprocessor', [
    ([MM], {}),
    ([dict(MM, to_rgb=False)], {}),
    ([dict(MM, to_rgb=False)], dict(to_rgb=True)),
    ([MM], dict(to_rgb=True)),
    ([MM], dict(mean=[1.0, 2.0, 3.0], std=[2.0, 3.0, 4.0], to_rgb=True)),
    ([MM], dict(mean=[1.0], std=[2.0])),
    ([TO_TENSOR], {}),
    ([TO_TENSOR], UNIT),
    ([TO_TENSOR], dict(UNIT, to_rgb=True)),
    ([TO_TENSOR, TV], {}),
    ([PIL, TO_TENSOR, TV], {}),
    ([PIL, TO_TENSOR, dict(type='torchvision/Normalize', mean=[0.5], std=[0.5])], {}),
    ([PIL, TO_TENSOR], dict(UNIT, to_rgb=True)),
    ([PIL, dict(type='PILToNumpy', to_bgr=True), MM], {}),
    ([PIL], dict(mean=MEAN, std=STD)),
])  # fmt: skip
def test_the_task_network_receives_the_same_images(steps, preprocessor):
    kind = dict(type='mmpretrain.ClsDataPreprocessor')
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    results = dict(img=image)
    for step in steps:
        with TRANSFORMS.switch_scope_and_registry('mmpretrain') as library:
            transform = library.build(step)
        results = transform(results)
    results['img'] = results['img'] if torch.is_tensor(results['img']) else np.asarray(results['img'])
    if isinstance(results['img'], np.ndarray):
        results['img'] = torch.from_numpy(np.ascontiguousarray(results['img'].transpose(2, 0, 1)))
    expected = MODELS.build(kind | preprocessor)(dict(inputs=[results['img']]))['inputs']

    cfg = move_normalization(config(*steps, preprocessor=preprocessor))
    for stage in ('train', 'val', 'test'):
        kinds = {step.type for step in cfg[f'{stage}_dataloader'].dataset.pipeline}
        assert kinds <= {'Load', 'NumpyToPIL', 'PILToNumpy', 'PackInputs'}
    degradation = dict(type='sr4ir_mm.BicubicDegradation', scale=4)
    ours = SRDataPreprocessor(kind | cfg.data_preprocessor, degradation, cfg.model.get('channel_order'))
    pixels = torch.from_numpy(image.transpose(2, 0, 1).copy())
    inputs = ours(dict(inputs=[pixels.flip(0) if PIL in steps[:1] and steps[-1] is not MM else pixels]))['inputs']
    torch.testing.assert_close(inputs['hr_inputs'], expected, rtol=0, atol=2e-6)
    assert torch.equal((inputs['hr'] * 255).round().byte()[0], pixels.flip(0))


def test_what_is_said_and_what_stays(capsys):
    cfg = config(dict(type='Resize'))
    before = cfg.to_dict()
    assert move_normalization(cfg).to_dict() == before and not capsys.readouterr().out
    bare = config(MM)
    del bare.model['sr']
    assert len(move_normalization(bare).train_dataloader.dataset.pipeline) == 3
    own = config(MM, scope='mmseg')
    own.model.task.data_preprocessor = dict(type='SegDataPreProcessor', size=(64, 64))
    move_normalization(own)
    assert own.model.task.data_preprocessor == dict(
        type='SegDataPreProcessor', size=(64, 64), mean=MEAN, std=STD, bgr_to_rgb=True
    )
    assert 'Normalize: taken out of the pipelines; instead, the data preprocessor of' in capsys.readouterr().out


def test_mixed_images_are_normalized_after_the_mix():
    cfg = config(MM)
    inner = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
    cfg.train_dataloader.dataset.dataset = dict(pipeline=inner)
    assert move_normalization(cfg).data_preprocessor.mean == MEAN
    cfg = config()
    cfg.train_dataloader.dataset.dataset = dict(pipeline=[*inner, dict(MM)])
    with pytest.raises(SR4IRError, match='Normalize before other steps'):
        move_normalization(cfg)


@pytest.mark.parametrize('cfg, message', [
    (config(MM, val=[dict(type='Load'), dict(PACK)]), 'Only some pipelines have Normalize'),
    (config(MM, val=[dict(type='Load'), dict(MM, std=MEAN), dict(PACK)]), 'or they differ in it'),
    (config(dict(type='Normalize')), 'Normalize in a pipeline has no mean or no std'),
    (config(MM, dict(type='Pad', size_divisor=32)), 'has Normalize before other steps. SR4IR needs .* set mean'),
])  # fmt: skip
def test_what_cannot_be_moved(cfg, message):
    with pytest.raises(SR4IRError, match=message):
        move_normalization(cfg)
