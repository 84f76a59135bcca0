"""Registry nodes of the scope ``sr4ir_mm``: children of MMEngine's, filled on first use from ``locations``."""

from mmengine import registry as mmengine_registry
from mmengine.registry import Registry


def _node(name: str, parent: str, *locations: str) -> Registry:
    root = getattr(mmengine_registry, parent)
    return Registry(name, parent=root, scope='sr4ir_mm', locations=[f'sr4ir_mm.{loc}' for loc in locations])


MODELS = _node('model', 'MODELS', 'models', 'transforms')
DATASETS = _node('dataset', 'DATASETS', 'datasets')
DATA_SAMPLERS = _node('data sampler', 'DATA_SAMPLERS', 'datasets')
HOOKS = _node('hook', 'HOOKS', 'engine')
LOOPS = _node('loop', 'LOOPS', 'evaluation')
OPTIM_WRAPPERS = _node('optimizer wrapper', 'OPTIM_WRAPPERS', 'compat.amp')
OPTIM_WRAPPER_CONSTRUCTORS = _node('optimizer wrapper constructor', 'OPTIM_WRAPPER_CONSTRUCTORS', 'engine')
PARAM_SCHEDULERS = _node('parameter scheduler', 'PARAM_SCHEDULERS', 'engine')
METRICS = _node('metric', 'METRICS', 'evaluation')
TRANSFORMS = _node('transform', 'TRANSFORMS', 'transforms')
FUNCTIONS = _node('function', 'FUNCTIONS', 'engine', 'evaluation')
