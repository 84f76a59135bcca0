"""Drawing predictions and ground truth by the visualizers of the zoos."""

from collections.abc import Iterable
from inspect import Parameter, signature

import numpy as np
from mmengine.registry import VISUALIZERS, DefaultScope
from mmengine.structures import BaseDataElement
from mmengine.visualization import Visualizer

from ..errors import SR4IRError
from .quick_drawing import QuickDrawing, quick

#: arguments of the visualizers that are no options, or that this package sets
_SET_HERE = {
    'name',
    'image',
    'data_sample',
    'draw_gt',
    'draw_pred',
    'draw_score',
    'show',
    'wait_time',
    'out_file',
    'step',
}
_PLAIN = Parameter.POSITIONAL_OR_KEYWORD
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


def check_drawing(visualizer: Visualizer, options: Iterable[str]) -> None:
    """Check names of options of :func:`draw_sample`.

    Raises:
        SR4IRError: If the visualizer has no such option; the message lists those that it has.
    """
    draw = visualizer.visualize_cls if labels_whole_images(visualizer) else visualizer.add_datasample
    known = [
        name for name, entry in signature(draw).parameters.items() if name not in _SET_HERE and entry.kind is _PLAIN
    ]
    if wrong := sorted(set(options) - set(known)):
        raise SR4IRError(f"Unknown option '{wrong[0]}'; the visualizer has: {', '.join(known)}.")


def check_display() -> None:
    """Check that windows can be shown: without a display MMEngine would wait for a key forever.

    Raises:
        SR4IRError: If they cannot.
    """
    import matplotlib.pyplot as plt  # chooses a backend

    if plt.get_backend().lower() in ('agg', 'cairo', 'pdf', 'pgf', 'ps', 'svg', 'template'):
        raise SR4IRError('No window can be shown, as there is no display: leave out show (--show), and save pictures.')


def labels_whole_images(visualizer: Visualizer) -> bool:
    """Return whether the visualizer is that of mmpretrain, which writes classes of whole images."""
    return hasattr(visualizer, 'visualize_cls')  # its add_datasample draws nothing


def draws_zoo_fields(visualizer: Visualizer) -> bool:
    """Return whether a visualizer is one of the zoos themselves, which draw known fields of a data sample."""
    kind = type(visualizer)
    kind = kind.__bases__[-1] if issubclass(kind, QuickDrawing) else kind
    return _OF_ZOOS.get(kind.__module__.partition('.')[0]) == kind.__name__


def drawing_visualizer(visualizer: Visualizer) -> Visualizer:
    """Return the visualizer if it can draw, else that of the task network's library; both draw as :func:`quick` does.

    A config without a visualizer has MMEngine's, which draws no data samples.
    """
    if type(visualizer) is not Visualizer:
        return quick(visualizer)
    scope = DefaultScope.get_current_instance()
    name = _OF_ZOOS.get(scope.scope_name) if scope else None
    if not name:
        return visualizer
    found = VISUALIZERS.build(dict(type=f'{scope.scope_name}.{name}', name=f'{visualizer.instance_name}_samples'))
    found.dataset_meta = visualizer.dataset_meta
    return quick(found)
