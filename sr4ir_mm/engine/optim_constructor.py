"""One optimizer wrapper for each net that learns."""

from mmengine.optim import OptimWrapperDict, build_optim_wrapper
from torch import nn

from ..errors import SR4IRError
from ..registry import OPTIM_WRAPPER_CONSTRUCTORS
from ..utils import unwrap
from .accumulate import share_scaler


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class SR4IROptimWrapperConstructor:
    """Builds the wrappers 'sr' and 'task', each from exactly what its zoo's config says.

    Each part may have its own ``type``, ``constructor``, ``paramwise_cfg``, clipping and accumulation. Nets that the
    scheme never trains get none.

    Args:
        optim_wrapper_cfg (dict): ``dict(sr=dict(...), task=dict(...))``.
        paramwise_cfg (dict, optional): Not used here; it belongs into the parts.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None) -> None:
        if paramwise_cfg is not None:
            raise SR4IRError('paramwise_cfg belongs into optim_wrapper.sr or optim_wrapper.task, not beside them.')
        self.cfg = optim_wrapper_cfg

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        """Build the wrappers of an :class:`SR4IR` model, wrapped for distributed training or not."""
        model = unwrap(model)
        missing = [name for name in model.learning if name not in self.cfg]
        if missing:
            raise SR4IRError(f'The scheme trains {model.learning}, but optim_wrapper has no {missing}: add it.')
        wrappers = {name: build_optim_wrapper(getattr(model, name), self.cfg[name]) for name in model.learning}
        if any(len(phase.learn) > 1 for phase in model.phases):
            share_scaler(wrappers.values())
        return OptimWrapperDict(**wrappers)
