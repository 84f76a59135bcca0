"""What is a block of a network."""

import torch
from torch import nn

from sr4ir_mm.utils.blocks import is_block


def test_a_block_has_two_layers_and_is_no_list():
    conv, norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)
    assert is_block(nn.TransformerEncoderLayer(8, 1)) and is_block(nn.ModuleDict(dict(a=conv, b=nn.Conv2d(3, 3, 1))))
    assert not is_block(nn.ModuleDict(dict(a=conv, b=norm)))
    assert not is_block(nn.Sequential(conv, nn.Conv2d(3, 3, 1))) and not is_block(conv)


def test_positions_are_no_layer():
    patches = nn.Module()
    patches.projection, patches.position_embeddings = nn.Conv2d(3, 8, 4), nn.Parameter(torch.zeros(1, 16, 8))
    assert not is_block(patches)
