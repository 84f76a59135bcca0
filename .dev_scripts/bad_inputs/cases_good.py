"""Trainings and other commands that are unusual but right: they must work, with the right result."""

from pathlib import Path

import numpy as np
from bench import RUNS, picture, save, xml
from case import both, good, has_files, says, variant
from checks import sr_size, trained


def _is_the_same(output: str) -> None:
    assert 'Load checkpoint' in output and 'Resumed with other entries' not in output


_may_differ = 'model.may_differ=task.decode_head,task.auxiliary_head'
good(
    'good: other heads that are asked for',
    f'train seg.py --work-dir new --cfg-options load_from=weights/headless.pth {_may_differ}',
    both(trained('new'), says('not loaded, as model.may_differ says')),
)
good('good: the scheme by its alias', 'train seg.py --scheme l2t --work-dir new', trained('new', model__scheme='L->T'))
good(
    'good: --write-config keeps the options',
    'train seg.py --write-config new.py --cfg-options model.cqmix.grid=2',
    lambda output: 'grid=2' in Path('new.py').read_text() or 1 / 0,
)
good(
    'good: --write-config of a mix',
    'train fcn.py --sr edsr.py --write-config new.py',
    lambda output: 'EDSRNet' in Path('new.py').read_text() or 1 / 0,
)
good('good: a config by its name', 'analysis_tools/list_layers fcn-tiny_edsr-tiny_x4_demo', says('backbone'))
good('good: no schedule', 'train x.py --work-dir new', trained('new'), files=variant('seg', 'param_scheduler = None'))
good('good: no visualizer', 'train x.py --work-dir new', trained('new'), files=variant('seg', 'visualizer = None'))
good(
    'good: no visualizer for images',
    'infer x.py lr --weights runs/seg/epoch_1.pth --device cpu',
    sr_size('a', 64, 64),
    files=variant('seg', 'visualizer = None'),
)
good('good: resume a finished training', 'train seg.py --resume', says('Load checkpoint'))
for _run, _command in RUNS.items():
    good(f'good: resume {_run} as it was', f'{_command} --work-dir runs/{_run} --resume', _is_the_same)
good(
    'good: resume with other data, as asked for',
    'train seg.py --resume --allow-changes --cfg-options val_dataloader.dataset.data_prefix.img_path=img/train',
    says('Resumed with other entries: val_dataloader.dataset.data_prefix.img_path is'),
)
good(
    'good: resume for another epoch with a larger batch, after the data have moved',
    'train seg.py --resume --cfg-options train_cfg.max_epochs=2 train_dataloader.batch_size=1 data_root=data/moved',
    both(says('train_cfg.max_epochs is 2, and was 1'), has_files('runs/seg/epoch_2.pth')),
    setup=lambda: Path('data/seg').rename('data/moved'),
)
good('good: a second training in another work dir', 'train seg.py --work-dir new', trained('new'))
good(
    'good: a new option that something reads',
    'train seg.py --work-dir new --cfg-options env_cfg.cudnn_benchmark=True '
    'train_dataloader.drop_last=True optim_wrapper.task.clip_grad.max_norm=1',
    trained('new', train_dataloader__drop_last=True),
)
good(
    'good: an entry of a list',
    'train seg.py --work-dir new --cfg-options val_evaluator.1.crop_border=2',
    trained('new', val_evaluator__1__crop_border=2),
)
good(
    'good: a config in new style',
    'analysis_tools/list_layers x.py',
    says('backbone'),
    files={
        'x.py': 'from mmseg.models import EncoderDecoder, FCNHead, ResNet\n'
        'from mmseg.models import SegDataPreProcessor\n'
        'model = dict(type=EncoderDecoder, data_preprocessor=dict(type=SegDataPreProcessor, size=(64, 64)), '
        'backbone=dict(type=ResNet, depth=18, num_stages=1, strides=(1,), dilations=(1,), out_indices=(0,)), '
        'decode_head=dict(type=FCNHead, in_channels=64, channels=8, num_classes=3, in_index=0))\n'
    },
)
good(
    'good: a mix that starts from weights of its own',
    'train x.py --sr edsr.py --pretrained --work-dir new',
    trained('new'),
    files=variant('fcn', "load_from = 'weights/task.pth'"),
)
good(
    'good: S starts from a run',
    'train x.py',
    trained('runs/x'),
    files=variant(
        'seg', "model = dict(sr=dict(init_cfg=dict(type='Pretrained', checkpoint='runs/s/epoch_1.pth', prefix='sr.')))"
    ),
)
good(
    'good: some of the classes of a COCO file',
    'train x.py',
    trained('runs/x'),
    files=variant(
        'det',
        'model = dict(task=dict(bbox_head=dict(num_classes=1)))\n'
        + '\n'.join(
            f"{name}_dataloader = dict(dataset=dict(metainfo=dict(classes=('disc',))))"
            for name in ('train', 'val', 'test')
        ),
    ),
)
good(
    'good: an image without objects',
    'train voc.py --work-dir new',
    trained('new'),
    files={
        'data/voc/Annotations/train1.xml': '<annotation><size><width>64</width><height>64</height><depth>3</depth>'
        '</size></annotation>'
    },
)
good(
    'good: COCO without iscrowd in training',
    'train det.py --work-dir new',
    trained('new'),
    setup=lambda: Path('data/det/train.json').write_text(
        Path('data/det/train.json').read_text().replace('"iscrowd": 0, ', '')
    ),
)
good(
    'good: a mask with ignored pixels',
    'train seg.py --work-dir new',
    trained('new'),
    setup=lambda: save('data/seg/ann/train/0.png', np.where(picture(0)[1] == 2, 255, picture(0)[1]).astype(np.uint8)),
)
good('good: curves of a run', 'analysis_tools/plot_curves runs/seg runs/det --out x.svg', has_files('x.svg'))
good(
    'good: a report of a log whose last line is cut off',
    'analysis_tools/report runs/seg --out x.html',
    has_files('x.html'),
    setup=lambda: [
        path.write_text(path.read_text() + '{"a": ') for path in Path('runs/seg').glob('*/vis_data/scalars.json')
    ],
)
good('good: --out to a new folder', 'test runs/seg --out new/deep/x.pkl', has_files('new/deep/x.pkl'))
good(
    'good: official files of a run',
    'model_converters/mm2official cls.py runs/cls/epoch_1.pth out',
    has_files('out/net_sr_latest.pth'),
)
good('good: another scheme that is asked for', 'test seg.py runs/seg/epoch_1.pth --scheme s', says('does not use'))
good(
    'good: an empty validation folder of a class that is asked for',
    'train cls.py --work-dir new --cfg-options default_hooks.class_check.allow=[val]',
    trained('new'),
    setup=lambda: [path.unlink() for path in Path('data/cls/val/disc').iterdir()],
)
good(
    'good: VOC without the size of the image',
    'train voc.py --work-dir new',
    trained('new'),
    files={'data/voc/Annotations/train0.xml': xml().replace('size>', 'sise>')},
)
good('good: complexity of a run', 'analysis_tools/get_complexity runs/seg', says('FLOPs'))
