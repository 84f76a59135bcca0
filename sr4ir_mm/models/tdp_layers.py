"""Default layers of the TDP loss."""

from torch import nn

from ..errors import SR4IRError
from .features import MAP


def default_layers(task: nn.Module) -> dict[str, float]:
    """Choose layers and weights as the paper does: the two finest levels of a neck, or the last map of the backbone.

    Only the names and types of T's modules count; nothing runs. In networks that have neither a backbone nor an image
    encoder, such as those of timm, it is the last map before the classifier. :class:`FeatureRecorder` finds the map.

    Args:
        task (nn.Module): Task network T, not wrapped.

    Returns:
        dict[str, float]: Weights by layer, for :class:`TDPLoss`, e.g. ``{'neck[fine0]': 0.5, 'neck[fine1]': 0.5}``.

    Raises:
        SR4IRError: If T has none of these places, or more than one.
    """
    if hasattr(task, 'tdp_layers'):  # networks of transformers, whose parts have names of their own
        return task.tdp_layers
    modules = dict(task.named_modules())
    paths = [path for path in modules if path.rpartition('.')[2] in ('backbone', 'image_encoder')]
    depth = min((path.count('.') for path in paths), default=0)
    paths = [path for path in paths if path.count('.') == depth]
    if len(paths) == 1:
        backbone = paths[0]
        for neck in (backbone.rpartition('.')[0] + '.neck').lstrip('.'), f'{backbone}.fpn':  # fpn: torchvision's
            if neck in modules and _makes_maps(modules[neck]):
                return {f'{neck}[fine0]': 0.5, f'{neck}[fine1]': 0.5}
        return {f'{backbone}{MAP}': 1.0}
    body = None if paths else _before_classifier(task)
    if body is None:
        why = f'several backbones ({", ".join(paths)})' if paths else 'no backbone'
        raise SR4IRError(
            f'The task network ({type(task).__name__}) has {why}: set model.tdp.layers, e.g. '
            "{'path.of.a.module': 1.0}. The candidates: python tools/analysis_tools/list_layers.py CONFIG"
        )
    return {f'{body}{MAP}': 1.0}


def _makes_maps(neck: nn.Module) -> bool:
    """Exclude necks of mmpretrain, which pool, project or decode, or run for the loss only."""
    libraries = {type(module).__module__.partition('.')[0] for module in neck.modules()}
    return 'mmpretrain' not in libraries and any(True for _ in neck.parameters())


def _before_classifier(task: nn.Module) -> str | None:
    """Find the last but one part with parameters of the only network in T."""
    nets = _trainable_children(task, '')
    parts = _trainable_children(*nets[0]) if len(nets) == 1 else []
    parts = [(part, path) for part, path in parts if 'aux' not in path.lower()]  # torchvision's, only for the loss
    if len(parts) < 2:
        return None
    module, path = parts[-2]
    while isinstance(module, nn.ModuleList):  # which is never called itself
        module, path = _trainable_children(module, path)[-1]
    return path


def _trainable_children(module: nn.Module, path: str) -> list[tuple[nn.Module, str]]:
    named = ((child, f'{path}.{name}'.lstrip('.')) for name, child in module.named_children())
    return [(child, name) for child, name in named if any(True for _ in child.parameters())]
