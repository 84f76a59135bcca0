"""Images that are unusual but right."""

import os
import shutil

import numpy as np
from bench import picture, save
from case import both, good, has_files
from checks import sr_size

_INFER = 'infer runs/seg {} --device cpu'
_GRAY = picture(0)[0][:16, :16, 0]
_IMAGES = {
    'gray': (_GRAY, 64, 64),
    'of 1 px': (np.full((1, 1, 3), 99, np.uint8), 4, 4),
    '1 px wide': (picture(0)[0][:20, :1], 4, 80),
    '1 px high': (picture(0)[0][:1, :20], 80, 4),
    'with an alpha channel': (np.dstack([picture(0)[0][:16, :16], _GRAY]), 64, 64),
    'of 16 bits': (picture(0)[0][:16, :16].astype(np.uint16) * 257, 64, 64),
    'black': (np.zeros((8, 8, 3), np.uint8), 32, 32),
}
for _what, (_image, _width, _height) in _IMAGES.items():
    good(
        f'good: an image {_what}',
        _INFER.format('x.png'),
        sr_size('x', _width, _height),
        setup=lambda image=_image: save('x.png', image),
    )
good(
    'good: images of equal names',
    _INFER.format('p/0.png p/0.jpg q/0.png q/scan.001 q/scan.002'),
    has_files(*(f'outputs/sr/{name}.png' for name in ('0', '0_2', '0_3', 'scan.001', 'scan.002'))),
    setup=lambda: (
        [save('p/0.png', _GRAY), save('p/0.jpg', _GRAY), save('q/0.png', _GRAY)]
        + [shutil.copy('lr/a.png', f'q/scan.00{i}') for i in (1, 2)]
    ),
)
good(
    'good: an image with an upper-case suffix',
    _INFER.format('d'),
    sr_size('A', 64, 64),
    setup=lambda: (os.mkdir('d'), shutil.copy('lr/a.png', 'd/A.PNG')),
)
good(
    'good: an image with spaces and other letters',
    _INFER.format("'ä ß 日本.png'"),
    has_files('outputs/sr/ä ß 日本.png'),
    setup=lambda: shutil.copy('lr/a.png', 'ä ß 日本.png'),
)
good('good: a glob with **', _INFER.format('"lr/**/*.png"'), both(sr_size('a', 64, 64), sr_size('b', 64, 64)))
good(
    'good: a link to an image',
    _INFER.format('l.png'),
    sr_size('l', 64, 64),
    setup=lambda: os.symlink('lr/a.png', 'l.png'),
)
good(
    'good: tiles',
    'infer runs/seg lr/a.png t.png --device cpu --tile 8',
    sr_size('t', 160, 80),
    setup=lambda: save('t.png', np.tile(picture(0)[0], (1, 2, 1))[:20, :40]),
)
good('good: several images at a time', _INFER.format('lr') + ' --batch-size 9', sr_size('b', 64, 64))
good('good: an image of the EMA run', 'infer runs/ema lr --device cpu', sr_size('a', 64, 64))
good('good: random weights that are asked for', 'infer seg.py lr --weights random --device cpu', sr_size('a', 64, 64))
