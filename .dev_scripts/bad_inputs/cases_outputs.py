"""Outputs that cannot be written: the disk is full, or the path is no place for a file."""

import os

from bench import picture, save
from case import bad

_ONNX = 'export seg.py runs/seg/epoch_1.pth'
_PLACES = {
    'infer runs/seg lr --device cpu --out-dir': 'lr/a.png',
    'test runs/seg --show-dir': 'lr/a.png',
    'test runs/seg --work-dir': 'lr/a.png/test',
    'test runs/seg --out': 'lr/a.png/x.pkl',
    'train seg.py --work-dir': 'lr/a.png/new',
    'train seg.py --write-config': 'lr/a.png/new.py',
    _ONNX: 'lr/a.png/o.onnx',
    'analysis_tools/plot_curves runs/seg --out': 'lr/a.png/x.png',
    'analysis_tools/report runs/seg --out': 'lr/a.png/x.html',
    'model_converters/mm2official cls.py runs/cls/epoch_1.pth': 'lr/a.png/x',
    'model_converters/official2mm cls.py --sr weights/net_sr.pth': 'lr/a.png/x.pth',
    'make_demo_data': 'lr/a.png/x',
    'make_table fcn_edsr_x4_toy.py --work-dir': 'lr/a.png/x',
}
_FULL = {
    'infer runs/seg lr --device cpu --out-dir out': 100,
    'test runs/seg --show-dir panels': 2_000,
    'test runs/seg --out x.pkl': 1_500,
    'test runs/seg': 100,
    'train seg.py --work-dir new': 20_000,
    'train seg.py --write-config new.py': 50,
    f'{_ONNX} o.onnx': 1_000,
    f'{_ONNX} o.pt2': 1_000,
    'analysis_tools/plot_curves runs/seg --out x.png': 100,
    'analysis_tools/report runs/seg --out x.html': 100,
    'model_converters/mm2official cls.py runs/cls/epoch_1.pth out': 100,
    'model_converters/official2mm cls.py o.pth --sr weights/net_sr.pth': 100,
    'make_demo_data out': 100,
}
for _command, _place in _PLACES.items():
    bad(f'outputs: {_command} below a file', f'{_command} {_place}', 'lr/a.png')
for _command, _size in _FULL.items():
    bad(f'outputs: a full disk, {_command}', _command, disk=_size)
for _command, _place in {
    'infer runs/seg lr --device cpu --out-dir': 's3://bucket/out',
    'test runs/seg --show-dir': 's3://bucket/out',
    'test runs/seg --out': 's3://bucket/out.pkl',
    'analysis_tools/report runs/seg --out': 'https://nowhere.invalid/x.html',
    'train seg.py --write-config': 's3://bucket/x.py',
    _ONNX: 's3://bucket/o.onnx',
}.items():
    bad(f'outputs: {_command} at an address', f'{_command} {_place}', _place.partition('//')[2])
for _command in (
    'test runs/seg --out',
    'analysis_tools/plot_curves runs/seg --out',
    'analysis_tools/report runs/seg --out',
    'train seg.py --write-config',
    _ONNX,
    'model_converters/official2mm cls.py --sr weights/net_sr.pth',
):
    _suffix = {'test': 'pkl', 'train': 'py', 'export': 'onnx'}.get(_command.split()[0], 'png')
    bad(
        f'outputs: {_command} onto a folder',
        f'{_command} d.{_suffix}',
        f'd.{_suffix}',
        setup=lambda suffix=_suffix: os.mkdir(f'd.{suffix}'),
    )
bad('outputs: export to another suffix', f'{_ONNX} o.pth', 'o.pth', '.onnx')
bad('outputs: export without a suffix', f'{_ONNX} model', 'model')
bad('outputs: a name that is too long', 'infer runs/seg lr --device cpu --out-dir ' + 'o' * 300, 'ooo')
bad('outputs: the data set was there before', 'dataset_converters/voc2012 x.tar --out lr', 'lr', files={'x.tar': b''})
bad(
    'outputs: a panel of a long name',
    'test runs/seg --show-dir panels/' + 'p' * 300,
    'ppp',
    setup=lambda: save('data/seg/img/val/2.png', picture(3)[0]),
)
