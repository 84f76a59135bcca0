"""The task network's own test pipeline and data preprocessor, for images that the SR network makes."""

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import TRANSFORMS
from torch import Tensor

from ..config.nodes import all_dicts, loads_image, type_name
from ..models import SRDataPreprocessor, quantize

#: steps that take float images of any range and leave the values as they are. All others receive the 8 bits that an
#: image file has: many convert to them, and a value beyond 255 becomes a dark one there
_FLOAT_STEPS = {
    'CenterCrop', 'EfficientNetCenterCrop', 'FixScaleResize', 'FixShapeResize', 'Normalize', 'Pad', 'RandomFlip',
    'Resize', 'ResizeEdge', 'ResizeShortestEdge', 'ResizeToMultiple', 'MultiScaleFlipAug', 'TestTimeAug',
}  # fmt: skip
Size = tuple[int, int]
#: padded LR images, stand-ins of SR images, and what the pipeline makes of these
Padded = tuple[Tensor, Tensor, list[dict]]


class TaskPipeline:
    """The steps of a test pipeline that follow the loading of an image, and the task network's data preprocessor.

    Annotations are loaded last: they stay in the coordinates that they were made in.

    Args:
        preprocessor (SRDataPreprocessor): Data preprocessor of the model.
        pipeline (Sequence[dict]): Test pipeline of the task network.
        annotations (bool): Whether to keep the steps that load annotations.

    Example:
        >>> batch = TaskPipeline(model.data_preprocessor, test_pipeline).batch([item], sr, (80, 120), 1)
    """

    def __init__(self, preprocessor: SRDataPreprocessor, pipeline: Sequence[dict], annotations: bool = False) -> None:
        self.preprocessor = preprocessor
        steps = [dict(step) for step in pipeline]
        loads = [step for step in steps if 'Load' in type_name(step['type'])]
        (*steps, pack) = [step for step in steps if step not in loads]
        images = [step for step in loads if loads_image(step)]
        loads = [step for step in loads if annotations and step not in images]
        self.steps = Compose([TRANSFORMS.build(step) for step in [*steps, *loads, pack]])
        self.image_steps = Compose([TRANSFORMS.build(step) for step in [*steps, pack]])
        self.rounds = not all(map(_takes_floats, all_dicts(steps)))  # else SR images stay as exact as in training
        self.has_annotations = bool(loads)
        #: sizes that the steps reduce, whatever the image
        self.reduced: set[Size] = set()
        self.dtype = np.float32 if any(step.get('to_float32') for step in images) or not self.rounds else np.uint8

    def batch(
        self, items: Sequence[dict], images: Tensor, size: Size, ratio: int, packed: list[dict] | None = None
    ) -> dict:
        """Make a batch of the task network.

        Args:
            items (Sequence[dict]): What else the pipeline reads of each image.
            images (Tensor): SR images, N x 3 x H x W, about [0, 1], RGB.
            size (tuple[int, int]): Height and width that predictions are for.
            ratio (int): Factor between the coordinates of the SR images and those of the predictions.
            packed (list[dict], optional): What :meth:`pad` made of the images, which is used up.

        Returns:
            dict: ``inputs`` and ``data_samples``, as the task network takes them.
        """
        return self._preprocess(self.pack(items, images, size, ratio, packed))

    def pack(
        self, items: Sequence[dict], images: Tensor, size: Size, ratio: int, packed: list[dict] | None = None
    ) -> list[dict]:
        """Run the pipeline alone; arguments as of :meth:`batch`."""
        if packed is None or self.has_annotations:
            packed = [self.steps(self._item(item, image, size)) for item, image in zip(items, images)]
        for sample in (entry['data_samples'] for entry in packed):
            # the task network divides boxes by scale_factor and resizes maps to ori_shape
            factor = tuple(ratio * value for value in sample.metainfo.get('scale_factor', (1.0, 1.0)))
            shape = tuple(sample.gt_sem_seg.shape) if 'gt_sem_seg' in sample else size
            sample.set_metainfo(dict(ori_shape=shape, scale_factor=factor))
        return packed

    def pad(self, items: Sequence[dict], lr: Tensor, size: Size, scale: int) -> Padded | None:
        """Pad LR images as a test on HR images does, where padding comes before the degradation and the SR network.

        The pipeline and the preprocessor receive stand-ins of the SR images: the LR images, enlarged by repetition. Of
        what they return, one pixel of each block makes the LR images with their padding.

        Args:
            items (Sequence[dict]): What else the pipeline reads of each image.
            lr (Tensor): LR images, N x 3 x h x w, [0, 1], RGB.
            size (tuple[int, int]): Height and width of the SR images.
            scale (int): Up-sampling factor.

        Returns:
            tuple, optional: The padded LR images, the stand-ins, and what the pipeline makes of these. The stand-ins
            may be up to ``scale - 1`` px smaller than ``size``, if the pipeline resizes to that. None if it changes the
            images in any other way, so that it must receive the SR images themselves.
        """
        if size in self.reduced:
            return None
        whole = lr.repeat_interleave(scale, -2).repeat_interleave(scale, -1)
        sizes = [size]
        for height, width in sizes:
            images = whole[..., :height, :width]
            packed, unchanged = self._try(items, images)
            if unchanged:
                hr = self.preprocessor.denormalize(self._preprocess(packed)['inputs'])
                return quantize(hr[..., ::scale, ::scale]), images, packed
            new = tuple(getattr(packed[0]['inputs'], 'shape', ()))[1:]
            if len(sizes) > 1 or len(new) != 2:
                continue
            if all(0 <= a - b < scale for a, b in zip(size, new)):
                sizes += [(size[0], new[1]), (new[0], size[1]), new]  # the largest one that is left as it is
            elif new[0] < size[0] or new[1] < size[1]:
                self.reduced.add(size)
        return None

    def _try(self, items: Sequence[dict], images: Tensor) -> tuple[list[dict], bool]:
        """Run the steps that change images, and return whether they leave these as they are, apart from padding."""
        entries = [self._item(item, image, tuple(image.shape[1:])) for item, image in zip(items, images)]
        given = [entry['img'].copy() for entry in entries]  # some steps write into the image
        packed = [self.image_steps(entry) for entry in entries]
        return packed, all(_is_unchanged(image, entry['inputs']) for image, entry in zip(given, packed))

    def _preprocess(self, packed: list[dict]) -> dict:
        return self.preprocessor.task_preprocessor(pseudo_collate(packed), False)

    def _item(self, item: dict, image: Tensor, size: Size) -> dict:
        array = image.permute(1, 2, 0).flip(-1).mul(255)
        array = (array.round().clamp(0, 255) if self.rounds else array).cpu().numpy().astype(self.dtype)
        # annotations are loaded in the size of what they were made on
        return dict(item, img=array, img_shape=array.shape[:2], ori_shape=size)


def _is_unchanged(image: np.ndarray, packed: Tensor) -> bool:
    """Return whether a packed image is the given one, but for padding at the right and the bottom."""
    if not isinstance(packed, Tensor):
        return False
    part = packed[..., : image.shape[0], : image.shape[1]].float()
    return torch.equal(part, torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1))


def _takes_floats(step: dict) -> bool:
    """Return whether a step, or options inside a step, leave the values of float images as they are."""
    if 'type' not in step:
        return True
    kind = str(getattr(step['type'], '__module__', '')) + str(step['type'])
    return type_name(step['type']) in _FLOAT_STEPS and step.get('backend') != 'pillow' and 'torchvision' not in kind
