"""Point-wise spatial attention (PSANet) and masked convolution (guided anchoring in mmdet).

It can go together with ``compat/mmcv_ops.py``.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def _psamask_index(h_feature: int, w_feature: int, h_mask: int, w_mask: int, device: torch.device) -> tuple:
    """Return the channel of the mask that joins target (y, x) and source (h, w), and whether one does; HW x H x W."""
    rows, columns = torch.arange(h_feature, device=device), torch.arange(w_feature, device=device)
    i = rows[:, None, None, None] - rows[:, None] + (h_mask - 1) // 2
    j = columns[:, None, None] - columns + (w_mask - 1) // 2
    inside = (i >= 0) & (i < h_mask) & (j >= 0) & (j < w_mask)
    index = torch.where(inside, i * w_mask + j, 0)
    return tuple(t.reshape(-1, h_feature, w_feature) for t in (index, inside))


def psamask_forward(
    input: Tensor, output: Tensor, psa_type: int, num_: int, h_feature: int, w_feature: int, h_mask: int, w_mask:
    int, half_h_mask: int, half_w_mask: int,
) -> None:  # fmt: skip
    """Spread the mask of each pixel, N x h_mask * w_mask x H x W, over the image; ``output`` is N x HW x H x W.

    ``psa_type`` is 0 to collect from the other pixels, and 1 to distribute to them.
    """
    index, inside = _psamask_index(h_feature, w_feature, h_mask, w_mask, input.device)
    result = input.gather(1, index.expand(num_, -1, -1, -1)) * inside
    output.copy_(result if psa_type == 0 else _swap_pixels(result))


def psamask_backward(
    grad_output: Tensor, grad_input: Tensor, psa_type: int, num_: int, h_feature: int, w_feature: int, h_mask: int,
    w_mask: int, half_h_mask: int, half_w_mask: int,
) -> None:  # fmt: skip
    """Add the gradient of :func:`psamask_forward` to ``grad_input``, which mmcv has filled with zeros."""
    index, inside = _psamask_index(h_feature, w_feature, h_mask, w_mask, grad_input.device)
    grad = grad_output if psa_type == 0 else _swap_pixels(grad_output)
    grad_input.scatter_add_(1, index.expand(num_, -1, -1, -1), grad * inside)


def _swap_pixels(tensor: Tensor) -> Tensor:
    return tensor.flatten(2).transpose(1, 2).reshape(tensor.shape)


def masked_im2col_forward(
    im: Tensor, mask_h_idx: Tensor, mask_w_idx: Tensor, col: Tensor, kernel_h: int, kernel_w: int, pad_h: int,
    pad_w: int,
) -> None:  # fmt: skip
    """Copy the patches of ``im``, 1 x C x H x W, around M positions into ``col``, C * kernel_h * kernel_w x M."""
    padded = F.pad(im[0], (pad_w, pad_w, pad_h, pad_h))
    rows = mask_h_idx + torch.arange(kernel_h, device=im.device)[:, None, None]
    columns = mask_w_idx + torch.arange(kernel_w, device=im.device)[:, None]
    col.copy_(padded[:, rows, columns].reshape(col.shape))


def masked_col2im_forward(
    col: Tensor, mask_h_idx: Tensor, mask_w_idx: Tensor, im: Tensor, height: int, width: int, channels: int
) -> None:
    """Put the columns of ``col``, C x M, at M positions of ``im``, 1 x C x H x W."""
    im[0, :, mask_h_idx, mask_w_idx] = col
