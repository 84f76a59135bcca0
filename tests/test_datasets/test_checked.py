"""Data sets whose files are incomplete, empty or broken, built as a Runner builds them."""

import json
import logging
import pickle
from types import SimpleNamespace

import cv2
import mmdet.datasets  # noqa: F401
import mmpretrain.datasets  # noqa: F401
import mmseg.datasets  # noqa: F401
import numpy as np
import pytest
from helpers import own_python
from mmengine.dataset import BaseDataset, Compose
from mmengine.registry import DATASETS
from mmengine.runner import Runner
from torch.utils.data import Dataset

import sr4ir_mm.registry  # noqa: F401
from sr4ir_mm.errors import SR4IRError


def content() -> dict:
    return dict(
        categories=[dict(id=1, name='cat')],
        images=[dict(id=1, file_name='0.jpg', width=20, height=20)],
        annotations=[dict(id=7, image_id=1, category_id=1, bbox=[1, 1, 9, 9], area=81, iscrowd=0)],
    )


def coco(folder, data, **options):
    (folder / 'a.json').write_text(data if isinstance(data, str) else json.dumps(data))
    return DATASETS.build(
        dict(type='mmdet.CocoDataset', data_root=str(folder), ann_file='a.json', data_prefix=dict(img=''),
             metainfo=dict(classes=('cat',)), **options))  # fmt: skip


@pytest.mark.parametrize(
    'kind, key',
    [('annotations', 'area'), ('annotations', 'bbox'), ('annotations', 'category_id'), ('images', 'width'),
     ('images', 'height'), ('images', 'file_name'), ('images', 'id'), ('categories', 'name')],
)  # fmt: skip
def test_keys_of_coco_that_are_missing(kind, key, tmp_path):
    data = content()
    assert len(coco(tmp_path, data)) == 1
    del data[kind][0][key]
    with pytest.raises(SR4IRError, match=rf"'.*a\.json': {kind}\[0\] .* has no '{key}': add it\."):
        coco(tmp_path, data)


@pytest.mark.parametrize('data, message', [
    ('{"images": [', r"'.*a\.json' is no JSON, or cut off"),
    ('', r"a\.json' is no JSON"),
    ('[1]', r"a\.json' cannot be built"),
    ('{}', r"a\.json' has no list of images: it is no complete COCO file"),
    ('3', r"a\.json' cannot be built: AssertionError: annotation file format .* not supported"),
    ({**content(), 'annotations': None}, r"a\.json' has no list of annotations"),
    ({**content(), 'images': {}}, r"a\.json' has no list of images"),
    ({**content(), 'categories': [3]}, r"a\.json': categories\[0\] is 3, not a dict with id, name"),
    ({**content(), 'images': content()['images'] * 2}, r"a\.json' has several images of one id"),
    ({**content(), 'categories': [dict(id=1, name='cat'), dict(id=1, name='dog')]}, 'has several categories of one id'),
    ({**content(), 'categories': [dict(id=1, name=3)]}, 'has a category of the name 3, a number'),
    ({**content(), 'images': []}, r"a\.json' has no image left: the list of images or annotations is empty"),
])  # fmt: skip
def test_broken_files_of_coco(data, message, tmp_path):
    with pytest.raises(SR4IRError, match=message):
        coco(tmp_path, data)


@pytest.mark.parametrize('width, height', [(0, 0), (20, -1), (None, 20), ('20', 20)])
def test_a_size_that_is_none(width, height, tmp_path):
    data = content()
    data['images'][0].update(width=width, height=height)
    with pytest.raises(SR4IRError, match=rf"gives the size of '0\.jpg' as {width} x {height}: correct it"):
        coco(tmp_path, data)


def test_objects_that_would_be_ignored(tmp_path, monkeypatch):
    """Of a category that is not listed; and of images that are not, as in a file that was shortened by hand."""
    data = content()
    data['annotations'].append(dict(data['annotations'][0], id=8, category_id=77))
    with pytest.raises(SR4IRError, match=r'has 1 objects of a category that it does not list \(id 77\)'):
        coco(tmp_path, data)
    data['annotations'][1].update(category_id=1, image_id=99)
    data['annotations'].append(dict(data['annotations'][0], id=9, area=0))
    texts = []
    monkeypatch.setattr('sr4ir_mm.datasets.coco_files.print_log', lambda text, *args: texts.append(text))
    assert len(coco(tmp_path, data)[0]['instances']) == 1
    whats = 'are of images that it does not list', 'have the area 0'
    assert texts == [f"'{tmp_path}/a.json': 1 annotations {what}, and are ignored" for what in whats]
    data['annotations'] = [dict(data['annotations'][0], image_id='1')]  # a text is no number
    with pytest.raises(SR4IRError, match=r"a\.json': all annotations are of images that it does not list: correct"):
        coco(tmp_path, data)


def test_images_to_test_on_have_no_annotations(tmp_path):
    data = content()
    del data['annotations']
    assert len(coco(tmp_path, data, test_mode=True)) == 1


@pytest.mark.parametrize('classes, message', [
    (3, '3, not a list of names'), ((), r'\(\), not a list'), ([1, 2], r'\[1, 2\], not a list'),
    (('a', 'b', 'a'), "not all different: 'a' occurs twice"),
])  # fmt: skip
@pytest.mark.parametrize('kind', ['mmdet.CocoDataset', 'mmseg.BaseSegDataset', 'mmpretrain.CustomDataset'])
def test_classes_that_are_no_names(kind, classes, message, tmp_path):
    with pytest.raises(SR4IRError, match=rf"The classes of the data set {kind} of '.*a' are {message}"):
        DATASETS.build(dict(type=kind, data_root=str(tmp_path), ann_file='a', metainfo=dict(classes=classes)))


def test_a_palette_of_another_length(tmp_path):
    meta = dict(classes=('a', 'b', 'c'), palette=[[0, 0, 0]] * 2)
    with pytest.raises(SR4IRError, match=r'it has 3 classes, but 2 colors in its palette; a palette can be left out'):
        DATASETS.build(dict(seg_config(tmp_path), metainfo=meta))


def test_a_key_that_only_the_evaluation_needs_is_no_mistake_in_training(tmp_path):
    data = content()
    del data['annotations'][0]['iscrowd']
    assert coco(tmp_path, data)[0]['instances'][0]['ignore_flag'] == 0


def test_all_images_are_filtered_out(tmp_path):
    data = content()
    data['annotations'] = []
    assert len(coco(tmp_path, data)) == 1
    with pytest.raises(SR4IRError, match=r'has no image left: .* filter_cfg leaves out all images'):
        coco(tmp_path, data, filter_cfg=dict(filter_empty_gt=True))


def seg_config(root, **options) -> dict:
    (root / 'images/deep').mkdir(parents=True)
    cv2.imwrite(str(root / 'images/deep/0.png'), np.zeros((8, 8, 3), np.uint8))
    return dict(type='mmseg.BaseSegDataset', data_root=str(root), data_prefix=dict(img_path='images'),
                metainfo=dict(classes=('a', 'b')), **options)  # fmt: skip


@pytest.mark.parametrize('options', [{}, dict(test_mode=True), dict(serialize_data=False)])
def test_images_of_another_suffix(options, tmp_path):
    config = seg_config(tmp_path, **options)
    expected = r"'.*images' has no image with the suffix '\.jpg', but 1 with '\.png': set img_suffix\."
    with pytest.raises(SR4IRError, match=expected):
        DATASETS.build(config)
    with pytest.raises(SR4IRError, match=expected):
        DATASETS.build(dict(type='RepeatDataset', times=2, dataset=config))
    assert len(DATASETS.build(dict(config, img_suffix='.png'))) == 1


def test_an_empty_list_of_images(tmp_path):
    config = seg_config(tmp_path, ann_file='list.txt')
    (tmp_path / 'list.txt').write_text('')
    with pytest.raises(SR4IRError, match=r"BaseSegDataset of '.*list\.txt' has no image left"):
        DATASETS.build(config)


def test_folders_without_images(tmp_path):
    (tmp_path / 'cat').mkdir()
    (tmp_path / 'cat/a.txt').touch()
    with pytest.raises(SR4IRError, match=r'CustomDataset.* cannot be built: .*Found 0 files in subfolders'):
        DATASETS.build(dict(type='mmpretrain.CustomDataset', data_root=str(tmp_path)))


def test_cub_with_a_malformed_list(tmp_path):
    for name in ('image_class_labels', 'train_test_split'):
        (tmp_path / f'{name}.txt').write_text('1 1\n')
    (tmp_path / 'images.txt').write_text('no number\n')
    (tmp_path / 'images').mkdir()
    with pytest.raises(SR4IRError, match=rf"CUB of '{tmp_path}/' cannot be built: \w+: .* \(cub\.py, line \d+\)\."):
        DATASETS.build(dict(type='mmpretrain.CUB', data_root=str(tmp_path), split='train'))


def test_a_misspelled_entry():
    with pytest.raises(SR4IRError, match=r"BaseSegDataset.*cannot be built: TypeError: .*'img_sufix'"):
        DATASETS.build(dict(type='mmseg.BaseSegDataset', img_sufix='.png'))


@DATASETS.register_module()
class PlainData(Dataset):
    """A data set of PyTorch, without names, pipeline or metainfo."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> int:
        return index


@DATASETS.register_module()
class OwnData(BaseDataset):
    """A user's data set, of several lists."""

    def __init__(self, ann_file: list | str = '', data_root: list | str = '', **options) -> None:
        super().__init__(**options)

    def load_data_list(self) -> list[dict]:
        return [dict(img_path='a.jpg')]


def test_what_is_read_later_is_checked_then(tmp_path):
    """With lazy_init, the Runner reads the files when it builds the loader."""
    config = seg_config(tmp_path, lazy_init=True)
    with pytest.raises(SR4IRError, match=r"has no image with the suffix '\.jpg', but 1 with '\.png'"):
        DATASETS.build(config).full_init()
    cv2.imwrite(str(tmp_path / 'images/deep/0.png'), np.full((8, 8), 900, np.uint16))
    loader = dict(batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False))
    pipeline = [dict(type='LoadImageFromFile')]
    built = Runner.build_dataloader(dict(loader, dataset=dict(config, img_suffix='.png', pipeline=pipeline)))
    with pytest.raises(SR4IRError, match=r"Image '.*0\.png' has 16 bits, but no value above 900"):
        next(iter(built))
    with pytest.raises(
        SR4IRError, match=r"The data set mmdet.CocoDataset of '.*b\.json' cannot be built: FileNotFoundError"
    ):
        DATASETS.build(dict(type='mmdet.CocoDataset', data_root=str(tmp_path), ann_file='b.json', lazy_init=True,
                            data_prefix=dict(img=''))).full_init()  # fmt: skip


@pytest.mark.parametrize('wrapper', [
    dict(type='RepeatDataset', times=2),
    dict(type='ClassBalancedDataset', oversample_thr=0.1),
    dict(type='mmdet.MultiImageMixDataset', pipeline=[]),
])  # fmt: skip
def test_wrapped_data_sets_are_read_once(wrapper, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr('sr4ir_mm.datasets.checked.check_names', seen.append)
    (tmp_path / 'a.json').write_text(json.dumps(content()))
    part = dict(type='mmdet.CocoDataset', data_root=str(tmp_path), ann_file='a.json', data_prefix=dict(img=''),
                metainfo=dict(classes=('cat',)))  # fmt: skip
    joined = dict(type='ConcatDataset', datasets=[part, part])
    DATASETS.build(dict(wrapper, dataset=joined if wrapper['type'] == 'RepeatDataset' else part))
    assert len(seen) == (2 if wrapper['type'] == 'RepeatDataset' else 1)


@pytest.mark.parametrize('options, message', [
    (dict(metainfo=('a', 'b')), 'TypeError: metainfo should be a Mapping'),
    (dict(metainfo='a'), 'TypeError'),
])  # fmt: skip
def test_metainfo_that_is_no_dict(options, message, tmp_path):
    with pytest.raises(SR4IRError, match=rf'BaseSegDataset.* cannot be built: {message}'):
        DATASETS.build(dict(seg_config(tmp_path), **options))


def test_data_sets_of_other_kinds_are_as_they_were(tmp_path):
    loader = dict(batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False))
    built = Runner.build_dataloader(dict(loader, dataset=dict(type=PlainData)))
    assert list(built) == [[0, 1]] or len(built) == 1
    assert len(DATASETS.build(dict(type='OwnData'))) == 1
    lists = dict(ann_file=['a.json', 'b.json'], data_root=['a', 'b'])
    assert len(DATASETS.build(dict(type='OwnData', metainfo=dict(classes=('a', 'b')), **lists))) == 1
    lazy = DATASETS.build(
        dict(type='mmdet.CocoDataset', ann_file='nowhere.json', data_prefix=dict(img=''), lazy_init=True)
    )
    assert len(lazy.metainfo['classes']) == 80  # as inferencers do, which have no data


def test_a_pipeline_that_a_hook_puts_in_place_is_checked_too(tmp_path):
    """mmdet's for RTMDet and mmpretrain's for recipes."""
    from mmdet.engine.hooks import PipelineSwitchHook
    from mmpretrain.engine.hooks import SwitchRecipeHook

    load = [dict(type='LoadImageFromFile'), dict(type='mmseg.LoadAnnotations')]
    options = dict(img_suffix='.png', data_prefix=dict(img_path='images/deep', seg_map_path='masks'), pipeline=load)
    config = seg_config(tmp_path) | options
    (tmp_path / 'masks').mkdir()
    cv2.imwrite(str(tmp_path / 'masks/0.png'), np.full((8, 8), 7, np.uint8))
    part = DATASETS.build(config)
    whole = DATASETS.build(dict(type='ConcatDataset', datasets=[config, config]))
    hook = PipelineSwitchHook(switch_epoch=3, switch_pipeline=load)
    hook.before_train_epoch(SimpleNamespace(
        epoch=3, logger=logging.getLogger(), train_dataloader=SimpleNamespace(dataset=part)))  # fmt: skip
    SwitchRecipeHook._switch_train_pipeline(
        SimpleNamespace(train_loop=SimpleNamespace(dataloader=SimpleNamespace(dataset=whole))), Compose(load)
    )
    for data in part, whole:
        with pytest.raises(SR4IRError, match=r"Mask '.*0\.png' has the value 7, but the data set has 2 classes"):
            data[0]
    part = pickle.loads(pickle.dumps(part))  # for worker processes that are started, not forked
    part.pipeline = lambda results: results  # of the user's own
    assert part[0]['img_path'].endswith('0.png')


@pytest.mark.parametrize('code', [
    'import sr4ir_mm', 'import mmdet.registry, sr4ir_mm', 'from sr4ir_mm.config import load_config',
    'from mmengine.config import Config; from mmengine.registry import MODELS; MODELS.get("sr4ir_mm.SR4IR")',
])  # fmt: skip
def test_the_checks_are_there_whatever_is_imported_first(code):
    """In the tools, after ``mix``, and in the zoos, whose wrappers build data sets with registries of their own."""
    code += (
        '; from mmdet.registry import DATASETS as det; from mmengine.registry import DATASETS as root;'
        'print(root.build_func.__module__, det.build_func.__module__)'
    )
    assert own_python.output_of(code).split()[-2:] == ['sr4ir_mm.registry'] * 2
