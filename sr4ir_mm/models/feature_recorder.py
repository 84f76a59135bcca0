"""Features of named layers of the task network, computed without the rest of it."""

import re
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import SR4IRError


class _AllRecorded(BaseException):  # not Exception, which T may catch
    """Leave T's forward as soon as the last wanted layer has run."""


class FeatureRecorder:
    """Recorder of outputs of the task network's layers: ``recorder(inputs, data_samples) -> {name: feature}``.

    Hooks exist only during a call, and nothing is kept after it. T stops once every named layer has run: no head, RPN
    or NMS runs to get a backbone feature. Of a layer that runs more than once, the first output counts.

    Args:
        task (nn.Module): Task network T, not wrapped.
        names (Iterable[str]): Module paths, with indices for layers that return more than one tensor: 'neck[0]',
            'backbone[out]' (a key), 'backbone[0][1]' (nested), 'neck[fine0]' (the finest map). See :func:`pick`.

    Raises:
        SR4IRError: If T has no layer of that name; the message lists the layers that it has.

    Example:
        >>> FeatureRecorder(task, ['neck[0]', 'neck[1]'])(inputs)['neck[0]'].shape
    """

    def __init__(self, task: nn.Module, names: Iterable[str]) -> None:
        self.task = task
        self.layers = {name: _resolve(task, name) for name in names}

    def __call__(self, inputs: Tensor, data_samples: list | None = None) -> dict[str, Tensor]:
        """Run T on N x 3 x H x W normalized images until all layers are recorded."""
        outputs: dict[nn.Module, Any] = {}
        wanted = set(self.layers.values())

        def record(module: nn.Module, args: tuple, output: Any) -> None:
            outputs.setdefault(module, output)
            if len(outputs) == len(wanted):
                raise _AllRecorded

        handles = [module.register_forward_hook(record) for module in wanted]
        try:
            self.task(inputs, data_samples, mode='tensor')
        except _AllRecorded:
            pass
        finally:
            for handle in handles:
                handle.remove()
        features = {name: self._feature(name, module, outputs) for name, module in self.layers.items()}
        if torch.is_grad_enabled() and inputs.requires_grad:
            _check_gradient(features)
        return features

    @staticmethod
    def _feature(name: str, module: nn.Module, outputs: dict) -> Tensor:
        if module not in outputs:
            raise SR4IRError(f"TDP layer '{name}' did not run in the task network's forward pass; choose another.")
        return pick(name, outputs[module])


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


def _check_gradient(features: dict[str, Tensor]) -> None:
    for name, feature in features.items():
        if not feature.requires_grad:
            raise SR4IRError(
                f"No gradient flows from TDP layer '{name}' to the image: the task network runs it without a graph, or "
                'in a checkpoint that saves memory (with_cp). Choose another layer, or turn that off.'
            )


def _resolve(task: nn.Module, name: str) -> nn.Module:
    path = re.fullmatch(r'([^\[\]]+)(\[[^\[\]]+\])*', name)
    modules = dict(task.named_modules())
    if path and path[1] in modules:
        return modules[path[1]]
    parent = name.partition('[')[0].rpartition('.')[0]
    while parent and (parent not in modules or not list(modules[parent].children())):
        parent = parent.rpartition('.')[0]
    names = [f'{parent}.{child}' if parent else child for child, _ in modules[parent].named_children()]
    names = [n for n in names if n != 'data_preprocessor']
    raise SR4IRError(f"The task network ({type(task).__name__}) has no TDP layer '{name}'; it has: {', '.join(names)}.")
