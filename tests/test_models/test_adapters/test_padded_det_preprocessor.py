import pytest
import torch
from helpers.zoo import batch_for

from sr4ir_mm.models import PaddedDetDataPreprocessor, SRDataPreprocessor
from sr4ir_mm.models.adapters.padded_det_preprocessor import pad_images


@pytest.mark.parametrize('scale', [4, 8])
@pytest.mark.parametrize('case, count', [('reflect', 2), ('replicate', 2), ('mixed', 3)])
def test_batches_of_the_paper(fixture, case, count, scale):
    """``list_to_batch`` of the paper's code: each image by reflection, or by its edge where it is too small."""
    npz = fixture('degrade')
    images = [torch.from_numpy(npz[f'det_{case}_hr{i}_u8']) for i in range(count)]
    expected = torch.from_numpy(npz[f'det_{case}_x{scale}_batch_u8'])
    assert torch.equal(torch.stack(pad_images(images, scale)), expected.float())
    task = dict(type='sr4ir_mm.PaddedDetDataPreprocessor', mean=[0.0] * 3, std=[255.0] * 3, bgr_to_rgb=True,
                pad_size_divisor=scale)  # fmt: skip
    preprocessor = SRDataPreprocessor(task, dict(type='sr4ir_mm.BicubicDegradation', scale=scale))
    samples = batch_for(dict(_scope_='mmdet'), *(image.shape[1:] for image in images))['data_samples']
    batch = preprocessor(dict(inputs=[image.flip(0) for image in images], data_samples=samples), True)
    assert torch.equal(batch['inputs']['hr'], expected.float() / 255)
    difference = batch['inputs']['lr'] * 255 - torch.from_numpy(npz[f'det_{case}_x{scale}_lr']) * 255
    assert difference.abs().max() < 1e-3
    for sample, image in zip(batch['data_samples'], images):
        assert sample.img_shape == image.shape[1:]
        assert sample.batch_input_shape == sample.pad_shape == expected.shape[-2:]
        assert isinstance(sample.gt_instances.bboxes, torch.Tensor)


def test_images_of_one_size_stay_as_they_are():
    data = batch_for(dict(_scope_='mmdet'), (30, 41), (30, 41))
    images = [image.float() for image in data['inputs']]
    assert torch.equal(PaddedDetDataPreprocessor()(data)['inputs'], torch.stack(images))
