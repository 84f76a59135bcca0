"""Both networks as functions of images alone, which is what a file can hold."""

import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import SR4IRError
from ..models import SR4IR
from ..models.features import tensors
from ..utils import pad_to_multiple


class TaskFunction(nn.Module):
    """The task network as a function of images in [0, 1]: normalization, padding as at test time, ``mode='tensor'``.

    The logits of a segmentation network are resized to the image, as mmseg does before its argmax.

    Args:
        model (SR4IR): Model of which to take the task network.

    Example:
        >>> logits = TaskFunction(model)(image)['logits']
    """

    def __init__(self, model: SR4IR) -> None:
        super().__init__()
        self.preprocessor = model.data_preprocessor
        self.task = model.task
        self.align_corners = getattr(model.task, 'align_corners', None)  # mmseg's segmentors have it

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Run the task network.

        Args:
            image (Tensor): Image, N x 3 x H x W, [0, 1], RGB.

        Returns:
            dict[str, Tensor]: 'logits', N x classes (x H x W in segmentation), if the task network returns one tensor;
            otherwise all its outputs by position, e.g. 'task_0_2' for ``[0][2]``.
        """
        inputs = self.preprocessor.normalize(image)
        divisor = getattr(self.preprocessor.task_preprocessor, 'pad_size_divisor', 1)
        if divisor > 1:
            inputs = pad_to_multiple(inputs, divisor, 'constant', float(self.preprocessor.task_preprocessor.pad_value))
        outputs = tensors(self.task(inputs, None, mode='tensor'))
        if len(outputs) > 1 and '[out]' not in outputs:  # the name in torchvision's segmentation networks
            return {'task' + path.replace('[', '_').replace(']', ''): value for path, value in outputs.items()}
        logits = outputs.get('[out]', *outputs.values())
        if self.align_corners is not None:
            logits = F.interpolate(logits, image.shape[-2:], mode='bilinear', align_corners=self.align_corners)
        return dict(logits=logits)


class Chain(nn.Module):
    """The SR network, the task network, or both in a row, as one function with named outputs.

    Args:
        upsample (nn.Module, optional): Network from LR to SR image.
        task (nn.Module, optional): Network from image to outputs by name.

    Example:
        >>> outputs = Chain(model.sr, TaskFunction(model))(lr)  # 'sr', 'logits'
    """

    def __init__(self, upsample: nn.Module | None, task: nn.Module | None) -> None:
        super().__init__()
        self.upsample = upsample
        self.task = task

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Run the networks that are given.

        Args:
            image (Tensor): Image, N x 3 x h x w, [0, 1], RGB.

        Returns:
            dict[str, Tensor]: 'sr' and the outputs of :class:`TaskFunction`.
        """
        outputs = {}
        if self.upsample is not None:
            outputs['sr'] = image = self.upsample(image)
        return outputs if self.task is None else outputs | self.task(image)


def parts(model: SR4IR, split: bool) -> dict[str, tuple[Chain, int]]:
    """List the networks to write.

    Args:
        model (SR4IR): Model with the networks; its scheme says what the task network receives.
        split (bool): Whether each network has its own file.

    Returns:
        dict[str, tuple[Chain, int]]: For each file, by the end of its name, the network and how many times larger than
        the LR image its input is.

    Raises:
        SR4IRError: If the model has only one network to split.
    """
    bilinear = nn.Upsample(scale_factor=model.scale, mode='bilinear', align_corners=True)
    upsample = dict(sr=model.sr, bilinear=bilinear, hr=None)[model.scheme.test_input]
    task = TaskFunction(model) if model.scheme.uses_task_net else None
    if not split:
        return {'': (Chain(upsample, task), model.scale if upsample is None else 1)}
    if upsample is None or task is None:
        raise SR4IRError('This model runs only one network, so it has nothing to split: leave out --split.')
    return dict(_sr=(Chain(upsample, None), 1), _task=(Chain(None, task), model.scale))
