"""The training that a command line means: that of one of our configs, a baseline, or a mix with a config of a zoo."""

import argparse

from mmengine.config import Config

from ..errors import SR4IRError
from .cli import at_least
from .loading import load_config
from .mixing import load_mix
from .schemes import is_sr4ir, load_run


def add_training(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add the arguments that name a training, but for ``--cfg-options``; return the group of those for a mix."""
    parser.add_argument(
        'config', nargs='?', help='config file, name of one of our configs, work dir, or config of a zoo'
    )
    parser.add_argument(
        '--scheme',
        help='baseline instead of SR4IR: H->T, L->T, S->T, T->S, S+T, or S to pre-train the super-resolution network; '
        'without quotes: h2t, l2t, s2t, t2s, st, s',
    )
    group = parser.add_argument_group('any network of a zoo', "if 'config' is e.g. mmdet::retinanet/retinanet_r50...py")
    group.add_argument('--sr', help="super-resolution network: 'edsr', 'swinir', ..., 'mmagic::...', or a file")
    group.add_argument(
        '--scale', type=at_least(1), help='up-sampling factor of the super-resolution network (default: 4)'
    )
    group.add_argument(
        '--task', help="task network of transformers in place of the config's: a folder, or a name on the hub"
    )
    group.add_argument(
        '--data', metavar='CONFIG', help='the config, in place of the first argument: --task NAME --data CONFIG'
    )
    return group


def load_training(args: argparse.Namespace) -> Config:
    """Load the config that the arguments name: one of SR4IR, or a mix with a config of a zoo.

    Raises:
        SR4IRError: If the config is missing, or an argument does not go with it.
    """
    pretrained = vars(args).get('pretrained')  # None if the tool has no such option
    if bool(args.config) == bool(args.data):
        raise SR4IRError('Name one config: as the first argument, or as --data CONFIG.')
    args.config = args.config or args.data
    if is_sr4ir(load_config(args.config, zoo=True)):
        if args.task:
            raise SR4IRError(f"'{args.config}' already has both networks: leave out --task, or name a config of data.")
        if args.sr or args.scale or pretrained:
            options = '--sr and --scale' if pretrained is None else '--sr, --scale and --pretrained'
            raise SR4IRError(f"'{args.config}' already has a super-resolution network: leave out {options}.")
        return load_run(args.config, args.scheme, args.cfg_options)
    if not (args.sr or args.scheme):
        raise SR4IRError(f"'{args.config}' is a config without a super-resolution network: add --sr edsr --scale 4.")
    return load_mix(*mix_arguments(args), args.scheme or 'SR4IR', bool(pretrained), args.cfg_options, args.task)


def mix_arguments(args: argparse.Namespace) -> tuple[str, str | None, int]:
    """Return the arguments that name a mix."""
    return args.config, args.sr, args.scale or 4
