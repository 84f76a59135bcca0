"""The layers of T that the TDP loss takes when no one names any."""

from torch import nn

from ..errors import SR4IRError


def default_layers(task: nn.Module) -> dict[str, float]:
    """Layers and weights after the paper: the two finest levels of a neck, else the last stage of the backbone.

    Only looks at the modules of T, and runs nothing. In nets that have neither a backbone nor an image encoder, such
    as those of timm, the feature is what the last part before the classifier returns.

    Args:
        task (nn.Module): T, not wrapped.

    Returns:
        dict[str, float]: As :class:`TDPLoss` takes them, e.g. ``{'neck[fine0]': 0.5, 'neck[fine1]': 0.5}``.

    Raises:
        SR4IRError: If T has no such place, or more than one.
    """
    modules = dict(task.named_modules())
    paths = [path for path in modules if path.rpartition('.')[2] in ('backbone', 'image_encoder')]
    depth = min((path.count('.') for path in paths), default=0)
    paths = [path for path in paths if path.count('.') == depth]
    if len(paths) == 1:
        backbone = paths[0]
        for neck in (backbone.rpartition('.')[0] + '.neck').lstrip('.'), f'{backbone}.fpn':  # fpn: torchvision's
            if neck in modules and _makes_maps(modules[neck]):
                return {f'{neck}[fine0]': 0.5, f'{neck}[fine1]': 0.5}
        return {backbone: 1.0}
    body = None if paths else _before_classifier(task)
    if body is None:
        why = f'several backbones ({", ".join(paths)})' if paths else 'no backbone'
        raise SR4IRError(
            f"T ({type(task).__name__}) has {why}, so set model.tdp.layers, e.g. {{'path.of.a.module': 1.0}}; "
            'python tools/analysis_tools/list_layers.py CONFIG lists the candidates.'
        )
    return {f'{body}[fine0]': 1.0}  # the map, where there is a pooled vector beside it


def _makes_maps(neck: nn.Module) -> bool:
    """Necks of mmpretrain pool, project or decode, or stand aside except for the loss."""
    libraries = {type(module).__module__.partition('.')[0] for module in neck.modules()}
    return 'mmpretrain' not in libraries and any(True for _ in neck.parameters())


def _before_classifier(task: nn.Module) -> str | None:
    """The last but one part with parameters of the only net in T."""
    nets = _learning_children(task, '')
    parts = _learning_children(*nets[0]) if len(nets) == 1 else []
    if len(parts) < 2:
        return None
    module, path = parts[-2]
    while isinstance(module, nn.ModuleList):  # which is never called itself
        module, path = _learning_children(module, path)[-1]
    return path


def _learning_children(module: nn.Module, path: str) -> list[tuple[nn.Module, str]]:
    named = ((child, f'{path}.{name}'.lstrip('.')) for name, child in module.named_children())
    return [(child, name) for child, name in named if any(True for _ in child.parameters())]
