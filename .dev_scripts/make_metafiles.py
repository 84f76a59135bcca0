"""Write configs/*/metafile.yml and model-index.yml from the configs: python .dev/make_metafiles.py

Run it when a config is added, renamed or changed; tests/test_packaging.py says when that was forgotten.
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
    {'Name': 'SR4IR-baselines', 'Paper': PAPER, 'README': 'README.md'},
]
#: what the names of configs end in, before the scheme
DATA = {
    'voc': 'PASCAL VOC 2012',
    'voc12aug': 'PASCAL VOC 2012 + SBD',
    'voc-mini': 'PASCAL VOC 2012, 822 small images',
    'cars': 'Stanford Cars',
    'cars-mini': 'Stanford Cars, 716 small images',
    'mini': 'PASCAL VOC 2012 and Stanford Cars, 1538 small images',
    'cub': 'CUB-200-2011',
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


def nets(stem: str, scheme: str) -> dict[str, str]:
    """The names of S and T in the name of a config, ``[<T>_][<S>_x<scale>_]<data>[_<scheme>]``: those that matter."""
    parts = re.split(r'_(?=x\d+_)', stem)[0].split('_')
    found = {} if scheme in ('H->T', 'L->T') else {'SR Network': parts[-1]}
    return found if scheme == 'S' else {**found, 'Task Network': parts[0]}


def describe(path: Path) -> dict:
    """The entry of a config: what it says itself. There are no published weights and so no results to report."""
    cfg = Config.fromfile(path)
    model, loader, train = cfg.model, cfg.train_dataloader, cfg.train_cfg
    scheme = model.scheme
    kind = next(key for key in ('S' if scheme == 'S' else '', model.task.type, cfg.default_scope) if key in TASKS)
    data = path.stem.split('_')[-1 if scheme == 'SR4IR' else -2]
    length = {'Epochs': train.max_epochs} if 'max_epochs' in train else {'Iterations': train.max_iters}
    metadata = {
        'Task': TASKS[kind],
        'Scheme': scheme,
        **({} if scheme == 'H->T' else {'Scale': model.scale}),
        **nets(path.stem, scheme),
        'Training Data': DATA[data],
        **length,
        'Batch Size': loader.batch_size,
    }
    collection = 'SR4IR' if scheme == 'SR4IR' else 'SR4IR-baselines'
    config = path.relative_to(ROOT).as_posix()
    return {'Name': path.stem, 'In Collection': collection, 'Config': config, 'Metadata': metadata}


def files() -> Iterator[tuple[Path, str]]:
    """What the files should hold. MMEngine needs the key ``Models`` in every one."""
    head = f'# Made by .dev/{Path(__file__).name}: do not edit.\n'
    for folder in FOLDERS:
        models = [describe(path) for path in sorted(folder.glob('*.py'))]
        yield folder / 'metafile.yml', head + yaml.safe_dump({'Models': models}, sort_keys=False)
    imports = [f'configs/{folder.name}/metafile.yml' for folder in FOLDERS]
    index = {'Import': imports, 'Collections': COLLECTIONS}
    yield ROOT / 'model-index.yml', head + yaml.safe_dump(index, sort_keys=False, width=120)


if __name__ == '__main__':
    for file, text in files():
        file.write_text(text)
