"""The builder of models without a runner."""

import copy

from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from torch import nn

from ..errors import SR4IRError
from ..models import SR4IR
from ..models.weights import check_trained
from ..registry import MODELS
from .checks import find_checkpoint
from .nodes import type_name
from .zoo import without_weights


def build_model(cfg: Config, checkpoint: str | None = None) -> SR4IR:
    """Build the model of a config, on the CPU.

    Args:
        cfg (Config): Config of SR4IR or one of its baselines.
        checkpoint (str, optional): File or URL of all its weights; by default the networks keep their random weights.

    Raises:
        SR4IRError: If the config's model is not SR4IR, or the checkpoint is missing, damaged, or of another model.

    Example:
        >>> model = build_model(load_config('faster-rcnn_edsr_x4_voc'), 'epoch_30.pth')
    """
    model = _build(cfg, model_config(cfg))
    if not isinstance(model, SR4IR):
        raise SR4IRError(
            f"The model of '{cfg.filename}' is {type(model).__name__}, not SR4IR. Name a config of SR4IR, or a "
            'checkpoint alone, which holds its config. In Python, sr4ir_mm.mix adds a super-resolution network.'
        )
    if checkpoint:
        from mmengine.runner import load_checkpoint  # takes seconds

        load_checkpoint(model, find_checkpoint(checkpoint), map_location='cpu')
        check_trained(model)
    return model


def build_task(cfg: Config) -> nn.Module:
    """Build only the task network of a config of ours, or the model of a zoo's config, with random weights.

    Returns:
        nn.Module: Network in eval mode, for one process.

    Raises:
        SR4IRError: If the config has no such network.
    """
    from mmengine.model import revert_sync_batchnorm  # takes seconds

    model = model_config(cfg)
    if type_name(model.type) == 'SR4IR':
        model = model.get('task')
    if not model:
        raise SR4IRError('The config has no task network: choose one with model.task, or a config of a zoo.')
    task = revert_sync_batchnorm(_build(cfg, without_weights(model)))
    task.eval()  # of some models it returns None
    return task


def model_config(cfg: Config) -> ConfigDict:
    """Return the config of the model with its data preprocessor in it, where MMEngine's runner puts it.

    Raises:
        SR4IRError: If the config has no model.
    """
    if not cfg.get('model'):
        raise SR4IRError('The config has no model: choose another config.')
    model = copy.copy(cfg.model)
    if cfg.get('data_preprocessor'):
        model.setdefault('data_preprocessor', cfg.data_preprocessor)
    return model


def _build(cfg: Config, model: ConfigDict) -> nn.Module:
    init_default_scope(cfg.get('default_scope', 'mmengine'))
    return MODELS.build(model)
