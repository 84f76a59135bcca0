"""Classes and labels that do not fit the data or the heads, for the three tasks."""

import json
import shutil
from pathlib import Path

from bench import coco
from case import bad, variant

_META = 'dataset=dict(metainfo=dict(classes={}))'


def _classes(base: str, classes: str, loaders: tuple[str, ...] = ('train', 'val', 'test')) -> dict:
    return variant(base, '\n'.join(f'{name}_dataloader = dict({_META.format(classes)})' for name in loaders))


_WRONG = {
    'seg': {
        'one too few': ("('background', 'square')", 'num_classes=2'),
        'one too many': ("('background', 'square', 'disc', 'star')", 'num_classes=4'),
        'a forgotten comma': ("('square')", 'comma'),
        'none': ('()', 'classes'),
        'a number': ('3', 'BaseSegDataset'),
        'the same twice': ("('background', 'square', 'square')", 'square'),
    },
    'det': {
        'misspelled': ("('sqare', 'disc')", 'sqare'),
        'in another case': ("('Square', 'disc')", 'Square'),
        'in capitals': ("('SQUARE', 'DISC')", 'SQUARE'),
        'all wrong': ("('ship', 'truck')", 'ship'),
        'in another order': ("('disc', 'square')", 'order'),
        'one too few': ("('square',)", 'num_classes=1'),
        'one that is no category': ("('square', 'disc', 'star')", 'star'),
        'a forgotten comma': ("('square')", 'comma'),
        'with a space': ("('square ', 'disc')", 'square '),
        'none': ('()', 'classes'),
        'a number': ('3', 'train.json'),
    },
    'voc': {
        'misspelled': ("('sqare', 'disc')", 'sqare'),
        'in another case': ("('Square', 'disc')", 'Square'),
        'all wrong': ("('ship', 'truck')", 'ship'),
        'one too few': ("('square',)", '1'),
        'one too many': ("('square', 'disc', 'star')", '3'),
        'a forgotten comma': ("('disc')", 'comma'),
    },
    'cls': {
        'in another order': ("('square', 'disc')", 'order'),
        'misspelled': ("('dics', 'square')", 'dics'),
        'one too few': ("('disc',)", '1'),
        'one too many': ("('disc', 'square', 'star')", '3'),
        'a forgotten comma': ("('disc')", 'comma'),
        'a missing file of names': ("'names.txt'", 'names.txt'),
    },
}
for _base, _cases in _WRONG.items():
    for _what, (_value, _text) in _cases.items():
        bad(f'classes: {_base}, {_what}', 'train x.py', _text, files=_classes(_base, _value))
bad(
    'classes: seg, train and val differ',
    'train x.py',
    'star',
    files=_classes('seg', "('background', 'square', 'star')", ('val', 'test')),
)
bad(
    'classes: det, train and val differ',
    'train x.py',
    'val',
    files=_classes('det', "('disc', 'square')", ('val', 'test')),
)
bad(
    'classes: seg, in another order in val',
    'train x.py',
    'val',
    files=_classes('seg', "('background', 'disc', 'square')", ('val', 'test')),
)

_HEADS = {
    'seg': ('decode_head=dict(num_classes={})', 'auxiliary_head=dict(num_classes={})'),
    'det': ('bbox_head=dict(num_classes={})',),
    'voc': ('bbox_head=dict(num_classes={})',),
    'cls': ('head=dict(num_classes={})',),
}
for _base, _heads in _HEADS.items():
    for _head in _heads:
        for _number in (1, 7):
            bad(
                f'classes: {_base}, {_head.format(_number)}',
                'train x.py',
                'num_classes',
                files=variant(_base, f'model = dict(task=dict({_head.format(_number)}))'),
            )
bad(
    'classes: tested with a head of another size',
    'test x.py runs/seg/epoch_1.pth',
    'num_classes',
    files=variant('seg', 'model = dict(task=dict(decode_head=dict(num_classes=7)))'),
)
bad(
    'classes: tested on data of other classes',
    'test x.py runs/cls/epoch_1.pth',
    'num_classes',
    files=variant('cls', ''),
    setup=lambda: shutil.copytree('data/cls/val/disc', 'data/cls/val/star'),
)
bad(
    'classes: a mix with a head of another size',
    'train x.py --sr edsr.py --work-dir new',
    'num_classes',
    files=variant('fcn', 'model = dict(decode_head=dict(num_classes=7))'),
)


bad(
    'classes: a validation folder lacks a class',
    'train cls.py --work-dir new',
    'disc',
    setup=lambda: shutil.rmtree('data/cls/val/disc'),
)
bad(
    'classes: a training folder lacks a class',
    'train cls.py --work-dir new',
    'disc',
    setup=lambda: shutil.rmtree('data/cls/train/disc'),
)
bad(
    'classes: a training folder is empty',
    'train cls.py --work-dir new',
    'disc',
    setup=lambda: [path.unlink() for path in Path('data/cls/train/disc').iterdir()],
)
bad(
    'classes: a folder more in train',
    'train cls.py --work-dir new',
    'star',
    setup=lambda: shutil.copytree('data/cls/train/disc', 'data/cls/train/star'),
)
bad(
    'classes: a folder is called otherwise in val',
    'train cls.py --work-dir new',
    'Disc',
    setup=lambda: Path('data/cls/val/disc').rename('data/cls/val/Disc'),
)


def _categories(change, splits=('train', 'val')) -> None:
    for split in splits:
        content = coco(split)
        change(content)
        Path(f'data/det/{split}.json').write_text(json.dumps(content))


bad(
    'classes: categories are called otherwise',
    'train det.py --work-dir new',
    'square',
    setup=lambda: _categories(lambda c: c['categories'][0].update(name='Square')),
)
bad(
    'classes: val has another category',
    'train det.py --work-dir new',
    'disc',
    setup=lambda: _categories(lambda c: c['categories'][1].update(name='dics'), ['val']),
)
bad(
    'classes: no categories',
    'train det.py --work-dir new',
    'categories',
    setup=lambda: _categories(lambda c: c.update(categories=[])),
)
bad(
    'classes: a category twice',
    'train det.py --work-dir new',
    'square',
    setup=lambda: _categories(lambda c: c['categories'][1].update(name='square')),
)
bad(
    'classes: the evaluator reads other categories',
    'train x.py',
    'star',
    files=variant(
        'det',
        "val_evaluator = [dict(type='sr4ir_mm.ZeroFillCocoMetric', metric='bbox', "
        "ann_file='data/det/star.json')]\ntest_evaluator = val_evaluator",
    ),
    setup=lambda: Path('data/det/star.json').write_text(
        json.dumps(coco('val') | dict(categories=[dict(id=0, name='star')]))
    ),
)
