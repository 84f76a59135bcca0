"""SR networks by name, from a file, from mmagic."""

import inspect
import types
from itertools import cycle

import pytest
import torch
from helpers.zoo import wrappers_for
from mmengine.config import Config, ConfigDict
from mmengine.registry import DefaultScope
from mmengine.runner import CheckpointLoader

from sr4ir_mm import mix
from sr4ir_mm.analysis.synthetic_batch import synthetic_batch
from sr4ir_mm.config import find_sr, sr_nets, zoo
from sr4ir_mm.config.zoo import without_weights
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR
from sr4ir_mm.models.sr_net import build_sr
from sr4ir_mm.registry import MODELS

#: our base configs, and the config of mmagic that has the same net and the same weights
TWINS = {
    'edsr_x2': 'edsr/edsr_x2c64b16_1xb16-300k_div2k.py',
    'edsr_x3': 'edsr/edsr_x3c64b16_1xb16-300k_div2k.py',
    'edsr_x4': 'edsr/edsr_x4c64b16_1xb16-300k_div2k.py',
    'rdn_x2': 'rdn/rdn_x2c64b16_1xb16-1000k_div2k.py',
    'rdn_x3': 'rdn/rdn_x3c64b16_1xb16-1000k_div2k.py',
    'rdn_x4': 'rdn/rdn_x4c64b16_1xb16-1000k_div2k.py',
    'rrdb_x4': 'esrgan/esrgan_psnr-x4c64b23g32_1xb16-1000k_div2k.py',
    'esrgan_x4': 'esrgan/esrgan_x4c64b23g32_1xb16-400k_div2k.py',
    'realesrnet_x4': 'real_esrgan/realesrnet_c64b23g32_4xb12-lr2e-4-1000k_df2k-ost.py',
    'realesrgan_x4': 'real_esrgan/realesrgan_c64b23g32_4xb12-lr1e-4-400k_df2k-ost.py',
    'srresnet_x4': 'srgan_resnet/msrresnet_x4c64b16_1xb16-1000k_div2k.py',
    'srgan_x4': 'srgan_resnet/srgan_x4c64b16_1xb16-1000k_div2k.py',
    'srcnn_x4': 'srcnn/srcnn_x4k915_1xb16-1000k_div2k.py',
    'swinir_x2': 'swinir/swinir_x2s48w8d6e180_8xb4-lr2e-4-500k_div2k.py',
    'swinir_x3': 'swinir/swinir_x3s48w8d6e180_8xb4-lr2e-4-500k_div2k.py',
    'swinir_x4': 'swinir/swinir_x4s48w8d6e180_8xb4-lr2e-4-500k_div2k.py',
    'swinir-light_x2': 'swinir/swinir_x2s64w8d4e60_8xb4-lr2e-4-500k_div2k.py',
    'swinir-light_x3': 'swinir/swinir_x3s64w8d4e60_8xb4-lr2e-4-500k_div2k.py',
    'swinir-light_x4': 'swinir/swinir_x4s64w8d4e60_8xb4-lr2e-4-500k_div2k.py',
    'swinir-real_x2': 'swinir/swinir_psnr-x2s64w8d6e180_8xb4-lr1e-4-600k_df2k-ost.py',
    'swinir-real_x4': 'swinir/swinir_psnr-x4s64w8d6e180_8xb4-lr1e-4-600k_df2k-ost.py',
    'swinir-denoise_x1': 'swinir/swinir_s128w8d6e180_8xb1-lr2e-4-1600k_dfwb-colorDN25.py',
    'swinir-jpeg_x1': 'swinir/swinir_s126w7d6e180_8xb1-lr2e-4-1600k_dfwb-colorCAR10.py',
    'nafnet_x1': 'nafnet/nafnet_c64eb2248mb12db2222_8xb8-lr1e-3-400k_sidd.py',
    'nafnet-deblur_x1': 'nafnet/nafnet_c64eb11128mb1db1111_8xb8-lr1e-3-400k_gopro.py',
    'restormer_x1': 'restormer/restormer_official_dfwb-color-sigma50.py',
    'restormer-deblur_x1': 'restormer/restormer_official_gopro.py',
    'liif-edsr_x3': 'liif/liif-edsr-norm_c64b16_1xb16-1000k_div2k.py',
    'liif-rdn_x8': 'liif/liif-rdn-norm_c64b16_1xb16-1000k_div2k.py',
}
ALL = sorted(path.stem for path in sr_nets._folder().glob('*_x[0-9].py'))
DEBLURGAN = 'deblurganv2/deblurganv2_fpn-mobilenet_1xb1_gopro.py'
#: the same nets, but small
SMALL = dict(
    depths=[2], num_heads=[6], embed_dim=12, enc_blk_nums=[1, 1], dec_blk_nums=[1, 1], middle_blk_num=1, dim=8,
    hidden_list=[8],
)  # fmt: skip


def split(name: str) -> tuple[str, int]:
    name, _, scale = name.rpartition('_x')
    return name, int(scale)


def settled(cfg: dict) -> dict:
    """Return the config with the defaults of the classes, without sizes that do not change the network."""
    defaults = {}
    if '.' in cfg.get('type', ''):
        parameters = inspect.signature(MODELS.get(cfg['type'])).parameters.values()
        defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    cfg = {**defaults, **cfg}
    cfg['std'] = cfg.get('std') or (1, 1, 1)
    return {
        key: settled(value) if isinstance(value, dict) else tuple(value) if isinstance(value, list) else value
        for key, value in cfg.items()
        if key not in ('img_size', 'upscale_factor' if cfg.get('type') in ('EDSRNet', 'RDNNet') else '')
    }


def small(cfg: dict) -> dict:
    """Return the same network with few and narrow layers."""
    out = {}
    for key, value in cfg.items():
        if key in ('num_blocks', 'mid_channels'):
            value = [1] * len(value) if isinstance(value, list) else min(value, 8)
        out[key] = small(value) if isinstance(value, dict) else SMALL.get(key, value)
    return out


@pytest.mark.parametrize('name', TWINS)
def test_a_short_name_is_mmagics_net_with_its_weights(name):
    ours, scale = find_sr(*split(name)), split(name)[1]
    assert settled(ours) == settled(find_sr(f'mmagic::{TWINS[name]}', scale))
    assert ours['init_cfg']['checkpoint'].startswith('http')


@pytest.mark.parametrize('name', ALL)
def test_every_base_config_is_an_s_of_its_scale(name):
    cfg, scale = find_sr(*split(name)), split(name)[1]
    net, init_cfg = build_sr(small(cfg), scale)
    assert init_cfg == cfg.get('init_cfg')
    with torch.no_grad():
        assert net(torch.rand(1, 3, 17, 23)).shape == (1, 3, 17 * scale, 23 * scale)


@pytest.mark.parametrize('library', ['mmseg', 'mmdet', 'mmpretrain'])
@pytest.mark.parametrize(
    'name', [name for name in ALL if 'liif' in name or name in ('edsr_x4', 'swinir_x2', 'nafnet_x1')]
)
def test_a_network_is_built_next_to_a_task_network_of_any_library(name, library):
    """Whose library is the scope then: LIIF names its encoder without one."""
    with DefaultScope.overwrite_default_scope(library):
        build_sr(small(find_sr(*split(name))), split(name)[1])


TASKS = {
    'mmseg': 'mmseg::segformer/segformer_mit-b0_8xb2-160k_ade20k-512x512.py',
    'mmdet': 'mmdet::retinanet/retinanet_r18_fpn_1x_coco.py',
    'mmpretrain': 'mmpretrain::mobilenet_v3/mobilenet-v3-small_8xb128_in1k.py',
}


@pytest.mark.slow
@pytest.mark.parametrize(('name', 'library'), list(zip(ALL, cycle(TASKS))))
def test_every_network_is_mixed_with_a_task_network(name, library):
    """As users mix them; only the sizes of the networks differ."""
    cfg = mix(TASKS[library], *split(name))
    sr, scale = small(cfg.model.sr.to_dict()) | dict(init_cfg=None), cfg.model.scale
    for other in TASKS:
        with DefaultScope.overwrite_default_scope(other):
            build_sr(sr, scale)
    size = (max(64, 16 * scale),) * 2
    with DefaultScope.overwrite_default_scope(library):
        task = ConfigDict(without_weights(cfg.model.task), _scope_=library)
        if library == 'mmseg':
            task.data_preprocessor.size = size
        model = SR4IR(sr, task, scale, data_preprocessor=cfg.get('data_preprocessor'), tdp=cfg.model.tdp)
    logs = model.train_step(synthetic_batch(size, size, zoo=library), wrappers_for(model))
    assert torch.as_tensor(logs['loss']).isfinite()


def test_a_dict_and_none_stay_what_they_are():
    cfg = dict(type='mmagic.EDSRNet')
    assert find_sr(cfg, 4) is cfg and find_sr(None, 4) is None


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / 'own.py'
    path.write_text(f"_base_ = '{sr_nets._folder()}/edsr_x4.py'\nscale = 2\nsr = dict(upscale_factor=2)\n")
    assert find_sr(str(path), 2) == Config.fromfile(path).sr.to_dict()
    with pytest.raises(SR4IRError, match=r"own.py' has no dict 'sr' for scale 4"):
        find_sr(str(path), 4)


@pytest.mark.parametrize('folder', ['src/configs', 'installed/sr4ir_mm/.mim/configs'])
def test_names_work_in_a_checkout_and_in_an_installed_package(folder, tmp_path, monkeypatch):
    base = tmp_path / folder / '_base_/sr'
    base.mkdir(parents=True)
    (base / 'net_x4.py').write_text(f'sr = dict(type={folder!r})')
    package = types.SimpleNamespace(origin=str(tmp_path / folder.partition('/')[0] / 'sr4ir_mm/__init__.py'))
    with monkeypatch.context() as patch:
        patch.setattr(zoo.importlib.util, 'find_spec', lambda name: package)
        assert find_sr('net', 4) == dict(type=folder)


def write_training(path, **model) -> str:
    """A checkpoint with the config of a training, and no network."""
    model = dict(sr=dict(type='mmagic.EDSRNet'), scale=4) | model
    torch.save(dict(meta=dict(cfg=Config(dict(model=model)).pretty_text), state_dict=dict(x=torch.ones(1))), path)
    return str(path)


_BILINEAR = dict(phases=[dict(learn=('task',), task=dict(bilinear=1.0))])


@pytest.mark.parametrize('scheme', ['H->T', 'L->T', _BILINEAR])
def test_an_sr_network_that_its_training_did_not_use(scheme, tmp_path):
    """Its weights would be random ones."""
    file = write_training(tmp_path / 'a.pth', scheme=scheme)
    with pytest.raises(SR4IRError, match=r"a.pth' is of a training without a super-resolution network: choose another"):
        find_sr(file, 4)


def test_the_file_of_a_training_is_read_once_as_data(tmp_path, monkeypatch):
    read, load = [], CheckpointLoader.load_checkpoint
    monkeypatch.setattr(CheckpointLoader, 'load_checkpoint', lambda *a, **k: read.append(a[0]) or load(*a, **k))
    file = write_training(tmp_path / 'a.pth', scheme='S->T')
    init_cfg = dict(type='Pretrained', prefix='sr.', checkpoint=file)
    assert find_sr(file, 4) == dict(type='mmagic.EDSRNet', init_cfg=init_cfg)
    assert read == [file]
    with pytest.raises(SR4IRError, match=r"type='os.system', which is not registered .* and could run code"):
        find_sr(write_training(tmp_path / 'b.pth', sr=dict(type='os.system')), 4)


def test_normalization_and_names_of_weights_come_from_mmagic():
    cfg = find_sr(f'mmagic::{DEBLURGAN}', 1)
    assert cfg['type'] == 'sr4ir_mm.ImageToImage' and cfg['mean'] == cfg['std'] == [0.5, 0.5, 0.5]
    assert cfg['generator']['type'] == 'mmagic.DeblurGanV2Generator'
    assert cfg['init_cfg']['type'] == 'Pretrained' and 'prefix' not in cfg['init_cfg']
    # its training started from other weights, which would be downloaded for nothing
    assert find_sr(f'mmagic::{TWINS["esrgan_x4"]}', 4)['init_cfg']['checkpoint'].endswith('f8ccaf3b.pth')


@pytest.mark.parametrize(
    ('name', 'scale', 'words'),
    [
        ('edsrr', 4, r"Unknown super-resolution network 'edsrr' for scale 4; choose from: edsr, .*swinir"),
        ('srcnn', 2, r"network 'srcnn' for scale 2; choose from: .*liif-rdn, rdn, rrdb"),
        ('nowhere.py', 2, "Unknown super-resolution network 'nowhere.py'"),
        ('mmagic::swinir/none.py', 4, "Config 'mmagic::swinir/none.py' not found"),
        ('mmagic::swinir', 4, "Config 'mmagic::swinir' not found"),
        (f'mmagic::{TWINS["rdn_x3"]}', 4, 'enlarges by 3, not by 4'),
        (f'mmagic::{TWINS["nafnet_x1"]}', 4, 'enlarges by 1, not by 4'),
        ('mmagic::swinir/swinir_s128w8d6e180_8xb1-lr2e-4-1600k_dfwb-grayDN25.py', 1, 'images of 1 channels'),
        ('mmagic::restormer/restormer_official_dpdd-dual.py', 1, 'images of 6 channels'),
        ('mmagic::ttsr/ttsr-rec_x4c64b16_1xb9-200k_CUFED.py', 4, r'\(TTSR, generator: TTSRNet\) has no'),
        ('mmagic::basicvsr/basicvsr_2xb4_reds4.py', 4, 'generator: BasicVSRNet'),
        ('mmagic::dic/dic_x8c48b6_4xb2-150k_celeba-hq.py', 8, 'of any size, and nothing else'),
        ('mmagic::glean/glean_x8-fp16_2xb8_cat.py', 8, 'generator: GLEANStyleGANv2'),  # its metafile has no weights
        ('mmagic::aot_gan/aot-gan_smpgan_4xb4_places-512x512.py', 1, 'AOTInpaintor, generator: None'),
        ('mmagic::dcgan/dcgan_1xb128-300kiters_celeba-cropped-64.py', 1, 'DCGANGenerator'),
        ('mmagic::stable_diffusion/stable-diffusion_ddim_denoisingunet.py', 1, 'StableDiffusion, generator: None'),
    ],
)
def test_what_is_refused(name, scale, words):
    with pytest.raises(SR4IRError, match=words):
        find_sr(name, scale)
