"""Learning rates that decay from the last layer of a backbone to the first, for any backbone."""

from collections.abc import Iterator
from typing import Any

from mmengine.logging import print_log
from mmengine.optim import DefaultOptimWrapperConstructor
from torch import Tensor, nn

from ..errors import SR4IRError
from ..models import HFClassifier
from ..registry import OPTIM_WRAPPER_CONSTRUCTORS
from ..utils import check_number, check_positive
from ..utils.blocks import LISTS, is_block

Layers = list[tuple[dict[str, Tensor], bool]]


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class LayerDecayOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """Multiply the learning rate of a layer by ``layer_decay_rate`` for each layer after it.

    Those of the zoos know the names of a few of their own backbones. This one numbers the repeated blocks of any
    backbone in the order in which it has them, also those of transformers and timm, and of :class:`HFClassifier`. A
    backbone of mmpretrain that numbers its layers itself (``get_layer_depth``) does so here, too. What comes before the
    first block has the lowest rate. What comes after the last one, such as the head, has that of the optimizer.

    Args:
        optim_wrapper_cfg (dict): As in MMEngine.
        paramwise_cfg (dict): As in MMEngine, with ``layer_decay_rate`` in (0, 1]. Multipliers of learning rates
            (``custom_keys``) count in addition.

    Raises:
        SR4IRError: If the rate is missing or out of range, the optimizer has no ``lr``, or the network has no backbone
            with repeated blocks that hold most of its weights.

    Example:
        >>> task = dict(optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.05),
        ...             constructor='sr4ir_mm.LayerDecayOptimWrapperConstructor',
        ...             paramwise_cfg=dict(layer_decay_rate=0.75, norm_decay_mult=0.0, bias_decay_mult=0.0))
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None) -> None:
        super().__init__(optim_wrapper_cfg, paramwise_cfg)
        rate = self.paramwise_cfg.get('layer_decay_rate')
        if rate is None:
            raise SR4IRError('LayerDecayOptimWrapperConstructor needs paramwise_cfg.layer_decay_rate, such as 0.75.')
        check_number('LayerDecayOptimWrapperConstructor', low=0, high=1, layer_decay_rate=rate)
        check_positive('LayerDecayOptimWrapperConstructor', layer_decay_rate=rate)
        if self.base_lr is None:
            raise SR4IRError('LayerDecayOptimWrapperConstructor needs optimizer.lr, the rate of the last layer.')

    def add_params(self, params: list[dict], module: nn.Module, prefix: str = '', **kwargs: Any) -> None:
        """Add the groups of MMEngine, then multiply their learning rates once, for the whole network."""
        super().add_params(params, module, prefix, **kwargs)
        if not prefix:
            rate, steps = self.paramwise_cfg['layer_decay_rate'], layers_after(module)
            names = {id(value): name for name, value in module.named_parameters()}
            for group in params:
                scale = rate ** steps[names[id(group['params'][0])]]
                group['lr'] = group.get('lr', self.base_lr) * scale
            count = max(steps.values())
            lowest = f'{self.base_lr * rate**count:.2g}'
            print_log(f'layer_decay_rate={rate}: {count} layers, the lowest learning rate is {lowest}', 'current')


def layers_after(task: nn.Module) -> dict[str, int]:
    """Return for each parameter of a task network how many layers of the backbone come after its own.

    Raises:
        SR4IRError: If it has no backbone with repeated blocks that hold most of its weights.
    """
    path = 'net' if isinstance(task, HFClassifier) else 'backbone'
    backbone, names = getattr(task, path, None), [name for name, _ in task.named_parameters()]
    try:
        if hasattr(backbone, 'get_layer_depth'):  # of mmpretrain
            depths = {name: backbone.get_layer_depth(name, f'{path}.') for name in names}
            return {name: count - depth - 1 for name, (depth, count) in depths.items()}
    except NotImplementedError:
        pass  # a ResNet that has other stages than those of 50, 101 or 152 layers
    layers = list(_layers(backbone, f'{path}.', 1)) if backbone is not None else []
    last = max((i for i, (_, is_layer) in enumerate(layers) if is_layer), default=-1)
    if _size(layers[last + 1 :]) >= _size(layers) / 2:
        raise SR4IRError(
            f'The task network ({type(task).__name__}) has no backbone with repeated blocks, for which '
            'LayerDecayOptimWrapperConstructor could set learning rates: use custom_keys of MMEngine instead.'
        )
    found, steps = dict.fromkeys(names, 0), sum(is_layer for _, is_layer in layers) + 1
    for group, is_layer in layers[: last + 1]:
        steps -= is_layer
        found.update(dict.fromkeys(group, steps))
    return found


def _layers(module: nn.Module, prefix: str, level: int) -> Iterator[tuple[dict[str, Tensor], bool]]:
    """Yield parameters by name, block by block, and whether they are of a block; level 2 is in stages of blocks."""
    yield {prefix + name: value for name, value in module.named_parameters(recurse=False)}, False
    repeats = isinstance(module, LISTS) and any(map(is_block, module.children()))
    for name, child in module.named_children():
        path = f'{prefix}{name}.'
        inner = list(_layers(child, path, level + repeats))
        # a stage consists of blocks; a block may have a small one in it, such as squeeze and excitation
        if repeats and is_block(child) and (level == 2 or not _is_stage(inner)):
            yield {path + name: value for name, value in child.named_parameters()}, True
        else:
            yield from inner


def _is_stage(layers: Layers) -> bool:
    return _size([layer for layer in layers if layer[1]]) > _size(layers) / 2


def _size(layers: Layers) -> int:
    return sum(value.numel() for group, _ in layers for value in group.values())
