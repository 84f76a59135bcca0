"""The entry ``fold`` of a config: the data sets, names and starts of the run of a fold."""

from pathlib import Path

import pytest

from sr4ir_mm.config import load_run, mix
from sr4ir_mm.config.folds import take_fold
from sr4ir_mm.errors import SR4IRError

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
SEG = CONFIGS / 'sr4ir/deeplabv3_edsr_x4_voc.py'
DET = CONFIGS / 'sr4ir/faster-rcnn_edsr_x4_voc.py'


def test_training_and_test_of_a_fold():
    plain, cfg = load_run(SEG), load_run(SEG, options={'fold': '2/5'})
    train, val, test = (cfg[f'{stage}_dataloader'].dataset for stage in ('train', 'val', 'test'))
    assert [(d.type, d.fold, d.folds, d.test) for d in (train, val, test)] == [
        ('sr4ir_mm.Fold', 2, 5, False), ('sr4ir_mm.Fold', 2, 5, True), ('sr4ir_mm.Fold', 2, 5, True),
    ]  # fmt: skip
    lists = [part.ann_file.rpartition('/')[2] for part in train.datasets]
    assert lists == [part.ann_file.rpartition('/')[2] for part in test.datasets] == ['train.txt', 'val.txt']
    for part in train.datasets:
        assert part.pipeline == plain.train_dataloader.dataset.pipeline and 'test_mode' not in part
    for part in test.datasets:
        assert part.pipeline == plain.test_dataloader.dataset.pipeline and part.test_mode
    assert 'fold' not in cfg and cfg.model == plain.model and cfg.optim_wrapper == plain.optim_wrapper


def test_names_are_those_of_the_fold():
    assert Path(load_run(SEG, options={'fold': '2/5'}).filename).stem == 'deeplabv3_edsr_x4_voc-fold2of5'
    assert Path(load_run(SEG, 'h2t', {'fold': '2/5'}).filename).stem == 'deeplabv3_voc-fold2of5_h2t'
    assert Path(load_run(SEG, options={'fold': '2/5/7'}).filename).stem == 'deeplabv3_edsr_x4_voc-fold2of5s7'


def test_a_frozen_network_starts_from_the_run_of_the_same_fold():
    """The run of another fold has been trained on images that this one tests."""
    cfg = load_run(SEG, 't2s', {'fold': '2/5'})
    file = cfg.model.task.init_cfg.checkpoint
    assert file == 'work_dirs/deeplabv3_voc-fold2of5_h2t/epoch_100.pth'
    assert cfg.pretraining[file] == f'python tools/train.py {SEG} --cfg-options fold=2/5 --scheme h2t'


def test_options_reach_the_data_sets_before_they_are_divided():
    options = {'fold': '1/2', 'data_root': 'mine', 'train_dataloader.dataset.ann_file': 'all.txt'}
    for scheme in (None, 'l2t'):
        train = load_run(SEG, scheme, options).train_dataloader.dataset
        assert [(part.data_root, part.ann_file.rpartition('/')[2]) for part in train.datasets] == [
            ('mine', 'all.txt'), ('mine', 'val.txt'),
        ]  # fmt: skip


def test_wrappers_stay_and_concatenated_data_sets_are_divided(tmp_path):
    (tmp_path / 'mine.py').write_text(f"""
_base_ = {str(DET)!r}
one = dict(_base_.train_dataloader.dataset, ann_file='one.txt')
two = dict(_base_.train_dataloader.dataset, ann_file='two.txt')
train_dataloader = dict(dataset=dict(
    _delete_=True, type='RepeatDataset', times=3, dataset=dict(type='ConcatDataset', datasets=[one, two])))
fold = '1/4'
""")
    cfg = load_run(tmp_path / 'mine.py')
    dataset = cfg.train_dataloader.dataset
    assert (dataset.type, dataset.times, dataset.dataset.type) == ('RepeatDataset', 3, 'sr4ir_mm.Fold')
    names = [part.ann_file for part in dataset.dataset.datasets]
    assert names == ['one.txt', 'two.txt', 'ImageSets/Main/val.txt']
    assert [part.ann_file for part in cfg.test_dataloader.dataset.datasets] == names


def test_coco_takes_the_objects_of_both_files():
    cfg = mix('mmdet::retinanet/retinanet_r50_fpn_1x_coco.py', sr='edsr', **{'fold': '1/3'})
    assert Path(cfg.filename).stem == 'retinanet_r50_fpn_1x_coco_edsr_x4-fold1of3'
    assert cfg.test_evaluator.ann_file is None and cfg.val_evaluator.ann_file is None
    val, train = (cfg[f'{stage}_dataloader'].dataset.datasets for stage in ('val', 'train'))
    assert all('instances' in part.pipeline[-1].meta_keys for part in val)
    assert [part.ann_file for part in val] == [
        'annotations/instances_train2017.json', 'annotations/instances_val2017.json',
    ]  # fmt: skip
    assert [part.get('filter_cfg', {}).get('filter_empty_gt') for part in [*train, *val]] == [True, True, None, None]


def test_data_samples_have_what_they_had_and_the_objects():
    """mmdet's default keys are no entry of the config."""
    cfg = mix('mmdet::retinanet/retinanet_r50_fpn_1x_coco.py', sr='edsr')
    del cfg.val_dataloader.dataset.pipeline[-1]['meta_keys']
    cfg.fold = '1/3'
    keys = take_fold(cfg).val_dataloader.dataset.datasets[0].pipeline[-1].meta_keys
    assert {'img_id', 'img_shape', 'scale_factor', 'instances'} <= set(keys)


@pytest.mark.parametrize('fold', ['0/5', '6/5', '1/1', '2', 'a/b', '1/2/3/4', 2, '1/-2'])
def test_a_fold_that_makes_no_sense(fold):
    with pytest.raises(SR4IRError, match='is no fold: write'):
        load_run(SEG, options={'fold': fold})


def test_a_metric_that_reads_another_file(tmp_path):
    metric = dict(_delete_=True, type='LVISMetric', ann_file='x.json')
    (tmp_path / 'mine.py').write_text(f"_base_ = {str(DET)!r}\nval_evaluator = {metric}\nfold = '1/2'")
    with pytest.raises(SR4IRError, match=r'LVISMetric reads x\.json, and the images of a fold are in several files'):
        load_run(tmp_path / 'mine.py')


def test_a_config_without_validation():
    with pytest.raises(SR4IRError, match='has no val_dataloader, whose images the folds need'):
        load_run(SEG, options={'fold': '1/2', 'val_dataloader': None})


def test_data_that_are_listed_twice_are_one_data_set(tmp_path):
    """How files are read does not make other images of them."""
    (tmp_path / 'mine.py').write_text(f"""
_base_ = {str(SEG)!r}
test_dataloader = dict(dataset=dict(backend_args=dict(backend='local'), lazy_init=False))
fold = '1/2'
""")
    cfg = load_run(tmp_path / 'mine.py')
    assert len(cfg.test_dataloader.dataset.datasets) == 2  # training and validation
