"""Let ``torch.export`` export networks for images of any size.

SwinIR of mmagic 1.2.0 pads to its window by a formula from which the export cannot derive that the result is a
multiple of the window. It also computes the batch size by a division of floats, which makes it a constant. This module
can go when mmagic fixes both.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import torch
from torch import Tensor

from ..utils import pad_to_multiple

_SWINIR = 'mmagic.models.editors.swinir'


@contextmanager
def free_sizes() -> Iterator[None]:
    """Replace two functions of SwinIR for a while by others that compute the same and hold for all sizes."""
    with ExitStack() as stack:
        if f'{_SWINIR}.swinir_net' in sys.modules:  # else no SwinIR has been built
            net, blocks = (sys.modules[f'{_SWINIR}.{name}'] for name in ('swinir_net', 'swinir_rstb'))
            stack.enter_context(patch.object(net.SwinIRNet, 'check_image_size', _check_image_size))
            stack.enter_context(patch.object(blocks, 'window_reverse', _window_reverse))
        yield


def drop_casts(program: torch.export.ExportedProgram) -> None:
    """Remove ``type_as`` where it changes no dtype: on a constant it breaks the export to ONNX."""
    for node in program.graph.find_nodes(op='call_function', target=torch.ops.aten.type_as.default):
        if node.meta['val'].dtype == node.args[0].meta['val'].dtype:
            node.replace_all_uses_with(node.args[0])
            program.graph.erase_node(node)


def _check_image_size(self: torch.nn.Module, x: Tensor) -> Tensor:
    return pad_to_multiple(x, self.window_size, mode='reflect')


def _window_reverse(windows: Tensor, window_size: int, height: int, width: int) -> Tensor:
    channels = windows.shape[-1]
    grid = (height // window_size, width // window_size, window_size, window_size)
    return windows.view(-1, *grid, channels).permute(0, 1, 3, 2, 4, 5).contiguous().view(-1, height, width, channels)
