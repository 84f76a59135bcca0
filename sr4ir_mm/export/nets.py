"""Both networks as functions of images alone, which is what a file can hold."""

from unittest.mock import patch

from torch import Tensor, nn

from ..errors import SR4IRError
from ..models import SR4IR
from ..models.features import tensors
from ..models.scheme import SCHEMES, Scheme
from .detectors import predict_boxes
from .padding import Padding
from .windows import predict_windows


class TaskFunction(nn.Module):
    """The task network as a function of images in [0, 1]: normalization, padding as at test time, and its outputs.

    Of segmentation networks these are what ``predict`` compares (whole image or windows, and a map of the size of the
    image), of classification networks the scores before softmax, of mmdet's detectors boxes, scores and labels after
    NMS, of others the outputs in ``mode='tensor'``.

    Args:
        model (SR4IR): Model of which to take the task network.
        raw (bool): Whether to take the outputs in ``mode='tensor'`` of detectors, too.

    Example:
        >>> logits = TaskFunction(model)(image)['logits']
    """

    def __init__(self, model: SR4IR, raw: bool = False) -> None:
        super().__init__()
        self.preprocessor = model.data_preprocessor
        self.task = model.task
        self.padding = Padding(model.data_preprocessor)
        test_cfg = getattr(model.task, 'test_cfg', None)
        #: whether the prediction is made of windows, whose number depends on the size
        self.slides = isinstance(test_cfg, dict) and test_cfg.get('mode') == 'slide'
        #: whether images of other shapes are refused
        self.takes_squares = getattr(model.task, 'takes_squares', False)
        #: whether the outputs are boxes, which exist for one image at a time
        self.detects = not raw and hasattr(model.task, 'add_pred_to_datasample')  # mmdet's detectors have it

    def forward(self, image: Tensor, size: tuple[int, int] | None = None) -> dict[str, Tensor]:
        """Run the task network.

        Args:
            image (Tensor): Image, N x 3 x H x W, [0, 1], RGB.
            size (tuple[int, int], optional): Height and width without padding, if the image has some already.

        Returns:
            dict[str, Tensor]: Of a detector, 'boxes', 'scores' and 'labels', see :func:`predict_boxes`; 'logits', N x
            classes (x H x W in segmentation), if the task network returns one tensor; otherwise all its outputs by
            position, e.g. 'task_0_2' for ``[0][2]``.
        """
        height, width = size or image.shape[-2:]
        inputs = self.padding(self.preprocessor.normalize(image))
        if self.detects:
            return predict_boxes(self.task, inputs, (height, width))
        if hasattr(self.task, 'encode_decode'):  # mmseg's segmentors have it
            predict = predict_windows if self.slides else _predict_whole
            return dict(logits=predict(self.task, inputs)[..., :height, :width])
        if hasattr(head := getattr(self.task, 'head', None), '_get_predictions'):  # mmpretrain's classifiers
            with patch.object(head, '_get_predictions', lambda scores, data_samples: scores):
                return named(self.task(inputs, None, mode='predict'))
        outputs = named(self.task(inputs, None, mode='tensor'))
        if hasattr(self.task, 'align_corners'):  # segmentation networks of torchvision
            outputs['logits'] = outputs['logits'][..., :height, :width]
        return outputs


class Chain(nn.Module):
    """The SR network, the task network, or both in a row, as one function with named outputs.

    The LR image is padded as in a test and in ``tools/infer.py``: before the SR network.

    Args:
        upsample (nn.Module, optional): Network from LR to SR image.
        task (TaskFunction, optional): Network from image to outputs by name.
        scale (int): Up-sampling factor.

    Example:
        >>> outputs = Chain(model.sr, TaskFunction(model), 4)(lr)  # 'sr', 'logits'
    """

    def __init__(self, upsample: nn.Module | None, task: TaskFunction | None, scale: int = 1) -> None:
        super().__init__()
        self.upsample = upsample
        self.task = task
        self.scale = scale

    @property
    def takes_batches(self) -> bool:
        """Whether the input may hold several images."""
        return self.task is None or not self.task.detects

    def check_sizes(self, shape: tuple[int, int] | None) -> None:
        """Check that the task network takes images of a shape, and predicts all of them in one form if it is None.

        Raises:
            SR4IRError: If it takes squares alone, or its prediction is made of windows, or padded to one size.
        """
        if self.task is None:
            return
        squares, free = self.task.takes_squares, shape is None
        if squares and not self.task.slides and (free or shape[0] != shape[1]):
            raise SR4IRError('The task network takes square images alone: export it for one size, --shape N N.')
        if free and self.task.slides:
            whole = ', or without windows, --cfg-options model.task.test_cfg.mode=whole, by other predictions'
            raise SR4IRError(
                "The task network predicts in windows (test_cfg.mode='slide'), as many as the size asks for: export it "
                f'for one size, --shape H W{"" if squares else whole}.'
            )
        if free and self.task.padding.size:
            raise SR4IRError(
                f"The task network's data preprocessor pads images to {self.task.padding.size} (test_cfg.size): export "
                'it for one size, --shape H W.'
            )

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Run the networks that are given.

        Args:
            image (Tensor): Image, N x 3 x h x w, [0, 1], RGB.

        Returns:
            dict[str, Tensor]: 'sr' and the outputs of :class:`TaskFunction`.
        """
        if self.upsample is None:
            return self.task(image)
        if self.task is None:
            return dict(sr=self.upsample(image))
        height, width = (side * self.scale for side in image.shape[-2:])
        padding = self.task.padding
        sr = padding.crop_sr(self.upsample(padding.pad_lr(image, self.scale)), image, self.scale)
        return dict(sr=sr[..., :height, :width]) | self.task(sr, (height, width))


def parts(model: SR4IR, split: bool, raw: bool = False) -> dict[str, tuple[Chain, int, Scheme | None]]:
    """List the networks to write.

    Args:
        model (SR4IR): Model with the networks; its scheme says what the task network receives.
        split (bool): Whether each network has its own file.
        raw (bool): Whether detectors return what their heads return.

    Returns:
        dict[str, tuple[Chain, int, Scheme or None]]: For each file, by the end of its name, the network, how many times
        larger than the LR image its input is, and the scheme under which the model predicts the same; None for the SR
        network alone.

    Raises:
        SR4IRError: If the model has only one network to split.
    """
    bilinear = nn.Upsample(scale_factor=model.scale, mode='bilinear', align_corners=model.align_corners)
    upsample = dict(sr=model.sr, bilinear=bilinear, hr=None)[model.scheme.test_input]
    task = TaskFunction(model, raw) if model.scheme.uses_task_net else None
    if not split:
        return {'': (Chain(upsample, task, model.scale), model.scale if upsample is None else 1, model.scheme)}
    if upsample is None or task is None:
        raise SR4IRError('This model runs only one network, so it has nothing to split: leave out --split.')
    return dict(_sr=(Chain(upsample, None), 1, None), _task=(Chain(None, task), model.scale, SCHEMES['H->T']))


def named(outputs: object) -> dict[str, Tensor]:
    """Name the outputs of a task network: 'logits' if it is one tensor, else 'task_0_2' for ``[0][2]``."""
    found = tensors(outputs)
    if '[out]' in found:  # torchvision's segmentation networks
        return dict(logits=found['[out]'])
    if len(found) == 1:
        return dict(logits=next(iter(found.values())))
    return {'task' + path.replace('[', '_').replace(']', ''): value for path, value in found.items()}


def _predict_whole(task: nn.Module, inputs: Tensor) -> Tensor:
    size = inputs.shape[2:]
    return task.encode_decode(inputs, [dict(ori_shape=size, img_shape=size, pad_shape=size, padding_size=[0] * 4)])
