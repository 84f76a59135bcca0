"""Tensors in what a layer returns: by their indices, or as a map of the image."""

import re
from functools import lru_cache
from typing import Any

from torch import Tensor

from ..errors import SR4IRError

#: index of a name that means the last map of the image, see :class:`FeatureRecorder`
MAP = '[map]'
#: tokens next to those of the image: of the class, of distillation, registers
_EXTRA_TOKENS = 5


def pick(name: str, output: Any) -> Tensor:
    """Return the tensor that a layer's name means in the output of its module.

    Args:
        name (str): Name with any number of indices: a position in a tuple or list, a key of a dict, or 'fineN', the
            N-th finest of all the tensors by :func:`area` (of equal ones the later first; the coarsest if there are
            fewer). Without a further index, the last entry of the result is taken; of a nested entry, its finest
            tensor (the map, not the class token next to it).
        output (Any): Tensors in nested tuples, lists and dicts; a tensor alone counts as a tuple of one.

    Raises:
        SR4IRError: If the output has no such tensor; the message lists the tensors that it has.
    """
    node = output
    for index in re.findall(r'\[(.+?)\]', name):
        node = _step(node, index)
    if (feature := _last(node)) is None:
        known = ', '.join(f'{name.partition("[")[0]}{index}' for index in tensors(output)) or 'no tensor'
        kind = type(output).__name__
        raise SR4IRError(f"TDP layer '{name}' is no tensor: the module returns a {kind} with these: {known}.")
    return feature


def tensors(output: Any) -> dict[str, Tensor]:
    """Find all tensors in nested tuples, lists and dicts, by their indices: '' (a tensor alone), '[0]', '[1][key]'."""
    if isinstance(output, Tensor):
        return {'': output}
    if isinstance(output, dict):
        items = output.items()
    else:
        items = enumerate(output) if isinstance(output, (tuple, list)) else ()
    return {f'[{key}]{rest}': tensor for key, value in items for rest, tensor in tensors(value).items()}


def area(feature: Tensor) -> int:
    """Count the places of a feature: H W of N x C x H x W, L of tokens N x L x C, 1 of a vector N x C."""
    return (feature.shape[2:] if feature.ndim > 3 else feature.shape[1:-1]).numel()


def last_map(output: Any, image: Tensor) -> Tensor | None:
    """Return the last map of the image in the output of a module: N x C x H x W, or tokens, N x L x C.

    Logits, class tokens and pooled features are no maps. A single place is a map only of an image below 64 px.

    Args:
        output (Any): Tensors in nested tuples, lists and dicts.
        image (Tensor): Image that the task network received, N x 3 x H x W.
    """
    small = min(image.shape[-2:]) < 64
    maps = [x for x in tensors(output).values() if x.ndim in (3, 4) and len(x) == len(image) and x.is_floating_point()]
    return next((x for x in maps[::-1] if area(x) > 1 or (small and x.ndim == 4)), None)


def map_in(output: Any, image: Tensor) -> Tensor:
    """Return the last map of the image as N x C x H x W; of a smaller image than the first ones, it may be a vector.

    Tokens, N x L x C or N x C x L, are reshaped, without those of the class in front. If they fit no grid over the
    image, they are returned as they are.
    """
    feature = last_map(output, image)
    if feature is None:
        return pick('[fine0]', output)
    if feature.ndim == 3:
        for divides, dim, extra in ((True, 1, _EXTRA_TOKENS), (True, 2, 0), (False, 1, _EXTRA_TOKENS), (False, 2, 0)):
            if grid := _grid(feature.shape[dim], *image.shape[-2:], divides, extra):
                tokens = feature if dim == 2 else feature.transpose(1, 2)
                return tokens[..., tokens.shape[-1] - grid[0] * grid[1] :].unflatten(2, grid)
    return feature


@lru_cache
def _grid(count: int, height: int, width: int, divides: bool, extra: int) -> tuple[int, int] | None:
    """Find the rows and columns of tokens over an image, for a stride that divides its sides or for any stride."""
    strides = [s for s in range(1, max(height, width) + 1) if not divides or height % s == width % s == 0]
    grids = [(height // s, width // s) for s in strides] + [(-(-height // s), -(-width // s)) for s in strides]
    grids = [(h, w) for h, w in grids if 1 < h * w <= count <= h * w + extra]
    return max(grids, key=lambda grid: grid[0] * grid[1], default=None)


def _step(node: Any, index: str) -> Any:
    if isinstance(node, dict) and index in (keys := {str(key): key for key in node}):
        return node[keys[index]]
    if fine := re.fullmatch(r'fine(\d+)', index):
        ranked = sorted(tensors(node).values(), key=area)[::-1]  # of equal ones, the later first
        return ranked[min(int(fine[1]), len(ranked) - 1)] if ranked else None
    items = (node,) if isinstance(node, Tensor) else node
    if not re.fullmatch(r'-?\d+', index) or not isinstance(items, (tuple, list)):
        return None
    return items[int(index)] if -len(items) <= int(index) < len(items) else None


def _last(node: Any) -> Tensor | None:
    if isinstance(node, Tensor):
        return node
    entries = node.values() if isinstance(node, dict) else node if isinstance(node, (tuple, list)) else ()
    entries = [entry for entry in entries if tensors(entry)]
    return _step(entries[-1], 'fine0') if entries else None
