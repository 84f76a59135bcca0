"""Structural similarity, of one definition whatever other packages are installed."""

import math

import torch
from torch import Tensor

#: side of the window in pixels, and standard deviation of its weights
WINDOW, SIGMA = 11, 1.5


def structural_similarity(image: Tensor, reference: Tensor) -> Tensor:
    """Compute the structural similarity (SSIM) of Wang et al., IEEE Transactions on Image Processing 13 (2004).

    The window has 11 x 11 Gaussian weights. Only places where it lies inside the image count; the result is the mean
    over them and the channels. This is the SSIM of BasicSR and mmagic, and in scikit-image
    ``structural_similarity(..., gaussian_weights=True, use_sample_covariance=False, data_range=1)``. torchmetrics from
    1.4 on counts all places and gives other numbers.

    Args:
        image (Tensor): N x C x H x W, [0, 1], both sides at least 11 px.
        reference (Tensor): Image of the same shape.

    Returns:
        Tensor: N values, at most 1.
    """
    # variances are small differences; a device of Apple has no double precision
    dtype = torch.float32 if image.device.type == 'mps' else torch.float64
    x, y = image.to(dtype), reference.to(dtype)
    mean_x, mean_y, mean_xx, mean_yy, mean_xy = _window_means(torch.stack([x, y, x * x, y * y, x * y]))
    variances = mean_xx - mean_x**2 + mean_yy - mean_y**2
    covariance = mean_xy - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + 0.01**2) / (mean_x**2 + mean_y**2 + 0.01**2)
    return (luminance * (2 * covariance + 0.03**2) / (variances + 0.03**2)).mean(dim=(-3, -2, -1))


def _window_means(images: Tensor) -> Tensor:
    weights = [math.exp(-((step - WINDOW // 2) ** 2) / (2 * SIGMA**2)) for step in range(WINDOW)]
    weights = [weight / sum(weights) for weight in weights]
    for dim in (-2, -1):  # several times faster on a CPU than a convolution in double precision
        places = images.shape[dim] - WINDOW + 1
        images = sum(weight * images.narrow(dim, step, places) for step, weight in enumerate(weights))
    return images
