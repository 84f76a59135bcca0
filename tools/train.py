"""Train SR4IR or one of its baselines: python tools/train.py configs/sr4ir/deeplabv3_swinir_x4_voc.py

Or any net of a zoo: python tools/train.py mmdet::retinanet/retinanet_r50_fpn_1x_coco.py --sr edsr --scale 4
"""

import argparse

from mmengine.runner import Runner

from sr4ir_mm.apis import check_data, check_weights, enable_amp, find_checkpoint, parse_and_load
from sr4ir_mm.apis.mixing import add_mix_arguments, mix_from_args
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


if __name__ == '__main__':
    with user_errors():
        main()
