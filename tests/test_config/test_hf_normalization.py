"""Normalization and channel order of networks of transformers: those of the folder, or those that are set."""

from pathlib import Path

import pytest
from helpers.hf import CLASSIFIERS, write
from mmengine.config import Config

from sr4ir_mm import mix
from sr4ir_mm.config import load_config
from sr4ir_mm.errors import SR4IRError

NAME = 'ViTForImageClassification'  # whose image processor has mean and std 127.5, RGB
PIL = "dict(type='NumpyToPIL', to_rgb=True)"
BACK = "dict(type='PILToNumpy')"
TV = "dict(type='torchvision/ToTensor'), dict(type='torchvision/Normalize', mean=[.485, .456, .406], std=[.2] * 3)"
OURS = dict(mean=[1.0] * 3, std=[2.0] * 3)


@pytest.fixture
def config(tmp_path):
    """A config with this network, the steps of its pipeline, and more entries of the model."""
    write(tmp_path / 'vit', NAME, CLASSIFIERS[NAME])

    def make(steps: str, preprocessor: dict | None = None, **model) -> Config:
        task = dict(type='sr4ir_mm.HFClassifier', pretrained=str(tmp_path / 'vit'), data_preprocessor=preprocessor)
        model = dict(type='sr4ir_mm.SR4IR', scale=4, scheme='H->T', sr=None, task=task, **model)
        pipeline = f"[dict(type='LoadImageFromFile'), {steps}{', ' if steps else ''}dict(type='PackInputs')]"
        (tmp_path / 'mine.py').write_text(
            f"default_scope = 'mmpretrain'\nmodel = {model}\ntrain_dataloader = dict(dataset=dict(pipeline={pipeline}))"
        )
        return load_config(tmp_path / 'mine.py')

    return make


@pytest.mark.parametrize('order', ['rgb', 'bgr'])
@pytest.mark.parametrize('flip', [dict(to_rgb=False), dict(to_rgb=True), {}])
def test_what_is_set_stays(config, flip, order):
    model = config('', OURS | flip, channel_order=order).model
    found = model.task.data_preprocessor
    assert model.channel_order == order and found.get('to_rgb') == flip.get('to_rgb') and found.mean == [1.0] * 3


@pytest.mark.parametrize(
    ('flip', 'order'), [(dict(to_rgb=False), 'rgb'), (dict(to_rgb=True), 'bgr'), ({}, 'rgb')]
)  # of the image that the task network receives
def test_what_is_set_stays_with_pipelines_in_rgb(config, flip, order):
    model = config(f'{PIL}, {BACK}', OURS | flip).model
    assert model.channel_order == order and model.task.data_preprocessor.get('to_rgb') == flip.get('to_rgb')


def test_a_channel_order_that_is_set_stays_next_to_the_normalization_of_the_folder(config):
    model = config(f'{PIL}, {BACK}', dict(to_rgb=True)).model  # the network receives BGR, as it says
    assert model.channel_order == 'bgr' and model.task.data_preprocessor.to_rgb
    model = config('', channel_order='rgb').model
    assert model.channel_order == 'rgb' and model.task.data_preprocessor.to_rgb


@pytest.mark.parametrize('steps', ['', f'{PIL}, {BACK}'])
def test_a_channel_order_against_the_folder_is_refused(config, steps):
    with pytest.raises(SR4IRError, match=r"channel_order='bgr', but '.*vit' is for RGB: leave channel_order out"):
        config(steps, channel_order='bgr')


@pytest.mark.parametrize(
    ('steps', 'flips'), [(TV, True), (f'{PIL}, {TV}', False), ("dict(type='Normalize', mean=[0.], std=[9.])", True)]
)
@pytest.mark.parametrize('preprocessor', [None, dict(num_classes=5)])
def test_a_normalization_in_the_pipelines_gives_way_to_that_of_the_folder(config, steps, flips, preprocessor):
    cfg = config(steps, preprocessor)
    found = cfg.model.task.data_preprocessor
    assert found.mean == [127.5] * 3 and found.std == [127.5] * 3 and found.to_rgb is flips
    assert cfg.model.get('channel_order', 'rgb') == 'rgb'
    kinds = [step.type for step in cfg.train_dataloader.dataset.pipeline]
    assert kinds == ['LoadImageFromFile', *(['NumpyToPIL'] if 'PIL' in steps else []), 'PackInputs']


def test_a_normalization_in_the_pipelines_joins_the_one_that_is_set(config):
    found = config(TV, OURS | dict(to_rgb=False)).model.task.data_preprocessor
    assert found.std == pytest.approx([102.0] * 3)


def test_a_mix_with_data_that_are_normalized_in_the_pipelines(config, tmp_path):
    config('')
    (tmp_path / 'data.py').write_text(
        "_base_ = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'\n"
        f"train_pipeline = [dict(type='LoadImageFromFile'), {PIL}, {TV}, dict(type='PackInputs')]\n"
        'train_dataloader = dict(dataset=dict(pipeline=train_pipeline))\n'
        'val_dataloader = dict(dataset=dict(pipeline=train_pipeline))\n'
        'test_dataloader = dict(dataset=dict(pipeline=train_pipeline))\n'
    )
    model = mix(str(tmp_path / 'data.py'), network=str(Path(tmp_path / 'vit'))).model
    found = model.task.data_preprocessor
    assert found.mean == [127.5] * 3 and not found.to_rgb and model.channel_order == 'rgb'
