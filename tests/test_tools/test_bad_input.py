"""A mistake in data or config ends in one clear message and exit code 2, and leaves no checkpoint behind."""

import os
import re
import subprocess
import sys

import pytest
import torch
from helpers.zoo import TOOLS, make_voc, tiny_config


def checkpoints(folder) -> list[str]:
    return sorted(path.name for path in folder.rglob('*.pth'))


def test_no_data_root(tmp_path):
    """As a user sees it: nothing but the message, and no work dir."""
    tiny_config(tmp_path, data_root='nowhere')
    env = dict(os.environ, PYTHONPATH=str(TOOLS.parent))
    command = [sys.executable, '-W', 'ignore', TOOLS / 'train.py', 'tiny.py']
    process = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert process.returncode == 2 and process.stdout == ''
    assert re.fullmatch(r"\nerror: 'nowhere' is missing, .*--cfg-options data_root=PATH\n", process.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ['tiny.py']


@pytest.mark.parametrize(
    ('tool', 'args', 'missing'),
    [
        ('train', ['no.py'], 'no.py'),
        ('train', ['tiny.py', '--resume', 'no.pth'], 'no.pth'),
        ('test', ['tiny.py', 'no.pth'], 'no.pth'),
        ('train', ['tiny.py', '--cfg-options', 'test_dataloader.dataset.data_root=no'], 'no'),
        ('train', ['tiny.py', '--cfg-options', 'train_dataloader.dataset.ann_file=no.txt'], 'voc/no.txt'),
        ('train', ['tiny.py'], 'no/epoch_6.pth'),  # S, before its own training
    ],
)
def test_a_missing_file_is_named_before_anything_is_written(tool, args, missing, tmp_path, fails):
    make_voc(tmp_path / 'voc')
    tiny_config(tmp_path, **{'model.sr.init_cfg': dict(_delete_=True, checkpoint='no/epoch_6.pth')})
    assert f"'{missing}'" in fails(tool, *args)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['tiny.py', 'voc']


@pytest.mark.parametrize('args', [('test', 'work_dirs/no'), ('infer', 'work_dirs/no', 'a.png'),
                                  ('export', 'work_dirs/no', 'a.onnx')])  # fmt: skip
def test_a_work_dir_that_does_not_exist(args, fails):
    assert "'work_dirs/no' not found" in fails(*args)


@pytest.mark.parametrize('workers', [0, 1])
def test_an_image_that_does_not_decode(workers, tmp_path, fails):
    make_voc(tmp_path / 'voc')
    (tmp_path / 'voc/JPEGImages/2.jpg').write_bytes(b'no image')
    tiny_config(tmp_path, **{'train_dataloader.num_workers': workers})
    message = fails('train', 'tiny.py')
    assert 'voc/JPEGImages/2.jpg' in message and 'cannot be decoded' in message
    assert not checkpoints(tmp_path)


def test_an_image_smaller_than_the_scale(tmp_path, fails):
    make_voc(tmp_path / 'voc', sizes=[(64, 64), (64, 64), (3, 64), (64, 64)])
    tiny_config(tmp_path)
    message = fails('train', 'tiny.py')
    assert 'voc/JPEGImages/2.jpg' in message and '64 x 3' in message and 'scale 4' in message
    assert not checkpoints(tmp_path)


def test_an_sr_net_of_another_scale(tmp_path, fails):
    make_voc(tmp_path / 'voc')
    tiny_config(tmp_path)
    message = fails('train', 'tiny.py', '--cfg-options', 'model.sr.pixel_shuffle=2', 'model.sr.net.out_channels=12')
    assert 'BilinearSkip' in message and 'scale=4' in message and '32 x 32' in message and '64 x 64' in message
    assert not checkpoints(tmp_path)


def test_an_unknown_tdp_layer_is_refused_with_the_known_ones(tmp_path, fails):
    make_voc(tmp_path / 'voc')
    tiny_config(tmp_path, **{'model.tdp.layers': {'bakbone': 1.0}})
    message = fails('train', 'tiny.py')
    assert "'bakbone'" in message and re.search(r'it has: backbone, neck, decode_head\W', message)
    assert not checkpoints(tmp_path)


def test_a_loss_that_is_not_finite(tmp_path, fails):
    make_voc(tmp_path / 'voc')
    # the second epoch, of the iterations 3 and 4, starts with a learning rate that no net survives
    blow_up = [dict(type='MultiStepLR', milestones=[1], gamma=1e30, by_epoch=True)]
    tiny_config(tmp_path, param_scheduler=dict(_delete_=True, sr=[], task=blow_up))
    message = fails('train', 'tiny.py')
    work_dir = tmp_path / 'work_dirs/tiny'
    assert re.search(r"loss '(sr\.loss_tdp|task\.sr\.loss)' is (nan|inf) at iteration 4:", message)
    assert re.search(r'last good checkpoint is \S*epoch_1\.pth', message)
    assert checkpoints(tmp_path) == ['best_mIoU_epoch_1.pth', 'epoch_1.pth']
    state = torch.load(work_dir / 'epoch_1.pth')['state_dict']
    assert all(value.isfinite().all() for value in state.values())


def test_a_best_metric_that_is_not_measured(tmp_path, fails):
    """Only the first validation tells; the epoch is saved before."""
    make_voc(tmp_path / 'voc')
    tiny_config(tmp_path, **{'default_hooks.checkpoint': dict(save_best='mIou', rule='greater')})
    message = fails('train', 'tiny.py')
    assert message.startswith(
        "default_hooks.checkpoint.save_best='mIou' is no metric of the validation, which has: aAcc, "
    )
    assert checkpoints(tmp_path) == ['epoch_1.pth']
