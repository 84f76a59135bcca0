"""Write configs/*/metafile.yml and model-index.yml from the configs: python .dev_scripts/make_metafiles.py

Run it when a config is added, renamed or changed; tests/test_packaging.py fails if it was forgotten. The baselines are
no entries of their own: tools/train.py CONFIG --scheme derives them.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml
from mmengine.config import Config

import sr4ir_mm  # noqa: F401  mmcv's ops, which the zoos' configs need

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = sorted(path for path in (ROOT / 'configs').glob('[!_]*') if path.is_dir())
PAPER = 'https://arxiv.org/abs/2404.01692'
TECHNIQUES = [
    'Alternating training of the super-resolution and the task network',
    'Task-driven perceptual (TDP) loss',
    'Cross-quality patch mix (CQMix)',
]
COLLECTIONS = [
    {'Name': 'SR4IR', 'Metadata': {'Training Techniques': TECHNIQUES}, 'Paper': PAPER, 'README': 'README.md'},
]
#: last part of a config's name -> data set
DATA = {
    'voc': 'PASCAL VOC 2012',
    'voc12aug': 'PASCAL VOC 2012 + SBD',
    'voc-mini': 'PASCAL VOC 2012, 822 small images',
    'cars': 'Stanford Cars',
    'cars-mini': 'Stanford Cars, 716 small images',
    'bsds': 'BSDS500',
    'cub': 'CUB-200-2011',
    'bccd': 'BCCD, 205 micrographs',
    'in1k': 'ImageNet-1k',
    'coco': 'COCO',
    'ade20k': 'ADE20K',
    'cityscapes': 'Cityscapes',
    'demo': 'tools/make_demo_data.py',
}
TASKS = {
    'mmseg': 'Semantic Segmentation',
    'mmdet': 'Object Detection',
    'mmpretrain': 'Image Classification',
    'MaskRCNN': 'Instance Segmentation',
    'PanopticFPN': 'Panoptic Segmentation',
    'S': 'Super-Resolution',
}


def nets(stem: str) -> dict[str, str]:
    """Return the names of the networks from the name of a config, ``[<task network>_]<SR network>_x<scale>_<data>``."""
    names = re.split(r'_(?=x\d+_)', stem)[0].split('_')
    return dict(zip(['SR Network', 'Task Network'], reversed(names)))


def describe(path: Path) -> dict:
    """Return the entry of a config. No weights are published, so it has no results."""
    cfg = Config.fromfile(path)
    model, train = cfg.model, cfg.train_cfg
    kinds = [model.task.type, cfg.default_scope] if model.task else [model.scheme]
    length = {'Epochs': train.max_epochs} if 'max_epochs' in train else {'Iterations': train.max_iters}
    metadata = {
        'Task': next(TASKS[kind] for kind in kinds if kind in TASKS),
        'Scheme': model.scheme,
        'Scale': model.scale,
        **nets(path.stem),
        'Training Data': DATA[path.stem.rpartition('_')[2]],
        **length,
        'Batch Size': cfg.train_dataloader.batch_size,
    }
    config = path.relative_to(ROOT).as_posix()
    return {'Name': path.stem, 'In Collection': 'SR4IR', 'Config': config, 'Metadata': metadata}


def files() -> Iterator[tuple[Path, str]]:
    """Yield each file and its text. MMEngine needs the key ``Models`` in every metafile."""
    head = f'# Written by .dev_scripts/{Path(__file__).name}: do not edit.\n'
    for folder in FOLDERS:
        models = [describe(path) for path in sorted(folder.glob('*.py'))]
        yield folder / 'metafile.yml', head + yaml.safe_dump({'Models': models}, sort_keys=False)
    imports = [f'configs/{folder.name}/metafile.yml' for folder in FOLDERS]
    index = {'Import': imports, 'Collections': COLLECTIONS}
    yield ROOT / 'model-index.yml', head + yaml.safe_dump(index, sort_keys=False, width=120)


if __name__ == '__main__':
    for file, text in files():
        file.write_text(text)
