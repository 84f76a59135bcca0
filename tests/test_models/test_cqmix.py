import numpy as np
import pytest
import torch

from sr4ir_mm.transforms import CQMix


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array).float()


@pytest.mark.parametrize(
    'name, grid', [('cls', 4), ('seg', 8), ('det_93x141', 8), ('det_96x128', 8), ('det_333x500', 8)]
)
def test_mask_is_that_of_the_paper_code(fixture, name, grid):
    npz = fixture('cqmix')
    mask = tensor(npz[f'{name}_mask_u8'])
    mixed = CQMix(grid)(torch.ones_like(mask), torch.zeros_like(mask), tensor(npz[f'{name}_grid']))
    assert torch.equal(mixed, mask)


def cls_images(npz):
    return [tensor(npz[f'cls_{name}_u8']) for name in ('sr', 'hr', 'mix')]


def seg_images(npz):  # INDEX.md
    hr = (torch.arange(2 * 480 * 480).view(2, 1, 480, 480) % 251).float() / 250
    return 1 - 0.5 * hr, hr, tensor(npz['seg_mix_sub'])


def det_images(npz):
    return [tensor(npz[f'det_93x141_{name}']) for name in ('sr', 'hr', 'mix')]


@pytest.mark.parametrize(
    'name, images, stride', [('cls', cls_images, 1), ('seg', seg_images, 7), ('det_93x141', det_images, 1)]
)
def test_mix_is_that_of_the_paper_code(fixture, name, images, stride):
    npz = fixture('cqmix')
    sr, hr, expected = images(npz)
    grid = tensor(npz[f'{name}_grid'])
    assert torch.equal(CQMix(grid.shape[-1])(sr, hr, grid)[..., ::stride, ::stride], expected)


@pytest.mark.parametrize('prob', [0.0, 0.3, 1.0])
def test_share_of_sr(prob):
    mixed = CQMix(grid=8, prob=prob)(torch.ones(200, 3, 8, 8), torch.zeros(200, 3, 8, 8))
    share = mixed.mean().item()
    assert share == prob if prob in (0, 1) else abs(share - prob) < 0.02  # 5 sigma of 12800 cells


def test_each_image_has_its_own_patches():
    mixed = CQMix(grid=4)(torch.ones(2, 3, 16, 16), torch.zeros(2, 3, 16, 16))
    assert torch.equal(mixed[:, :1].expand_as(mixed), mixed)  # one mask for all channels
    cells = mixed.unfold(-2, 4, 4).unfold(-2, 4, 4)
    assert torch.equal(cells.amin((-2, -1)), cells.amax((-2, -1)))  # 4 x 4 whole patches
    assert not torch.equal(mixed[0], mixed[1])


def test_draws_follow_the_seed():
    images = torch.ones(2, 3, 8, 8), torch.zeros(2, 3, 8, 8)
    draws = [(torch.manual_seed(seed), CQMix()(*images))[1] for seed in (1, 1, 2)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
