"""The classes of a config against the names in the files of the data set, for each library."""

import json
import time

import cv2
import mmdet.datasets  # noqa: F401
import mmpretrain.datasets  # noqa: F401
import mmseg.datasets  # noqa: F401
import numpy as np
import pytest
from helpers.voc_boxes import make_voc_boxes
from mmengine.registry import DATASETS

import sr4ir_mm.registry  # noqa: F401  its checks are part of building a data set
from sr4ir_mm.datasets.class_names import label_names, parts
from sr4ir_mm.errors import SR4IRError

NAMES = ('cat', 'dog', 'fox')


def make_coco(folder, names=NAMES, file='train.json'):
    """An image with a box of each class."""
    boxes = [dict(id=i, image_id=1, category_id=i, bbox=[1, 1, 9, 9], area=81, iscrowd=0) for i in range(len(names))]
    content = dict(
        categories=[dict(id=i, name=name) for i, name in enumerate(names)],
        images=[dict(id=1, file_name='0.jpg', width=20, height=20)], annotations=boxes,
    )  # fmt: skip
    folder.mkdir(exist_ok=True)
    (folder / file).write_text(json.dumps(content))
    return folder / file


def coco_config(path, classes) -> dict:
    prefix = dict(img=str(path.parent))
    return dict(type='mmdet.CocoDataset', ann_file=str(path), data_prefix=prefix, metainfo=dict(classes=classes))


def coco(path, classes, **options):
    return DATASETS.build(dict(coco_config(path, classes), **options))


@pytest.mark.parametrize(
    'classes, message',
    [
        (('cat', 'dgo', 'fox'), r"train\.json' has no category 'dgo' \(nearest: 'dog'\); its .* are cat, dog, fox\."),
        (('cat', 'Dog', 'fox'), r"no category 'Dog' \(nearest: 'dog'\)"),
        (('ship', 'truck'), r"no category 'ship', 'truck'; its categories"),
        (('fox', 'cat'), r"in another order than metainfo\.classes.* set metainfo=dict\(classes=\('cat', 'fox'\)\)"),
    ],
)  # fmt: skip
@pytest.mark.parametrize('options', [{}, dict(test_mode=True), dict(filter_cfg=dict(filter_empty_gt=True))])
def test_coco(classes, message, options, tmp_path):
    with pytest.raises(SR4IRError, match=message):
        coco(make_coco(tmp_path), classes, **options)


def test_coco_with_some_of_the_classes(tmp_path):
    data = coco(make_coco(tmp_path), ('cat', 'fox'))
    assert [instance['bbox_label'] for instance in data[0]['instances']] == [0, 1]


def test_a_category_that_is_there_twice(tmp_path):
    with pytest.raises(SR4IRError, match="lists the category 'cat' twice"):
        coco(make_coco(tmp_path, ('cat', 'dog', 'cat')), ('cat', 'dog'))


def test_wrapped_data_sets(tmp_path):
    inner = coco_config(make_coco(tmp_path), ('cat', 'bird'))
    for wrapper in (
        dict(type='RepeatDataset', times=2, dataset=inner),
        dict(type='ConcatDataset', datasets=[inner]),
        dict(type='mmdet.MultiImageMixDataset', dataset=inner, pipeline=[]),
        dict(type='ClassBalancedDataset', oversample_thr=0.5, dataset=inner),
        dict(type='RepeatDataset', times=2, dataset=dict(type='mmdet.ConcatDataset', datasets=[inner])),
    ):
        with pytest.raises(SR4IRError, match="no category 'bird'"):
            DATASETS.build(wrapper)


def test_parts_of_nested_wrappers(tmp_path):
    inner = coco_config(make_coco(tmp_path), NAMES)
    mixed = dict(type='mmdet.MultiImageMixDataset', dataset=dict(type='mmdet.ConcatDataset', datasets=[inner, inner]),
                 pipeline=[])  # fmt: skip
    built = DATASETS.build(mixed)
    assert [type(part).__name__ for part in parts(built)] == ['CocoDataset'] * 2
    built.dataset.datasets[0].dataset = 'coco'  # a name of a user's data set
    assert [type(part).__name__ for part in parts(built)] == ['CocoDataset'] * 2


def test_other_entries_may_have_the_name_of_the_list_of_categories(tmp_path):
    path = make_coco(tmp_path)
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, 'info': dict(categories=['a [b]'])}))
    assert len(coco(path, NAMES)) == 1


def test_labels_of_a_data_set_that_sorts_the_categories(tmp_path):
    """Objects365 numbers them by their ids."""
    path = make_coco(tmp_path)
    content = json.loads(path.read_text())
    content['categories'].reverse()
    path.write_text(json.dumps(content))
    config = dict(coco_config(path, NAMES), type='mmdet.Objects365V1Dataset')
    assert [instance['bbox_label'] for instance in DATASETS.build(config)[0]['instances']] == [0, 1, 2]
    with pytest.raises(SR4IRError, match=r"another order .* set metainfo=dict\(classes=\('cat', 'dog', 'fox'\)\)"):
        DATASETS.build(dict(config, metainfo=dict(classes=NAMES[::-1])))
    with pytest.raises(SR4IRError, match=r"no category 'wolf'; its categories are fox, dog, cat"):
        DATASETS.build(dict(config, metainfo=dict(classes=('cat', 'dog', 'wolf'))))


def voc(root, classes, type='mmdet.VOCDataset'):
    files = dict(ann_file='ImageSets/Main/train.txt', data_prefix=dict(sub_data_root=''))
    return DATASETS.build(dict(type=type, data_root=str(root), metainfo=dict(classes=classes), **files))


@pytest.mark.parametrize('type', ['mmdet.VOCDataset', 'sr4ir_mm.InclusiveVOCDataset'])
def test_objects_of_voc(type, tmp_path):
    root = make_voc_boxes(tmp_path / 'voc', [((40, 60), [('cat', 2, 2, 20, 20), ('dog', 2, 2, 9, 9)])])
    assert len(voc(root, ('cat',), type)) == len(voc(root, ('cat', 'dog', 'zebra'), type)) == 1  # a rare class
    for classes, near in (('cat', 'Dog'), 'dog'), (('dgo', 'cat'), 'dog'):
        with pytest.raises(SR4IRError, match=rf"No object of '.*train\.txt' is of the class .* \(nearest: '{near}'\)"):
            voc(root, classes, type)
    with pytest.raises(SR4IRError, match=r'objects (of other names|are).* cat, dog'):
        voc(root, ('ship', 'truck'), type)


def test_files_of_voc_that_are_something_else(tmp_path):
    """Files without an object are right, but not all of them."""
    root = make_voc_boxes(tmp_path / 'empty', [((40, 60), []), ((40, 60), [])])
    with pytest.raises(SR4IRError, match=r"The annotation files of '.*train\.txt' hold no object"):
        voc(root, ('cat', 'dog'))
    root = make_voc_boxes(tmp_path / 'voc', [((40, 60), [('cat', 2, 2, 20, 20)]), ((40, 60), [])])
    assert len(voc(root, ('cat', 'dog'))) == 2
    cv2.imwrite(str(root / 'JPEGImages/1.jpg'), np.zeros((40, 60, 3), np.uint8))
    (root / 'Annotations/1.xml').write_text('<html><size><width>60</width><height>40</height></size></html>')
    with pytest.raises(SR4IRError, match=r"'.*Annotations/1\.xml' is no annotation file of PASCAL VOC: replace it"):
        voc(root, ('cat', 'dog'))


def make_folders(root, names=NAMES):
    for name in names:
        (root / name).mkdir(parents=True)
        cv2.imwrite(str(root / name / '0.jpg'), np.zeros((8, 8, 3), np.uint8))
    return root


def folders(root, classes=None, **options):
    meta = dict(metainfo=dict(classes=classes)) if classes else {}
    return DATASETS.build(dict(type='mmpretrain.CustomDataset', data_root=str(root), pipeline=[], **meta, **options))


@pytest.mark.parametrize('names, classes, message', [
    (NAMES, ('cat', 'fox', 'dog'), r"'dog' would be 'fox', 'fox' would be 'dog'\. Set .*=\('cat', 'dog', 'fox'\)\)"),
    (NAMES, ('cat', 'dgo', 'fox'), r"'dog' would be 'dgo'"),
    (NAMES, ('cat', 'dog'), r"CustomDataset.*The number of subfolders \(3\) doesn't match.*\(2\)"),
    (('cats', 'dogs'), ('dog', 'cat'), r"'cats' would be 'dog', 'dogs' would be 'cat'"),
    (('1_cat', '2_dog'), ('Dog', 'Cat'), r"'1_cat' would be 'Dog'"),
    (('0', '1', '10', '2'), ('0', '1', '2', '10'), r"'10' would be '2', '2' would be '10'"),
    (NAMES, ('a', 'b', 'c'), None),
    (NAMES, ('Cat', 'dog', 'Fox'), None),  # in the right places
    (NAMES, ('Katze', 'Hund', 'Fuchs'), None),
    (('cats', 'dogs'), ('cat', 'dog'), None),
    (('001.Black_footed_Albatross', '002.Laysan_Albatross'), ('Black-footed Albatross', 'Laysan Albatross'), None),
    (('n02085620-Chihuahua', 'n02099601-golden_retriever'), ('Chihuahua', 'golden retriever'), None),
    (('0', '1', '10', '2'), ('zero', 'one', 'ten', 'two'), None),
])  # fmt: skip
def test_folders(names, classes, message, tmp_path):
    root = make_folders(tmp_path / 'train', names)
    if message is None:
        assert list(folders(root, classes).CLASSES) == list(classes)
    else:
        with pytest.raises(SR4IRError, match=message):
            folders(root, classes)


def test_a_thousand_folders_take_no_time(tmp_path):
    """Those of ImageNet, whose classes have other names."""
    names = [f'n{number:08}' for number in range(1000)]
    for name in names:
        (tmp_path / name).mkdir()
    (tmp_path / names[0] / '0.jpg').touch()
    start = time.process_time()
    DATASETS.build(dict(type='mmpretrain.ImageNet', data_root=str(tmp_path), pipeline=[]))
    assert time.process_time() - start < 2


def test_labels_stand_for_folders_whatever_the_classes_are_called(tmp_path):
    assert label_names(folders(make_folders(tmp_path / 'a'), ('x', 'y', 'z'))) == list(NAMES)
    assert label_names(folders(make_folders(tmp_path / 'b', ('u', 'v')))) == ['u', 'v']


def test_classes_that_a_data_set_of_mmseg_does_not_have(tmp_path):
    voc = dict(type='mmseg.PascalVOCDataset', data_root=str(tmp_path), ann_file='list.txt')
    with pytest.raises(
        SR4IRError, match=r"PascalVOCDataset.* it has no class 'Dog' \(nearest: 'dog'\), but background,"
    ):
        DATASETS.build(dict(voc, metainfo=dict(classes=['cat', 'Dog'])))


@pytest.mark.parametrize(
    'kind', ['mmdet.CocoDataset', 'mmseg.BaseSegDataset', 'mmpretrain.CustomDataset', 'mmseg.PascalVOCDataset']
)
def test_a_forgotten_comma(kind, tmp_path):
    with pytest.raises(SR4IRError, match=r"are the text 'ship', not a list .* comma, classes=\('ship',\)\."):
        DATASETS.build(dict(type=kind, data_root=str(tmp_path), ann_file='a', metainfo=dict(classes=('ship'))))
    repeated = dict(type=kind, data_root=str(tmp_path), ann_file='a', metainfo=dict(classes='ship'))
    with pytest.raises(SR4IRError, match='a comma'):
        DATASETS.build(dict(type='RepeatDataset', times=2, dataset=repeated))


def test_a_file_of_names_is_no_forgotten_comma(tmp_path):
    (tmp_path / 'names.txt').write_text('cat\ndog\nfox\n')
    data = folders(make_folders(tmp_path / 'train'), str(tmp_path / 'names.txt'))
    assert list(data.CLASSES) == list(NAMES)
