"""The part of all images that one of several processes predicts."""

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ..errors import SR4IRError


@dataclass(frozen=True)
class Shard:
    """Every ``count``-th image, from image ``index`` on.

    Args:
        index (int): Number of the shard, from 1.
        count (int): Number of shards.

    Example:
        >>> Shard(2, 3).select(['a', 'b', 'c', 'd', 'e'])
        ['b', 'e']
    """

    index: int = 1
    count: int = 1

    def select(self, entries: Sequence) -> Sequence:
        """Return the entries of this shard."""
        return entries[self.index - 1 :: self.count]

    def __str__(self) -> str:
        return f'{self.index}/{self.count}'


def parse_shard(text: str) -> Shard:
    """Parse the value of ``--shard``, such as '3/16'."""
    found = re.fullmatch(r'([0-9]+)/([0-9]+)', text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise argparse.ArgumentTypeError(f"'{text}' is no shard I/N with I from 1 to N, such as 3/16")
    return Shard(int(found[1]), int(found[2]))


def find_shard(given: Shard | None, environ: Mapping[str, str]) -> Shard:
    """Divide a shard among the ranks of a launcher.

    Args:
        given (Shard, optional): What the user asked for; all images by default.
        environ (Mapping[str, str]): Environment. The launcher sets ``RANK`` and ``WORLD_SIZE`` for each process.
    """
    given = given or Shard()
    rank, ranks = int(environ.get('RANK', 0)), int(environ.get('WORLD_SIZE', 1))
    return Shard((given.index - 1) * ranks + rank + 1, given.count * ranks)


def rank_device(device: str | None, environ: Mapping[str, str]) -> str | None:
    """Return the device of a rank: its own GPU, if the user named none.

    Args:
        device (str, optional): What the user asked for.
        environ (Mapping[str, str]): Environment. The launcher sets ``LOCAL_RANK`` and ``LOCAL_WORLD_SIZE``.

    Raises:
        SR4IRError: If all processes on this machine would share one GPU.
    """
    import torch  # takes seconds, which --help does not need

    if int(environ.get('LOCAL_WORLD_SIZE', 1)) == 1:
        return device
    if device and re.fullmatch(r'\w+:\d+', device):
        raise SR4IRError(
            f'--device {device} would be that of all {environ["LOCAL_WORLD_SIZE"]} processes: use --device '
            f'{device.partition(":")[0]}, for which each takes one of its own.'
        )
    if device == 'cuda' or (device is None and torch.cuda.is_available()):
        return f'cuda:{int(environ.get("LOCAL_RANK", 0)) % max(torch.cuda.device_count(), 1)}'
    return device


def wait_for_ranks() -> None:
    """Wait for the other ranks of torchrun, which ends them all when one of them has an exit code."""
    import torch.distributed as dist

    if dist.is_torchelastic_launched() and not dist.is_initialized():
        dist.init_process_group('gloo', timeout=timedelta(days=365))
        dist.barrier()
        dist.destroy_process_group()
