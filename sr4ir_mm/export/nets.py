"""S and T as functions of images alone, which is what a file can hold."""

import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import SR4IRError
from ..models import SR4IR
from ..models.feature_recorder import tensors
from ..utils import pad_to_multiple


class TaskFunction(nn.Module):
    """T as a function of images in [0, 1]: normalization, padding as at test time, ``mode='tensor'``.

    The logits of a segmentation net are resized to the image, as mmseg does before its argmax.

    Args:
        model (SR4IR): Whose T it is.
    """

    def __init__(self, model: SR4IR) -> None:
        super().__init__()
        self.preprocessor = model.data_preprocessor
        self.task = model.task
        self.align_corners = getattr(model.task, 'align_corners', None)  # of mmseg's nets

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """What T returns.

        Args:
            image (Tensor): N x 3 x H x W, [0, 1], RGB.

        Returns:
            dict[str, Tensor]: 'logits', N x classes (x H x W in segmentation), where T returns one tensor; else all
            that it returns, by position, e.g. 'task_0_2' for ``[0][2]``.
        """
        inputs = self.preprocessor.normalize(image)
        divisor = getattr(self.preprocessor.task_preprocessor, 'pad_size_divisor', 1)
        if divisor > 1:
            inputs = pad_to_multiple(inputs, divisor, 'constant', float(self.preprocessor.task_preprocessor.pad_value))
        outputs = tensors(self.task(inputs, None, mode='tensor'))
        if len(outputs) > 1 and '[out]' not in outputs:  # torchvision's segmentation nets call it so
            return {'task' + path.replace('[', '_').replace(']', ''): value for path, value in outputs.items()}
        logits = outputs.get('[out]', *outputs.values())
        if self.align_corners is not None:
            logits = F.interpolate(logits, image.shape[-2:], mode='bilinear', align_corners=self.align_corners)
        return dict(logits=logits)


class Chain(nn.Module):
    """S, T, or both, as one function with named outputs.

    Args:
        upsample (nn.Module, optional): LR to SR image.
        task (nn.Module, optional): Image to T's outputs.
    """

    def __init__(self, upsample: nn.Module | None, task: nn.Module | None) -> None:
        super().__init__()
        self.upsample = upsample
        self.task = task

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """N x 3 x h x w, [0, 1], RGB to 'sr' and what :class:`TaskFunction` returns, as far as these parts are there."""
        outputs = {}
        if self.upsample is not None:
            outputs['sr'] = image = self.upsample(image)
        return outputs if self.task is None else outputs | self.task(image)


def parts(model: SR4IR, split: bool) -> dict[str, tuple[Chain, int]]:
    """What to write.

    Args:
        model (SR4IR): S, T and the scheme, which says what T sees.
        split (bool): S and T apart.

    Returns:
        dict[str, tuple[Chain, int]]: For each file, by the end of its name, the net and how many times larger than LR
        its input is.

    Raises:
        SR4IRError: If there are no two parts to split.
    """
    bilinear = nn.Upsample(scale_factor=model.scale, mode='bilinear', align_corners=True)
    upsample = dict(sr=model.sr, bilinear=bilinear, hr=None)[model.scheme.test_input]
    task = TaskFunction(model) if model.scheme.uses_task_net else None
    if not split:
        return {'': (Chain(upsample, task), model.scale if upsample is None else 1)}
    if upsample is None or task is None:
        raise SR4IRError('There is one net in this model, so there is nothing to split: leave out --split.')
    return dict(_sr=(Chain(upsample, None), 1), _task=(Chain(None, task), model.scale))
