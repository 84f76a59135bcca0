"""One optimizer wrapper for each network that is trained."""

from mmengine.optim import OptimWrapper, OptimWrapperDict, build_optim_wrapper
from torch import nn

from ..errors import SR4IRError
from ..models.updates import share_scaler
from ..registry import OPTIM_WRAPPER_CONSTRUCTORS
from ..utils import unwrap
from .fused_optimizers import match_layout, with_fused


class AlternatingOptimWrapperDict(OptimWrapperDict):
    """MMEngine's dict of optimizer wrappers, which refuses a run without :class:`AlternatingUpdateHook`."""

    def initialize_count_status(self, model: nn.Module, init_counts: int, max_counts: int) -> None:
        """Check that the run has the hook, which starts the counters; MMEngine's Runner calls it before training.

        Args:
            model (nn.Module): SR4IR, wrapped for distributed training or not.
            init_counts (int): Iterations that are done.
            max_counts (int): Iterations of the whole run.

        Raises:
            SR4IRError: If the run has no :class:`AlternatingUpdateHook`.
        """
        if not getattr(unwrap(model), 'updates_are_prepared', False):
            raise SR4IRError(
                'The config has no AlternatingUpdateHook, so that warm-up and seeding would be missing: add '
                "default_hooks=dict(alternating=dict(type='sr4ir_mm.AlternatingUpdateHook'))."
            )

    def load_state_dict(self, state_dict: dict) -> None:
        """Load the states of all wrappers, in the memory layout that the networks have now."""
        super().load_state_dict(state_dict)
        for wrapper in self.values():
            match_layout(wrapper.optimizer)


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class SR4IROptimWrapperConstructor:
    """Build the wrappers 'sr' and 'task', each from exactly what its zoo's config says.

    Each part may have its own ``type``, ``constructor``, ``paramwise_cfg``, clipping and accumulation. A network that
    the scheme never trains gets none. On a GPU the steps are fused where PyTorch can, see ``with_fused``.

    Args:
        optim_wrapper_cfg (dict): ``dict(sr=dict(...), task=dict(...))``.
        paramwise_cfg (dict, optional): Not used here; it belongs in the parts, as all other entries.

    Raises:
        SR4IRError: If something else is given than the parts, or a trained network has no part.

    Example:
        >>> sgd = dict(optimizer=dict(type='SGD', lr=0.01))
        >>> optim_wrapper = SR4IROptimWrapperConstructor(dict(sr=sgd, task=sgd))(model)
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None) -> None:
        unused = {**optim_wrapper_cfg, 'paramwise_cfg': paramwise_cfg}
        for key in ('sr', 'task', *(key for key, value in unused.items() if value in (None, 'OptimWrapper'))):
            unused.pop(key, None)
        if unused:
            raise SR4IRError(f'{min(unused)} belongs in optim_wrapper.sr or optim_wrapper.task, not next to them.')
        self.cfg = optim_wrapper_cfg

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        """Build the wrappers of an :class:`SR4IR` model, wrapped for distributed training or not."""
        model = unwrap(model)
        nets = model.scheme.trainable_nets
        missing = [name for name in nets if not self.cfg.get(name)]
        if missing:
            raise SR4IRError(f'The scheme trains {nets}, but optim_wrapper has no {missing}: add it.')
        wrappers = {name: self._build(getattr(model, name), self.cfg[name]) for name in nets}
        for name, wrapper in wrappers.items():
            if hasattr(wrapper, 'grad_name'):  # it clips: a name of its own in the log
                wrapper.grad_name = f'{name}.{wrapper.grad_name}'
        if any(len(phase.learn) > 1 for phase in model.scheme.phases):
            share_scaler(wrappers.values())
        return AlternatingOptimWrapperDict(**wrappers)

    def _build(self, net: nn.Module, cfg: dict) -> OptimWrapper:
        """Build the wrapper of a network."""
        if cfg.get('paramwise_cfg'):
            cfg = {**cfg, 'paramwise_cfg': _with_second_names(net, cfg['paramwise_cfg'])}
        return build_optim_wrapper(net, with_fused(cfg, net.parameters()))


def _with_second_names(net: nn.Module, paramwise: dict) -> dict:
    """Return ``paramwise_cfg`` for a network some of whose weights have several names, such as the heads of D-FINE.

    MMEngine would give such a weight to the optimizer several times. The first name counts.
    """
    first = {id(weight): name for name, weight in net.named_parameters()}
    weights = net.named_parameters(remove_duplicate=False)
    second = {name: first[id(weight)] for name, weight in weights if name != first[id(weight)]}
    for key in paramwise.get('custom_keys') or ():
        others = [name for name in second if key in name]
        if others and not any(key in name for name in first.values()):
            raise SR4IRError(
                f"custom_keys: '{key}' has no effect, because {others[0]} is {second[others[0]]}: name that."
            )
    return {'bypass_duplicate': True, **paramwise} if second else paramwise
