"""Weights as safetensors, with what a checkpoint holds besides them."""

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from sr4ir_mm.compat.checkpoints import load_weights
from sr4ir_mm.utils.weights_files import read_weights, write_weights


def test_everything_comes_back(tmp_path):
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.InstanceNorm2d(4, track_running_stats=True))
    state = net.state_dict()
    state['tied'] = state['0.weight']  # safetensors itself refuses them
    state['turned'] = state['0.weight'].transpose(0, 1)
    write_weights(tmp_path / 'a.safetensors', state, dict(classes=('a', 'b'), palette=np.ones((1, 3), int), epoch=3))
    found = load_weights(str(tmp_path / 'a.safetensors'))
    assert found['meta'] == dict(classes=['a', 'b'], palette=[[1, 1, 1]], epoch=3)
    assert found['state_dict'].keys() == state.keys()
    assert all(torch.equal(value, state[name]) for name, value in found['state_dict'].items())
    assert found['state_dict']._metadata['1'] == dict(version=2)  # without it, InstanceNorm drops its statistics
    assert load_file(tmp_path / 'a.safetensors').keys() == state.keys(), 'other programs read the file, too'


def test_a_file_of_another_program_is_a_state_dict(tmp_path):
    save_file(dict(weight=torch.ones(2)), tmp_path / 'a.safetensors', {'format': 'pt'})
    assert read_weights(tmp_path / 'a.safetensors').keys() == {'weight'}
