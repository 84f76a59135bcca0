"""What the networks receive in training, as pictures."""

import copy
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import VISUALIZERS
from mmengine.runner import Runner, set_random_seed
from mmengine.structures import BaseDataElement
from mmengine.visualization import Visualizer
from torch import Tensor

from ..config.building import build_model
from ..config.zoo import without_weights
from ..models import SR4IR
from ..utils import to_uint8
from ..visualization import Panel
from ..visualization.drawing import drawing_visualizer
from ..visualization.panel import set_size
from ..visualization.parts import draw_whole


def training_panels(cfg: Config, seed: int = 0) -> Iterator[tuple[str, Panel]]:
    """Draw each training image as the networks receive it: after the pipeline, the preprocessor and the degradation.

    The SR network does not run. In the mix, bilinear up-sampling stands for its image.

    Args:
        cfg (Config): Config of a training.
        seed (int): Seed of the order, the augmentations, the degradation and CQMix.

    Yields:
        tuple[str, Panel]: Path of an image, and its pictures in the size of the batch.
    """
    cfg = copy.deepcopy(cfg)
    cfg.model = without_weights(cfg.model)
    model = build_model(cfg)  # sets the scope
    loader = {**cfg.train_dataloader, 'num_workers': 0, 'persistent_workers': False}
    loader.pop('prefetch_factor', None)
    set_random_seed(seed)
    loader = Runner.build_dataloader(loader, seed=seed)
    visualizer = _visualizer(cfg, getattr(loader.dataset, 'metainfo', None))
    for data in loader:
        batch = model.data_preprocessor(data, True)
        pictures = _images(model, batch['inputs'])
        for i, sample in enumerate(batch['data_samples']):
            images = {title: to_uint8(image[i]) for title, image in pictures.items()}
            yield sample.get('img_path', ''), _panel(visualizer, sample, images)


def learned_images(model: SR4IR) -> list[str]:
    """Return the names of the images from which the task network learns: 'hr', 'bilinear', 'sr', 'mix'."""
    return list(dict.fromkeys(name for phase in model.scheme.phases for name in phase.task))


def _images(model: SR4IR, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the pictures of a batch by their titles, N x 3 x H x W in [0, 1]."""
    lr, hr = inputs['lr'], inputs['hr']
    bilinear = model.select_input('bilinear', inputs)
    whole = F.interpolate(lr, scale_factor=model.scale, mode='nearest')[..., : hr.shape[-2], : hr.shape[-1]]
    degradation = type(model.data_preprocessor.degradation).__name__
    found = {f'LR, {lr.shape[-1]} x {lr.shape[-2]} px: {degradation}': whole, 'bilinear': bilinear, 'HR': hr}
    if 'mix' in learned_images(model):
        mask = torch.empty(len(hr), 1, model.cqmix.grid, model.cqmix.grid).bernoulli_(model.cqmix.prob)
        black, white = torch.zeros_like(hr), torch.ones_like(hr)
        found['CQMix: white is SR, black is HR'] = model.cqmix(white, black, mask)
        found['CQMix of bilinear (for SR) and HR'] = model.cqmix(bilinear, hr, mask)
    return found


def _panel(visualizer: Visualizer, sample: BaseDataElement, images: dict[str, np.ndarray]) -> Panel:
    titles = list(images)
    set_size(visualizer, *images['HR'].shape[:2])
    truth = draw_whole(visualizer, images['HR'], sample, is_truth=True)
    below = {'ground truth': truth} | {title: images[title] for title in titles[3:]}
    return Panel({title: images[title] for title in titles[:3]}, below)


def _visualizer(cfg: Config, meta: dict | None) -> Visualizer:
    built = VISUALIZERS.build(
        {'type': 'Visualizer', **(cfg.get('visualizer') or {}), 'vis_backends': [], 'name': 'browse'}
    )
    built.dataset_meta = meta
    return drawing_visualizer(built)
