"""Masks whose values or sizes are wrong."""

from pathlib import Path

import numpy as np
from bench import picture, save
from case import bad, variant


def _mask(value: int = 1, **options) -> None:
    _, mask = picture(0)
    mask = mask.astype(options.get('dtype', np.uint8))
    mask[:5, :5] = value
    if 'size' in options:
        mask = mask[: options['size']]
    save(f'data/seg/ann/{options.get("split", "train")}/0.png', np.stack([mask] * 3, -1) if 'rgb' in options else mask)


_MASKS = {
    'the value 3': dict(value=3),
    'the value 254': dict(value=254),
    'a value of 16 bits': dict(value=3000, dtype=np.uint16),
    'three channels': dict(rgb=True),
    'another size': dict(size=40),
}
for _what, _options in _MASKS.items():
    bad(
        f'masks: a mask with {_what}',
        'train seg.py --work-dir new',
        'ann/train/0.png',
        setup=lambda options=_options: _mask(**options),
    )
    bad(
        f'masks: a validation mask with {_what}',
        'test runs/seg',
        'ann/val/0.png',
        setup=lambda options=_options: _mask(split='val', **options),
    )
_reduced = variant('seg', 'train_dataloader = dict(dataset=dict(reduce_zero_label=True))')
bad('masks: reduce_zero_label in train only', 'train x.py', 'reduce_zero_label', files=_reduced)
bad(
    'masks: a mask that is missing',
    'train seg.py --work-dir new',
    'ann/train/0.png',
    files={'data/seg/ann/train/0.png': None},
)
bad(
    'masks: a mask that is cut off',
    'train seg.py --work-dir new',
    'ann/train/0.png',
    setup=lambda: Path('data/seg/ann/train/0.png').write_bytes(Path('data/seg/ann/train/0.png').read_bytes()[:60]),
)
bad(
    'masks: masks that are texts',
    'train seg.py --work-dir new',
    'ann/train/1.png',
    files={'data/seg/ann/train/1.png': 'no mask'},
)
