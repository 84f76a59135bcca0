"""Features of named layers of the task network, computed without the rest of it."""

import logging
import re
from collections.abc import Callable, Iterable
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from ..errors import SR4IRError
from .features import MAP, last_map, map_in, pick


class _AllRecorded(BaseException):  # not Exception, which T may catch
    """Leave T's forward as soon as the last wanted layer has run."""


class _NoMap(BaseException):
    """Leave T's forward because a layer of a name with ``[map]`` returns no map."""


class FeatureRecorder:
    """Recorder of outputs of the task network's layers: ``recorder(inputs, data_samples) -> {name: feature}``.

    Hooks exist only during a call, and nothing is kept after it. T stops once every named layer has run: no head, RPN
    or NMS runs to get a backbone feature. Of a layer that runs more than once, the first output counts. The first call
    finds the layers of names with ``[map]``, and logs the shape of each feature.

    Args:
        task (nn.Module): Task network T, not wrapped.
        names (Iterable[str]): Module paths, with indices for layers that return more than one tensor: 'neck[0]',
            'backbone[out]' (a key), 'backbone[0][1]' (nested), 'neck[fine0]' (the finest map), see :func:`pick`.
            'backbone[map]' is the last map of the image, N x C x H x W, that T makes up to the end of this module:
            its output, or that of a layer in it if it returns logits or pooled features. Tokens are reshaped.

    Raises:
        SR4IRError: If T has no layer of that name (the message lists the layers that it has), or the layer comes after
            proposals, which are others for the SR than for the HR image.

    Example:
        >>> FeatureRecorder(task, ['neck[0]', 'neck[1]'])(inputs)['neck[0]'].shape
    """

    def __init__(self, task: nn.Module, names: Iterable[str]) -> None:
        self.task = task
        self.layers = {name: _resolve(task, name) for name in names}
        self._is_first = True

    def __call__(self, inputs: Tensor, data_samples: list | None = None) -> dict[str, Tensor]:
        """Run T on N x 3 x H x W normalized images until all layers are recorded."""
        try:
            features = self._record(inputs, data_samples)
        except _NoMap:
            self.find_maps(inputs, data_samples)
            features = self._record(inputs, data_samples)
        if torch.is_grad_enabled() and inputs.requires_grad:
            _check_gradient(features)
        if self._is_first:
            self._log(features)
        self._is_first = False
        return features

    def paths(self) -> dict[str, str]:
        """Return the module path of each name; after the first call, names with ``[map]`` have their own."""
        found = {module: path for path, module in self.task.named_modules()}
        return {name: found[module] for name, module in self.layers.items()}

    def _record(self, inputs: Tensor, data_samples: list | None) -> dict[str, Tensor]:
        features: dict[str, Tensor] = {}
        pending = set(self.layers.values())

        def record(module: nn.Module, output: Any) -> bool:
            if module in pending:
                pending.remove(module)
                for name in (name for name, layer in self.layers.items() if layer is module):
                    if self._is_first and name.endswith(MAP) and last_map(output, inputs) is None:
                        raise _NoMap
                    feature = map_in(output, inputs) if name.endswith(MAP) else pick(name, output)
                    features[name] = feature.clone() if pending else feature  # T may change it in place later
            return not pending

        self._run(inputs, data_samples, self.layers.values(), record)
        for name, layer in self.layers.items():
            if layer in pending:
                raise SR4IRError(f"TDP layer '{name}' did not run in the task network's forward pass; choose another.")
        return {name: features[name] for name in self.layers}

    @torch.no_grad()
    def find_maps(self, inputs: Tensor, data_samples: list | None = None) -> None:
        """Run T on images to find the layers of names with ``[map]``, as the first call does if it has to."""
        pending = {layer: name for name, layer in self.layers.items() if name.endswith(MAP)}
        names, seen, latest = dict(pending), set(), None

        def watch(module: nn.Module, output: Any) -> bool:
            nonlocal latest
            if module not in seen and last_map(output, inputs) is not None:
                latest = module
            seen.add(module)
            if pending.pop(module, None):
                self.layers[names[module]] = latest
            return not pending

        if pending:
            self._run(inputs, data_samples, self.task.modules(), watch)
        for name, layer in self.layers.items():
            if layer is None:
                raise SR4IRError(
                    f"TDP layer '{name}': the task network makes no map of the image up to there. Name another layer "
                    'in model.tdp.layers. The candidates: python tools/analysis_tools/list_layers.py CONFIG'
                )

    def _run(
        self, inputs: Tensor, data_samples: list | None, modules: Iterable[nn.Module], hook: Callable[..., bool]
    ) -> None:
        """Run T until ``hook(module, output)`` returns True."""

        def call(module: nn.Module, args: tuple, output: Any) -> None:
            if hook(module, output):
                raise _AllRecorded

        handles = [module.register_forward_hook(call) for module in set(modules)]
        try:
            self.task(inputs, data_samples, mode='tensor')
        except _AllRecorded:
            pass
        finally:
            for handle in handles:
                handle.remove()

    def _log(self, features: dict[str, Tensor]) -> None:
        for name, path in self.paths().items():
            feature = features[name].detach()
            shape, size = ' x '.join(map(str, feature.shape)), float(feature.float().abs().mean())
            place = f"'{name}'" if path == name.partition('[')[0] else f"'{name}', which is '{path}'"
            print_log(f'TDP layer {place}: {shape}, mean |x| {size:.3g}', 'current')
            if size == 0:
                text = f"TDP layer '{name}' is zero for the first HR images: it compares nothing while this is so."
                print_log(text, 'current', logging.WARNING)


def _check_gradient(features: dict[str, Tensor]) -> None:
    for name, feature in features.items():
        if not feature.requires_grad:
            raise SR4IRError(
                f"No gradient flows from TDP layer '{name}' to the image: the task network runs it without a graph, or "
                'in a checkpoint that saves memory (with_cp). Choose another layer, or turn that off.'
            )


def _resolve(task: nn.Module, name: str) -> nn.Module:
    path = re.fullmatch(r'([^\[\]]+)(\[[^\[\]]+\])*', name)
    if MAP in name and name.count('[') > 1:
        raise SR4IRError(f"TDP layer '{name}': {MAP} finds the map itself; leave out the other indices.")
    modules = dict(task.named_modules())
    if path and path[1] in modules:
        _check_no_proposals(task, name, path[1])
        return modules[path[1]]
    parent = name.partition('[')[0].rpartition('.')[0]
    while parent and (parent not in modules or not list(modules[parent].children())):
        parent = parent.rpartition('.')[0]
    names = [f'{parent}.{child}' if parent else child for child, _ in modules[parent].named_children()]
    names = [n for n in names if n != 'data_preprocessor']
    raise SR4IRError(f"The task network ({type(task).__name__}) has no TDP layer '{name}'; it has: {', '.join(names)}.")


def _check_no_proposals(task: nn.Module, name: str, path: str) -> None:
    after = {'roi_head', 'roi_heads'}
    if any(getattr(module, 'as_two_stage', False) for module in task.modules()):  # of the DETR family
        after |= {'decoder', 'bbox_head'}
    if after & set(path.split('.')):
        raise SR4IRError(
            f"TDP layer '{name}' comes after the task network's proposals. Those of the SR image are others than those "
            "of the HR image, so the features cannot be compared: choose an earlier layer, such as 'backbone'."
        )
