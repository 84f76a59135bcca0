"""Features of the task network in plain PyTorch."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from torch import Tensor, nn

from ...models import SR4IR
from ...models.features import MAP, map_in, pick


class _Stop(BaseException):
    pass


class Features:
    """Function from images to the features of the TDP loss, which leaves the network after the last one.

    Args:
        model (SR4IR): Model with a TDP loss, in eval mode.
        run (Callable): Function that runs the task network on images.
        inputs (Tensor): Normalized HR images, N x 3 x H x W, to find the layers of names with ``[map]``.
        samples (list): Their data samples.
    """

    def __init__(self, model: SR4IR, run: Callable[[Tensor], Any], inputs: Tensor, samples: list) -> None:
        model.recorder.find_maps(inputs, samples)
        self.layers: dict[str, nn.Module] = model.recorder.layers
        self.run = run
        self.images: Tensor | None = None  # only while it runs
        self.found: dict[str, Tensor] = {}
        for module in set(self.layers.values()):
            module.register_forward_hook(self._record)

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Run the task network on normalized images, N x 3 x H x W."""
        self.images, self.found = images, {}
        with suppress(_Stop):
            self.run(images)
        self.images = None
        return self.found

    def _record(self, module: nn.Module, args: tuple, output: Any) -> None:
        if self.images is None:
            return
        for name in (name for name, layer in self.layers.items() if layer is module and name not in self.found):
            feature = map_in(output, self.images) if name.endswith(MAP) else pick(name, output)
            self.found[name] = feature
        if len(self.found) == len(self.layers):
            raise _Stop
        # the network may change them in place later
        self.found = {name: x.clone() if x is feature else x for name, x in self.found.items()}
