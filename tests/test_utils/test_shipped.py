"""The weights in the package load without a network, and their images are better than interpolated ones."""

import hashlib
import json
import runpy
import socket
import sys
from pathlib import Path

import matplotlib as mpl
import pytest
import torch
from helpers.zoo import TOOLS
from mmengine.runner import CheckpointLoader
from torch import Tensor

from sr4ir_mm import mix
from sr4ir_mm.config import build_model, find_sr
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.evaluation import SRQuality
from sr4ir_mm.models import SR4IR
from sr4ir_mm.utils.shipped import FOLDER, find_shipped

ROOT = TOOLS.parent
NAMES = [(path.stem[:-3], int(path.stem[-1])) for path in sorted(FOLDER.glob('*.safetensors'))]
SCRIPTS = ROOT / '.dev_scripts/sr_weights'


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    def refuse(*args):
        raise AssertionError('a connection')

    monkeypatch.setattr(socket.socket, 'connect', refuse)


@pytest.fixture
def scripts(monkeypatch):
    """The maintainers' modules about these weights."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    yield
    for name in ('measure', 'page'):
        sys.modules.pop(name, None)


def photograph() -> Tensor:
    """A part of a photograph that matplotlib installs, 1 x 3 x 192 x 192."""
    import cv2

    image = cv2.imread(str(Path(mpl.get_data_path()) / 'sample_data/grace_hopper.jpg'))[60:252, 130:322, ::-1]
    return torch.from_numpy(image.copy()).permute(2, 0, 1)[None] / 255


def test_each_name_has_a_file_below_2_mb():
    configs = (ROOT / 'configs/_base_/sr').glob('edsr-s[-_]*.py')
    assert {path.stem for path in configs} == {f'{name}_x{scale}' for name, scale in NAMES}
    assert max(path.stat().st_size for path in FOLDER.iterdir()) < 1_500_000


@pytest.mark.parametrize(('name', 'scale'), NAMES)
def test_a_mix_starts_from_them(name, scale):
    model = build_model(mix('mmpretrain::resnet/resnet18_8xb32_in1k.py', sr=name, scale=scale))
    model.init_weights()
    found, expected = model.sr.state_dict(), CheckpointLoader.load_checkpoint(f'sr4ir_mm://{name}_x{scale}')
    assert found.keys() == expected.keys()
    assert all(torch.equal(value, expected[key].float()) for key, value in found.items())


@pytest.mark.parametrize(('name', 'scale'), NAMES)
def test_the_image_is_better_than_an_interpolated_one(name, scale, scripts):
    from measure import interpolations, quality

    degradation = dict(type='sr4ir_mm.BicubicDegradation', scale=scale)
    if 'real' in name:
        degradation = runpy.run_path(str(ROOT / 'configs/_base_/degradations/practical_x4.py'))['degradation']
    model = SR4IR(find_sr(name, scale), None, scale, scheme='S', degradation=dict(degradation, scale=scale)).eval()
    model.init_weights()
    degrade, images = model.data_preprocessor.degradation, [photograph()]
    sr = quality(model.sr, degrade, images)
    for enlarge in interpolations(scale).values():
        other = quality(enlarge, degrade, images)
        assert sr['PSNR'] > other['PSNR'] + 0.3 and sr['SSIM'] > other['SSIM']


def test_the_quality_is_that_of_the_metric(scripts):
    from measure import quality

    image = photograph()
    metric = SRQuality(['PSNR', 'SSIM'])
    darker = (image * 255 - 10).clamp(0, 255) / 255
    found = quality(lambda lr: darker, torch.nn.Identity(), [image])
    shifted = darker[..., 8:-8, 8:-8], image[..., 8:-8, 8:-8]
    assert found == pytest.approx(dict(PSNR=metric.psnr(*shifted), SSIM=metric.ssim(*shifted)), abs=1e-4)


def test_the_card_is_about_these_files(scripts):
    from page import page

    card = json.loads((ROOT / 'docs/shipped_weights.json').read_text())
    assert card.keys() == {f'{name}_x{scale}' for name, scale in NAMES}
    for name, entry in card.items():
        data = (FOLDER / f'{name}.safetensors').read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry['file']['sha256'], 'python .dev_scripts/sr_weights/ship.py'
        assert 'non-commercial' in entry['license']
        for values in entry['quality'].values():
            assert values['sr']['PSNR'] > max(values[kind]['PSNR'] for kind in ('bilinear', 'bicubic'))
    assert (ROOT / 'docs/shipped_weights.md').read_text() == page(card), 'python .dev_scripts/sr_weights/ship.py'


@pytest.mark.parametrize('name', ['edsr-s_x5', '../version', 'edsr-s_x4.safetensors', ''])
def test_an_unknown_name_lists_the_known_ones(name):
    with pytest.raises(SR4IRError, match=r'is not among the weights .* choose from sr4ir_mm://edsr-s-real_x\d, '):
        CheckpointLoader.load_checkpoint(f'sr4ir_mm://{name}')


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / 'a.safetensors'
    path.write_bytes(find_shipped('sr4ir_mm://edsr-s_x4').read_bytes()[:5000])
    with pytest.raises(SR4IRError, match=r'a\.safetensors. is not a file of weights, or it is damaged: Safetensor'):
        CheckpointLoader.load_checkpoint(str(path))
