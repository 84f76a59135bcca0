"""SR networks for multiples of a number: NAFNet of mmagic pads by itself, ESRGAN x2 by ``AnySizeForward``."""

import copy
import pickle

import pytest
import torch
from helpers.torch_version import needs_export
from helpers.toy import ToyClassifier
from torch import nn

from sr4ir_mm.analysis.complexity import measure
from sr4ir_mm.export import export
from sr4ir_mm.models import SR4IR

NETS = dict(
    nafnet=(1, dict(type='mmagic.NAFNet', img_channels=3, mid_channels=4, enc_blk_nums=[1, 1], middle_blk_num=1,
                    dec_blk_nums=[1, 1])),
    rrdb=(2, dict(type='mmagic.RRDBNet', in_channels=3, out_channels=3, mid_channels=8, num_blocks=1, growth_channels=4,
                  upscale_factor=2)),
)  # fmt: skip
nets = pytest.mark.parametrize('name', NETS)


def make(name: str, scheme: str = 'S+T') -> SR4IR:
    scale, sr = NETS[name]
    model = SR4IR(copy.deepcopy(sr), ToyClassifier(), scale, scheme).eval()
    for module in model.sr.modules():  # large weights: the branches of new networks add almost nothing
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    return model


@nets
@torch.no_grad()
def test_a_model_is_pickled_and_copied(name):
    model, lr = make(name), torch.rand(2, 3, 17, 23)
    expected = model(lr)
    for twin in pickle.loads(pickle.dumps(model)), copy.deepcopy(model):
        assert torch.equal(twin.upsample(lr), model.upsample(lr)) and torch.equal(twin(lr), expected)
        nn.init.zeros_(next(twin.sr.parameters()))
        assert not torch.equal(twin(lr), expected) and torch.equal(model(lr), expected)  # each has its own weights


@needs_export
@pytest.mark.parametrize(
    ('name', 'shape'), [pytest.param('nafnet', None, marks=pytest.mark.slow), ('rrdb', (33, 47))], ids=NETS
)
def test_export(name, shape, tmp_path):
    """PyTorch can trace the rearrangement of pixels in ESRGAN x2 for one size only."""
    ((path, rows),) = export(make(name, 'S'), tmp_path / 'model.pt2', shape=shape).items()
    assert path.is_file() and len(rows) == 3 and {row.output for row in rows} == {'sr'}


@pytest.mark.parametrize(('name', 'padded'), [('nafnet', (36, 48)), ('rrdb', (34, 48))], ids=NETS)
def test_flops_are_those_of_the_padded_image(name, padded):
    odd, multiple = (measure(make(name), *size)['S'].flops for size in ((33, 47), padded))
    assert odd == multiple > 1e6
