"""Test-time augmentation of the image that the task network receives."""

from collections.abc import Sequence
from itertools import product
from math import ceil
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.registry import MODELS
from mmengine.structures import BaseDataElement, PixelData
from torch import Tensor

from ..config.nodes import find_all, type_name
from ..errors import SR4IRError
from ..models import SR4IR
from ..utils import unwrap
from .task_pipeline import TaskPipeline

#: how each zoo merges predictions, as its own tools/test.py --tta does it
_MERGERS = dict(
    mmseg=dict(type='SegTTAModel'),
    mmdet=dict(type='DetTTAModel', tta_cfg=dict(nms=dict(type='nms', iou_threshold=0.5), max_per_img=100)),
    mmpretrain=dict(type='AverageClsScoreTTA'),
)
_FLIP = ('flip', 'flip_direction')


class AugmentedForward:
    """The ``forward`` of a task network that predicts on several views of each image, and merges the predictions.

    Views are made of what the task network receives, the SR image in the size that its test pipeline gives it. Views
    of the LR image would cost one run of the SR network each; and views of another size of the HR image would show it
    more than the LR image holds.

    Args:
        model (SR4IR): Model, wrapped or not.
        pipelines (Sequence[Sequence[dict]]): Steps that make a view of an image and pack it, for each view.
        merger (dict): Config of the zoo's ``tta_model``.
    """

    def __init__(self, model: SR4IR, pipelines: Sequence[Sequence[dict]], merger: dict) -> None:
        model = unwrap(model)
        task = unwrap(model.task)
        self.preprocessor = model.data_preprocessor
        self.forward = task.forward
        self.views = [TaskPipeline(self.preprocessor, pipeline) for pipeline in pipelines]
        self.merge = MODELS.build(ConfigDict(merger, module=task)).merge_preds

    def __call__(self, inputs: Tensor, data_samples: list | None = None, mode: str = 'tensor') -> Any:
        """Run the task network; N x 3 x H x W, normalized."""
        if mode != 'predict' or data_samples is None:
            return self.forward(inputs, data_samples, mode=mode)
        images = self.preprocessor.denormalize(inputs)
        return [self._predict(image, sample) for image, sample in zip(images, data_samples)]

    def _predict(self, image: Tensor, sample: BaseDataElement) -> BaseDataElement:
        height, width = _size(image, sample.metainfo)
        views = [self._view(view, image[:, :height, :width], sample.metainfo) for view in self.views]
        (merged,) = self.merge([views])
        if 'pred_score' in merged:
            merged.set_pred_label(merged.pred_score.argmax())
        for name, value in merged.items():
            if not name.startswith('pred_'):
                continue
            # mmseg's is a float for a network of one channel
            sample.set_data({name: PixelData(data=value.data.long()) if name == 'pred_sem_seg' else value})
        return sample

    def _view(self, view: TaskPipeline, image: Tensor, meta: dict) -> BaseDataElement:
        """Predict one view, in the coordinates that the predictions of the image are for."""
        item = dict(img_path=meta.get('img_path', ''), img_id=meta.get('img_id', 0))
        size = tuple(meta.get('ori_shape', image.shape[-2:])[:2])
        batch = view.batch([item], image[None], size, 1)
        factors = [ref.get('scale_factor', (1.0, 1.0)) for ref in (batch['data_samples'][0].metainfo, meta)]
        batch['data_samples'][0].set_metainfo(dict(scale_factor=tuple(a * b for a, b in zip(*factors))))
        (prediction,) = self.forward(batch['inputs'], batch['data_samples'], mode='predict')
        _check(prediction)
        return prediction


def augment(model: SR4IR, cfg: Config) -> None:
    """Let the task network of a model predict with test-time augmentation: its config's own, or a flip.

    Args:
        model (SR4IR): Model, which is changed.
        cfg (Config): Config of the run. Its ``tta_pipeline`` (with a step ``TestTimeAug``) and its ``tta_model`` are
            the zoo's; without them each image is also flipped, as the tools of the zoos do it.

    Raises:
        SR4IRError: If nothing is known to merge the predictions of the task network.
    """
    merger = cfg.get('tta_model') or _MERGERS.get(cfg.get('default_scope'))
    if not merger or unwrap(model).task is None:
        raise SR4IRError('--tta: nothing says how to merge predictions; set tta_model and tta_pipeline.')
    loop = cfg.get('test_cfg') or {}
    pipeline = loop.get('pipeline') or next(find_all(cfg.test_dataloader, 'pipeline'))  # the first of an LR test
    pipelines = expand(cfg.tta_pipeline) if cfg.get('tta_pipeline') else flips(pipeline)
    unwrap(unwrap(model).task).forward = AugmentedForward(model, pipelines, merger)


def expand(pipeline: Sequence[dict]) -> list[list[dict]]:
    """Return a pipeline for each view that the step ``TestTimeAug`` of a pipeline makes.

    Raises:
        SR4IRError: If the pipeline has no such step.
    """
    index = next((i for i, step in enumerate(pipeline) if type_name(step['type']) == 'TestTimeAug'), None)
    if index is None:
        raise SR4IRError(
            '--tta: tta_pipeline has no step TestTimeAug: correct it, or set tta_pipeline=None for a flip.'
        )
    chosen = product(*pipeline[index]['transforms'])
    return [[*pipeline[:index], *steps, *pipeline[index + 1 :]] for steps in chosen]


def flips(pipeline: Sequence[dict]) -> list[list[dict]]:
    """Return the steps after a test pipeline for two views, as it is and flipped."""
    pack = dict(pipeline[-1])
    if pack.get('meta_keys'):
        pack['meta_keys'] = tuple(dict.fromkeys((*pack['meta_keys'], *_FLIP)))
    return [[dict(type='RandomFlip', prob=prob, direction='horizontal'), pack] for prob in (0.0, 1.0)]


def _size(image: Tensor, meta: dict) -> tuple[int, int]:
    """Return the height and width of an image without padding, which would be on the other side after a flip."""
    sizes = [image.shape[-2:], meta.get('img_shape', image.shape[-2:])[:2]]
    if meta.get('ori_shape') and meta.get('scale_factor'):  # of a width and a height
        sizes.append(
            [ceil(round(side * by, 3)) for side, by in zip(meta['ori_shape'][:2], meta['scale_factor'][1::-1])]
        )
    height, width = (min(sides) for sides in zip(*sizes))
    return height, width


def _check(sample: BaseDataElement) -> None:
    """Check that the zoo can merge these predictions."""
    several = 'pred_score' in sample and sample.pred_score.sum().sub(1).abs() > 1e-2
    mergeable = {'pred_instances', 'seg_logits', 'pred_score'} & set(sample.keys())
    if not mergeable or several or 'pred_panoptic_seg' in sample or 'masks' in sample.get('pred_instances', ()):
        raise SR4IRError(
            '--tta merges boxes, maps of classes and the one class of an image, and this task network predicts other '
            'things (masks of objects, depth, several classes): leave it out.'
        )
