"""A config of one task used with data of another ends in one clear message and exit code 2."""

import cv2
import numpy as np
import pytest
from helpers.zoo import TOOLS, make_voc, tiny_config

CONFIGS = TOOLS.parent / 'configs'


def make_folders(root, classes: int = 2):
    """A folder per class with an image in each, as Stanford Cars is arranged."""
    for split in ('train', 'val'):
        for name in 'abc'[:classes]:
            (root / split / name).mkdir(parents=True)
            cv2.imwrite(str(root / split / name / '0.jpg'), np.zeros((64, 64, 3), np.uint8))
    return root


@pytest.mark.parametrize('tool', ['train', 'test'])
@pytest.mark.parametrize(
    'task, data, schedule, message',
    [
        ('deeplabv3_mobilenetv3', 'cars', 'seg_100e', "'CustomDataset' is not a data set of mmseg"),
        ('deeplabv3_mobilenetv3', 'voc_det', 'seg_100e', 'of mmseg, the library of the task network'),
        ('faster-rcnn_r50_fpn', 'voc_seg', 'det_30e', "'PascalVOCDataset' is not a data set of mmdet"),
        ('faster-rcnn_r50_fpn', 'cub', 'det_30e', "'CUB' is not a data set of mmdet"),
        ('resnet18', 'voc_seg', 'cls_200e', "'PascalVOCDataset' is not a data set of mmpretrain"),
        ('resnet18', 'voc_det', 'cls_200e', 'of mmpretrain, the library of the task network'),
    ],
)
def test_bases_of_two_tasks(tool, task, data, schedule, message, tmp_path, fails):
    bases = [f'tasks/{task}', f'datasets/{data}', f'schedules/{schedule}', 'sr/edsr_x4']
    (tmp_path / 'mixed.py').write_text(
        f'_base_ = {[str(CONFIGS / "_base_" / base) + ".py" for base in bases]}\n'
        "model = dict(type='sr4ir_mm.SR4IR', sr={{_base_.sr}}, task={{_base_.task}}, scale=4)\n"
    )
    (tmp_path / 'any.pth').touch()
    output = fails(tool, 'mixed.py', *(['any.pth'] if tool == 'test' else []))
    assert message in output and 'Use data for the same task' in output
    assert not (tmp_path / 'work_dirs').exists()


def test_data_samples_of_another_library(tmp_path, fails):
    """Types with a prefix do build."""
    make_voc(tmp_path / 'voc')
    pipeline = [dict(type='sr4ir_mm.CheckedLoadImageFromFile'), dict(type='mmpretrain.PackInputs')]
    tiny_config(tmp_path, **{'train_dataloader.dataset.pipeline': pipeline})
    message = fails('train', 'tiny.py')
    expected = (
        'The task network is from mmseg, but the data are for mmpretrain (DataSample): use data of the same task.'
    )
    assert message == expected
    assert not list(tmp_path.rglob('*.pth'))


@pytest.mark.parametrize('number', [5, 150])
def test_a_head_of_another_size(number, tmp_path, fails):
    make_voc(tmp_path / 'voc')
    tiny_config(tmp_path, **{'model.task.decode_head.num_classes': number})
    message = fails('train', 'tiny.py')
    assert "train.txt' have 21 classes" in message
    assert f'set model.task.decode_head.num_classes=21 (now {number})' in message
    assert not list(tmp_path.rglob('*.pth'))


@pytest.mark.parametrize(
    'config, root, missing',
    [
        ('deeplabv3_edsr_x4_voc', 'folders', 'folders/JPEGImages'),
        ('faster-rcnn_edsr_x4_voc', 'folders', 'folders/'),
        ('resnet18_edsr_x4_cars', 'voc', 'voc/val'),
        ('resnet18_edsr_x4_cub', 'voc', 'voc/images.txt'),
        ('resnet18_edsr_x4_cub', 'folders', 'folders/images.txt'),
    ],
)
def test_data_root_of_another_task(config, root, missing, tmp_path, fails):
    make_folders(tmp_path / 'folders')
    make_voc(tmp_path / 'voc')
    (tmp_path / 'any.pth').touch()
    options = [f'data_root={root}', 'val_dataloader.num_workers=0', 'test_dataloader.num_workers=0']
    options += [f'{loader}_dataloader.persistent_workers=False' for loader in ('val', 'test')]
    message = fails('test', CONFIGS / f'sr4ir/{config}.py', 'any.pth', '--cfg-options', *options)
    assert f"'{missing}" in message
