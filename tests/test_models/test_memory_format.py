"""Networks that do not take activations in ``torch.channels_last``."""

import pytest
import torch
from helpers.toy import EDSR, ToyClassifier, toy_batch
from helpers.zoo import wrappers_for
from mmengine.hub import get_config

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR
from sr4ir_mm.models.memory_format import takes_channels_last


class Flattening(ToyClassifier):
    def forward(self, inputs, data_samples=None, mode='tensor'):
        maps = self.backbone(inputs)
        maps.view(len(maps), -1)
        return super().forward(inputs, data_samples, mode)


def test_a_network_that_calls_view_on_its_activations():
    """In training and in testing, the message names the option, with which the network works."""
    torch.manual_seed(0)
    model = SR4IR(dict(EDSR), Flattening(), scale=4, tdp=dict(layers=dict(backbone=1.0)), channels_last=True)
    with pytest.raises(SR4IRError, match=r'view\(\) on them\. Set model\.channels_last=False'):
        model.train_step(toy_batch(size=64), wrappers_for(model))
    with pytest.raises(SR4IRError, match=r'Set model\.channels_last=False'):
        model.eval().test_step(toy_batch(size=64))
    model = SR4IR(dict(EDSR), Flattening(), scale=4, tdp=dict(layers=dict(backbone=1.0)))
    model.train_step(toy_batch(size=64), wrappers_for(model))
    assert len(model.eval().test_step(toy_batch(size=64))) == 2


def test_other_errors_stay_as_they_are():
    class Wrong(ToyClassifier):
        def forward(self, *args, **kwargs):
            raise RuntimeError('of another kind')

    with pytest.raises(RuntimeError, match='of another kind'):
        SR4IR(dict(EDSR), Wrong(), scale=4, channels_last=True).eval().test_step(toy_batch())


@pytest.mark.parametrize(
    ('name', 'takes'),
    [
        ('mmdet::centernet/centernet_r18_8xb16-crop512-140e_coco.py', False),
        ('mmdet::cornernet/cornernet_hourglass104_10xb5-crop511-210e-mstest_coco.py', False),
        ('mmdet::retinanet/retinanet_r50_fpn_1x_coco.py', True),
        ('mmseg::dmnet/dmnet_r50-d8_4xb4-80k_ade20k-512x512.py', False),
        ('mmpretrain::vgg/vgg11_8xb32_in1k.py', False),
        ('mmpretrain::repvgg/repvgg-A0_8xb32_in1k.py', True),
    ],
)
def test_known_networks(name, takes):
    assert takes_channels_last(get_config(name).model) == takes
