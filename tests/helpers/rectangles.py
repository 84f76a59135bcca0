"""A detector that knows the right boxes, and images for it."""

import cv2
import numpy as np
import torch
from mmengine.model import BaseModel
from mmengine.structures import InstanceData


class FindRectangles(BaseModel):
    """A detector that finds each bright rectangle of 8 px or more, as it is in the image that it receives."""

    def __init__(self, masks: bool = False) -> None:
        super().__init__(dict(type='mmdet.DetDataPreprocessor', mean=[0] * 3, std=[255] * 3, bgr_to_rgb=True))
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.masks, self.sizes = masks, []

    def add_pred_to_datasample(self, data_samples, results):
        for sample, result in zip(data_samples, results):
            sample.pred_instances = result
        return data_samples

    def forward(self, inputs, data_samples=None, mode='tensor'):
        self.sizes.append(tuple(inputs.shape))
        return self.add_pred_to_datasample(data_samples, [self.find(*pair) for pair in zip(inputs, data_samples)])

    def find(self, image, sample):
        bright = (image.mean(0) > 0.5).numpy().astype(np.uint8)
        count, areas, stats, _ = cv2.connectedComponentsWithStats(bright)
        found = [i for i in range(1, count) if min(stats[i, 2:4]) >= 8]
        left, top, width, height = (torch.tensor([stats[i, side] for i in found]).float() for side in range(4))
        factor = torch.tensor(sample.metainfo['scale_factor']).float().repeat(2)
        result = InstanceData(
            bboxes=torch.stack([left, top, left + width, top + height], 1) / factor,
            scores=torch.rand(len(found), generator=torch.Generator().manual_seed(len(self.sizes))) * 0.5 + 0.5,
            labels=torch.zeros(len(found), dtype=torch.long),
        )
        if self.masks:
            size, shape = sample.metainfo['ori_shape'], sample.metainfo['img_shape']
            areas = areas[: shape[0], : shape[1]]
            masks = [cv2.resize((areas == i).astype(np.uint8) * 255, size[::-1]) > 127 for i in found]
            result.masks = torch.from_numpy(np.stack(masks) if masks else np.zeros((0, *size), bool))
        return result


def scene(seed: int, size: tuple[int, int] = (200, 300), count: int = 30) -> tuple[np.ndarray, list[list[int]]]:
    """An LR image with rectangles of 5 to 70 px a side, and their boxes."""
    rng, image, boxes = np.random.default_rng(seed), np.zeros((*size, 3), np.uint8), []
    for _ in range(count):
        width, height = rng.integers(5, 14, 2) if len(boxes) > 4 else rng.integers(15, min(size) // 3, 2)
        left, top = rng.integers(0, size[1] - width), rng.integers(0, size[0] - height)
        if not image[max(top - 3, 0) : top + height + 3, max(left - 3, 0) : left + width + 3].any():
            image[top : top + height, left : left + width] = 255
            boxes.append([left, top, left + width, top + height])
    return image, sorted(boxes)
