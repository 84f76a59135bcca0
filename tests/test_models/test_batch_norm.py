import pytest
import torch
from helpers.zoo import make_voc, run_tool, tiny_config
from torch import nn

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models.batch_norm import explain_single_values


@pytest.mark.parametrize('norm, shape', [(nn.BatchNorm1d(4), (1, 4)), (nn.BatchNorm2d(4), (1, 4, 1, 1))])
def test_one_value_per_channel(norm, shape):
    with explain_single_values():
        norm(torch.zeros(2, *shape[1:]))
        norm.eval()(torch.zeros(shape))
    with (
        pytest.raises(
            SR4IRError, match=r'only one image.*batch_size to 2 or more, and train_dataloader\.drop_last=True'
        ),
        explain_single_values(),
    ):
        norm.train()(torch.zeros(shape))


def test_other_errors_stay():
    with pytest.raises(ValueError, match='other'), explain_single_values():
        raise ValueError('other')


def test_the_last_batch_of_a_training(tmp_path, capfd):
    """Three images in batches of two; the advice helps."""
    make_voc(tmp_path / 'voc', sizes=((64, 64),) * 3)
    tiny_config(tmp_path, **{'train_cfg.max_epochs': 1, 'val_dataloader': None, 'val_cfg': None, 'val_evaluator': None})
    assert run_tool('train', 'tiny.py', cwd=tmp_path) == 2
    assert 'error: A batch has only one image' in capfd.readouterr().err
    options = ['--cfg-options', 'train_dataloader.drop_last=True', 'experiment_name=again', 'visualizer.name=again']
    assert run_tool('train', 'tiny.py', *options, cwd=tmp_path) == 0
