import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.fileio import load
from mmengine.structures import BaseDataElement

from sr4ir_mm.errors import SR4IRError


def test_all_but_the_images_is_kept(tmp_path):
    path = tmp_path / 'predictions.pkl'
    images = dict(lr=torch.zeros(3, 5, 5), task_input=torch.ones(3, 20, 20), hr=torch.ones(3, 20, 20))
    samples = [BaseDataElement(metainfo=dict(img_path=f'{i}.png'), pred=torch.tensor([i]), **images) for i in range(3)]
    dump = dict(type='sr4ir_mm.DumpPredictions', out_file_path=str(path))
    evaluator = Evaluator([dump, dict(type='sr4ir_mm.SRQuality', metrics=['PSNR'])])
    evaluator.process(samples, {})
    assert evaluator.evaluate(3)['sr/PSNR'] == float('inf')  # the next metric still finds its images
    assert load(path) == [dict(img_path=f'{i}.png', pred=torch.tensor([i])) for i in range(3)]


def test_a_file_that_cannot_be_written(tmp_path):
    (tmp_path / 'file').write_text('')
    path = str(tmp_path / 'file/predictions.pkl')
    with pytest.raises(SR4IRError, match=f"'{path}' cannot be written: Not a directory"):
        Evaluator([dict(type='sr4ir_mm.DumpPredictions', out_file_path=path)])  # before the test


def test_a_folder_that_is_gone_after_the_test(tmp_path):
    path = str(tmp_path / 'new/predictions.pkl')
    evaluator = Evaluator([dict(type='sr4ir_mm.DumpPredictions', out_file_path=path)])
    evaluator.process([BaseDataElement(pred=torch.zeros(1))], {})
    assert not list((tmp_path / 'new').iterdir())
    (tmp_path / 'new').rmdir()
    (tmp_path / 'new').write_text('')
    with pytest.raises(SR4IRError, match=f"'{path}' cannot be written: Not a directory"):
        evaluator.evaluate(1)
