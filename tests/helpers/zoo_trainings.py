"""Trainings of small networks of the zoos, alone and within SR4IR, and everything of them that should be equal."""

import copy
import math
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch import nn

from helpers.zoo_data import map_values, shrink_run
from sr4ir_mm.config.zoo import load_zoo_config, without_weights
from sr4ir_mm.engine.exact_resume import ExactResumeHook

#: iterations of a run, or epochs, which have one iteration each
LENGTH = 3
_WIDTHS = {
    'in_channels', 'out_channels', 'channels', 'feat_channels', 'mid_channels', 'conv_out_channels', 'embed_dims',
    'fc_out_channels', 'feedforward_channels', 'ffn_channels', 'num_feats', 'c1_channels', 'num_groups', 'embed_dim',
    'last_in_channels', 'context_channels', 'spatial_channels', 'proposal_feature_channel', 'base_channels',
    'num_deconv_filters',
}  # fmt: skip
_RESNETS = {'ResNet', 'ResNetV1c', 'ResNetV1d', 'TridentResNet'}
#: of the message hub; they measure time, or are per cent of a run
_NOT_COMPARED = ('time', 'data_time', 'memory', 'eta')


def narrow(node: Any, factor: int = 8) -> Any:
    """Return a model config with fewer channels wherever there are at least 64, and fewer groups of its norms.

    Nothing is sure of what it predicts: all predictions count.
    """
    if isinstance(node, (list, tuple)):
        return type(node)(narrow(part, factor) for part in node)
    if not isinstance(node, dict):
        return node
    thin = {k: _divide(v, factor, k) if k in _WIDTHS else narrow(v, factor) for k, v in node.items()}
    if 'score_thr' in node:
        thin['score_thr'] = 0.0
    if node.get('type') in _RESNETS:
        thin.update(base_channels=64 // factor, stem_channels=64 // factor)
    return thin


def _divide(value: Any, factor: int, key: str) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_divide(v, factor, key) for v in value)
    if not isinstance(value, int):
        return narrow(value, factor)
    least = 32 if key in ('num_groups', 'num_feats') else 64
    return value // factor if value >= least and value % factor == 0 else value


def small_config(
    name: str, root: Path, changes: dict[str, Any], factor: int = 8, shrink: int | None = None, length: int = LENGTH
) -> Config:
    """Load a config of a zoo, and make it one of a few small iterations.

    Args:
        name (str): Config of a zoo, such as 'mmdet::detr/detr_r50_8xb2-150e_coco.py'.
        root (Path): Folder for data.
        changes (dict): Entries, by dotted names, that are other ones. Those of the network are not made smaller.
        factor (int): Factor by which the network becomes narrower.
        shrink (int, optional): Factor by which images become smaller.
        length (int): Iterations, or epochs.
    """
    cfg = load_zoo_config(name)
    classifier = name.startswith('mmpretrain')
    change = shrink_run(cfg, cfg.get('param_scheduler'), root, length, shrink or (4 if classifier else 10))
    for part in [schedule] if isinstance(schedule := cfg.get('param_scheduler') or [], dict) else schedule:
        if part.get('end', 0) > length:  # a warm-up of hundreds of iterations
            part.end = 2
    cfg.model = narrow(without_weights(cfg.model.to_dict()), factor)
    if cfg.model.get('data_preprocessor'):
        cfg.model.data_preprocessor = map_values(cfg.model.data_preprocessor.to_dict(), change)
    for part in ('loader', 'cfg', 'evaluator'):
        cfg.pop(f'test_data{part}' if part == 'loader' else f'test_{part}', None)
    cfg.merge_from_dict(dict(log_level='ERROR', randomness=dict(seed=0), vis_backends=[], load_from=None))
    cfg.merge_from_dict(changes)
    return cfg


class SameSeeds(ExactResumeHook):
    """The random numbers of our trainings, for a bare one."""

    priority = 'HIGH'

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Leave the checkpoint as it is."""


class Erase(Hook):
    """Makes weights and statistics of norms NaN before the initialization, so that none is right by chance."""

    def before_run(self, runner: Runner) -> None:
        """Erase them, and change the random numbers of the initialization."""
        for name, value in runner.model.state_dict(keep_vars=True).items():  # not what LoRA leaves out
            if isinstance(value, nn.Parameter) or '.running_' in name:
                value.data.fill_(math.nan)
        torch.manual_seed(1)


class Watch(Hook):
    """Keeps everything of a training that depends on the task network.

    Args:
        within (bool): Whether the task network is a part of SR4IR.
    """

    def __init__(self, within: bool) -> None:
        self.within = within
        self.inputs, self.losses, self.options, self.predictions, self.metrics = [], [], [], [], []

    def before_train(self, runner: Runner) -> None:
        """Note the initial weights, and from now on what the network receives."""
        net = runner.model.task if self.within else runner.model
        self.start = copy.deepcopy(net.state_dict())
        self.names = {id(parameter): name for name, parameter in net.named_parameters()}
        self.net = net
        net.register_forward_pre_hook(self._keep_inputs, with_kwargs=True)

    def _keep_inputs(self, net: nn.Module, args: tuple, kwargs: dict) -> None:
        given = dict(zip(('inputs', 'data_samples', 'mode'), args)) | kwargs
        if given.get('mode') == 'loss':
            self.inputs.append(copy.deepcopy((given['inputs'], given['data_samples'])))

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Note the losses, and the options of the optimizer for each parameter, before the schedulers change them."""
        self.losses.append({key.removeprefix('task.hr.'): float(value) for key, value in outputs.items()})
        wrapper = runner.optim_wrapper['task'] if self.within else runner.optim_wrapper
        groups = wrapper.optimizer.param_groups
        self.options.append({
            self.names[id(parameter)]: {k: v for k, v in group.items() if k != 'params'}
            for group in groups for parameter in group['params']
        })  # fmt: skip

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """Note the predictions."""
        self.predictions.append(copy.deepcopy(outputs))

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Note the scores."""
        self.metrics.append(metrics)

    def after_train(self, runner: Runner) -> None:
        """Note the final weights, the log, and the last checkpoint."""
        self.weights = copy.deepcopy(self.net.state_dict())
        scalars = runner.message_hub.log_scalars.items()
        self.log = {
            _bare_name(key): value.data[0].tolist() for key, value in scalars if not key.endswith(_NOT_COMPARED)
        }
        (file,) = Path(runner.work_dir).glob('[ei]*.pth')
        saved = torch.load(file, weights_only=False)
        of_task = (lambda part: part['task']) if self.within else (lambda part: part)
        self.checkpoint = dict(
            {key: {_bare_name(k): v for k, v in saved[key].items()} for key in ('state_dict', 'ema_state_dict')
             if key in saved},
            optimizer=of_task(saved['optimizer']),
            schedulers=of_task(saved['param_schedulers']) if saved.get('param_schedulers') else [],
            counts=[saved['meta'][key] for key in ('epoch', 'iter')], classes=saved['meta'].get('dataset_meta'),
        )  # fmt: skip
        file.unlink()

    def results(self) -> dict[str, Any]:
        """Return everything by a name, causes before effects."""
        names = (
            'start', 'inputs', 'options', 'losses', 'predictions', 'metrics', 'log', 'weights', 'checkpoint',
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}


def _bare_name(key: str) -> str:
    """Return the name that a key of ours has in a bare training."""
    return key.replace('task.hr.', '').replace('task.', '', 1)


def train(cfg: Config, folder: Path, *hooks: Hook, within: bool) -> dict[str, Any]:
    """Run a training, and return what should not depend on whether the network is a part of SR4IR."""
    DefaultScope._instance_dict.clear()
    cfg = copy.deepcopy(cfg)
    cfg.work_dir, cfg.experiment_name = str(folder), f'{folder.parent.name}-{folder.name}'
    cfg.visualizer.name = cfg.experiment_name
    runner, watch = Runner.from_cfg(cfg), Watch(within)
    if not within:
        runner.model = revert_sync_batchnorm(runner.model)
        runner.register_hook(SameSeeds(), 'HIGH')
    for hook in (watch, *hooks):
        runner.register_hook(hook)
    runner.train()
    return watch.results()
