"""Train SR4IR: python tools/train.py configs/sr4ir/deeplabv3_swinir_x4_voc.py

One of its baselines: python tools/train.py configs/sr4ir/deeplabv3_swinir_x4_voc.py --scheme s2t
Any network of a zoo: python tools/train.py mmdet::retinanet/retinanet_r50_fpn_1x_coco.py --sr edsr --scale 4
A network of transformers: python tools/train.py my_data.py --task nvidia/segformer-b0-finetuned-ade-512-512 --sr edsr
"""

import argparse
from pathlib import Path

from mmengine.config import Config

from sr4ir_mm.compat.allocator import keep_freed_memory
from sr4ir_mm.config import check_data, check_weights, enable_amp, find_checkpoint, parse_and_load
from sr4ir_mm.config.amp import amp_advice
from sr4ir_mm.config.claims import claim_work_dir, set_resume
from sr4ir_mm.config.cli import Parser
from sr4ir_mm.config.entries import check_entries
from sr4ir_mm.config.mixing import mix_text
from sr4ir_mm.config.networks import check_networks
from sr4ir_mm.config.reading import is_new_style
from sr4ir_mm.config.trainings import add_training, load_training, mix_arguments
from sr4ir_mm.errors import SR4IRError, user_errors
from sr4ir_mm.utils import write_file


def main() -> Path:
    """Read the command line, build the runner, train; return the work dir."""
    args, cfg = parse_and_load(build_parser(), load_training)
    if args.amp:
        enable_amp(cfg)
    if args.compile:
        cfg.compile = cfg.get('compile') or True
    if args.auto_scale_lr:
        cfg.auto_scale_lr = {**(cfg.get('auto_scale_lr') or {}), 'enable': True}
    if args.write_config:
        return write_config(cfg, args)
    resume = args.resume or ((cfg.get('load_from') or 'auto') if cfg.get('resume') else None)
    if resume:
        set_resume(cfg, resume, args.allow_changes)
    elif args.allow_changes:
        raise SR4IRError('--allow-changes is about what a resumed training may change: add --resume.')
    if cfg.get('load_from'):
        find_checkpoint(cfg.load_from)
    check_data(cfg)
    needs_files = args.allow_changes or not cfg.get('resume')  # else a checkpoint holds all weights
    if needs_files:
        check_weights(cfg)
    check_entries(cfg)
    check_networks(cfg)
    claim_work_dir(cfg, resume)
    # these take seconds, which --help does not need
    from sr4ir_mm.analysis import TrainingPicturesHook
    from sr4ir_mm.engine.runner import LateDumpRunner

    keep_freed_memory()
    runner = LateDumpRunner.from_cfg(cfg)
    runner.needs_files = needs_files
    if advice := amp_advice(cfg):
        runner.logger.info(advice)
    if not args.no_plots:
        runner.register_hook(TrainingPicturesHook())
    runner.train()
    return Path(cfg.work_dir)


def build_parser() -> argparse.ArgumentParser:
    """Build the parser with the arguments of this tool."""
    parser = Parser(description=__doc__)
    group = add_training(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='FILE',
        help="continue from a checkpoint; without a file (or with 'auto') from the latest one in the work dir",
    )
    parser.add_argument(
        '--allow-changes', action='store_true', help='resume although the scheme, a network or the data are others'
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision for both networks')
    parser.add_argument(
        '--compile', action='store_true', help='torch.compile for both networks; may be slower on a CPU'
    )
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale learning rates with the batch size')
    parser.add_argument(
        '--no-plots', action='store_true', help="no pictures in the folder 'plots' of the work dir (default: there are)"
    )
    parser.add_argument('--write-config', metavar='FILE', help='write the config to a .py file instead of training')
    group.add_argument('--pretrained', action='store_true', help="start the task network from the zoo's checkpoint")
    return parser


def write_config(cfg: Config, args: argparse.Namespace) -> Path:
    """Write a file of a few lines for a mix without further options, else a complete one; return the file."""
    path = Path(args.write_config)
    if args.resume:
        raise SR4IRError('--write-config writes no --resume: leave it out, and give it when you train.')
    if path.suffix != '.py':
        raise SR4IRError(f"--write-config writes a Python file, not '{path}': give a name that ends in .py.")
    if path.exists():
        raise SR4IRError(f"--write-config: '{path}' exists. Choose another name, or delete it.")
    options = (args.scheme, args.cfg_options, args.amp, args.compile, args.auto_scale_lr, args.work_dir)
    if args.sr and not any(options) and not is_new_style(args.config):
        text = mix_text(*mix_arguments(args), args.pretrained, network=args.task)
    else:
        cfg.pop('launcher')
        if not args.work_dir:  # the default is the name of the new file
            cfg.pop('work_dir')
        text = cfg.pretty_text
    write_file(path, text)
    return path


if __name__ == '__main__':
    with user_errors():
        main()
