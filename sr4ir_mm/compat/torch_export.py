"""Let ``torch.export`` export networks for images of any size.

SwinIR of mmagic 1.2.0 pads to its window by a formula from which the export cannot derive that the result is a
multiple of the window. It also computes the batch size by a division of floats, which makes it a constant; so do the
Swin transformers of mmseg 1.2, mmdet 3.3 and mmpretrain 1.2, and SwinIR, HAT, DAT and others of spandrel 0.4. timm 1.0
pads the convolutions of nets from TensorFlow by a division of floats, about which the export thinks without end. This
module can go when they fix it.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from inspect import signature
from unittest.mock import patch

import torch
from torch import Tensor

from ..utils import pad_to_multiple

_SWINIR = 'mmagic.models.editors.swinir'
_SPANDREL = 'spandrel.architectures.'
#: modules with a ``ShiftWindowMSA``
_SWIN = ('mmseg.models.backbones.swin', 'mmdet.models.backbones.swin', 'mmpretrain.models.utils.attention')


@contextmanager
def free_sizes(free: bool = True) -> Iterator[None]:
    """Replace functions of SwinIR and Swin for a while by others that compute the same and hold for more sizes.

    Args:
        free (bool): Whether height and width are free, in addition to the batch size. A Swin is refused then: its
            export would take many minutes, and fail.
    """
    with ExitStack() as stack:
        # checks of sizes in RT-DETR 2 and D-FINE of transformers, which ONNX does not have
        stack.enter_context(patch.dict(os.environ, TRANSFORMERS_DISABLE_TORCH_CHECK='1'))
        if f'{_SWINIR}.swinir_net' in sys.modules:  # else no SwinIR has been built
            net, blocks = (sys.modules[f'{_SWINIR}.{name}'] for name in ('swinir_net', 'swinir_rstb'))
            stack.enter_context(patch.object(net.SwinIRNet, 'check_image_size', _check_image_size))
            stack.enter_context(patch.object(blocks, 'window_reverse', _window_reverse))
        for name in [name for name in sys.modules if name.startswith(_SPANDREL)]:
            for function, mine in _REPLACED.items():
                found = getattr(sys.modules[name], function, None)
                if found and len(signature(found).parameters) == len(signature(mine).parameters):
                    stack.enter_context(patch.object(sys.modules[name], function, mine))
        if padding := sys.modules.get('timm.layers.padding'):
            stack.enter_context(patch.object(padding, 'get_same_padding', _same_padding))
        for name in filter(sys.modules.__contains__, _SWIN):
            attention = sys.modules[name].ShiftWindowMSA
            reverse = _static_reverse if name.startswith('mmpretrain') else _method_reverse
            stack.enter_context(patch.object(attention, 'window_reverse', reverse))
            if free:
                stack.enter_context(patch.object(attention, 'forward', _refuse))
        yield


def is_exporting() -> bool:
    """Return whether an export traces; PyTorch 2.6 tells only whether anything does, and 2.1 nothing."""
    tell = getattr(torch.compiler, 'is_exporting', None) or getattr(torch.compiler, 'is_compiling', bool)
    return tell()


def drop_casts(program: torch.export.ExportedProgram) -> None:
    """Remove ``type_as`` where it changes no dtype: on a constant it breaks the export to ONNX."""
    for node in program.graph.find_nodes(op='call_function', target=torch.ops.aten.type_as.default):
        if node.meta['val'].dtype == node.args[0].meta['val'].dtype:
            node.replace_all_uses_with(node.args[0])
            program.graph.erase_node(node)


def _check_image_size(self: torch.nn.Module, x: Tensor) -> Tensor:
    return pad_to_multiple(x, self.window_size, mode='reflect')


def _refuse(self: torch.nn.Module, *args: object) -> None:
    raise NotImplementedError('the windows of a Swin transformer need one size for all images')


def _method_reverse(self: torch.nn.Module, windows: Tensor, height: int, width: int) -> Tensor:
    return _window_reverse(windows, self.window_size, height, width)


@staticmethod
def _static_reverse(windows: Tensor, height: int, width: int, window_size: int) -> Tensor:
    return _window_reverse(windows, window_size, height, width)


def _window_reverse(windows: Tensor, window_size: int, height: int, width: int) -> Tensor:
    return _windows_to_image(windows, window_size, window_size, height, width)


def _windows_to_image(windows: Tensor, rows: int, columns: int, height: int, width: int) -> Tensor:
    channels = windows.shape[-1]
    grid = (height // rows, width // columns, rows, columns)
    return windows.view(-1, *grid, channels).permute(0, 1, 3, 2, 4, 5).contiguous().view(-1, height, width, channels)


def _same_padding(x: int, kernel_size: int, stride: int, dilation: int) -> int:
    reach = (kernel_size - 1) * dilation + 1
    # not -(-x // stride): ONNX divides integers toward zero
    padding = ((x + stride - 1) // stride - 1) * stride + reach - x
    return padding if reach >= stride else max(padding, 0)


def _pad(tensor: Tensor, multiple: int, *, mode: str, value: float = 0.0) -> Tensor:
    return pad_to_multiple(tensor, multiple, mode, value)


#: functions of spandrel's networks, where they take as many arguments
_REPLACED = dict(window_reverse=_window_reverse, windows2img=_windows_to_image, pad_to_multiple=_pad)
