"""Work dirs, and commands that must not change a finished training."""

import os
import shutil
from pathlib import Path

from case import bad, good
from checks import sr_size

_CONFIG = 'runs/seg/seg.py'


def _only(*names: str) -> None:
    for path in Path('runs/seg').iterdir():
        if path.name not in names:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _lock() -> None:
    """Hold the lock of a training in another process."""
    import fcntl

    Path('new').mkdir()
    read, write = os.pipe()
    if os.fork() == 0:
        file = open('new/.training', 'w')  # noqa: SIM115
        fcntl.lockf(file, fcntl.LOCK_EX)
        os.write(write, b'1')
        import time

        time.sleep(30)
        os._exit(0)
    os.read(read, 1)


bad('runs: a second training in a work dir', 'train seg.py', 'runs/seg', '--resume')
bad('runs: another training in a work dir', 'train cls.py --work-dir runs/seg', 'runs/seg')
bad('runs: a training while one runs', 'train seg.py --work-dir new', 'new', 'running', setup=_lock)
bad(
    'runs: a training that fails keeps the config',
    'train x.py --work-dir runs/seg',
    'runs/seg',
    files={'x.py': "_base_ = 'seg.py'\nmodel = dict(scheme='S->T')\n"},
)
bad('runs: a work dir without checkpoints', 'test runs/seg', 'runs/seg', setup=lambda: _only('seg.py', 'vis_data'))
good(
    'runs: a work dir without a config, which the checkpoint has',
    'infer runs/seg lr --device cpu',
    sr_size('a', 64, 64),
    setup=lambda: _only('epoch_1.pth'),
)
bad('runs: an empty folder', 'infer runs/seg lr --device cpu', 'runs/seg', setup=lambda: _only())
bad('runs: a folder of images', 'infer lr lr --device cpu', "'lr'")
bad('runs: a work dir that is missing', 'infer runs/nowhere lr --device cpu', 'runs/nowhere')
bad(
    'runs: the only checkpoint is cut off',
    'infer runs/seg lr --device cpu',
    'runs/seg',
    setup=lambda: shutil.copy('weights/cut.pth', 'runs/seg/epoch_1.pth') and os.remove(_best()),
)
bad(
    'runs: the config of a work dir has a syntax error',
    'infer runs/seg lr --device cpu',
    'seg.py',
    files={_CONFIG: 'model = dict('},
)
bad('runs: the config of a work dir is empty', 'infer runs/seg lr --device cpu', 'seg.py', files={_CONFIG: ''})
bad('runs: the web page with a folder', 'webui lr --device cpu', "'lr'")
bad('runs: the web page with one run twice as files', 'webui runs/seg/epoch_1.pth runs/nowhere --device cpu', 'nowhere')
bad('runs: export from an empty folder', 'export new weights/plain.pth out.onnx', 'new', setup=lambda: os.mkdir('new'))
bad('runs: resume from weights', 'train seg.py --resume weights/plain.pth --work-dir new', 'plain.pth', 'resume')
bad('runs: resume from a published file', 'train seg.py --resume weights/task.pth --work-dir new', 'task.pth')
bad('runs: resume from a text', 'train seg.py --resume weights/text.pth --work-dir new', 'text.pth')
bad('runs: resume from a file that is cut off', 'train seg.py --resume weights/cut.pth --work-dir new', 'cut.pth')
bad('runs: resume from an empty file', 'train seg.py --resume weights/empty.pth --work-dir new', 'empty.pth')
bad('runs: resume from a missing file', 'train seg.py --resume no.pth --work-dir new', 'no.pth')
bad('runs: resume another scheme', 'train seg.py --resume runs/s2t/epoch_1.pth --work-dir new', 'S->T', 'SR4IR')
bad('runs: resume another task', 'train seg.py --resume runs/cls/epoch_1.pth --work-dir new', 'runs/cls/epoch_1.pth')
bad('runs: resume in the work dir of another scheme', 'train seg.py --resume --work-dir runs/s2t', 'S->T')
_MORE = '--resume runs/seg/epoch_1.pth --work-dir new --cfg-options'
for _what, _option, _text in (
    ('another T', 'model.task.decode_head.channels=4', 'another task network'),
    ('another S', 'model.sr.mid_channels=8', 'another super-resolution network'),
    ('other training data', 'train_dataloader.dataset.data_prefix.img_path=img/val', 'other training data'),
    ('other validation data', 'val_dataloader.dataset.data_prefix.img_path=img/train', 'other validation data'),
):
    bad(f'runs: resume with {_what}', f'train seg.py {_MORE} {_option}', _text, '--allow-changes')
bad('runs: --allow-changes without --resume', 'train seg.py --allow-changes --work-dir new', '--resume')


def _best() -> str:
    return str(next(iter(Path('runs/seg').glob('best_*.pth')), 'weights/text.pth'))


def _damage(content: bytes) -> None:
    for path in Path('runs/seg').glob('*/vis_data/scalars.json'):
        path.write_bytes(content)


_LOGS = {'no JSON': b'{"a": 1}\nno json\n{"b": 2}\n', 'no dict': b'[1]\n', 'not UTF-8': b'\xff\xfe\x00\n{}\n'}
for _name, _content in _LOGS.items():
    for _tool in ('plot_curves', 'report'):
        bad(
            f'runs: {_tool} of a log that is {_name}',
            f'analysis_tools/{_tool} runs/seg',
            'scalars.json',
            setup=lambda content=_content: _damage(content),
        )
bad('runs: curves of a folder without a log', 'analysis_tools/plot_curves lr', "'lr'")
bad('runs: curves of a missing folder', 'analysis_tools/plot_curves runs/nowhere', 'runs/nowhere')
bad('runs: a report of a missing folder', 'analysis_tools/report runs/nowhere', 'runs/nowhere')
bad('runs: a curve that does not exist', 'analysis_tools/plot_curves runs/seg --keys nosuch', 'nosuch')
bad('runs: curves in an unknown format', 'analysis_tools/plot_curves runs/seg --out x.xyz', 'x.xyz')
bad('runs: a report with a folder of panels that is missing', 'analysis_tools/report runs/seg --panels no', "'no'")
bad(
    'runs: a report with a panel that is damaged',
    'analysis_tools/report runs/seg --panels panels',
    'a.png',
    files={'panels/a.png': b'no image'},
)
bad('runs: the table of a config that is missing', 'make_table configs/nosuch.py', 'nosuch')
bad('runs: the table of a file that is no config of SR4IR', 'make_table fcn.py', 'fcn.py')
bad('runs: the table of an unknown scheme', 'make_table seg.py --schemes X->Y', 'X->Y')
bad(
    'runs: the table of a broken config',
    'make_table broken_edsr_x4_voc.py',
    'broken_edsr_x4_voc.py',
    files={'broken_edsr_x4_voc.py': 'model = dict('},
)
bad('runs: the work dir is a file', 'train seg.py --work-dir lr/a.png', 'lr/a.png')
bad('runs: the work dir of a test is a file', 'test runs/seg --work-dir lr/a.png', 'lr/a.png')
