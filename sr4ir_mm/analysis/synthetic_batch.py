"""Batches without a data set."""

import torch
import torch.nn.functional as F
from mmengine.structures import BaseDataElement, InstanceData, PixelData
from torch import Tensor

Size = tuple[int, int]


def synthetic_image(size: Size, generator: torch.Generator) -> Tensor:
    """Make a random image that is smooth, so that a resized copy is similar to it.

    Args:
        size (tuple[int, int]): Height and width.
        generator (Generator): Source of the random colors.

    Returns:
        Tensor: 3 x H x W, uint8.
    """
    small = torch.rand(1, 3, 4, 4, generator=generator)
    return F.interpolate(small, size=size, mode='bilinear')[0].mul(255).round().byte()


def image_metainfo(index: int, size: Size) -> dict:
    """Return the metainfo that loading an image of this height and width gives a data sample."""
    return dict(
        img_path=f'{index}.png', img_id=index, ori_shape=size, img_shape=size, pad_shape=size, scale_factor=(1.0, 1.0),
        flip=False, flip_direction=None,
    )  # fmt: skip


def synthetic_batch(*sizes: Size, zoo: str | None = None, seed: int = 0, num_classes: int = 10) -> dict:
    """Make a batch as a data loader gives it, of smooth random images.

    Args:
        *sizes (tuple[int, int]): Height and width of each image.
        zoo (str, optional): 'mmseg', 'mmdet' or 'mmpretrain', for its data samples with ground truth; by default the
            data samples have metainfo only.
        seed (int): Seed of images and labels.
        num_classes (int): Number of classes in the ground truth.

    Returns:
        dict: ``inputs``, a list of 3 x H x W, uint8; and ``data_samples``, a list.

    Example:
        >>> batch = synthetic_batch((64, 64), (64, 96), zoo='mmdet')
        >>> losses = model.train_step(batch, optim_wrapper)
    """
    generator = torch.Generator().manual_seed(seed)
    make = _SAMPLES[zoo]
    batch_shape = tuple(map(max, zip(*sizes)))
    inputs, samples = [], []
    for index, size in enumerate(sizes):
        inputs.append(synthetic_image(size, generator))
        sample = make(size, generator, num_classes)
        sample.set_metainfo(dict(image_metainfo(index, size), batch_input_shape=batch_shape))
        samples.append(sample)
    return dict(inputs=inputs, data_samples=samples)


def _segmentation(size: Size, generator: torch.Generator, num_classes: int) -> BaseDataElement:
    from mmseg.structures import SegDataSample

    classes = torch.randint(num_classes, (1, *size), generator=generator)
    return SegDataSample(gt_sem_seg=PixelData(data=classes))


def _detection(size: Size, generator: torch.Generator, num_classes: int) -> BaseDataElement:
    from mmdet.structures import DetDataSample
    from mmdet.structures.bbox import HorizontalBoxes

    height, width = size
    boxes = torch.tensor([[4, 4, width / 2, height - 4], [width / 4, 8, width - 4, height / 2]])
    labels = torch.randint(num_classes, (2,), generator=generator)
    return DetDataSample(gt_instances=InstanceData(bboxes=HorizontalBoxes(boxes), labels=labels))


def _classification(size: Size, generator: torch.Generator, num_classes: int) -> BaseDataElement:
    from mmpretrain.structures import DataSample

    return DataSample().set_gt_label(torch.randint(num_classes, (1,), generator=generator))


_SAMPLES = {
    None: lambda *args: BaseDataElement(),
    'mmseg': _segmentation,
    'mmdet': _detection,
    'mmpretrain': _classification,
}
