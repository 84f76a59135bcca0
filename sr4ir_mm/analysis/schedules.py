"""The learning rates of a training that has not run."""

import copy
from dataclasses import dataclass
from itertools import chain
from tempfile import TemporaryDirectory

from matplotlib.figure import Figure
from mmengine.config import Config
from mmengine.registry import HOOKS
from mmengine.runner import IterBasedTrainLoop, Runner
from torch.utils.data import DataLoader

from ..config.building import build_model
from ..config.zoo import without_weights
from ..engine import AlternatingUpdateHook
from .curves import set_style

NAMES = dict(sr='SR network', task='task network')


@dataclass
class Schedule:
    """Learning rates of a whole training.

    Args:
        rates (dict[str, list[float]]): Rate in each iteration, by network, 'sr' and 'task': that of the first
            group of parameters, as in the log.
        epoch_length (int): Iterations of an epoch.
        warm_up (int): Iterations without the TDP loss; 0 if the scheme has no such loss.
    """

    rates: dict[str, list[float]]
    epoch_length: int
    warm_up: int


def find_schedule(cfg: Config, images: int | None = None) -> Schedule:
    """Step the optimizers' schedulers of a training through all iterations.

    Args:
        cfg (Config): Config of a training.
        images (int, optional): Number of training images, if the data are missing; by default those of the config.
    """
    cfg = copy.deepcopy(cfg)
    cfg.model = without_weights(cfg.model)
    loader = cfg.train_dataloader
    if images:
        loader = DataLoader(range(images), loader.get('batch_size') or 1, drop_last=bool(loader.get('drop_last')))
    with TemporaryDirectory() as folder:
        runner = Runner(
            build_model(cfg),
            folder,
            train_dataloader=loader,
            train_cfg=cfg.train_cfg,
            optim_wrapper=cfg.optim_wrapper,
            param_scheduler=cfg.param_scheduler,
            auto_scale_lr=cfg.get('auto_scale_lr'),
            default_scope=cfg.get('default_scope', 'mmengine'),
            log_level='ERROR',
            experiment_name='schedule',
        )
        runner._train_loop = runner.build_train_loop(runner._train_loop)  # the order of Runner.train
        runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
        runner.scale_lr(runner.optim_wrapper, runner.auto_scale_lr)
        runner.param_schedulers = runner.build_param_scheduler(runner.param_schedulers)
        return Schedule(_rates(runner), len(runner.train_dataloader), _warm_up(cfg, runner))


def _rates(runner: Runner) -> dict[str, list[float]]:
    """Return the rates of all iterations, with the steps of MMEngine's ``ParamSchedulerHook``."""
    wrappers, schedulers = runner.optim_wrapper, [*chain(*runner.param_schedulers.values())]
    length = runner.max_iters if isinstance(runner.train_loop, IterBasedTrainLoop) else len(runner.train_dataloader)
    rates: dict[str, list[float]] = {name: [] for name, _ in wrappers.items()}
    for _, wrapper in wrappers.items():
        wrapper.optimizer.step()  # without gradients it changes nothing, and schedulers warn if none came before them
    for i in range(runner.max_iters):
        for name, wrapper in wrappers.items():
            rates[name].append(wrapper.optimizer.param_groups[0]['lr'])
        for scheduler in schedulers:
            if not scheduler.by_epoch or (i + 1) % length == 0:
                scheduler.step()
    return rates


def _warm_up(cfg: Config, runner: Runner) -> int:
    hook = (cfg.get('default_hooks') or {}).get('alternating')
    if not hook or not runner.model.scheme.uses_tdp:
        return 0
    hook = HOOKS.build(hook)
    assert isinstance(hook, AlternatingUpdateHook)
    return max(hook.first_iter(runner), hook.warmup_epochs * len(runner.train_dataloader))


def plot_schedule(schedule: Schedule) -> Figure:
    """Plot the learning rate of each network, and where the TDP loss begins."""
    figure = Figure(figsize=(7, 2.4 * len(schedule.rates)), layout='constrained')
    axes = figure.subplots(len(schedule.rates), 1, sharex=True, squeeze=False)[:, 0]
    for ax, (name, rates) in zip(axes, schedule.rates.items()):
        ax.plot(rates, linewidth=1.3)
        if schedule.warm_up:
            ax.axvline(
                schedule.warm_up, color='C1', linestyle='--', label=f'TDP loss from iteration {schedule.warm_up}'
            )
            ax.legend(fontsize=8)
        ax.set_ylim(bottom=0)
        set_style(ax, f'learning rate of the {NAMES[name]}: {max(rates):.3g} to {min(rates):.3g}')
    axes[-1].set_xlabel(f'iteration; an epoch has {schedule.epoch_length}', fontsize=8)
    return figure
