"""The command line that the tools share."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from mmengine.config import Config, DictAction

from .loading import load_config


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options`` to the arguments of a tool."""
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='entries of the config to override'
    )


def load_from_args(args: argparse.Namespace) -> Config:
    """Load the config that the arguments ``config`` and ``--cfg-options`` name."""
    return load_config(args.config, args.cfg_options)


def parse_and_load(
    parser: argparse.ArgumentParser, load: Callable[[argparse.Namespace], Config] = load_from_args
) -> tuple[argparse.Namespace, Config]:
    """Add the arguments of every tool with a runner, parse the command line, and load the config.

    Args:
        parser (ArgumentParser): Parser with an argument ``config``.
        load (Callable): Function from the parsed arguments to the config.

    Returns:
        tuple[Namespace, Config]: Arguments, and the config with the work dir and the launcher set.
    """
    parser.add_argument('--work-dir', help='folder for logs and checkpoints; default: work_dirs/<name of the config>')
    add_cfg_options(parser)
    parser.add_argument(
        '--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none', help='launcher of several processes'
    )
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by the launcher')
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = load(args)
    cfg.launcher = args.launcher
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or os.path.join('work_dirs', Path(cfg.filename).stem)
    return args, cfg
