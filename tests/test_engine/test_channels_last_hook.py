import pytest
import torch
from helpers.toy import EDSR, ToyClassifier
from mmengine.runner import Runner

from sr4ir_mm.models import SR4IR


def test_weights_change_their_layout_and_the_results_stay(tmp_path):
    torch.manual_seed(0)
    model = SR4IR(EDSR, ToyClassifier(), scale=4, tdp=dict(layers=dict(backbone=1.0))).eval()
    lr = torch.rand(2, 3, 8, 12)
    with torch.no_grad():
        expected = model(lr)
    runner = Runner(model, str(tmp_path), custom_hooks=[dict(type='sr4ir_mm.ChannelsLastHook')])
    with pytest.warns(FutureWarning, match='model.channels_last=True'):
        runner.call_hook('before_run')
    weights = [p for p in model.parameters() if p.dim() == 4 and min(p.shape[1:]) > 1]
    assert weights and all(p.is_contiguous(memory_format=torch.channels_last) for p in weights)
    with torch.no_grad():
        torch.testing.assert_close(model(lr), expected)
