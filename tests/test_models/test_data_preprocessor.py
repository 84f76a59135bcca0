from contextlib import nullcontext

import numpy as np
import pytest
import torch
from helpers.toy import ToyClassifier
from mmdet.structures import DetDataSample
from mmengine.structures import BaseDataElement, PixelData
from mmpretrain.structures import DataSample
from mmseg.structures import SegDataSample

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR, BicubicDegradation, SRDataPreprocessor

# type, its switch from BGR to RGB, and padding to a multiple of 32
ZOOS = {
    'mmseg': ('mmseg.SegDataPreProcessor', 'bgr_to_rgb', dict(test_cfg=dict(size_divisor=32))),
    'mmdet': ('mmdet.DetDataPreprocessor', 'bgr_to_rgb', dict(pad_size_divisor=32)),
    'mmpretrain': ('mmpretrain.ClsDataPreprocessor', 'to_rgb', dict(pad_size_divisor=32)),
}
NORMS = {
    'none': {},
    'imagenet': dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
    'caffe': dict(mean=[103.53, 116.28, 123.675], std=[1.0, 1.0, 1.0]),
    'to -1 and 1': dict(mean=[127.5] * 3, std=[127.5] * 3),
}


def build(zoo: str, rgb: bool, norm: str = 'imagenet', scale: int = 4, **kwargs) -> SRDataPreprocessor:
    name, switch, padding = ZOOS[zoo]
    task = dict(type=name, **{switch: rgb}, **NORMS[norm], **padding)
    return SRDataPreprocessor(task, dict(type='sr4ir_mm.BicubicDegradation', scale=scale), **kwargs)


def batch(*sizes: tuple[int, int], paths: tuple = ()) -> dict:
    """Images as a zoo loads them: 3 x H x W, uint8, BGR."""
    images = [torch.randint(0, 256, (3, *size), dtype=torch.uint8) for size in sizes]
    paths = paths or [f'{i}.png' for i in range(len(sizes))]
    samples = [BaseDataElement(metainfo=dict(img_path=path, img_shape=size)) for path, size in zip(paths, sizes)]
    return dict(inputs=images, data_samples=samples)


@pytest.mark.parametrize('norm', NORMS)
@pytest.mark.parametrize('rgb', [True, False], ids=['rgb', 'bgr'])
@pytest.mark.parametrize('zoo', ZOOS)
def test_hr_is_the_image_to_the_last_bit(zoo, rgb, norm):
    preprocessor, data = build(zoo, rgb, norm), batch((40, 33), (40, 33))
    ramp = torch.arange(256, dtype=torch.uint8)
    data['inputs'][0].view(3, -1)[:, :256] = torch.stack([ramp, ramp.flip(0), ramp.roll(99)])  # all gray levels
    images = preprocessor(data)['inputs']
    expected = torch.stack(data['inputs']).flip(1).float() / 255
    assert torch.equal(images['hr'][..., :40, :33], expected)
    # T receives what its own preprocessor makes, with padding, and both ways agree
    bare = preprocessor.task_preprocessor(data)['inputs']
    assert bare.shape[-2:] == (64, 64)
    assert torch.equal(images['hr_inputs'], bare)
    torch.testing.assert_close(preprocessor.normalize(images['hr']), bare, rtol=1e-6, atol=2e-5)
    assert torch.equal(images['lr'], BicubicDegradation(4)(images['hr']))


@pytest.mark.parametrize(
    'known, expected',
    [
        (dict(img_shape=(20, 15)), (40, 33)),  # enlarged after that
        (dict(img_shape=(400, 330)), (40, 33)),  # reduced
        (dict(img_shape=(400, 330, 3)), (40, 33)),
        (dict(img_shape=(40, 33)), (40, 33)),
        (dict(img_shape=(40, 33, 3)), (40, 33, 3)),
        (dict(img_shape=(38, 30), pad_shape=(40, 33)), (38, 30)),  # padded in the pipeline
        (dict(img_shape=(38, 30), pad_shape=(40, 33, 3)), (38, 30)),
        (dict(img_shape=(20, 15), pad_shape=(20, 15)), (40, 33)),
        ({}, None),
    ],
)
def test_the_size_in_a_sample_is_that_of_its_image(known, expected):
    data = batch((40, 33))
    data['data_samples'] = [BaseDataElement(metainfo=known)]
    (sample,) = build('mmpretrain', rgb=True)(data)['data_samples']
    assert sample.get('img_shape') == expected


def test_images_of_different_sizes():
    preprocessor, data = build('mmdet', rgb=True), batch((40, 33), (20, 60))
    out = preprocessor(data, training=True)
    assert out['inputs']['hr'].shape == (2, 3, 64, 64)
    for image, hr in zip(data['inputs'], out['inputs']['hr']):
        height, width = image.shape[-2:]
        assert torch.equal(hr[:, :height, :width], image.flip(0).float() / 255)
    assert [sample.batch_input_shape for sample in out['data_samples']] == [(64, 64)] * 2


@pytest.mark.parametrize('sizes, training, message', [
    (((40, 40), (40, 44)), False, r'images of 40 x 40 and 44 x 40 px, .* set batch_size=1 in val_dataloader and test_'),
    (((40, 40), (40, 80)), True, r'images of 64 x 64 and 80 x 64 px, .* add RandomCrop with crop_size=\(64, 64\)'),
    (((80, 64), (80, 64)), True, ''),
    (((40, 40), (64, 44)), True, ''),  # padded
    (((40, 44), (40, 44)), False, ''),
])  # fmt: skip
def test_sizes_that_mmseg_cannot_stack(sizes, training, message):
    task = dict(type='mmseg.SegDataPreProcessor', size=(64, 64), **NORMS['imagenet'])
    preprocessor, data = SRDataPreprocessor(task, BicubicDegradation(4)), batch(*sizes)
    for sample, size in zip(data['data_samples'], sizes):
        sample.gt_sem_seg = PixelData(data=torch.zeros(1, *size))
    with pytest.raises(SR4IRError, match=message) if message else nullcontext():
        assert len(preprocessor(data, training)['inputs']['hr']) == 2


@pytest.mark.parametrize('norm', ['imagenet', 'caffe'])
def test_mixup(norm):
    """Mixed pixels are on no gray level: they must not be rounded to one."""

    def hr(norm: str) -> torch.Tensor:
        torch.manual_seed(1)
        np.random.seed(1)
        augments = dict(augments=[dict(type='mmpretrain.Mixup', alpha=0.8)])
        task = dict(type='mmpretrain.ClsDataPreprocessor', num_classes=5, batch_augments=augments, **NORMS[norm])
        preprocessor = SRDataPreprocessor(task, BicubicDegradation(4))
        data = dict(inputs=batch((16, 16), (16, 16))['inputs'])
        data['data_samples'] = [DataSample().set_gt_label(i) for i in range(2)]
        return preprocessor(data, training=True)['inputs']['hr'] * 255

    expected = hr('none')
    assert ((expected - expected.round()).abs() > 0.01).float().mean() > 0.5
    torch.testing.assert_close(hr(norm), expected, rtol=0, atol=1.1e-3)


@pytest.mark.parametrize('order, flipped', [(None, True), ('bgr', True), ('rgb', False)])
def test_channel_order_can_be_given(order, flipped):
    preprocessor, data = build('mmpretrain', rgb=False, channel_order=order), batch((8, 8))
    hr = preprocessor(data)['inputs']['hr'][0, :, :8, :8] * 255
    assert torch.equal(hr.round().byte(), data['inputs'][0].flip(0) if flipped else data['inputs'][0])


@pytest.mark.parametrize('rgb', [True, False], ids=['rgb', 'bgr'])
def test_normalize_has_the_gradient_of_the_zoo(rgb):
    preprocessor = build('mmseg', rgb)
    image = torch.rand(1, 3, 4, 4, requires_grad=True)
    preprocessor.normalize(image).sum().backward()
    std = NORMS['imagenet']['std']
    expected = 255 / torch.tensor(std if rgb else std[::-1]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    torch.testing.assert_close(image.grad, expected)


@pytest.mark.parametrize(
    'channels, size, message',
    [
        (1, (8, 8), r"image 'b\.png' has 1 channel\(s\), .*color_type='color' in LoadImageFromFile"),
        (4, (8, 8), r"image 'b\.png' has 4 channel\(s\)"),
        (3, (3, 30), r"image 'b\.png' is 30 x 3 px, smaller than the scale 4, .*use a smaller scale"),
        (3, (30, 3), r"image 'b\.png' is 3 x 30 px, smaller than the scale 4"),
    ],
)
def test_unusable_image_is_named(channels, size, message):
    data = batch((8, 8), size, paths=('a.png', 'b.png'))
    data['inputs'][1] = torch.zeros(channels, *size, dtype=torch.uint8)
    with pytest.raises(SR4IRError, match=message):
        build('mmdet', rgb=True)(data)
    del data['data_samples']
    with pytest.raises(SR4IRError, match='image 1 of the batch'):
        build('mmdet', rgb=True)(data)


def test_smallest_image_that_is_allowed():
    assert build('mmseg', rgb=True, scale=8)(batch((8, 8)))['inputs']['lr'].shape == (1, 3, 4, 4)  # 32 with padding


def test_batch_goes_to_the_device_of_the_model():
    model = SR4IR(None, ToyClassifier(), scale=4, scheme='H->T').to('meta')
    images = model.data_preprocessor(batch((8, 8)))['inputs']
    assert {image.device.type for image in images.values()} == {'meta'}


@pytest.mark.parametrize('zoo', ZOOS)
def test_data_samples_of_another_library_are_refused(zoo):
    preprocessor, data = build(zoo, rgb=True), batch((8, 8))
    samples = dict(mmseg=SegDataSample(), mmdet=DetDataSample(), mmpretrain=DataSample())
    del samples[zoo]
    for library, sample in samples.items():
        data['data_samples'] = [sample]
        with pytest.raises(SR4IRError, match=rf'The task network is from {zoo}, but the data are for {library} \('):
            preprocessor(data)


@pytest.mark.parametrize('inputs', [[torch.zeros(2, 3, 8, 8)], dict(sup=[torch.zeros(3, 8, 8)])])
def test_several_images_for_a_sample_are_refused(inputs):
    """Those of mmdet's semi-supervised training are in a dict, and so are its data samples."""
    samples = dict(sup=[DetDataSample()]) if isinstance(inputs, dict) else [DetDataSample()]
    with pytest.raises(SR4IRError, match='takes several images for a sample'):
        build('mmdet', True)(dict(inputs=inputs, data_samples=samples), True)


def floats(change, size: int = 16) -> dict:
    data = batch((size, size), (size, size))
    return dict(data, inputs=[change(image.float()) for image in data['inputs']])


@pytest.mark.parametrize('training', [True, False])
@pytest.mark.parametrize('change, values', [
    (lambda x: x / 255, r'from 0\.?\d* to (1|0\.99\d*), but SR4IR needs 0 to 255: take the step that changes'),
    (lambda x: (x - 120) / 58, r'from -2\.\d+ to 2\.\d+, but'),
    (lambda x: x / 127.5 - 1, 'from -'),
    (lambda x: x - 120, r'from -1\d\d to 13\d, but'),
])  # fmt: skip
def test_images_that_are_normalized_already(change, values, training):
    with pytest.raises(SR4IRError, match=f'The {"training" if training else "test"} images have values {values}'):
        build('mmseg', True, 'none')(floats(change), training)


def test_images_of_which_a_random_step_has_normalized_one():
    data = floats(lambda x: (x - 120) / 58)
    data['inputs'][0] = batch((64, 64))['inputs'][0]
    with pytest.raises(SR4IRError, match=r'images have values from -2\.\d+ to 2\.\d+, but'):
        build('mmseg', True, 'none')(data, False)


@pytest.mark.parametrize('change', [
    lambda x: x,
    lambda x: x * 1.5 - 48,  # mmdet's PhotoMetricDistortion does not clip
    lambda x: x * 0,
    lambda x: (x / 25).round(),  # dark
])  # fmt: skip
def test_images_of_floating_point_numbers(change):
    build('mmdet', True)(floats(change), True)


def test_only_the_first_images_of_a_stage_are_checked():
    """A dark crop may come later."""
    preprocessor = build('mmdet', True)
    preprocessor(floats(lambda x: x), True)
    preprocessor(floats(lambda x: x / 255), True)
    with pytest.raises(SR4IRError, match='The test images'):
        preprocessor(floats(lambda x: x / 255), False)


class Wrong(torch.nn.Module):
    """A degradation whose scale is not what it does."""

    def __init__(self, scale: int | None) -> None:
        super().__init__()
        if scale:
            self.scale = scale

    def forward(self, hr: torch.Tensor) -> torch.Tensor:
        return hr[..., ::4, ::4]


@pytest.mark.parametrize('size, message', [
    (64, '2 x 3 x 16 x 16 of 2 x 3 x 64 x 64, but its scale=8 means 2 x 3 x 8 x 8'),
    (32, '2 x 3 x 8 x 8 of 2 x 3 x 32 x 32, but its scale=8'),
])  # fmt: skip
def test_a_degradation_that_does_not_do_what_its_scale_says(size, message):
    with pytest.raises(SR4IRError, match=f'Wrong made {message}'):
        SRDataPreprocessor(dict(type='mmengine.ImgDataPreprocessor'), Wrong(8))(batch((size, size), (size, size)))
    with pytest.raises(SR4IRError, match="Wrong has no attribute 'scale'"):
        SRDataPreprocessor(dict(type='mmengine.ImgDataPreprocessor'), Wrong(None))
    lr = SRDataPreprocessor(dict(type='mmengine.ImgDataPreprocessor'), Wrong(4))(batch((30, 31)))['inputs']['lr']
    assert lr.shape[-2:] == (8, 8)


@pytest.mark.parametrize('data', [{}, dict(img_path=['a.jpg']), [dict(img_path='a.jpg')]])
@pytest.mark.parametrize('training', [True, False])
def test_a_pipeline_that_packs_nothing(data, training):
    with pytest.raises(SR4IRError, match=r"The batches have no 'inputs': the last step .* such as PackSegInputs"):
        build('mmseg', rgb=True)(data, training)


def test_a_data_preprocessor_that_makes_no_batch():
    """MMEngine's, which a model has without one of its own, leaves the collation to the data loader."""
    preprocessor = SRDataPreprocessor(dict(type='mmengine.BaseDataPreprocessor'), BicubicDegradation(4))
    with pytest.raises(SR4IRError, match="BaseDataPreprocessor makes no batch of the images: set the task network's"):
        preprocessor(batch((8, 8), (8, 8)))
    collated = dict(inputs=torch.stack(batch((8, 8), (8, 8))['inputs']).float())
    assert preprocessor(collated)['inputs']['lr'].shape == (2, 3, 2, 2)


def test_copies_to_a_gpu_do_not_wait(monkeypatch):
    """For preprocessors of each zoo: mmseg's takes no such option."""
    waits = []
    copy_to = torch.Tensor.to

    def watch(tensor, *args, **kwargs):
        waits.append(not kwargs.get('non_blocking'))
        return copy_to(tensor, *args, **kwargs)

    for kind in ('mmseg.SegDataPreProcessor', 'mmdet.DetDataPreprocessor', 'mmpretrain.ClsDataPreprocessor'):
        preprocessor = SRDataPreprocessor(dict(type=kind), BicubicDegradation(4)).task_preprocessor
        with monkeypatch.context() as patch:
            patch.setattr(torch.Tensor, 'to', watch)
            preprocessor.cast_data(dict(inputs=[torch.zeros(3, 8, 8)]))
    assert waits == [False] * 3
