"""What a block of a network is: the part that it repeats, such as a residual block or the layer of a transformer."""

from torch import nn

#: modules that hold blocks in the order in which they run
LISTS = nn.ModuleList, nn.Sequential


def is_block(module: nn.Module) -> bool:
    """Return whether a module can be a block: it has two or more layers, norms not counted, and is not itself a list.

    A convolution with its norm, or an embedding of patches with their positions, is none.
    """
    return not isinstance(module, LISTS) and sum(map(_is_layer, module.modules())) > 1


def _is_layer(module: nn.Module) -> bool:
    return any(name.endswith('weight') and value.ndim > 1 for name, value in module.named_parameters(recurse=False))
