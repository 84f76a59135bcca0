"""Classification trains and tests on all sizes and kinds of image files."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers.zoo import TOOLS, run_tool
from mmengine.config import Config
from mmengine.registry import DATASETS, init_default_scope
from PIL import Image
from torchvision import transforms

from sr4ir_mm.registry import TRANSFORMS

CONFIGS = TOOLS.parent / 'configs'
MINI = TOOLS.parents[1] / 'shared/data/stanford_cars_mini'
RNG = np.random.default_rng(0)


def image(height: int, width: int) -> Image.Image:
    return Image.fromarray(RNG.integers(0, 256, (height, width, 3), dtype=np.uint8))


#: file name -> image
FILES = {
    'landscape.jpg': image(40, 90),
    'portrait.JPEG': image(70, 33),
    'panorama.png': image(8, 200),
    'pixel.png': image(1, 1),
    'gray.jpg': image(40, 40).convert('L'),
    'gray.png': image(40, 40).convert('L'),
    'alpha.png': Image.merge('RGBA', (*image(40, 50).split(), image(40, 50).convert('L'))),
    'grey_alpha.png': Image.merge('LA', [image(40, 50).convert('L')] * 2),
    'palette.png': image(40, 40).quantize(8),
    'bits.png': image(40, 40).convert('1'),
    'cmyk.jpg': image(40, 40).convert('CMYK'),
    'sixteen.png': Image.fromarray(RNG.integers(0, 65536, (40, 40), dtype=np.uint16)),
}


@pytest.fixture(scope='module')
def folder(tmp_path_factory) -> Path:
    """A folder for each of two classes, which share the kinds of images."""
    root = tmp_path_factory.mktemp('images')
    for split in ('train', 'val'):
        for i, (name, content) in enumerate(FILES.items()):
            path = root / split / f'class_{i % 2}' / name
            path.parent.mkdir(parents=True, exist_ok=True)
            content.save(path)
    return root


def small_config(path: Path, data_root: Path, edge: int = 40, crop: int = 32, **options) -> Config:
    """Write the published config for Cars with small networks and images; ``options`` overrides further entries."""
    cfg = Config.fromfile(CONFIGS / 'sr4ir/resnet18_edsr_x4_cars.py')
    cfg.merge_from_dict(
        {
            'model.sr': dict(mid_channels=8, num_blocks=1, init_cfg=None),
            'model.task.backbone': dict(stem_channels=8, base_channels=8, init_cfg=None),
            'model.task.head': dict(in_channels=64, num_classes=2),
            'train_cfg': dict(max_epochs=1, val_interval=1),
            'default_hooks.logger.interval': 1,
            'default_hooks.alternating.warmup_epochs': 0,
            'custom_hooks': [],
            'experiment_name': path.parent.name,
            'visualizer.name': path.parent.name,
        }
    )
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.update(batch_size=5, num_workers=0, persistent_workers=False)
        loader.dataset.data_root = str(data_root)
        loader.dataset.pipeline[1].scale, loader.dataset.pipeline[2].crop_size = edge, crop
    cfg.merge_from_dict(options)
    cfg.dump(path)
    return cfg


def results(work_dir: Path) -> dict:
    """Read the results of the latest test."""
    return json.loads(max(work_dir.glob('test/*/2*.json')).read_text().splitlines()[-1])


@pytest.mark.parametrize('scheme', ['SR4IR', 'L->T'])
def test_all_kinds_of_images_train_and_test(folder, scheme, tmp_path):
    small_config(tmp_path / 'cls.py', folder, **{'model.scheme': scheme})
    assert run_tool('train', 'cls.py', cwd=tmp_path) == 0
    (work_dir,) = tmp_path.glob('work_dirs/cls')
    saved = torch.load(work_dir / 'epoch_1.pth', weights_only=False)['state_dict']
    assert all(value.isfinite().all() for value in saved.values())
    losses = [json.loads(line) for line in next(work_dir.glob('*/vis_data/scalars.json')).read_text().splitlines()]
    names = dict(SR4IR=['sr.loss_pix', 'sr.loss_tdp', 'task.sr.loss', 'task.hr.loss', 'task.mix.loss'])
    for name in names.get(scheme, ['task.bilinear.loss']):
        assert len([line[name] for line in losses if name in line]) == 3  # 12 images in batches of 5, 5 and 2
    assert run_tool('test', 'cls.py', 'work_dirs/cls/epoch_1.pth', '--out', 'out.pkl', cwd=tmp_path) == 0
    found = results(work_dir)
    assert found['accuracy/top1'] in [pytest.approx(100 * n / len(FILES)) for n in range(len(FILES) + 1)]
    assert found['sr/PSNR'] > 0


@pytest.fixture
def dataset(folder, tmp_path):
    """Read the images of a split by the task network's data set, by file name: H x W x 3, RGB."""

    def read(split: str, **sizes: int) -> dict[str, np.ndarray]:
        cfg = small_config(tmp_path / 'cls.py', folder, **sizes)
        init_default_scope(cfg.default_scope)
        items = DATASETS.build(cfg[f'{split}_dataloader'].dataset)
        return {
            Path(item['data_samples'].img_path).name: item['inputs'].flip(0).permute(1, 2, 0).numpy() for item in items
        }

    return read


def test_the_test_pixels_are_those_of_torchvision(folder, dataset):
    """The paper's own loading, resizing and cropping; decoders of JPEG files differ by one gray level."""
    reference = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224)])
    found = dataset('test', edge=256, crop=224)
    assert sorted(found) == sorted(FILES)
    for path in folder.glob('val/*/*.png'):
        if path.stem != 'sixteen':
            expected = np.array(reference(Image.open(path).convert('RGB')))
            np.testing.assert_array_equal(found[path.name], expected, err_msg=path.name)
    for path in folder.glob('val/*/*.[jJ]*'):
        expected = np.array(reference(Image.open(path).convert('RGB')), int)
        assert abs(found[path.name] - expected).mean() < 1 or path.stem == 'cmyk', path.name


def test_training_crops(dataset):
    assert {image.shape for image in dataset('train').values()} == {(32, 32, 3)}


def test_sixteen_bits_keep_the_upper_eight(folder):
    """They are not clipped to white, as by a plain conversion."""
    (path,) = folder.glob('val/*/sixteen.png')
    gray = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    loaded = TRANSFORMS.build(dict(type='sr4ir_mm.CheckedLoadImageFromFile'))(dict(img_path=str(path)))['img']
    np.testing.assert_allclose(loaded, np.stack([gray / 257] * 3, -1), atol=1)


@pytest.mark.slow
@pytest.mark.skipif(not MINI.is_dir(), reason='needs ../shared/data/stanford_cars_mini')
def test_real_images(tmp_path):
    """ResNet-18 and EDSR of the published config run two iterations on real cars."""
    cfg = small_config(tmp_path / 'cls.py', MINI, edge=72, crop=64)
    task = Config.fromfile(CONFIGS / '_base_/tasks/resnet18.py').task
    cfg.model.task.backbone, cfg.model.task.head = task.backbone, task.head
    cfg.model.task.head.num_classes = 22  # of the subset
    cfg.merge_from_dict({'model.task.backbone.init_cfg': None, 'model.sr': dict(mid_channels=64, num_blocks=16)})
    for loader, count in ((cfg.train_dataloader, 16), (cfg.val_dataloader, 8), (cfg.test_dataloader, 8)):
        loader.dataset.indices = list(range(0, 10 * count, 10))
        loader.batch_size = 8
    cfg.dump(tmp_path / 'cls.py')
    assert run_tool('train', 'cls.py', cwd=tmp_path) == 0
    assert run_tool('test', 'cls.py', 'work_dirs/cls/epoch_1.pth', cwd=tmp_path) == 0
    assert 5 < results(tmp_path / 'work_dirs/cls')['sr/PSNR'] < 40
