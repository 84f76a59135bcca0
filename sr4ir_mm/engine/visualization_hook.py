"""Pictures of what S made and what T saw in it."""

import copy
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch.nn.functional as F
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from ..registry import HOOKS


@HOOKS.register_module()
class SRVisualizationHook(Hook):
    """Saves a panel LR | SR | HR | ground truth | prediction of each test image, drawn by T's own visualizer.

    Args:
        out_dir (str): Folder for the pictures, ``<name of the image>.png``.
        interval (int): Draw every so many batches.
    """

    def __init__(self, out_dir: str, interval: int = 1) -> None:
        self.out_dir = Path(out_dir)
        self.interval = interval

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: list | None = None
    ) -> None:
        """Draw the data samples of one batch."""
        if not self.every_n_inner_iters(batch_idx, self.interval):
            return
        self.out_dir.mkdir(parents=True, exist_ok=True)
        visualizer = copy.copy(runner.visualizer)
        visualizer._vis_backends = {}  # it also draws for us, but only we save
        for i, sample in enumerate(outputs):
            stem = Path(sample.metainfo.get('img_path', f'{batch_idx:06d}_{i}')).stem
            _save(self.out_dir / f'{stem}.png', _panels(visualizer, sample))


def _panels(visualizer: object, sample: object) -> dict[str, np.ndarray]:
    """Titles and H x W x 3 RGB uint8 images, all of the size in which T predicts (the original image's)."""
    size = tuple(sample.metainfo.get('ori_shape', sample.hr.shape[-2:])[:2])
    lr = _uint8(_unpad(sample.lr, sample), size, 'nearest')
    sr, hr = (_uint8(_unpad(image, sample), size, 'bilinear') for image in (sample.sr, sample.hr))
    return {
        'LR': lr,
        'SR (what T sees)': sr,
        'HR': hr,
        'ground truth': _draw(visualizer, hr, sample, draw_gt=True, draw_pred=False),
        'prediction': _draw(visualizer, sr, sample, draw_gt=False, draw_pred=True),
    }


def _draw(visualizer: object, image: np.ndarray, sample: object, **what: bool) -> np.ndarray:
    visualizer.set_image(image)  # which stays where there is nothing to draw
    if hasattr(visualizer, 'visualize_cls'):  # mmpretrain, whose add_datasample does nothing
        visualizer.visualize_cls(image.copy(), sample.cpu(), **what)
    else:
        visualizer.add_datasample('panel', image.copy(), sample.cpu(), **what)
    return visualizer.get_image()


def _unpad(image: Tensor, sample: object) -> Tensor:
    """Without the padding of T's preprocessor; ``image`` is of any resolution."""
    whole = sample.hr.shape[-2:]
    part = sample.metainfo.get('img_shape', whole)
    height, width = (-(-part[i] * image.shape[i - 2] // whole[i]) for i in (0, 1))  # rounded up
    return image[..., :height, :width]


def _uint8(image: Tensor, size: tuple[int, int], mode: str) -> np.ndarray:
    image = F.interpolate(image[None].float(), size=size, mode=mode)[0].clamp(0, 1)
    return (image * 255).round().byte().permute(1, 2, 0).cpu().numpy()


def _save(path: Path, panels: dict[str, np.ndarray]) -> None:
    height, width = next(iter(panels.values())).shape[:2]
    figure, axes = plt.subplots(1, len(panels), figsize=(3 * len(panels), 3 * height / width + 0.4), squeeze=False)
    for axis, (title, image) in zip(axes[0], panels.items()):
        axis.imshow(image)
        axis.set_title(title)
        axis.axis('off')
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)
