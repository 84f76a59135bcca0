"""Checkpoints that do not fit, or are none."""

from case import bad, variant

_FILES = {
    'of another net': 'other',
    'of a bare task network': 'task',
    'of a bare SR network': 'sr',
    'without the SR network': 'task_',
    'without the task network': 'sr_',
    'without weights': 'none',
    'that is a list': 'list',
    'of a head of another size': 'shape',
    'without the head': 'headless',
    'with texts for tensors': 'strings',
    'that is cut off': 'cut',
    'that is empty': 'empty',
    'that is a text': 'text',
    'that is an image': 'image',
    'that is a folder': 'folder',
    'that is missing': 'missing',
}
_COMMANDS = {
    'test': 'test seg.py weights/{}.pth',
    'infer': 'infer seg.py lr --weights weights/{}.pth --device cpu',
}
for _what, _file in _FILES.items():
    for _tool, _command in _COMMANDS.items():
        bad(f'weights: {_tool} with a file {_what}', _command.format(_file), f'{_file}.pth')
for _what in ('of another net', 'that is cut off', 'without the head', 'of a bare task network', 'that is missing'):
    _file = _FILES[_what]
    _load = f'--cfg-options load_from=weights/{_file}.pth --work-dir new'
    bad(f'weights: load_from a file {_what}', f'train seg.py {_load}', f'{_file}.pth')
    bad(f'weights: export a file {_what}', f'export seg.py weights/{_file}.pth out.onnx', f'{_file}.pth')
    bad(f'weights: the web page with a file {_what}', f'webui seg.py weights/{_file}.pth --device cpu', f'{_file}.pth')
    bad(f'weights: convert a file {_what}', f'model_converters/mm2official seg.py weights/{_file}.pth out')

bad('weights: test another scheme, S alone', 'test seg.py runs/s/epoch_1.pth', 'epoch_1.pth', 'scheme')
bad('weights: test another scheme, L->T', 'test seg.py runs/l2t/epoch_1.pth', 'epoch_1.pth', 'scheme')
bad('weights: infer with another scheme', 'infer seg.py lr --weights runs/l2t/epoch_1.pth --device cpu', 'epoch_1.pth')
bad('weights: test another task', 'test seg.py runs/det/epoch_1.pth', 'classes')
bad('weights: infer with another task', 'infer cls.py lr --weights runs/seg/epoch_1.pth', 'runs/seg/epoch_1.pth')
bad('weights: test without any', 'test seg.py', 'seg.py', 'checkpoint')
bad('weights: infer without any', 'infer seg.py lr --device cpu', 'seg.py', 'checkpoint')
bad('weights: the web page without any', 'webui seg.py --device cpu', 'seg.py')
bad('weights: test the zoo config of a mix', 'test fcn.py runs/mix/epoch_1.pth', 'fcn.py', 'super-resolution')
bad('weights: export the zoo config of a mix', 'export fcn.py runs/mix/epoch_1.pth out.onnx', 'fcn.py')
bad('weights: infer with the zoo config of a mix', 'infer fcn.py lr --weights runs/mix/epoch_1.pth', 'fcn.py')
bad('weights: a bare task network instead of a run', 'test weights/task.pth', 'task.pth')
bad('weights: weights without a config instead of a run', 'infer weights/plain.pth lr --device cpu', 'plain.pth')

_INIT = "model = dict({}=dict(init_cfg=dict(type='Pretrained', checkpoint='{}'{})))"


def _starts(net: str, file: str, more: str = '') -> dict:
    return variant('seg', _INIT.format(net, file, more))


for _net, _file in (
    ('task', 'runs/seg/epoch_1.pth'),
    ('task', 'weights/sr.pth'),
    ('task', 'weights/other.pth'),
    ('task', 'weights/cut.pth'),
    ('task', 'weights/text.pth'),
    ('sr', 'weights/task.pth'),
    ('sr', 'weights/none.pth'),
    ('sr', 'weights/empty.pth'),
    ('sr', 'weights/missing.pth'),
):
    bad(f'weights: {_net} starts from {_file}', 'train x.py', _file, files=_starts(_net, _file))
bad(
    'weights: a prefix that is in no key',
    'train x.py',
    'nosuch',
    files=_starts('sr', 'runs/seg/epoch_1.pth', ", prefix='nosuch.'"),
)
bad(
    'weights: a prefix of another net',
    'train x.py',
    'runs/seg/epoch_1.pth',
    files=_starts('sr', 'runs/seg/epoch_1.pth', ", prefix='task.'"),
)
_zoo = variant('fcn', "load_from = 'runs/seg/epoch_1.pth'", 'zoo')
bad(
    'weights: a mix from a checkpoint of SR4IR',
    'train zoo.py --sr edsr.py --pretrained --work-dir new',
    'epoch_1.pth',
    files=_zoo,
)
bad(
    'weights: a mix from a file of another net',
    'train zoo.py --sr edsr.py --pretrained --work-dir new',
    'other.pth',
    files=variant('fcn', "load_from = 'weights/other.pth'", 'zoo'),
)
bad('weights: --pretrained without weights', 'train fcn.py --sr edsr.py --pretrained --work-dir new', 'fcn.py')
_URLS = {
    'http': 'http://127.0.0.1:9/x.pth',
    'https': 'https://nowhere.invalid/x.pth',
    'ftp': 'ftp://127.0.0.1:9/x.pth',
    's3': 's3://bucket/x.pth',
    'unknown': 'modelzoo://nosuch',
    'file': 'file:///nowhere/x.pth',
}
for _kind, _url in _URLS.items():
    bad(f'weights: an address without a network, {_kind}', f'test seg.py {_url}', _url.rpartition('/')[2])
bad(
    'weights: SR network at an address without a network',
    'train x.py',
    'http://127.0.0.1:9/x.pth',
    files=_starts('sr', 'http://127.0.0.1:9/x.pth'),
)
bad(
    'weights: a backbone at an address without a network',
    'train x.py',
    'nowhere.invalid',
    files=_starts('task', 'https://nowhere.invalid/x.pth'),
)
bad(
    'weights: official weights that are a text',
    'model_converters/official2mm seg.py out.pth --sr weights/text.pth',
    'text.pth',
)
bad('weights: official weights of another net', 'model_converters/official2mm seg.py out.pth --sr weights/other.pth')
bad('weights: official weights, none given', 'model_converters/official2mm seg.py out.pth')
bad('weights: official weights that are missing', 'model_converters/official2mm seg.py out.pth --sr no.pt', 'no.pt')
bad('weights: another scale', 'test x2.py runs/seg/epoch_1.pth', 'runs/seg/epoch_1.pth')
