"""The bench: a folder with tiny data, configs, real trainings of one iteration, and checkpoints of many kinds.

Every case works in a copy of it. The configs of the runs are in ``configs`` next to this file.
"""

import json
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NAMES = ('square', 'disc')
SIZE = 64
#: work dir -> command of its training
RUNS = {
    'seg': 'train seg.py',
    'det': 'train det.py',
    'cls': 'train cls.py',
    'voc': 'train voc.py',
    's': 'train seg.py --scheme s',
    's2t': 'train seg.py --scheme s2t --cfg-options model.sr.init_cfg.checkpoint=runs/s/epoch_1.pth',
    'l2t': 'train seg.py --scheme l2t',
    'mix': 'train fcn.py --sr edsr.py --scale 4',
    'x2': 'train x2.py',
    'ema': 'train ema.py',
}
_BOXES = ((8, 8, 24, 24), (36, 32, 20, 24))  # x, y, width, height of a square and a disc
_VARIANTS = {
    'det': ('retina', ''),
    'x2': ('seg', 'model = dict(scale=2, sr=dict(upscale_factor=2))\n'),
    'fcn_edsr_x4_toy': ('seg', "default_hooks = dict(checkpoint=dict(save_best='mIoU'))\n"),
    'ema': ('seg', "custom_hooks = [dict(type='EMAHook')]\n"),
}


def picture(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return an image and its mask: a square (1) and a disc (2) on a noisy ground."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    (x, y, w, h), (u, v, s, t) = _BOXES
    mask[y : y + h, x : x + w] = 1
    cv2.ellipse(mask, (u + s // 2, v + t // 2), (s // 2 - 1, t // 2 - 1), 0, 0, 360, 2, -1)
    noise = np.random.default_rng(seed).integers(0, 60, (SIZE, SIZE, 3))
    return (90 * mask[..., None] + noise).astype(np.uint8), mask


def save(path: str | Path, image: np.ndarray) -> None:
    """Write an image, and its folder."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image), path


def coco(split: str) -> dict:
    """Return the annotations of the COCO data."""
    images = [dict(id=i, file_name=f'{i}.png', height=SIZE, width=SIZE) for i in range(2)]
    objects = [
        dict(id=2 * i + j + 1, image_id=i, category_id=j, bbox=list(box), area=box[2] * box[3], iscrowd=0,
             segmentation=[[box[0], box[1], box[0] + box[2], box[1], box[0] + box[2], box[1] + box[3]]])
        for i in range(2) for j, box in enumerate(_BOXES)
    ]  # fmt: skip
    categories = [dict(id=i, name=name) for i, name in enumerate(NAMES)]
    return dict(info=dict(split=split), images=images, annotations=objects, categories=categories)


def xml() -> str:
    """Return the annotations of one image of the VOC data."""
    objects = ''.join(
        f'<object><name>{name}</name><difficult>0</difficult><bndbox><xmin>{x + 1}</xmin><ymin>{y + 1}</ymin>'
        f'<xmax>{x + w}</xmax><ymax>{y + h}</ymax></bndbox></object>'
        for name, (x, y, w, h) in zip(NAMES, _BOXES)
    )
    size = f'<size><width>{SIZE}</width><height>{SIZE}</height><depth>3</depth></size>'
    return f'<annotation>{size}{objects}</annotation>'


def make_data(root: Path) -> None:
    """Write the data sets and the LR images."""
    for seed, split in enumerate(('train', 'val')):
        for i in range(2):
            image, mask = picture(2 * seed + i)
            save(root / f'data/seg/img/{split}/{i}.png', image)
            save(root / f'data/seg/ann/{split}/{i}.png', mask)
            save(root / f'data/det/{split}/{i}.png', image)
            save(root / f'data/voc/JPEGImages/{split}{i}.jpg', image)
            (root / 'data/voc/Annotations').mkdir(exist_ok=True)
            (root / f'data/voc/Annotations/{split}{i}.xml').write_text(xml())
            for name, (x, y, w, h) in zip(NAMES, _BOXES):
                save(root / f'data/cls/{split}/{name}/{i}.png', cv2.resize(image[y : y + h, x : x + w], (SIZE, SIZE)))
        (root / f'data/det/{split}.json').write_text(json.dumps(coco(split)))
        (root / 'data/voc/ImageSets/Main').mkdir(parents=True, exist_ok=True)
        (root / f'data/voc/ImageSets/Main/{split}.txt').write_text(f'{split}0\n{split}1\n')
    for i, name in enumerate('ab'):
        save(root / f'lr/{name}.png', cv2.resize(picture(8 + i)[0], (16, 16), interpolation=cv2.INTER_AREA))


def make_configs(root: Path) -> None:
    """Write a config for each run, which inherits from one of ours."""
    names = {path.stem: (path.stem, '') for path in (HERE / 'configs').glob('*.py')} | _VARIANTS
    for name, (base, more) in names.items():
        (root / f'{name}.py').write_text(f"_base_ = '{HERE}/configs/{base}.py'\nwork_dir = 'runs/{name}'\n{more}")
    net = "dict(type='mmagic.EDSRNet', in_channels=3, out_channels=3, mid_channels=4, num_blocks=1, upscale_factor=4)"
    (root / 'edsr.py').write_text(f'scale = 4\nsr = {net}\n')


def make_weights(root: Path) -> None:
    """Write checkpoints that are none, or not of the networks that they are given to."""
    import torch

    from sr4ir_mm.config import load_config
    from sr4ir_mm.converters import to_official

    folder = root / 'weights'
    folder.mkdir()
    run = torch.load(root / 'runs/seg/epoch_1.pth', weights_only=False)
    state = run['state_dict']
    for name in ('task', 'sr'):
        part = {key.removeprefix(f'{name}.'): value for key, value in state.items() if key.startswith(f'{name}.')}
        torch.save(dict(state_dict=part, meta={}), folder / f'{name}.pth')
        torch.save(dict(state_dict={f'{name}.{key}': value for key, value in part.items()}), folder / f'{name}_.pth')
    torch.save(dict(state_dict={'fc.weight': torch.ones(2, 2)}), folder / 'other.pth')
    torch.save(dict(state_dict=state), folder / 'plain.pth')
    torch.save(dict(state_dict={}), folder / 'none.pth')
    torch.save([1, 2], folder / 'list.pth')
    torch.save(dict(run, state_dict={**state, 'task.decode_head.conv_seg.bias': torch.ones(7)}), folder / 'shape.pth')
    few = {key: value for key, value in state.items() if 'decode_head' not in key}
    torch.save(dict(run, state_dict=few), folder / 'headless.pth')
    torch.save(dict(run, state_dict=dict.fromkeys(state, 'x')), folder / 'strings.pth')
    official = to_official(load_config(root / 'runs/cls'), str(root / 'runs/cls/epoch_1.pth'))
    torch.save(official['net_sr'], folder / 'net_sr.pth')
    data = (root / 'runs/seg/epoch_1.pth').read_bytes()
    (folder / 'cut.pth').write_bytes(data[: len(data) // 2])
    (folder / 'empty.pth').write_bytes(b'')
    (folder / 'text.pth').write_text('404: Not Found')
    (folder / 'image.pth').write_bytes((root / 'lr/a.png').read_bytes())
    (folder / 'folder.pth').mkdir()
