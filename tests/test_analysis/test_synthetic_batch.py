"""Batches without a data set."""

import pytest
import torch

from sr4ir_mm.analysis import synthetic_batch


def test_images_are_smooth_and_reproducible():
    batch = synthetic_batch((32, 48), (64, 40), seed=3)
    images = batch['inputs']
    assert [image.shape for image in images] == [(3, 32, 48), (3, 64, 40)]
    assert all(image.dtype == torch.uint8 and image.float().std() > 10 for image in images)
    assert all(image.float().diff(dim=2).abs().max() < 40 for image in images)
    assert all(torch.equal(a, b) for a, b in zip(images, synthetic_batch((32, 48), (64, 40), seed=3)['inputs']))
    first, second = batch['data_samples']
    assert first.img_shape == (32, 48) and second.img_path == '1.png' and second.batch_input_shape == (64, 48)


@pytest.mark.parametrize(
    ('zoo', 'truth'),
    [
        ('mmseg', lambda sample: sample.gt_sem_seg.data),
        ('mmdet', lambda sample: sample.gt_instances.labels),
        ('mmpretrain', lambda sample: sample.gt_label),
    ],
)
def test_ground_truth_of_a_zoo(zoo, truth):
    samples = synthetic_batch(*[(32, 32)] * 8, zoo=zoo, num_classes=2)['data_samples']
    labels = torch.cat([truth(sample).flatten() for sample in samples])
    assert labels.unique().tolist() == [0, 1]
