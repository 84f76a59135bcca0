"""The training that a command line means: that of one of our configs, a baseline, or a mix with a config of a zoo."""

import argparse

from mmengine.config import Config

from ..errors import SR4IRError
from .cli import add_cfg_options, at_least
from .loading import load_config
from .mixing import load_mix
from .schemes import is_sr4ir, load_run


def add_training(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name a training, as those of ``tools/train.py``."""
    parser.add_argument('config', help='config, its name, or work dir; with --sr, the config of a zoo')
    parser.add_argument('--scheme', help='baseline instead of SR4IR: h2t, l2t, s2t, t2s, st, s')
    parser.add_argument('--sr', help="super-resolution network for the config of a zoo, e.g. 'edsr'")
    parser.add_argument('--scale', type=at_least(1), help='up-sampling factor of that network (default: 4)')
    add_cfg_options(parser)


def load_training(args: argparse.Namespace) -> Config:
    """Load the config of the training that the arguments name.

    Raises:
        SR4IRError: If the config is missing, or an argument does not go with it.
    """
    if is_sr4ir(load_config(args.config, zoo=True)):
        if args.sr or args.scale:
            raise SR4IRError(f"'{args.config}' already has a super-resolution network: leave out --sr and --scale.")
        return load_run(args.config, args.scheme, args.cfg_options)
    if not (args.sr or args.scheme):
        raise SR4IRError(f"'{args.config}' is a config without a super-resolution network: add --sr edsr --scale 4.")
    return load_mix(args.config, args.sr, args.scale or 4, args.scheme or 'SR4IR', False, args.cfg_options)
