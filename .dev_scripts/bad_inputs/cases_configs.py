"""Config files that cannot be read, or lack what a run needs."""

from case import bad, variant

_TRAIN = 'train x.py --work-dir new'
_FILES = {
    'a syntax error': ('model = dict(', 'line 1'),
    'bad indentation': ('a = 1\n  b = 2\n', 'line 2'),
    'an error when it runs': ('a = 1 / 0\n', 'ZeroDivisionError'),
    'an unknown name': ("_base_ = 'seg.py'\nb = nosuch\n", 'nosuch'),
    'a failing import': ("__import__('nosuch')\n", 'nosuch'),
    'nothing': ('', 'x.py'),
    'only comments': ('# a config\n', 'x.py'),
    'null bytes': (b'a = 1\0\n', 'x.py'),
    'bytes that are no UTF-8': (b"a = '\xff\xfe'\n", 'x.py'),
    'a missing base': ("_base_ = 'nosuch.py'\n", 'nosuch.py'),
    'a cyclic base': ("_base_ = 'y.py'\n", 'x.py'),
    'itself as base': ("_base_ = 'x.py'\n", 'x.py'),
    'a base that is a folder': ("_base_ = 'lr'\n", 'x.py'),
    'a base that is no text': ('_base_ = 3\n', 'x.py'),
    'two bases with the same entries': ("_base_ = ['seg.py', 'cls.py']\n", 'x.py'),
    'a base variable that is missing': ("_base_ = 'seg.py'\na = {{_base_.nosuch}}\n", 'nosuch'),
    'a list over a dict': ("_base_ = 'seg.py'\nmodel = [1]\n", 'x.py'),
    'no model': ("_base_ = 'seg.py'\nmodel = None\n", 'x.py'),
    'a model without a type': ("_base_ = 'seg.py'\nmodel = dict(_delete_=True, scale=4)\n", 'x.py'),
    'a misspelled argument of the model': ("_base_ = 'seg.py'\nmodel = dict(sheme='S->T')\n", 'sheme'),
    'a misspelled argument of a layer': ("_base_ = 'seg.py'\nmodel = dict(task=dict(backbone=dict(dpth=1)))\n", 'dpth'),
    'no task network': ("_base_ = 'seg.py'\nmodel = dict(task=None)\n", 'task'),
    'no SR network': ("_base_ = 'seg.py'\nmodel = dict(sr=None)\n", 'super-resolution'),
    'a TDP layer that does not exist': (
        "_base_ = 'seg.py'\nmodel = dict(tdp=dict(layers=dict(_delete_=True, bakbone=1.0)))\n",
        'bakbone',
    ),
    'no training loop': ("_base_ = 'seg.py'\ntrain_cfg = None\n", 'train_cfg'),
    'an optimizer for all': (
        "_base_ = 'seg.py'\noptim_wrapper = dict(_delete_=True, optimizer=dict(type='SGD', lr=1))\n",
        'optim_wrapper',
    ),
    'an unknown scope': ("_base_ = 'seg.py'\ndefault_scope = 'nosuch'\n", 'nosuch'),
    'no evaluator': ("_base_ = 'seg.py'\nval_evaluator = None\n", 'val_evaluator'),
    'an unknown custom import': ("_base_ = 'seg.py'\ncustom_imports = dict(imports=['nosuch'])\n", 'nosuch'),
    'a schedule that is no dict': ("_base_ = 'seg.py'\nparam_scheduler = 3\n", 'param_scheduler'),
    'hooks that are no list': ("_base_ = 'seg.py'\ncustom_hooks = 3\n", 'custom_hooks'),
}
for _what, (_content, _text) in _FILES.items():
    bad(f'configs: {_what}', _TRAIN, _text, files={'x.py': _content, 'y.py': "_base_ = 'x.py'\n"})
for _tool in (
    'test x.py runs/seg/epoch_1.pth',
    'infer x.py lr --weights runs/seg/epoch_1.pth',
    'export x.py runs/seg/epoch_1.pth o.onnx',
    'analysis_tools/list_layers x.py',
    'analysis_tools/get_complexity x.py',
    'webui x.py runs/seg/epoch_1.pth',
    'model_converters/official2mm x.py o.pth --sr weights/sr.pth',
    'train fcn.py --sr x.py --work-dir new',
    'train x.py --sr edsr.py --work-dir new',
):
    bad(f'configs: a syntax error, {_tool}', _tool, 'x.py', 'line 1', files={'x.py': 'model = dict(\n'})
for _suffix, _content in {'yaml': 'model: 1\n', 'json': '{"model": 1}', 'txt': 'model = 1', 'yml': 'a: ['}.items():
    bad(
        f'configs: suffix {_suffix}',
        f'train x.{_suffix} --work-dir new',
        f'x.{_suffix}',
        files={f'x.{_suffix}': _content},
    )
bad('configs: an image', 'train lr/a.png --work-dir new', 'a.png')
bad('configs: a missing file', 'train nosuch.py', 'nosuch.py')
bad('configs: the name of no config', 'train nosuch', 'nosuch')
bad('configs: an unknown config of a zoo', 'train mmseg::nosuch/nosuch.py --sr edsr', 'mmseg::nosuch/nosuch.py')
bad('configs: an unknown zoo', 'train mmfoo::a/b.py --sr edsr', 'mmfoo')
bad('configs: a folder', 'train lr --work-dir new', "'lr'")
bad('configs: a device', 'train /dev/null --work-dir new', '/dev/null')
bad('configs: an address', 'train https://nowhere.invalid/a.py', 'nowhere.invalid')
bad(
    'configs: new style with an unknown module',
    _TRAIN,
    'nosuch',
    files={'x.py': 'from mmengine.config import read_base\nwith read_base():\n    from .nosuch import *\n'},
)
bad(
    'configs: new style with a wrong class',
    'analysis_tools/list_layers x.py',
    'NoSuchNet',
    files={'x.py': 'from mmseg.models import NoSuchNet\nmodel = dict(type=NoSuchNet)\n'},
)
bad(
    'configs: predicting without test data',
    'infer x.py lr --weights runs/seg/epoch_1.pth',
    'test_dataloader',
    files=variant('seg', 'test_dataloader = None\ntest_evaluator = None\ntest_cfg = None'),
)
bad(
    'configs: testing without test data',
    'test x.py runs/seg/epoch_1.pth',
    'test_',
    files=variant('seg', 'test_dataloader = None\ntest_evaluator = None\ntest_cfg = None'),
)
bad(
    'configs: a net without boxes for a detector',
    _TRAIN,
    'bbox_head=None',
    files={'x.py': "_base_ = 'det.py'\nmodel = dict(task=dict(bbox_head=None))\n"},
)
