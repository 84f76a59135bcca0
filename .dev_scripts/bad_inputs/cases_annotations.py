"""Annotations and archives that are broken or incomplete."""

import json
from collections.abc import Callable
from pathlib import Path

from bench import coco, xml
from case import bad, variant


def _change(change: Callable[[dict], object], split: str = 'train') -> Callable[[], None]:
    def setup() -> None:
        content = coco(split)
        change(content)
        Path(f'data/det/{split}.json').write_text(json.dumps(content))

    return setup


_TRAIN, _TEST = 'train det.py --work-dir new', 'test runs/det'
_KEYS = {
    'images': ('id', 'file_name', 'width', 'height'),
    'annotations': ('id', 'image_id', 'category_id', 'bbox', 'area'),
    'categories': ('id', 'name'),
}
for _kind, _keys in _KEYS.items():
    for _key in _keys:
        bad(
            f'annotations: COCO, {_kind} without {_key}',
            _TRAIN,
            'train.json',
            _key,
            setup=_change(lambda c, kind=_kind, key=_key: c[kind][0].pop(key)),
        )
    bad(f'annotations: COCO without {_kind}', _TRAIN, 'train.json', setup=_change(lambda c, kind=_kind: c.pop(kind)))
    bad(
        f'annotations: COCO without {_kind} in a test',
        _TEST,
        _kind,
        setup=_change(lambda c, kind=_kind: c.pop(kind), 'val'),
    )
for _key in ('iscrowd', 'area', 'bbox', 'id'):
    bad(
        f'annotations: COCO of a test without {_key}',
        _TEST,
        _key,
        setup=_change(lambda c, key=_key: c['annotations'][0].pop(key), 'val'),
    )
_VALUES = {
    'a box of three numbers': lambda c: c['annotations'][0].update(bbox=[1, 2, 3]),
    'a box of texts': lambda c: c['annotations'][0].update(bbox=['a', 'b', 'c', 'd']),
    'a box that is null': lambda c: c['annotations'][0].update(bbox=None),
    'a file that is missing': lambda c: c['images'][0].update(file_name='nosuch.png'),
    'no objects': lambda c: c.update(annotations=[]),
    'no images': lambda c: c.update(images=[]),
    'images that are a dict': lambda c: c.update(images={}),
    'annotations that are null': lambda c: c.update(annotations=None),
    'ids that are there twice': lambda c: [a.update(id=1) for a in c['annotations']],
    'image ids that are there twice': lambda c: [i.update(id=0) for i in c['images']],
    'a size of 0': lambda c: c['images'][0].update(width=0, height=0),
    'another size than the file': lambda c: c['images'][0].update(width=10, height=10),
}
for _what, _function in _VALUES.items():
    bad(f'annotations: COCO with {_what}', _TRAIN, 'train', setup=_change(_function))
for _what, _text in {
    'is empty': '',
    'is cut off': '{"images": [',
    'is a list': '[1]',
    'is a number': '3',
    'is a text': 'no json',
    'has an empty dict': '{}',
    'is XML': '<a/>',
}.items():
    bad(f'annotations: a COCO file that {_what}', _TRAIN, 'train.json', files={'data/det/train.json': _text})
bad('annotations: a COCO file that is missing', _TRAIN, 'train.json', files={'data/det/train.json': None})
bad(
    'annotations: the file of the evaluator is missing',
    _TRAIN,
    'nosuch.json',
    setup=lambda: Path('det.py').write_text(
        Path('det.py').read_text()
        + ("\nval_evaluator = [dict(type='CocoMetric', ann_file='data/det/nosuch.json', metric='bbox')]\n")
    ),
)
bad(
    'annotations: masks that the evaluator wants are missing',
    'test x.py runs/det/epoch_1.pth',
    'segm',
    files=variant('det', "test_evaluator = [dict(type='CocoMetric', ann_file='data/det/val.json', metric='segm')]"),
)
bad(
    'annotations: polygons that are empty',
    'train x.py',
    'train/0.png',
    files=variant(
        'det',
        "train_dataloader = dict(dataset=dict(pipeline=[_base_.load, dict(type='LoadAnnotations', "
        'with_bbox=True, with_mask=True), _base_.resize, _base_.pack]))',
    ),
    setup=_change(lambda c: [a.update(segmentation=[]) for a in c['annotations']]),
)

_VOC = 'train voc.py --work-dir new'
_XML = {
    'empty': '',
    'no XML': 'no xml',
    'cut off': xml()[:200],
    'another document': '<html/>',
    'without boxes': xml().replace('bndbox', 'box'),
    'without a name': xml().replace('<name>square</name>', ''),
    'without xmin': xml().replace('xmin', 'left'),
    'with a text as xmin': xml().replace('<xmin>9<', '<xmin>left<'),
}
for _what, _text in _XML.items():
    _files = {f'data/voc/Annotations/train{i}.xml': _text for i in range(2)}
    bad(f'annotations: VOC, {_what}', _VOC, 'train', files=_files)
bad('annotations: VOC, a file is missing', _VOC, 'train0.xml', files={'data/voc/Annotations/train0.xml': None})
bad('annotations: VOC, an empty list', _VOC, 'train.txt', files={'data/voc/ImageSets/Main/train.txt': ''})
bad('annotations: VOC, a list of other names', _VOC, 'nosuch', files={'data/voc/ImageSets/Main/train.txt': 'nosuch\n'})
bad('annotations: VOC, a list that is missing', _VOC, 'train.txt', files={'data/voc/ImageSets/Main/train.txt': None})
bad('annotations: VOC, a list with labels', _VOC, 'train0', files={'data/voc/ImageSets/Main/train.txt': 'train0 -1\n'})
bad(
    'annotations: ground truth that the metric needs is not packed',
    'test x.py runs/voc/epoch_1.pth',
    'instances',
    files=variant(
        'voc',
        'test_dataloader = dict(dataset=dict(pipeline=[_base_.load, _base_.resize, _base_.boxes, '
        "dict(type='PackDetInputs')]))",
    ),
)

_SEG = 'train x.py --work-dir new'
bad(
    'annotations: images of another suffix',
    _SEG,
    '.png',
    files=variant('seg', "train_dataloader = dict(dataset=dict(img_suffix='.jpg'))"),
)
bad(
    'annotations: masks of another suffix',
    _SEG,
    '0.tif',
    files=variant('seg', "train_dataloader = dict(dataset=dict(seg_map_suffix='.tif'))"),
)
bad(
    'annotations: a list of images that do not exist',
    _SEG,
    'nosuch',
    files=variant('seg', "train_dataloader = dict(dataset=dict(ann_file='list.txt'))")
    | {'data/seg/list.txt': 'nosuch\n'},
)
bad(
    'annotations: an empty list of images',
    _SEG,
    'list.txt',
    files=variant('seg', "train_dataloader = dict(dataset=dict(ann_file='list.txt'))") | {'data/seg/list.txt': ''},
)
bad(
    'annotations: a list of images that is missing',
    _SEG,
    'list.txt',
    files=variant('seg', "train_dataloader = dict(dataset=dict(ann_file='list.txt'))"),
)
for _what, _list, _text in (
    ('without labels', 'square/0.png\n', 'list.txt'),
    ('that is empty', '', 'list.txt'),
    ('with a label that is no number', 'square/0.png x\n', 'list.txt'),
    ('with a label that is too large', 'square/0.png 5\n', 'label 5'),
    ('with a negative label', 'square/0.png -1\n', 'label -1'),
    ('of missing images', 'square/9.png 1\n', '9.png'),
):
    bad(
        f'annotations: a list of labels {_what}',
        'train x.py',
        _text,
        files=variant(
            'cls',
            "train_dataloader = dict(dataset=dict(ann_file='list.txt', metainfo=dict(classes=('disc', 'square'))))",
        )
        | {'data/cls/list.txt': _list},
    )
