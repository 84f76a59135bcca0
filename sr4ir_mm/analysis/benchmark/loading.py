"""Batches of the data loader of a training."""

from collections.abc import Callable, Iterator

from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from .jobs import Job


def loading(job: Job, has_workers: bool) -> Callable[[], int]:
    """Build the train data loader of a job.

    Args:
        job (Job): Job with the config.
        has_workers (bool): Whether the loader has the workers of the config, or loads in the main process.

    Returns:
        Callable: Function without arguments that loads several batches and returns the number of their images.
    """
    cfg = job.load()
    init_default_scope(cfg.get('default_scope', 'mmengine'))
    # several of each worker, because these finish at the same time
    count = 4 * max(1, cfg.train_dataloader.get('num_workers', 0))
    if not has_workers:
        cfg.train_dataloader.update(num_workers=0, persistent_workers=False)
        cfg.train_dataloader.pop('prefetch_factor', None)
    batches = _endless(Runner.build_dataloader(cfg.train_dataloader, seed=0))
    return lambda: sum(len(next(batches)['inputs']) for _ in range(count))


def _endless(loader: DataLoader) -> Iterator[dict]:
    while True:
        yield from loader
