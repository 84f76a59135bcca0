"""Draw degraded images: python docs/figures/degradations.py IMAGE [docs/degradations.png]

The file is the same for the same image and the same PyTorch.
"""

import sys

import matplotlib.pyplot as plt
import torch
from mmengine.config import Config
from torch import Tensor
from torchvision.io import ImageReadMode, read_image

from sr4ir_mm.models import RandomDegradation
from sr4ir_mm.registry import MODELS

CONFIG = 'configs/_base_/degradations/practical_x4.py'
DOWN = dict(type='Downsample')
#: single steps, each at its strongest, before or after down-sampling
SINGLE = {
    'down-sampling': [DOWN],
    'blur': [dict(type='RandomGaussianBlur', kernel_size=21, sigma=(3.0, 3.0), border_type='replicate', p=1.0), DOWN],
    'noise': [DOWN, dict(type='RandomNoise', std=(0.08, 0.08))],
    'gray noise': [DOWN, dict(type='RandomNoise', std=(0.08, 0.08), gray=1.0)],
    'JPEG': [DOWN, dict(type='RandomJPEG', jpeg_quality=(30.0, 30.0))],
}


def degraded(hr: Tensor) -> dict[str, Tensor]:
    """Return titles and images, each 1 x 3 x h x w in [0, 1]."""
    torch.manual_seed(0)
    mixture = MODELS.build(Config.fromfile(CONFIG).degradation)
    images = {'HR': hr} | {name: RandomDegradation(4, steps)(hr) for name, steps in SINGLE.items()}
    return images | {f'mixture, draw {i}': mixture(hr) for i in range(1, 7)}


def main(image: str, out: str = 'docs/degradations.png') -> None:
    """Write the picture."""
    hr = read_image(image, ImageReadMode.RGB)[None] / 255
    figure, axes = plt.subplots(2, 6, figsize=(12, 4.1 * hr.shape[-2] / hr.shape[-1] + 0.6))
    for axis, (title, lr) in zip(axes.flat, degraded(hr).items()):
        axis.imshow(lr[0].permute(1, 2, 0), interpolation='nearest')
        axis.set_title(title, fontsize=10)
        axis.set_axis_off()
    figure.tight_layout(pad=0.4)
    figure.savefig(out, dpi=100, pil_kwargs=dict(optimize=True))


if __name__ == '__main__':
    main(*sys.argv[1:])
