"""Registry nodes of the scope ``sr4ir_mm``: children of MMEngine's, filled when a type is first asked for."""

from importlib import import_module
from typing import Any

from mmengine import registry as mmengine_registry
from mmengine.registry import Registry

from .utils.renamed import current_name


class LazyRegistry(Registry):
    """A registry that imports the module of a type when the type is first asked for.

    MMEngine's imports every module of its locations at the first look-up, so that a segmentation user would wait for
    mmdet. The locations are subpackages here, whose public names are imported on first use.
    """

    def get(self, key: str) -> type | None:
        """Return the class or function that is registered as ``key``, with or without the scope, or None."""
        scope, name = self.split_scope_key(key)
        if scope in (None, self.scope):
            name = current_name(name)
            for location in map(import_module, self._locations):
                if name in getattr(location, '__all__', ()):
                    getattr(location, name)  # imports its module, which registers it
            key = f'{scope}.{name}' if scope else name
        return super().get(key)


def _node(name: str, parent: str, *locations: str) -> LazyRegistry:
    root = getattr(mmengine_registry, parent)
    return LazyRegistry(name, parent=root, scope='sr4ir_mm', locations=[f'sr4ir_mm.{loc}' for loc in locations])


MODELS = _node('model', 'MODELS', 'models')
DATASETS = _node('dataset', 'DATASETS', 'datasets')
DATA_SAMPLERS = _node('data sampler', 'DATA_SAMPLERS', 'datasets')
HOOKS = _node('hook', 'HOOKS', 'engine')
LOOPS = _node('loop', 'LOOPS', 'inference')
OPTIM_WRAPPERS = _node('optimizer wrapper', 'OPTIM_WRAPPERS', 'compat.amp')
OPTIM_WRAPPER_CONSTRUCTORS = _node('optimizer wrapper constructor', 'OPTIM_WRAPPER_CONSTRUCTORS', 'engine')
PARAM_SCHEDULERS = _node('parameter scheduler', 'PARAM_SCHEDULERS', 'engine')
METRICS = _node('metric', 'METRICS', 'evaluation')
TRANSFORMS = _node('transform', 'TRANSFORMS', 'transforms')
FUNCTIONS = _node('function', 'FUNCTIONS', 'engine', 'inference')


def _build_dataset(cfg: dict, *args: Any, **kwargs: Any) -> Any:
    return import_module('sr4ir_mm.datasets.checked').build_checked(cfg, *args, **kwargs)


# every data set of a run is built here, so that no config and no tool can leave out the checks; wrappers of the zoos
# build inner data sets with registries that have taken the function over
for _registry in (mmengine_registry.DATASETS, *mmengine_registry.DATASETS.children.values()):
    _registry.build_func = _build_dataset
