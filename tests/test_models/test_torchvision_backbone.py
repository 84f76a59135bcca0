import pytest
import torch
from mmengine.model import BaseModel
from torch import nn
from torchvision.models import mobilenet_v3_small

from sr4ir_mm.models import FeatureRecorder, frozen
from sr4ir_mm.registry import MODELS

CONFIG = dict(type='sr4ir_mm.TorchvisionBackbone', name='mobilenet_v3_small', out_nodes=['features.1', 'features.4'])


class Task(BaseModel):
    def __init__(self, **kwargs) -> None:
        super().__init__()
        self.backbone = MODELS.build(dict(CONFIG, **kwargs))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return self.backbone(inputs)


@pytest.fixture(scope='module')
def official() -> nn.Module:
    torch.manual_seed(1)
    return mobilenet_v3_small(weights=None).eval()


@pytest.fixture
def checkpoint(official, tmp_path) -> dict:
    torch.save(official.state_dict(), tmp_path / 'net.pth')
    return dict(type='Pretrained', checkpoint=str(tmp_path / 'net.pth'))


@torch.no_grad()
def test_features_of_a_torchvision_checkpoint(official, checkpoint):
    task = Task(init_cfg=checkpoint)
    task.init_weights()  # as MMEngine does, from the model down
    x = torch.rand(1, 3, 64, 64)
    expected = official.features[:2](x), official.features[:5](x)
    outputs = task.eval()(x)
    assert [tuple(out.shape) for out in outputs] == [(1, 16, 16, 16), (1, 40, 4, 4)]
    for out, value in zip(outputs, expected):
        torch.testing.assert_close(out, value)
    assert torch.equal(FeatureRecorder(task, ['backbone[0]'])(x)['backbone[0]'], outputs[0])


def test_without_a_checkpoint_the_initial_weights_stay():
    task = Task()
    before = [p.clone() for p in task.parameters()]
    task.init_weights()
    assert before and all(torch.equal(p, q) for p, q in zip(task.parameters(), before))


def test_freezing_and_training():
    task = Task().train()
    x = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        expected = task.eval()(x)[1]
        task.train()
        with frozen(task):
            assert torch.equal(task(x)[1], expected)
        assert not torch.equal(task(x)[1], expected)  # BatchNorm sees the batch
    task(x)[1].sum().backward()
    assert all(p.grad is not None for p in task.parameters())
