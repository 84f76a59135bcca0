"""Every SR and restoration net of mmagic as S."""

import copy
import pickle

import pytest
import torch
import torch.nn.functional as F
from helpers.zoo import batch_for, changed, net_config, state, wrappers_for
from mmengine.config import ConfigDict

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR
from sr4ir_mm.models.sr_net import build_sr
from sr4ir_mm.registry import MODELS

COMMON = dict(in_channels=3, out_channels=3, mid_channels=8, num_blocks=1)
SWINIR = dict(
    type='SwinIRNet', in_chans=3, img_size=16, window_size=8, depths=[2], embed_dim=12, num_heads=[2], mlp_ratio=2
)
NAF = dict(mid_channels=4, enc_blk_nums=[1, 1], middle_blk_num=1, dec_blk_nums=[1, 1])
RRDB = dict(COMMON, type='RRDBNet', growth_channels=4)
IMNET = dict(type='MLPRefiner', in_dim=8, out_dim=3, hidden_list=[8])
LIIF_EDSR = dict(type='LIIFEDSRNet', encoder=dict(COMMON, type='EDSRNet'), imnet=IMNET, eval_bsize=100)
LIIF_RDN = dict(LIIF_EDSR, type='LIIFRDNNet', encoder=dict(COMMON, type='RDNNet', num_layers=2, channel_growth=4))
SKIP_EDSR = dict(COMMON, type='EDSRNet', rgb_mean=[0.0], rgb_std=[1.0])
DEBLUR = dict(
    type='DeblurGanV2Generator', backbone='FPNMobileNet', norm_layer='instance', num_filter=4, num_filter_fpn=8
)

#: name, up-sampling factor, config
NETS = {
    'edsr': (4, dict(COMMON, type='EDSRNet')),
    'rdn': (3, dict(COMMON, type='RDNNet', num_layers=2, channel_growth=4, upscale_factor=3)),
    'rrdb': (4, RRDB),
    'rrdb_x2': (2, dict(RRDB, upscale_factor=2)),
    'rrdb_x1': (1, dict(RRDB, upscale_factor=1)),
    'srresnet': (2, dict(COMMON, type='MSRResNet', upscale_factor=2)),
    'srcnn': (4, dict(type='SRCNNNet', channels=(3, 8, 4, 3))),
    'swinir': (2, dict(SWINIR, upscale=2, upsampler='pixelshuffle')),
    'swinir-light': (3, dict(SWINIR, upscale=3, upsampler='pixelshuffledirect')),
    'swinir-real': (4, dict(SWINIR, upscale=4, upsampler='nearest+conv')),
    'swinir-denoise': (1, dict(SWINIR, upscale=1)),
    'swinir-jpeg': (1, dict(SWINIR, upscale=1, img_size=14, window_size=7, img_range=255.0)),
    'nafnet': (1, dict(NAF, type='NAFNet', img_channels=3)),
    'nafnet-local': (1, dict(NAF, type='NAFNetLocal', img_channels=3, train_size=(1, 3, 16, 16))),
    'nafbaseline': (1, dict(NAF, type='NAFBaseline')),
    'nafbaseline-local': (1, dict(NAF, type='NAFBaselineLocal', train_size=(1, 3, 16, 16))),
    'restormer': (1, dict(type='Restormer', dim=8, num_blocks=[1] * 4, num_refinement_blocks=1)),
    'liif-edsr': (4, dict(type='sr4ir_mm.LIIFUpsampler', scale=4, mean=[0.4, 0.5, 0.6], generator=LIIF_EDSR)),
    'liif-rdn': (3, dict(type='sr4ir_mm.LIIFUpsampler', scale=3, std=[0.5] * 3, generator=LIIF_RDN)),
    'skip': (4, dict(type='sr4ir_mm.BilinearSkip', net=SKIP_EDSR)),
    'skip-shuffle': (
        3,
        dict(type='sr4ir_mm.BilinearSkip', pixel_shuffle=3, net=dict(SKIP_EDSR, out_channels=27, upscale_factor=1)),
    ),
    'deblurganv2': (1, dict(type='sr4ir_mm.ImageToImage', mean=[0.5] * 3, std=[0.5] * 3, generator=DEBLUR)),
}


def config(name: str) -> dict:
    cfg = copy.deepcopy(NETS[name][1])
    for net in (cfg, cfg.get('generator', {}), cfg.get('net', {})):
        if '.' not in net.get('type', '.'):
            net['type'] = f'mmagic.{net["type"]}'
    return cfg


@pytest.fixture(scope='module')
def task():
    model = net_config('mobilenetv3', **{'head.num_classes': 10})
    return ConfigDict(model)


@pytest.mark.parametrize('name', NETS)
def test_any_size_forward_and_backward(name):
    scale = NETS[name][0]
    sr, _ = build_sr(config(name), scale)
    for size in ((17, 23), (24, 10)):
        out = sr(torch.rand(2, 3, *size))
        assert out.shape == (2, 3, size[0] * scale, size[1] * scale)
    out.mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in sr.parameters() if p.requires_grad)
    x = torch.rand(1, 3, 17, 19)
    with torch.no_grad():
        assert torch.equal(copy.deepcopy(sr).eval()(x), sr.eval()(x))


@pytest.mark.parametrize('name', NETS)
def test_small_images(name):
    """SwinIR and Restormer pad to their window by reflection, which needs more than half a window."""
    scale = NETS[name][0]
    sr = build_sr(config(name), scale)[0].eval()
    for size in ((1, 1), (4, 4), (3, 40), (9, 2)):
        with torch.no_grad():
            out = sr(torch.rand(2, 3, *size))
        assert out.shape == (2, 3, size[0] * scale, size[1] * scale) and out.isfinite().all()


@pytest.mark.parametrize(('window', 'smallest'), [(4, 3), (8, 5), (7, 4), (16, 9), (32, 17)])
def test_small_images_are_padded_to_the_smallest_that_the_network_takes(window, smallest):
    net = dict(config('swinir-denoise'), window_size=window, img_size=2 * window)
    sr = build_sr(copy.deepcopy(net), 1)[0].eval()
    plain = MODELS.build(net).eval()
    plain.load_state_dict(sr.state_dict())
    small, fits = torch.rand(1, 3, smallest - 1, smallest + 3), torch.rand(1, 3, smallest, smallest + 3)
    with torch.no_grad():
        assert torch.equal(sr(fits), plain(fits))
        assert torch.equal(sr(small), plain(F.pad(small, (0, 0, 0, 1), mode='replicate'))[..., :-1, :])
        with pytest.raises(RuntimeError, match='Padding size should be less'):
            plain(small)


@pytest.mark.parametrize('name', NETS)
def test_one_step_of_training(name, task):
    scale = NETS[name][0]
    model = SR4IR(config(name), copy.deepcopy(task), scale, tdp=dict(relative=True))
    batch = batch_for(task, *[(17 * scale - scale // 2, 23 * scale - scale // 2)] * 2)
    before = state(model.sr), state(model.task)
    logs = model.train_step(batch, wrappers_for(model, lr=1e-3))
    assert all(torch.as_tensor(value).isfinite().all() for value in logs.values())
    assert changed(model.sr, before[0]) and changed(model.task, before[1])


def two_blocks(cfg: dict) -> dict:
    """The same network with two blocks where it has one."""
    deeper = {key: two_blocks(value) if isinstance(value, dict) else value for key, value in cfg.items()}
    return deeper | dict(num_blocks=2) if cfg.get('num_blocks') == 1 else deeper


@pytest.mark.parametrize('name', NETS)
def test_blocks_that_run_again_have_the_same_gradients(name):
    scale, cfg = NETS[name][0], two_blocks(config(name))
    if name in ('srcnn', 'deblurganv2'):
        with pytest.raises(SR4IRError, match='Leave out with_cp'):
            build_sr(dict(cfg, with_cp=True), scale)
        return
    plain, again = build_sr(copy.deepcopy(cfg), scale)[0], build_sr(dict(cfg, with_cp=True), scale)[0]
    again.load_state_dict(plain.state_dict())
    for net in (plain, again):
        torch.manual_seed(0)
        net(torch.rand(2, 3, 17, 19)).square().mean().backward()
    grads, others = ({key: value.grad for key, value in net.named_parameters()} for net in (plain, again))
    assert grads.keys() == others.keys()
    assert all(grads[key] is others[key] is None or torch.equal(grads[key], others[key]) for key in grads)


def test_padding_changes_neither_weights_nor_sizes_that_fit():
    sr, _ = build_sr(config('rrdb_x2'), 2)
    plain = MODELS.build(config('rrdb_x2'))
    plain.load_state_dict(sr.state_dict())
    assert type(sr) is type(plain) and repr(sr) == repr(plain)
    even, odd = torch.rand(1, 3, 6, 10), torch.rand(1, 3, 5, 9)
    with torch.no_grad():
        assert torch.equal(sr(even), plain(even))
        assert torch.equal(sr(odd), plain(F.pad(odd, (0, 1, 0, 1), mode='replicate'))[..., :10, :18])


def test_a_network_that_needs_padding_is_pickled_and_copied_with_its_own_weights():
    sr, _ = build_sr(config('rrdb_x2'), 2)
    odd = torch.rand(1, 3, 5, 9)
    for twin in (pickle.loads(pickle.dumps(sr)), copy.deepcopy(sr)):
        with torch.no_grad():
            assert torch.equal(twin(odd), sr(odd))
            twin.conv_last.bias += 1
            assert torch.allclose(twin(odd), sr(odd) + 1)


@pytest.mark.parametrize('name', ['liif-edsr', 'liif-rdn'])
def test_liif_is_asked_for_the_pixels_in_mmagics_order(name):
    from mmagic.utils import make_coord

    scale, cfg = NETS[name][0], config(name)
    sr, _ = build_sr(cfg, scale)
    x, (height, width) = torch.rand(2, 3, 5, 7), (5 * scale, 7 * scale)
    coord = make_coord((height, width)).expand(2, -1, -1)
    cell = torch.ones_like(coord) * torch.tensor([2 / height, 2 / width])  # as its GenerateCoordinateAndCell
    with torch.no_grad():
        pixels = sr.generator((x - sr.mean) / sr.std, coord, cell)  # all at once
        expected = pixels.view(2, height, width, 3).permute(0, 3, 1, 2) * sr.std + sr.mean
        in_parts = sr(x)
    assert len(cell[0]) > sr.generator.eval_bsize
    torch.testing.assert_close(in_parts, expected)
    torch.testing.assert_close(sr(x), expected)
    assert sr.mean.flatten().tolist() == pytest.approx(cfg.get('mean', [0, 0, 0]))


@pytest.mark.parametrize('name', ['edsr', 'rrdb_x2', 'liif-edsr', 'deblurganv2'])
def test_weights_of_mmagics_models_load(name, task, tmp_path):
    scale, cfg = NETS[name][0], config(name)
    trained = MODELS.build(copy.deepcopy(cfg))
    weights = getattr(trained, 'generator', trained).state_dict()
    others = {'discriminator.weight': torch.zeros(1), 'step_counter': torch.zeros(1)}
    path = str(tmp_path / 'mmagic.pth')
    torch.save(dict(state_dict={f'generator.{key}': value for key, value in weights.items()} | others), path)
    prefix = {} if 'generator' in cfg else dict(prefix='generator.')
    cfg['init_cfg'] = dict(type='Pretrained', checkpoint=path, **prefix)
    model = SR4IR(cfg, copy.deepcopy(task), scale, scheme='S')
    assert changed(model.sr, trained.state_dict())
    model.init_weights()
    assert not changed(model.sr, trained.state_dict())


@pytest.mark.parametrize(
    ('cfg', 'scale', 'words'),
    [
        (
            dict(SWINIR, in_chans=1, upscale=2, upsampler='pixelshuffle'),
            2,
            r'network \(SwinIRNet\) does not take a 3-ch',
        ),
        (dict(COMMON, type='EDSRNet', upscale_factor=2), 4, r'into 1 x 3 x 64 x 64, but scale=4 needs'),
        (dict(LIIF_EDSR), 4, r"network \(LIIFEDSRNet\) does not take .* missing 2 required .* 'coord' and 'cell'"),
    ],
)
def test_what_cannot_be_s(cfg, scale, words):
    with pytest.raises(SR4IRError, match=words):
        build_sr(dict(cfg, type=f'mmagic.{cfg["type"]}'), scale)
