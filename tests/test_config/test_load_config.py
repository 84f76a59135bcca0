"""The loader of configs: where a config comes from, and --cfg-options."""

from pathlib import Path

import pytest
from mmengine.config import Config

from sr4ir_mm.config import check_data, load_config, load_run
from sr4ir_mm.errors import SR4IRError

CONFIGS = Path(__file__).parents[2] / 'configs'


def roots(cfg: Config) -> list[str]:
    first, second = cfg.train_dataloader.dataset.dataset.datasets
    return [first.data_root, second.data_root, *(loader.dataset.data_root for loader in cfg.val_dataloader)]


@pytest.mark.parametrize(
    'options, expected',
    [
        (None, ['data/a', 'data/b', 'data/a', '']),
        ({'data_root': '/mnt'}, ['/mnt', 'data/b', '/mnt', '']),
        ({'data_root': '/mnt', 'val_dataloader.0.dataset.data_root': 'mine'}, ['/mnt', 'data/b', 'mine', '']),
        ({'val_dataloader.0.dataset.data_root': 'mine'}, ['data/a', 'data/b', 'mine', '']),
    ],
)
def test_a_new_data_root_reaches_every_data_set_that_used_it(path, options, expected):
    assert roots(load_config(path, options)) == expected


@pytest.mark.parametrize('old', ["data_root = 'data/elsewhere'", ''])
def test_a_new_data_root_that_no_data_set_would_use(path, old):
    text = Path(path).read_text()
    Path('other.py').write_text(text.replace("data_root = 'data/a'", old).replace('root=data_root', "root='data/a'"))
    assert roots(load_config('other.py'))[0] == 'data/a'
    with pytest.raises(SR4IRError, match=r"no data set of 'other\.py' uses .*such as train_dataloader\.dataset"):
        load_config('other.py', {'data_root': '/mnt'})


OURS = [
    'sr4ir/deeplabv3_edsr_x4_voc',
    'mini/fpn-efficientnet-lite0_edsr-s_x4_voc-mini',
    'sr4ir/faster-rcnn_edsr_x4_voc',
]


@pytest.mark.parametrize('name', OURS)
def test_data_root_of_our_configs(name):
    cfg = load_config(CONFIGS / f'{name}.py', {'data_root': '/mnt/voc'})
    loaders = [cfg[f'{split}_dataloader'] for split in ('train', 'val', 'test')]
    assert [loader.dataset.data_root for loader in loaders] == ['/mnt/voc'] * 3
    assert all('data/' not in str(evaluator) for evaluator in (cfg.val_evaluator, cfg.test_evaluator))
    with pytest.raises(SR4IRError, match=rf"'/mnt/voc' is missing, and {cfg.dataset_type} needs it.*data_root=PATH"):
        check_data(cfg)


def test_other_options(path):
    cfg = load_config(path, {'optim_wrapper.sr.optimizer.type': 'AdamW', 'randomness.seed': 1})
    assert cfg.optim_wrapper.sr.optimizer.type == 'AdamW'
    assert cfg.randomness.seed == 1


def test_an_option_that_does_not_fit():
    with pytest.raises(SR4IRError, match=r"h2t\.py' does not take the --cfg-options: .*sr"):
        load_run(CONFIGS / 'sr4ir/resnet18_edsr_x4_cars.py', 'h2t', {'model.sr.init_cfg.checkpoint': 'a.pth'})


def test_the_same_config_by_file_by_name_and_from_the_package():
    expected = Config.fromfile(CONFIGS / 'sr4ir/deeplabv3_edsr_x4_voc.py')
    stem = 'deeplabv3_edsr_x4_voc'
    for source in (CONFIGS / f'sr4ir/{stem}.py', stem, f'{stem}.py', f'sr4ir_mm::sr4ir/{stem}.py'):
        assert load_config(source).to_dict() == expected.to_dict()


def test_the_config_of_a_zoo_only_where_it_is_asked_for():
    name = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'
    with pytest.raises(SR4IRError, match=r'without a super-resolution network.*--sr edsr'):
        load_config(name)
    cfg = load_config(name, {'model.head.num_classes': 3}, zoo=True)
    assert cfg.model.type == 'ImageClassifier' and cfg.model.head.num_classes == 3 and 'model_path' not in cfg
    assert load_config(name, zoo=True, weights=True).model_path.startswith('https://')
    unpublished = 'mmdet::retinanet/retinanet_r50_fpn_8xb8-amp-lsj-200e_coco.py'
    assert load_config(unpublished, zoo=True, weights=True).model_path is None


def test_the_config_of_a_work_dir(path):
    Path('new.py').write_text('epoch = 1')
    with pytest.raises(SR4IRError, match=r"No config of a run found in '\.'"):  # any folder with Python files
        load_config('.')
    Path('epoch_1.pth').touch()
    with pytest.raises(SR4IRError, match=r"'\.' has \w+\.py, new\.py, and nothing says which is the config of its"):
        load_config('.')
    Path(path).unlink()
    assert load_config('.').epoch == 1
    Path('empty').mkdir()
    with pytest.raises(SR4IRError, match=r"No config of a run found in 'empty'"):
        load_config('empty')


@pytest.mark.parametrize(
    'source, message',
    [
        ('nope.py', r"Config 'nope\.py' not found: give a config file, the name of"),
        ('edsr_x4', r"Config 'edsr_x4' not found"),  # only a part of configs
        ('folder/deeplabv3_edsr_x4_voc.py', r"Config 'folder/.*' not found"),  # a wrong path is not a name
        ('mmdet::retinanet/no.py', r"Config 'mmdet::retinanet/no\.py' not found: choose one from '.*configs'"),
        ('nozoo::a/b.py', r"The package 'nozoo' is not installed"),
        ('sr4ir_mm::sr4ir/no.py', r"Config 'sr4ir_mm::sr4ir/no\.py' not found"),
    ],
)
def test_missing_config(path, source, message):
    with pytest.raises(SR4IRError, match=message):
        load_config(source, zoo=True)


def test_bases_that_hold_the_same_entries_are_named(tmp_path):
    bases = [str(CONFIGS / '_base_' / name) for name in ('schedules/seg_100e.py', 'default_runtime.py')]
    (tmp_path / 'old.py').write_text(f'_base_ = {bases}')
    with pytest.raises(SR4IRError, match=r'contain default_runtime.py: remove it from _base_'):
        load_config(tmp_path / 'old.py')


@pytest.mark.parametrize(
    'entry, remedy',
    [
        ('optimizer_config = dict(grad_clip=dict(max_norm=1))', r'optim_wrapper\.clip_grad and optim_wrapper\.accum'),
        ("lr_config = dict(policy='step')", 'param_scheduler'),
        ("resume_from = 'epoch_1.pth'", r'tools/train\.py --resume FILE'),
    ],
)
def test_entries_of_an_older_mmcv_that_mmengine_ignores(entry, remedy, tmp_path):
    (tmp_path / 'old.py').write_text(f"_base_ = 'mmdet::retinanet/retinanet_r18_fpn_1x_coco.py'\n{entry}\n")
    name = entry.partition(' ')[0]
    with pytest.raises(SR4IRError, match=rf"Nothing reads '{name}' in '.*old\.py': .* Remove it .*, and set {remedy}"):
        load_config(tmp_path / 'old.py', zoo=True)


def test_entries_of_an_older_mmcv_without_a_value(tmp_path):
    (tmp_path / 'old.py').write_text("_base_ = 'mmdet::retinanet/retinanet_r18_fpn_1x_coco.py'\nresume_from = None\n")
    assert load_config(tmp_path / 'old.py', zoo=True).model.type == 'RetinaNet'
