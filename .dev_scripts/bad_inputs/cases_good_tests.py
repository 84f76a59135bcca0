"""Tests in unusual places and on unusual data, with the right values."""

import json
import os
import pickle
import shutil
from pathlib import Path

from bench import picture, save
from case import good, has_files, says, variant
from checks import same_as_training

for _run in ('seg', 'det', 'cls', 'voc', 's2t', 'l2t', 's', 'x2', 'mix', 'ema'):
    good(f'good: test the work dir {_run}', f'test runs/{_run}', same_as_training(_run))
good('good: test a checkpoint', 'test runs/seg/epoch_1.pth', same_as_training('seg'))
good(
    'good: test by config and checkpoint',
    'test seg.py runs/seg/epoch_1.pth --work-dir out',
    same_as_training('seg', 'out'),
)
good(
    'good: test weights alone with their config',
    'test seg.py weights/plain.pth --work-dir out',
    same_as_training('seg', 'out'),
)
good(
    'good: a path with spaces and other letters',
    "test 'runs/ä ß 日本' --work-dir 'out é'",
    same_as_training('seg', 'out é'),
    setup=lambda: shutil.copytree('runs/seg', 'runs/ä ß 日本'),
)
good(
    'good: a work dir that was moved',
    'test moved/here',
    same_as_training('seg', 'moved/here/test'),
    setup=lambda: (shutil.copytree('runs/seg', 'moved/here'), Path('seg.py').unlink()),
)
good(
    'good: a link to a work dir',
    'test link',
    same_as_training('seg', 'link/test'),
    setup=lambda: os.symlink('runs/seg', 'link'),
)
good('good: a work dir with .. and .', 'test ./runs/../runs/seg/', same_as_training('seg'))
good(
    'good: data that was moved',
    'test runs/seg --cfg-options data_root=elsewhere',
    same_as_training('seg'),
    setup=lambda: Path('data/seg').rename('elsewhere'),
)
good(
    'good: COCO data that was moved, with the evaluator',
    'test runs/det --cfg-options data_root=elsewhere',
    same_as_training('det'),
    setup=lambda: Path('data/det').rename('elsewhere'),
)
good(
    'good: predictions of a test',
    'test runs/seg --out x.pkl',
    lambda output: len(pickle.loads(Path('x.pkl').read_bytes())) == 2 or 1 / 0,
)
good(
    'good: LR images with masks of HR',
    'test runs/seg --lr-input hr',
    says('mIoU'),
    setup=lambda: [save(f'data/seg/img/val/{i}.png', picture(i)[0][::4, ::4]) for i in range(2)],
)


def _sizes() -> None:
    """LR images of one size in a batch, of HR images of several sizes."""
    content = json.loads(Path('data/det/val.json').read_text())
    for image, width in zip(content['images'], (64, 62)):
        image['width'] = width
        save(f'data/det/val/{image["file_name"]}', picture(image['id'])[0][::4, ::4])
    Path('data/det/val.json').write_text(json.dumps(content))


def _each_size(output: str) -> None:
    shapes = [entry['ori_shape'] for entry in pickle.loads(Path('x.pkl').read_bytes())]
    assert shapes == [(64, 64), (64, 62)], shapes


good(
    'good: LR images of one size, HR images of several',
    'test x.py runs/det/epoch_1.pth --lr-input hr --out x.pkl',
    _each_size,
    files=variant('det', 'test_dataloader = dict(batch_size=2)'),
    setup=_sizes,
)
good(
    'good: SSIM of images below 6 px',
    'test x.py runs/cls/epoch_1.pth',
    says('smaller than it needs'),
    files=variant(
        'cls',
        'test_dataloader = dict(dataset=dict(pipeline=[_base_.pipeline[0], '
        "dict(type='Resize', scale=(4, 4)), _base_.pipeline[2]]))",
    ),
)
good(
    'good: a checkpoint of a published name',
    'test runs/seg/epoch_1-1a2b3c4d.pth',
    same_as_training('seg'),
    setup=lambda: Path('runs/seg/epoch_1.pth').rename('runs/seg/epoch_1-1a2b3c4d.pth'),
)
good(
    'good: the only checkpoint of a work dir has a published name',
    'test runs/seg',
    same_as_training('seg'),
    setup=lambda: Path('runs/seg/epoch_1.pth').rename('runs/seg/epoch_1-1a2b3c4d.pth'),
)
good(
    'good: panels of names with dots',
    'test runs/seg --show-dir panels',
    has_files('panels/scan.000.png', 'panels/scan.001.png'),
    setup=lambda: [
        Path(f'data/seg/{kind}/val/{i}.png').rename(f'data/seg/{kind}/val/scan.00{i}.png')
        for kind in ('img', 'ann')
        for i in range(2)
    ],
)
