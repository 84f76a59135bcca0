"""Train SR4IR or one of its baselines: python tools/train.py configs/sr4ir/deeplabv3_swinir_x4_voc.py

Or any net of a zoo: python tools/train.py mmdet::retinanet/retinanet_r50_fpn_1x_coco.py --sr edsr --scale 4
"""

import argparse
import sys
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from sr4ir_mm.apis import check_data, check_weights, enable_amp, find_checkpoint, parse_and_load
from sr4ir_mm.config.cli import load_from_args
from sr4ir_mm.config.loading import override
from sr4ir_mm.config.mixing import mix, mix_text
from sr4ir_mm.errors import user_errors


def main() -> None:
    """Read the command line, build the runner, train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help="go on from a checkpoint; without a path (or with 'auto') from the latest one in the work dir",
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision for S and T')
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale learning rates with the batch size')
    add_mix_arguments(parser)
    args, cfg = parse_and_load(parser, mix_from_args)
    if args.amp:
        enable_amp(cfg)
    if args.auto_scale_lr:
        cfg.auto_scale_lr.enable = True
    if args.resume:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else find_checkpoint(args.resume)
    check_data(cfg)
    check_weights(cfg)
    Runner.from_cfg(cfg).train()


def add_mix_arguments(parser: argparse.ArgumentParser) -> None:
    """Let a tool take a config of a zoo; ``mix_from_args`` loads it."""
    group = parser.add_argument_group('any net of a zoo', "if 'config' is e.g. mmdet::retinanet/retinanet_r50...py")
    group.add_argument('--sr', help="S: 'edsr' or the like, a config of mmagic ('mmagic::...'), or a file")
    group.add_argument('--scale', type=int, default=4, help='up-sampling factor of S (default: 4)')
    group.add_argument('--scheme', help='SR4IR (the default), H->T, L->T, S->T, T->S or S+T')
    group.add_argument('--pretrained', action='store_true', help="T starts from the zoo's own checkpoint")
    group.add_argument('--write-config', metavar='FILE', help='write the config to a file, and do no more')


def mix_from_args(args: argparse.Namespace) -> Config:
    """The config that a tool's arguments ask for, mixed or as it is."""
    if not (args.sr or args.scheme):
        return load_from_args(args)
    options = dict(sr=args.sr, scale=args.scale, scheme=args.scheme or 'SR4IR', pretrained=args.pretrained)
    if args.write_config:
        Path(args.write_config).write_text(mix_text(args.config, **options))
        sys.exit()
    return override(mix(args.config, **options), args.cfg_options)


if __name__ == '__main__':
    with user_errors():
        main()
