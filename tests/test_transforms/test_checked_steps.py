"""Images, masks and labels of data sets of the zoos, whose pipelines stay as their configs have them."""

import json
import pickle
import re

import cv2
import mmdet.datasets  # noqa: F401
import mmpretrain.datasets  # noqa: F401
import mmseg.datasets  # noqa: F401
import numpy as np
import pytest
from mmdet.datasets.base_semseg_dataset import BaseSegDataset
from mmengine.registry import DATASETS, TRANSFORMS
from PIL import Image

import sr4ir_mm.registry  # noqa: F401
from sr4ir_mm.datasets.checked import check_part
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.transforms.checked_steps import CheckedStep

SIZE = (8, 12)
LOAD = [dict(type='LoadImageFromFile'), dict(type='mmseg.LoadAnnotations')]
CLASSES = ('a', 'b', 'c')


def write(path, content) -> None:
    """Write an array, an image of Pillow or bytes."""
    path.parent.mkdir(exist_ok=True, parents=True)
    if isinstance(content, Image.Image):
        content.save(path)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        cv2.imwrite(str(path), content)


def seg(root, mask=None, image=None, suffix='.png', classes=CLASSES, pipeline=LOAD, **options):
    """A data set of mmseg of one image and one mask."""
    write(root / f'images/0{suffix}', np.full((*SIZE, 3), 7, np.uint8) if image is None else image)
    if mask is not None:
        write(root / 'masks/0.png', mask)
    folders = dict(img_path='images', seg_map_path='masks')
    meta = dict(classes=classes) if classes else {}
    return DATASETS.build(dict(type='mmseg.BaseSegDataset', data_root=str(root), data_prefix=folders, img_suffix=suffix,
                               metainfo=meta, pipeline=pipeline, **options))  # fmt: skip


def mask_of(*values: int, dtype: type = np.uint8) -> np.ndarray:
    return np.resize(np.array(values, dtype), SIZE)


@pytest.mark.parametrize(
    'values, options',
    [
        ((0, 1, 2), {}),
        ((0, 1, 2, 255), {}),
        ((0, 254), dict(ignore_index=254)),
        ((0, 1, 2, 3, 255), dict(reduce_zero_label=True)),
        ((0, 77), dict(classes=None)),  # unknown classes
        ((0, 2, 255), dict(classes=('a', 'c', 'b'))),
    ],
)
def test_masks_that_fit(values, options, tmp_path):
    results = seg(tmp_path, mask_of(*values), **options)[0]
    expected = mask_of(*values)
    if options.get('reduce_zero_label'):
        expected = np.where(expected % 255 == 0, 255, expected - 1)
    np.testing.assert_array_equal(results['gt_seg_map'], expected)


def test_masks_of_pillow_that_fit(tmp_path):
    """Of 16 bits with small values, and with a palette."""
    assert seg(tmp_path, mask_of(0, 2, dtype=np.uint16))[0]['gt_seg_map'].max() == 2
    palette = Image.fromarray(mask_of(0, 2)).convert('P')
    palette.putdata(mask_of(0, 2).ravel().tolist())
    palette.putpalette([0, 0, 0, 9, 9, 9, 200, 0, 0])
    assert seg(tmp_path, palette)[0]['gt_seg_map'].max() == 2


def test_classes_that_are_left_out_are_ignored(tmp_path):
    files = dict(ann_file='list.txt', data_prefix=dict(img_path='images', seg_map_path='masks'))
    meta = dict(classes=('background', 'cat'))
    config = dict(type='mmseg.PascalVOCDataset', metainfo=meta, data_root=str(tmp_path), pipeline=LOAD, **files)
    write(tmp_path / 'images/0.jpg', np.zeros((*SIZE, 3), np.uint8))
    write(tmp_path / 'masks/0.png', mask_of(0, 8, 20))  # cat, tvmonitor
    (tmp_path / 'list.txt').write_text('0')
    assert set(DATASETS.build(config)[0]['gt_seg_map'].ravel()) == {0, 1, 255}
    write(tmp_path / 'masks/0.png', mask_of(0, 8, 21))
    with pytest.raises(SR4IRError, match=r"Mask '.*0\.png' has the value 21"):
        DATASETS.build(config)[0]


@pytest.mark.parametrize(
    'mask, options, message',
    [
        (mask_of(0, 3), {}, r'has the value 3, but the data set has 3 classes \(0 to 2; 255 is ignored\): correct'),
        (mask_of(0, 1, 200), {}, 'has the value 200'),
        (mask_of(0, 4), dict(reduce_zero_label=True), r'has the value 4, .* 3 classes \(1 to 3; 255 is ignored\)'),
        (mask_of(0, 258, dtype=np.uint16), {}, 'has the value 258'),  # would become 2
        (np.zeros((*SIZE, 3), np.uint8), {}, 'has 3 channels, but a mask needs one'),
        (np.zeros((*SIZE, 4), np.uint8), {}, 'has 4 channels, but a mask needs one'),
        (np.zeros((SIZE[0], 9), np.uint8), {}, 'has 9 x 8 px, but its image has 12 x 8 px: make both of one size'),
        (np.zeros(SIZE[::-1], np.uint8), {}, 'has 8 x 12 px, but its image has 12 x 8 px'),
        (b'', {}, r'cannot be decoded .*: replace or remove it\.'),
        (b'no image', {}, 'cannot be decoded'),
        (None, {}, 'is missing: check data_prefix'),
    ],
)
@pytest.mark.parametrize('wrapped', [False, True])
def test_masks_that_do_not_fit_are_named(mask, options, message, wrapped, tmp_path):
    data = seg(tmp_path, mask, **options)
    if wrapped:
        data = DATASETS.build(dict(type='RepeatDataset', times=2, dataset=data))
    with pytest.raises(SR4IRError, match=rf"Mask '{re.escape(str(tmp_path))}/masks/0\.png' {message}"):
        data[0]


@pytest.mark.parametrize('kind', ['mmseg.LoadAnnotations', 'mmdet.LoadAnnotations'])
def test_test_pipelines_resize_before_they_load_the_mask(kind, tmp_path):
    options = dict(with_bbox=False, with_label=False, with_seg=True) if 'mmdet' in kind else {}
    steps = [LOAD[0], dict(type='Resize', scale=(24, 16)), dict(type=kind, **options)]
    results = seg(tmp_path, mask_of(0, 2), pipeline=steps)[0]
    assert results['img'].shape[:2] == (16, 24) and results['gt_seg_map'].shape == SIZE


def test_semantic_maps_of_mmdet(tmp_path):
    """Those of boxes hold other classes: HTC's maps of stuff have 183, and its boxes 80."""
    seg(tmp_path, mask_of(0, 100))
    (tmp_path / 'list.txt').write_text('0')
    data = BaseSegDataset(
        data_root=str(tmp_path), ann_file='list.txt', img_suffix='.png', metainfo=dict(classes=CLASSES),
        data_prefix=dict(img_path='images', seg_map_path='masks'),
        pipeline=[dict(type='LoadImageFromFile'),
                  dict(type='mmdet.LoadAnnotations', with_bbox=False, with_label=False, with_seg=True)])  # fmt: skip
    assert data[0]['gt_seg_map'].max() == 100
    check_part(data)
    with pytest.raises(SR4IRError, match='has the value 100'):
        data[0]
    data.pipeline.transforms[1].semantic = False
    assert data[0]['gt_seg_map'].max() == 100


@pytest.mark.parametrize('label, fits', [(0, True), (2, True), (3, False), (-1, False)])
def test_labels_of_a_list(label, fits, tmp_path):
    write(tmp_path / 'images/0.png', np.zeros((*SIZE, 3), np.uint8))
    (tmp_path / 'list.txt').write_text(f'0.png {label}')
    data = DATASETS.build(
        dict(type='mmpretrain.CustomDataset', data_root=str(tmp_path), data_prefix='images', ann_file='list.txt',
             metainfo=dict(classes=CLASSES), pipeline=[dict(type='LoadImageFromFile')]))  # fmt: skip
    if fits:
        assert data[0]['gt_label'] == label
    else:
        message = rf"images/0\.png' has the label {label}, .* 3 classes \(0 to 2\): correct '.*list\.txt' or"
        with pytest.raises(SR4IRError, match=message):
            data[0]


def test_an_object_without_its_mask(tmp_path):
    """mmdet drops an empty segmentation, and then looks for it."""
    write(tmp_path / '0.png', np.zeros((*SIZE, 3), np.uint8))
    box = dict(id=1, image_id=1, category_id=1, bbox=[1, 1, 5, 5], area=25, iscrowd=0, segmentation=[])
    images = [dict(id=1, file_name='0.png', width=12, height=8)]
    content = dict(images=images, annotations=[box], categories=[dict(id=1, name='a')])
    (tmp_path / 'a.json').write_text(json.dumps(content))
    load = [dict(type='LoadImageFromFile'), dict(type='mmdet.LoadAnnotations', with_mask=True)]
    data = DATASETS.build(
        dict(type='mmdet.CocoDataset', data_root=str(tmp_path), ann_file='a.json', data_prefix=dict(img=''),
             metainfo=dict(classes=('a',)), pipeline=load))  # fmt: skip
    with pytest.raises(SR4IRError, match=r"An object in image '.*/0\.png' has no mask \(segmentation\): add it, or"):
        data[0]


@pytest.mark.parametrize('content, message', [
    (b'', r'cannot be decoded'),
    (b'\x89PNG\r\n\x1a\n', r'cannot be decoded'),
    (np.full((*SIZE, 3), 900, np.uint16), r'has 16 bits, but no value above 900'),
    (np.full(SIZE, 4000, np.uint16), r'has 16 bits, but no value above 4000'),
])  # fmt: skip
def test_images_are_named(content, message, tmp_path):
    with pytest.raises(SR4IRError, match=rf"Image '{re.escape(str(tmp_path))}/images/0\.png' {message}"):
        seg(tmp_path, mask_of(0), content)[0]


@pytest.mark.parametrize('dtype, fits', [(np.uint8, True), (np.uint16, True), (np.float32, False)])
def test_tiff(dtype, fits, tmp_path):
    high = 60_000 if dtype == np.uint16 else 250
    data = seg(tmp_path, mask_of(0), np.full((*SIZE, 3), high, dtype), suffix='.tif')
    if fits:
        assert 230 <= data[0]['img'].min() <= data[0]['img'].max() <= 250
    else:
        with pytest.raises(SR4IRError, match=r"0\.tif' has values of type float32, whose range is unknown"):
            data[0]


@pytest.mark.parametrize('options', [
    dict(color_type='unchanged'),
    dict(color_type='unchanged', to_float32=True),
    dict(imdecode_backend='pillow'),  # cuts gray ones off at 255
])  # fmt: skip
def test_pixels_of_more_than_8_bits_are_refused_whatever_reads_them(options, tmp_path):
    steps = [dict(type='LoadImageFromFile', **options)]
    data = seg(tmp_path, mask_of(0), np.full(SIZE, 60_000, np.uint16), pipeline=steps)
    with pytest.raises(SR4IRError, match='has more than 8 bits, and is read with another range than 0 to 255: load it'):
        data[0]


@pytest.mark.parametrize(
    'options', [dict(to_float32=True), dict(imdecode_backend='pillow'), dict(color_type='grayscale')]
)
def test_other_ways_of_loading_are_as_they_were(options, tmp_path):
    steps = [dict(type='LoadImageFromFile', **options)]
    assert np.unique(seg(tmp_path, mask_of(0), pipeline=steps)[0]['img']).tolist() == [7]
    deep = np.full((*SIZE, 3), 60_000, np.uint16)
    assert np.unique(seg(tmp_path / 'deep', mask_of(0), deep, pipeline=steps)[0]['img']).tolist() in ([233], [234])


def test_a_large_tiff_is_read(tmp_path, monkeypatch):
    """Pillow refuses to open images that OpenCV reads."""
    monkeypatch.setattr('PIL.Image.MAX_IMAGE_PIXELS', 40)
    assert seg(tmp_path, mask_of(0), suffix='.tif', pipeline=LOAD[:1])[0]['img'].max() == 7


def test_arrays_need_no_file():
    step = CheckedStep(TRANSFORMS.build(dict(type='mmseg.LoadImageFromNDArray')), classes=3)
    assert step(dict(img=np.zeros((4, 5, 3), np.uint8)))['img_shape'] == (4, 5)


def test_an_image_is_checked_once(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr('sr4ir_mm.transforms.loading.bits_of', lambda path: seen.append(path) or 8)
    for kind in 'LoadImageFromFile', 'sr4ir_mm.CheckedLoadImageFromFile':
        seg(tmp_path / kind, mask_of(0), pipeline=[dict(type=kind)])[0]
        assert len(seen) == 1
        seen.clear()


def test_masks_of_jpeg(tmp_path):
    """A compressed edge between 0 and 2 has a 1."""
    (tmp_path / 'masks').mkdir()
    cv2.imwrite(str(tmp_path / 'masks/0.jpg'), mask_of(0, 2))
    with pytest.raises(SR4IRError, match=r"Mask '.*0\.jpg' is a JPEG file, which changes the numbers of the classes"):
        seg(tmp_path, seg_map_suffix='.jpg')[0]


def test_an_image_above_the_limit_of_pixels(tmp_path):
    header = b'\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x10\x00\x01\x00\x10\x00\x01\x08\x02\x00\x00\x00' + bytes(20)
    with pytest.raises(SR4IRError, match=r"Image '.*0\.png' cannot be decoded"):
        seg(tmp_path, mask_of(0), header)[0]


def test_the_pipeline_is_otherwise_the_same(tmp_path):
    data = seg(tmp_path, mask_of(0, 1), pipeline=[*LOAD, dict(type='RandomFlip', prob=0.0)])
    assert [type(step).__name__ for step in data.pipeline.transforms] == ['CheckedStep', 'CheckedStep', 'RandomFlip']
    assert 'LoadAnnotations(reduce_zero_label' in repr(data.pipeline)
    pickle.loads(pickle.dumps(data))[0]  # for worker processes that are started, not forked
    DATASETS.build(dict(type='RepeatDataset', times=2, dataset=data))
    assert 'CheckedStep' not in type(data.pipeline.transforms[0].step).__name__  # once is enough


@pytest.mark.parametrize(
    'size, fits', [((12, 8), True), ((8, 12), True), ((12.4, 8), True), ((10, 8), False), ((48, 32), False)]
)
def test_annotations_for_images_of_another_size(size, fits, tmp_path):
    write(tmp_path / '0.png', np.zeros((*SIZE, 3), np.uint8))
    images = [dict(id=1, file_name='0.png', width=size[0], height=size[1])]
    content = dict(images=images, annotations=[], categories=[dict(id=1, name='a')])
    (tmp_path / 'a.json').write_text(json.dumps(content))
    config = dict(type='mmdet.CocoDataset', data_root=str(tmp_path), ann_file='a.json', data_prefix=dict(img=''),
                  metainfo=dict(classes=('a',)))  # fmt: skip
    load = [dict(type='LoadImageFromFile'), dict(type='mmdet.LoadAnnotations')]
    assert DATASETS.build(dict(config, pipeline=load[:1]))[0]  # of a test on LR images
    data = DATASETS.build(dict(config, pipeline=load))
    if fits:
        assert data[0]
    else:
        with pytest.raises(
            SR4IRError, match=rf"has 12 x 8 px, but '.*a\.json' gives its size as {size[0]} x {size[1]}"
        ):
            data[0]


@pytest.mark.parametrize('values, options, fits', [
    ((0, 255), {}, False),
    ((255,), {}, True),  # all is ignored, as in test data without annotations
    ((0,), {}, True),
    ((0, 1, 255), {}, True),
    ((0, 255), dict(classes=CLASSES), True),
    ((0, 255), dict(reduce_zero_label=True), True),
    ((0, 255), dict(ignore_index=254), True),  # the reader says that 255 is no class
])  # fmt: skip
@pytest.mark.parametrize('palette', [False, True])
def test_a_second_class_that_is_written_as_255(values, options, fits, palette, tmp_path):
    mask = mask_of(*values)
    options = dict(classes=('ground', 'crop')) | options
    if palette:
        mask = Image.fromarray(mask).convert('P')
    if fits:
        assert len(seg(tmp_path, mask, **options)) == 1
    else:
        with pytest.raises(SR4IRError, match=r"in '.*masks' have only the values 0 and 255, .* the class 'crop' would"):
            seg(tmp_path, mask, **options)


@pytest.mark.parametrize('last, fits', [(1, True), (0, False)])
def test_the_second_class_may_be_rare(last, fits, tmp_path):
    """Its value is looked for in all masks before they are refused."""
    for number, value in enumerate([255] * 30 + [last]):
        write(tmp_path / f'images/{number}.png', np.zeros((*SIZE, 3), np.uint8))
        write(tmp_path / f'masks/{number}.png', mask_of(0, value))
    if fits:
        assert len(seg(tmp_path, classes=('ground', 'crop'))) == 31
    else:
        with pytest.raises(SR4IRError, match='have only the values 0 and 255'):
            seg(tmp_path, classes=('ground', 'crop'))
