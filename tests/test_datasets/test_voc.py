"""VOC boxes: those of the annotation files, and how mmdet's own class reads them."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from helpers.voc_boxes import make_voc_boxes, write_boxes
from mmdet.datasets import VOCDataset
from mmengine.config import Config
from mmengine.registry import DATASETS, init_default_scope

from sr4ir_mm.datasets import InclusiveVOCDataset
from sr4ir_mm.errors import SR4IRError

ROOT = Path(__file__).parents[2]
MINI = ROOT.parent / 'shared/data/voc2012_mini'
SIZE = (40, 60)


def dataset(root: Path, cls: type = InclusiveVOCDataset, **kwargs):
    options = dict(ann_file='ImageSets/Main/train.txt', data_prefix=dict(sub_data_root=''), pipeline=[])
    return cls(data_root=str(root), **{**options, **kwargs})


def boxes(data, index: int = 0) -> list[list]:
    return [instance['bbox'] for instance in data.get_data_info(index)['instances']]


def test_the_edges_of_boxes_are_those_of_their_pixels(tmp_path):
    """Files count from 1 and include the end; edges count from 0. The whole image, one pixel, pixels in two corners."""
    marked = [(1, 1, 60, 40), (7, 9, 7, 9), (1, 1, 1, 1), (60, 40, 60, 40)]
    root = make_voc_boxes(tmp_path / 'voc', [(SIZE, [('cat', *box) for box in marked])])
    expected = [[0, 0, 60, 40], [6, 8, 7, 9], [0, 0, 1, 1], [59, 39, 60, 40]]
    assert boxes(dataset(root)) == expected
    assert boxes(dataset(root, VOCDataset))[1] == [6, 8, 6, 8]  # the reason for a class of our own


@pytest.mark.parametrize('cls, ignored', [(InclusiveVOCDataset, 0), (VOCDataset, 1)])
def test_difficult_objects_count(tmp_path, cls, ignored):
    root = make_voc_boxes(tmp_path / 'voc', [(SIZE, [('cat', 2, 2, 20, 20)])], difficult=True)
    (instance,) = dataset(root, cls).get_data_info(0)['instances']
    assert (instance['ignore_flag'], instance['bbox_label']) == (ignored, 7)


def test_a_minimum_size_that_the_user_sets_is_kept(tmp_path):
    root = make_voc_boxes(tmp_path / 'voc', [(SIZE, [('cat', 2, 2, 20, 20), ('cat', 2, 2, 5, 5)])])
    instances = dataset(root, filter_cfg=dict(bbox_min_size=8)).get_data_info(0)['instances']
    assert [instance['ignore_flag'] for instance in instances] == [0, 1]


def test_names(tmp_path):
    root = make_voc_boxes(tmp_path / 'voc', [(SIZE, [('cat', 2, 2, 20, 20), ('dog', 2, 2, 5, 5)]), (SIZE, [])])
    single = dataset(root, metainfo=dict(classes=('dog',)))
    assert boxes(single) == [[1, 1, 5, 5]] and boxes(single, 1) == [] and len(single) == 2
    with pytest.raises(SR4IRError, match=r'of the classes Dog; its objects are cat, dog\. .*metainfo=dict\(classes'):
        dataset(root, metainfo=dict(classes=('Dog',)))
    (tmp_path / 'voc/ImageSets/Main/train.txt').write_text('1')
    assert boxes(dataset(root, metainfo=dict(classes=('Dog',)))) == []  # without any object, any name is right


@pytest.mark.parametrize(
    'content, reason',
    [
        ('no XML', 'syntax error'),
        ('<annotation><size><width>wide</width><height>9</height></size></annotation>', 'wide'),
        (
            '<annotation><object><name>cat</name></object><size><width>9</width><height>9</height></size></annotation>',
            '',
        ),
    ],
)
def test_broken_annotation_files_are_named(tmp_path, content, reason):
    root = make_voc_boxes(tmp_path / 'voc', [(SIZE, [])])
    path = root / 'Annotations/0.xml'
    path.write_text(content)
    with pytest.raises(SR4IRError, match=rf"'{re.escape(str(path))}' cannot be read \(.*{reason}.*\): fix or remove"):
        dataset(root)
    write_boxes(path, SIZE, [('cat', 9, 4, 3, 20)])
    with pytest.raises(SR4IRError, match=r'0\.xml.*a box ends at 3, 20, before it begins at 9, 4'):
        dataset(root)
    path.unlink()
    with pytest.raises(SR4IRError, match=r"Annotation file '.*0\.xml' is missing, but '.*train\.txt' lists it"):
        dataset(root)


@pytest.mark.skipif(not MINI.is_dir(), reason='no ../shared/data')
def test_voc2012_mini_by_the_shipped_config():
    """All boxes of all listed images are read, difficult ones too; the README of the data has their number."""
    cfg = Config.fromfile(ROOT / 'configs/_base_/datasets/voc_det.py')
    init_default_scope('mmdet')
    for loader, images, count in ((cfg.train_dataloader, 822, 1682 + 166), (cfg.test_dataloader, 300, 594 + 53)):
        data = DATASETS.build(dict(loader.dataset, data_root=str(MINI)))
        infos = [data.get_data_info(i) for i in range(len(data))]
        assert (len(infos), sum(len(info['instances']) for info in infos)) == (images, count)
        assert not any(instance['ignore_flag'] for info in infos for instance in info['instances'])
        assert {instance['bbox_label'] for info in infos for instance in info['instances']} == set(range(20))
        for info in infos[:30]:
            found = ElementTree.parse(MINI / f'Annotations/{info["img_id"]}.xml').iter('bndbox')
            ends = [[int(box.findtext(key)) for key in ('xmin', 'ymin', 'xmax', 'ymax')] for box in found]
            ours = [[x1 + 1, y1 + 1, x2, y2] for x1, y1, x2, y2 in (i['bbox'] for i in info['instances'])]
            assert ours == ends
            assert all(0 <= x1 < x2 <= info['width'] for x1, _, x2, _ in (i['bbox'] for i in info['instances']))
