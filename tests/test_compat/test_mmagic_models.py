"""Networks of mmagic one by one. Each test has a Python of its own, in which nothing of mmagic is imported yet."""

import pytest
from helpers import own_python

from sr4ir_mm.config.sr_nets import NETS

PRELUDE = 'import sys, sr4ir_mm; from mmengine.registry import MODELS\n'


def output_of(code: str, prelude: str = PRELUDE) -> str:
    return own_python.output_of(prelude + code)


def test_sr_nets_are_found_without_the_diffusion_models():
    code = f"""
for name in {NETS}:
    assert MODELS.get('mmagic.' + name).__name__ == name
print([name for name in ('diffusers', 'mmagic.models.editors.stable_diffusion', 'lpips') if name in sys.modules])"""
    assert output_of(code) == '[]'


@pytest.mark.parametrize('name', ['mmagic.DeepFillv1Inpaintor', 'mmagic.StyleGANv2Generator', 'mmagic.SPE2d'])
def test_other_types_and_registered_names_are_found_too(name):
    assert output_of(f'print(MODELS.get({name!r}).__module__)').startswith('mmagic.models.editors.')


def test_a_net_of_torch_that_mmagic_registers_and_an_unknown_name():
    code = "print(MODELS.get('mmagic.Deconv').__name__, MODELS.get('mmagic.NoSuchNet'))"
    assert output_of(code) == 'ConvTranspose2d None'


def test_public_names_can_be_imported_as_before():
    code = """
from mmagic.models import BaseEditModel, EDSRNet
from mmagic.models.archs import PixelShufflePack
from mmagic.models.editors import SwinIRNet, edsr
from mmagic.models.losses import CharbonnierLoss
print(EDSRNet is edsr.EDSRNet is MODELS.get('mmagic.EDSRNet'), hasattr(sys.modules['mmagic.models'], 'NoSuchNet'))
import mmagic.models
names = dir(mmagic.models)
print('EDSRNet' in names, 'CharbonnierLoss' in names, mmagic.models.editors.rdn.__name__)
from mmagic.models.losses import *
print(L1Loss.__module__)"""
    assert output_of(code).split() == ['True', 'False', 'True', 'True', 'mmagic.models.editors.rdn',
                                       'mmagic.models.losses.pixelwise_loss']  # fmt: skip


def test_also_if_the_registry_was_imported_first():
    """Whoever imports mmagic's registry before sr4ir_mm must not find an empty one."""
    prelude = 'import mmagic.registry, sr4ir_mm; from mmengine.registry import MODELS\n'
    assert output_of("print(MODELS.get('mmagic.EDSRNet').__name__)", prelude) == 'EDSRNet'


def test_a_type_that_cannot_be_imported_says_why():
    code = """
sys.modules['diffusers.models.unet_2d_condition'] = sys.modules['diffusers'] = None  # as if it was not installed
from sr4ir_mm.errors import SR4IRError
try:
    MODELS.build(dict(type='mmagic.ViCo'))
except SR4IRError as error:
    print(error)"""
    message = output_of(code)
    assert message.startswith("'mmagic.ViCo' is not available: mmagic.models.editors.vico.vico cannot be imported (Mod")
    assert 'diffusers' in message


def test_wrapped_models_of_diffusers_are_named():
    code = """
from sr4ir_mm.errors import SR4IRError
try:
    MODELS.build(dict(type='mmagic.UNet2DConditionModel'))
except SR4IRError as error:
    print(error)"""
    assert output_of(code).startswith("'mmagic.UNet2DConditionModel' is not available: mmagic wraps it for diffusers")
