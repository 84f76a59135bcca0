"""Drawing predictions and ground truth by the visualizers of the zoos."""

import numpy as np
from mmengine.registry import VISUALIZERS, DefaultScope
from mmengine.structures import BaseDataElement
from mmengine.visualization import Visualizer

_OF_ZOOS = dict(mmseg='SegLocalVisualizer', mmdet='DetLocalVisualizer', mmpretrain='UniversalVisualizer')


def draw_sample(
    visualizer: Visualizer, image: np.ndarray, sample: BaseDataElement, scores: bool = True, **options: bool
) -> np.ndarray:
    """Draw a data sample on an image.

    Args:
        visualizer (Visualizer): Visualizer of the task network.
        image (np.ndarray): Image, H x W x 3, uint8, RGB, of the sample's ``ori_shape``.
        sample (BaseDataElement): Data sample of the task network.
        scores (bool): Whether to write the scores of classes of whole images.
        **options (bool): 'draw_gt' and 'draw_pred', and other options of the visualizer.

    Returns:
        np.ndarray: H x W x 3, uint8, RGB; the image itself if the sample has nothing to draw.
    """
    visualizer.set_image(image)  # the result if nothing is drawn
    if labels_whole_images(visualizer):
        visualizer.visualize_cls(image.copy(), sample.cpu(), draw_score=scores, **options)
    else:
        visualizer.add_datasample('panel', image.copy(), sample.cpu(), **options)
    return visualizer.get_image()


def labels_whole_images(visualizer: Visualizer) -> bool:
    """Return whether the visualizer is that of mmpretrain, which writes classes of whole images."""
    return hasattr(visualizer, 'visualize_cls')  # its add_datasample draws nothing


def drawing_visualizer(visualizer: Visualizer) -> Visualizer:
    """Return the visualizer if it can draw, else that of the task network's library.

    A config without a visualizer has MMEngine's, which draws no data samples.
    """
    scope = DefaultScope.get_current_instance()
    name = _OF_ZOOS.get(scope.scope_name) if scope else None
    if type(visualizer) is not Visualizer or not name:
        return visualizer
    found = VISUALIZERS.build(dict(type=f'{scope.scope_name}.{name}', name=f'{visualizer.instance_name}_samples'))
    found.dataset_meta = visualizer.dataset_meta
    return found
