"""The converters of the small data sets, on small archives in the layout of the official ones."""

import io
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from helpers.data_archives import car_ims_archives, devkit_archives, image, pack, tree, voc_files
from mmengine.config import Config
from mmengine.registry import DATASETS, init_default_scope
from PIL import Image

from sr4ir_mm.config import load_config

import archives  # isort: skip
import small_images  # isort: skip
import stanford_cars  # isort: skip
import stanford_cars_mini  # isort: skip
import voc2012_mini  # isort: skip

ROOT = Path(__file__).parents[2]
DATASET_CONFIGS = ROOT / 'configs/_base_/datasets'
SHARED = ROOT.parent / 'shared/data'
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason='no ../shared/data')

VOC_NAMES = dict(train=['2007_000027', '2008_000002'], val=['2007_000032'])  # those with image, mask and boxes
CAR_NAMES = dict(train=['Hummer/00001.jpg', 'Acura/00002.jpg', 'Hummer/00004.jpg'], val=['Acura/00005.jpg'])
LARGE, SMALL, BOX = (500, 375), (320, 240), (40, 20, 440, 320)  # BOX is 400 x 300


@pytest.fixture(autouse=True)
def short_lists(monkeypatch, tmp_path):
    """Few images, of archives that are not the published ones."""
    monkeypatch.setattr(archives, 'MD5', {})
    for module, names in (voc2012_mini, VOC_NAMES), (stanford_cars_mini, CAR_NAMES):
        folder = tmp_path / 'lists' / module.__name__
        folder.mkdir(parents=True)
        for split, content in names.items():
            (folder / f'{split}.txt').write_text('\n'.join(content) + '\n')
        monkeypatch.setattr(module, 'LISTS', folder)
    counts = {f'{task} {split}': len(VOC_NAMES[split]) for task in ('segmentation', 'detection') for split in VOC_NAMES}
    monkeypatch.setattr(voc2012_mini, 'EXPECTED', dict(images=3, **counts))
    monkeypatch.setattr(stanford_cars_mini, 'EXPECTED', dict(train=3, val=1, classes=1))  # only Acura is in both


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def error(data: bytes, expected: np.ndarray, size: tuple[int, int]) -> float:
    """Mean difference of an image file's brightness from that of pixels, scaled to a size; JPEG blurs the color."""
    reference = Image.fromarray(expected).resize(size, Image.Resampling.LANCZOS).convert('L')
    return abs(np.asarray(Image.open(io.BytesIO(data)).convert('L'), int) - np.asarray(reference)).mean()


def annotation(size: tuple[int, int], *box: float) -> bytes:
    ends = ''.join(f'<{key}>{value}</{key}>' for key, value in zip(('xmin', 'ymin', 'xmax', 'ymax'), box))
    part = '<part><name>head</name><bndbox><xmin>9</xmin><ymin>9</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></part>'
    return (
        f'<annotation><size><width>{size[0]}</width><height>{size[1]}</height></size><object><name>cat</name>'
        f'<difficult>1</difficult><bndbox>{ends}</bndbox>{part}</object></annotation>'
    ).encode()


def ends_of(data: bytes) -> list[list[int]]:
    found = ElementTree.fromstring(data).iter('bndbox')
    return [[int(box.findtext(key)) for key in ('xmin', 'ymin', 'xmax', 'ymax')] for box in found]


@pytest.mark.parametrize('source', ['voc.tar', 'voc.tgz', 'voc.zip', 'folder'])
def test_voc_is_what_the_configs_read(source, convert, tmp_path):
    files = voc_files(LARGE)
    if source == 'folder':
        archives.unpack(archives.below(pack(tmp_path / 'voc.tar', files), 'VOC2012'), tmp_path / 'VOC2012')
    code, text = convert(voc2012_mini, tmp_path / 'VOC2012' if source == 'folder' else pack(tmp_path / source, files))
    assert code == 0 and 'detection train           2 (expected: 2)' in text
    out = tree(tmp_path / 'out')
    names = {name for split in VOC_NAMES.values() for name in split}
    lists = {f'ImageSets/{task}/{split}.txt' for task in ('Segmentation', 'Main') for split in VOC_NAMES}
    samples = {f'JPEGImages/{x}.jpg' for x in names} | {f'SegmentationClass/{x}.png' for x in names}
    assert set(out) == lists | samples | {f'Annotations/{x}.xml' for x in names}
    for name in names:
        path = f'SegmentationClass/{name}.png'
        saved = Image.open(io.BytesIO(out[path]))
        assert (saved.mode, saved.size) == ('L', SMALL)
        centers = [((np.arange(n) + 0.5) / 0.64).astype(int) for n in SMALL[::-1]]
        np.testing.assert_array_equal(np.asarray(saved), decoded(files[f'VOCdevkit/VOC2012/{path}'])[np.ix_(*centers)])
        assert Image.open(io.BytesIO(out[f'JPEGImages/{name}.jpg'])).size == SMALL
        assert ends_of(out[f'Annotations/{name}.xml']) == [[1, 1, 20, 13]]  # of 1, 2, 30, 20
    for config, scope in ('voc_seg_mini', 'mmseg'), ('voc_det_mini', 'mmdet'):
        cfg = load_config(str(DATASET_CONFIGS / f'{config}.py'), {'data_root': str(tmp_path / 'out')})
        init_default_scope(scope)
        __import__(f'{scope}.datasets')
        sizes = [len(DATASETS.build(cfg[f'{split}_dataloader'].dataset)) for split in VOC_NAMES]
        assert sizes == [2, 1]


@pytest.mark.parametrize(
    'size, box, expected',
    [
        (LARGE, (1, 1, 500, 375), [1, 1, 320, 240]),  # the whole image
        (LARGE, (7, 9, 7, 9), [4, 6, 5, 6]),  # one pixel: 6 to 7 and 8 to 9 are 3.84 to 4.48 and 5.12 to 5.76
        (LARGE, (500, 375, 500, 375), [320, 240, 320, 240]),
        (LARGE, (-2, 0, 510, 400), [1, 1, 320, 240]),  # beyond the image
        (LARGE, (45.7, 9.2, 99.5, 50.1), [29, 6, 64, 33]),  # VOC has such numbers
        ((333, 500), (1, 1, 333, 500), [1, 1, 213, 320]),
        ((320, 200), (7, 9, 30, 20), [7, 9, 30, 20]),  # small enough
    ],
)
def test_boxes_are_rounded_outwards(size, box, expected):
    data = small_images.small_annotation(annotation(size, *box))
    assert ends_of(data) == [expected]  # one: parts of the body are gone
    assert ElementTree.fromstring(data).findtext('object/difficult') == '1'


@pytest.mark.parametrize(
    'size, expected',
    [((500, 333), (320, 213)), ((500, 334), (320, 214)), ((375, 500), (240, 320)), ((320, 9), (320, 9)),
     ((9999, 3), (320, 1)), ((100, 80), (100, 80))],
)  # fmt: skip
def test_sizes(size, expected):
    assert small_images.small_size(*size) == expected


def test_a_small_sample_stays_as_it_is():
    data = image(0)
    assert small_images.small_image(data) == data
    large = small_images.small_image(image(0, LARGE))
    assert small_images.small_image(large) == large
    mask = small_images.small_mask(image(0, mode='P'))
    np.testing.assert_array_equal(decoded(mask), decoded(image(0, mode='P')))
    assert small_images.small_mask(mask) == mask
    boxes = small_images.small_annotation(annotation(LARGE, 7, 9, 80, 90))
    assert small_images.small_annotation(boxes) == boxes


def test_a_crop_ends_at_the_border():
    crop = small_images.small_image(image(0), (-5, 20, 30, 90))
    assert decoded(crop).shape == (10, 30, 3)
    assert error(crop, decoded(image(0))[20:30, :30], (30, 10)) < 3


@pytest.mark.parametrize('source', ['archives', 'folder'])
def test_cars_are_cropped_and_sorted_by_class(source, convert, tmp_path, monkeypatch):
    import mmpretrain.datasets  # noqa: F401

    sources = devkit_archives(tmp_path, LARGE, BOX)
    if source == 'folder':
        monkeypatch.setattr(stanford_cars, 'EXPECTED', {'train': 6, 'val': 3, 'classes': 3})
        assert convert(stanford_cars, *sources)[0] == 0
        sources[0] = (tmp_path / 'out').rename(tmp_path / 'stanford_cars')
    code, _ = convert(stanford_cars_mini, sources[0], sources[2])
    assert code == 0
    out = tree(tmp_path / 'out')
    assert set(out) == {f'{split}/{name}' for split, names in CAR_NAMES.items() for name in names}
    left, top, right, bottom = BOX
    for path, data in out.items():
        pixels = decoded(image(int(Path(path).stem) - 1, LARGE))[top:bottom, left:right]
        assert error(data, pixels, SMALL) < 3
    cfg = load_config(str(DATASET_CONFIGS / 'cars_mini.py'), {'data_root': str(tmp_path / 'out')})
    init_default_scope('mmpretrain')
    train = DATASETS.build(cfg.train_dataloader.dataset)
    assert len(train) == 3 and list(train.CLASSES) == ['Acura', 'Hummer']


def test_cars_without_images_or_boxes_say_what_is_missing(convert, tmp_path):
    train, _, devkit, _ = devkit_archives(tmp_path)
    code, message = convert(stanford_cars_mini, train)
    assert code == 2 and "'cars_train_annos.mat'" in message and 'is missing' in message
    code, message = convert(stanford_cars_mini, *car_ims_archives(tmp_path), devkit)
    assert code == 2 and 'None of the given files holds an image of cars_train' in message
    assert 'Give cars_train.tgz' in message and not list(tmp_path.glob('out*'))


@pytest.mark.parametrize('names', [['Hummer/00002.jpg'], ['Dodge/00001.jpg'], ['Hummer/09999.jpg']])
def test_a_table_that_does_not_fit_the_list_is_refused(names, convert, tmp_path):
    """Another class than the others of the folder, two folders of one class, an unknown image."""
    train, _, devkit, _ = devkit_archives(tmp_path)
    (stanford_cars_mini.LISTS / 'val.txt').write_text('\n'.join(['Hummer/00004.jpg', *names]))
    (stanford_cars_mini.LISTS / 'train.txt').write_text('Acura/00005.jpg\n')
    code, message = convert(stanford_cars_mini, train, devkit)
    assert code == 2 and 'cars_train_annos.mat is not the official table' in message and not list(tmp_path.glob('out*'))


@pytest.mark.parametrize('file', ['JPEGImages/{}.jpg', 'SegmentationClass/{}.png', 'Annotations/{}.xml'])
def test_a_damaged_file_is_named_and_the_next_run_continues(file, convert, tmp_path):
    path = f'VOCdevkit/VOC2012/{file.format(VOC_NAMES["train"][0])}'
    good = voc_files(LARGE)
    code, message = convert(voc2012_mini, pack(tmp_path / 'voc.tar', {**good, path: good[path][:60]}))
    assert code == 2 and path in message and 'voc.tar' in message and 'download the archive again' in message
    assert not (tmp_path / 'out').exists()
    assert convert(voc2012_mini, pack(tmp_path / 'voc.tar', good))[0] == 0
    assert convert(voc2012_mini, tmp_path / 'not needed')[1].endswith('complete already\n')


def test_a_run_that_was_cut_converts_no_file_twice(convert, tmp_path, monkeypatch):
    archive = pack(tmp_path / 'voc.tar', voc_files(LARGE))
    done = []

    def cut(target: str, data: bytes) -> bytes:
        if len(done) == 4:
            done.append(target)
            raise KeyboardInterrupt
        done.append(target)
        return convert_file(target, data)

    convert_file = voc2012_mini.convert
    monkeypatch.setattr(voc2012_mini, 'convert', cut)
    with pytest.raises(KeyboardInterrupt):
        convert(voc2012_mini, archive)
    assert convert(voc2012_mini, archive)[0] == 0
    assert len(done) == 9 + 1 and len(set(done)) == 9  # only the fifth twice


@pytest.mark.parametrize('missing', ['JPEGImages', 'SegmentationClass', 'Annotations'])
def test_a_missing_file_is_counted(missing, convert, tmp_path):
    files = voc_files()
    del files[next(name for name in files if missing in name)]
    code, message = convert(voc2012_mini, pack(tmp_path / 'voc.tar', files))
    assert code == 2 and '1 ' in message and 'train, not 2' in message and not (tmp_path / 'out').exists()


# ---- the shipped lists and configs


def shipped(data: str, split: str) -> list[str]:
    return (ROOT / f'tools/dataset_converters/lists/{data}/{split}.txt').read_text().splitlines()


def test_the_lists_are_disjoint_and_complete():
    voc, cars = (
        {split: shipped(data, split) for split in ('train', 'val')} for data in ('voc2012_mini', 'stanford_cars_mini')
    )
    assert [len(voc[split]) for split in voc] == [822, 300] and len({*voc['train'], *voc['val']}) == 1122
    assert [len(cars[split]) for split in cars] == [716, 264]
    assert len({Path(name).name for split in cars.values() for name in split}) == 980
    classes = [{Path(name).parent.as_posix() for name in split} for split in cars.values()]
    assert classes[0] == classes[1] and len(classes[0]) == 22


@needs_shared
def test_the_lists_are_those_of_the_data_that_results_were_measured_on():
    for split in ('train', 'val'):
        for task in ('Segmentation', 'Main'):
            names = (SHARED / f'voc2012_mini/ImageSets/{task}/{split}.txt').read_text().splitlines()
            assert shipped('voc2012_mini', split) == names
        cars = SHARED / 'stanford_cars_mini' / split
        assert sorted(shipped('stanford_cars_mini', split)) == sorted(
            path.relative_to(cars).as_posix() for path in cars.glob('*/*')
        )


@needs_shared
def test_samples_that_are_small_already_stay_the_same():
    for name in shipped('voc2012_mini', 'val')[:20]:
        data = (SHARED / f'voc2012_mini/JPEGImages/{name}.jpg').read_bytes()
        assert small_images.small_image(data) == data
        mask = (SHARED / f'voc2012_mini/SegmentationClass/{name}.png').read_bytes()
        np.testing.assert_array_equal(decoded(small_images.small_mask(mask)), decoded(mask))
        boxes = (SHARED / f'voc2012_mini/Annotations/{name}.xml').read_bytes()
        assert ends_of(small_images.small_annotation(boxes)) == ends_of(boxes)


@pytest.mark.parametrize('name', ['voc_seg_mini', 'voc_det_mini', 'cars_mini', 'bccd', 'bsds500'])
def test_one_option_moves_the_data_of_all_loaders(name):
    cfg = load_config(str(DATASET_CONFIGS / f'{name}.py'), {'data_root': '/mnt'})
    datasets = [cfg[f'{split}_dataloader'].dataset for split in ('train', 'val', 'test')]
    datasets = [dataset.get('dataset', dataset) for dataset in datasets]
    assert {dataset.data_root for dataset in datasets} == {'/mnt'}


@pytest.mark.parametrize('name', ['atss_efficientnet-lite0', 'fpn_efficientnet-lite0', 'efficientnet-lite0'])
def test_efficientnet_is_that_of_timm(name):
    task = Config.fromfile(ROOT / f'configs/_base_/tasks/{name}.py').task
    assert task.backbone.init_cfg == dict(type='Pretrained', checkpoint='timm://tf_efficientnet_lite0')
    prepare = task.data_preprocessor
    assert (prepare.mean, prepare.std) == ([127.0] * 3, [128.0] * 3)
    assert prepare.get('bgr_to_rgb') or prepare.get('to_rgb')
