"""Super-resolution tile by tile equals that of the whole image."""

import pytest
import torch
from torch import nn

from sr4ir_mm.inference.tiling import tiled
from sr4ir_mm.models.sr_net import build_sr

NETS = dict(
    edsr=dict(type='mmagic.EDSRNet', in_channels=3, out_channels=3, mid_channels=8, num_blocks=4, upscale_factor=2),
    skip=dict(
        type='sr4ir_mm.BilinearSkip', pixel_shuffle=2,
        net=dict(type='mmagic.EDSRNet', in_channels=3, out_channels=12, mid_channels=8, num_blocks=4, upscale_factor=1,
                 rgb_mean=[0.0], rgb_std=[1.0]),
    ),
    swinir=dict(
        type='mmagic.SwinIRNet', upscale=2, in_chans=3, img_size=16, window_size=8, img_range=1.0, depths=[2, 2],
        embed_dim=12, num_heads=[2, 2], mlp_ratio=2, upsampler='pixelshuffledirect', resi_connection='1conv',
    ),
    rrdb=dict(
        type='mmagic.RRDBNet', in_channels=3, out_channels=3, mid_channels=8, num_blocks=1, growth_channels=4,
        upscale_factor=2,
    ),  # pads tiles of odd size
    srcnn=dict(type='mmagic.SRCNNNet', channels=(3, 8, 4, 3), kernel_sizes=(9, 1, 5), upscale_factor=2),
)  # fmt: skip


@pytest.mark.parametrize('name', NETS)
@torch.no_grad()
def test_tiles_equal_the_whole(name):
    net, _ = build_sr(NETS[name], 2)
    net.eval()
    lr = torch.rand(2, 3, 75, 101)
    whole = net(lr)
    assert whole.std() > 0.01
    pieces = tiled(net, lr, 2, tile=32, overlap=32)
    assert pieces.shape == whole.shape
    assert (pieces - whole).abs().max() * 255 < 0.5  # gray levels


def test_tiles_are_bounded_and_cover_the_image_once():
    sizes = []

    def double(piece):
        sizes.append(piece.shape[-2:])
        return nn.functional.interpolate(piece, scale_factor=2)

    lr = torch.rand(1, 3, 70, 33)
    assert torch.equal(tiled(double, lr, 2, tile=32, overlap=8), double(lr))
    assert len(sizes) == 3 * 2 + 1 and max(max(size) for size in sizes[:-1]) <= 32 + 2 * 8


def test_tiles_of_one_size_make_batches():
    shapes = []

    def double(piece):
        shapes.append(tuple(piece.shape))
        return nn.functional.interpolate(piece, scale_factor=2)

    lr = torch.rand(2, 3, 64, 48)
    expected = double(lr)
    shapes.clear()
    assert torch.equal(tiled(double, lr, 2, tile=16, overlap=4, batch_pixels=4 * 24 * 24), expected)
    assert sorted(shapes) == [(4, 3, 20, 20)] * 2 + [(4, 3, 20, 24)] + [(4, 3, 24, 20)] * 2 + [(4, 3, 24, 24)]
    shapes.clear()
    assert torch.equal(tiled(double, lr, 2, tile=16, overlap=4, batch_pixels=1), expected)
    assert len(shapes) == 12 and all(shape[0] == 2 for shape in shapes)
