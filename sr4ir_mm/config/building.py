"""Models without a runner."""

from mmengine.config import Config
from mmengine.registry import init_default_scope

from ..errors import SR4IRError
from ..models import SR4IR
from ..registry import MODELS


def build_model(cfg: Config) -> SR4IR:
    """Build S and T of a config, with the weights that they are made with.

    Raises:
        SR4IRError: If the config's model is another one.
    """
    init_default_scope(cfg.get('default_scope', 'mmengine'))
    if cfg.get('data_preprocessor'):  # as MMEngine's runner does
        cfg.model.setdefault('data_preprocessor', cfg.data_preprocessor)
    model = MODELS.build(cfg.model)
    if not isinstance(model, SR4IR):
        raise SR4IRError(
            f"The config's model is a {type(model).__name__}, not SR4IR: put S before it, see sr4ir_mm.mix."
        )
    return model
