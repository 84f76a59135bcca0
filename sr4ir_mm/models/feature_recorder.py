"""Features of named layers of T, without running more of T than they need."""

import re
from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

from ..errors import SR4IRError


class _AllRecorded(BaseException):  # not Exception, which T may catch
    """Leaves T's forward as soon as the last wanted layer has answered."""


class FeatureRecorder:
    """Records outputs of T's layers by name: ``recorder(inputs, data_samples) -> {name: feature}``.

    Hooks live only during a call, and nothing is kept after it. T stops once every layer has been seen: no head, RPN
    or NMS runs to get a backbone feature. Of a layer that runs more than once, the first output counts.

    Args:
        task (nn.Module): T, not wrapped.
        names (Iterable[str]): Module paths, with an index for layers that return a tuple: 'neck[0]'. Without one, a
            tuple's last element is taken. A dict output is indexed by its key: 'backbone[out]'.

    Raises:
        SR4IRError: If T has no such layer; the message lists those there are.
    """

    def __init__(self, task: nn.Module, names: Iterable[str]) -> None:
        self.task = task
        self.layers = {name: _resolve(task, name) for name in names}

    def __call__(self, inputs: Tensor, data_samples: list | None = None) -> dict[str, Tensor]:
        """Run T on N x 3 x H x W normalised images until all layers are recorded."""
        outputs: dict[nn.Module, Any] = {}
        wanted = {module for module, _ in self.layers.values()}

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
        return {name: self._pick(name, outputs, *layer) for name, layer in self.layers.items()}

    @staticmethod
    def _pick(name: str, outputs: dict, module: nn.Module, index: str) -> Tensor:
        if module not in outputs:
            raise SR4IRError(f"TDP layer '{name}' took no part in T's forward pass; choose another layer.")
        feature = outputs[module]
        if isinstance(feature, dict):
            feature = feature.get(index)
        elif isinstance(feature, (tuple, list)):
            try:
                feature = feature[int(index or -1)]
            except (ValueError, IndexError):
                feature = None
        if not isinstance(feature, Tensor):
            kind = type(outputs[module]).__name__
            raise SR4IRError(f"TDP layer '{name}' is no tensor: the module returns a {kind}; write 'path[index]'.")
        return feature


def _resolve(task: nn.Module, name: str) -> tuple[nn.Module, str]:
    match = re.fullmatch(r'([^\[]+)(?:\[(.+)\])?', name)
    path, index = match.groups() if match else ('', None)
    modules = dict(task.named_modules())
    if not path or path not in modules:
        parent = path.rpartition('.')[0]
        while parent and (parent not in modules or not list(modules[parent].children())):
            parent = parent.rpartition('.')[0]
        names = [f'{parent}.{child}' if parent else child for child, _ in modules[parent].named_children()]
        names = [n for n in names if n != 'data_preprocessor']
        raise SR4IRError(f"T ({type(task).__name__}) has no TDP layer '{name}'; there are: {', '.join(names)}.")
    return modules[path], index or ''
