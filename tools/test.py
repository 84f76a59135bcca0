"""Test a checkpoint: python tools/test.py configs/sr4ir/deeplabv3_swinir_x4_voc.py work_dirs/.../epoch_100.pth"""

import argparse

from sr4ir_mm.config import check_data, find_checkpoint, load_run, parse_and_load
from sr4ir_mm.errors import user_errors


def main() -> None:
    """Read the command line, build the runner, test."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file, name of one of our configs, or work dir of a training')
    parser.add_argument('checkpoint', help='checkpoint file or URL')
    parser.add_argument(
        '--scheme', help='baseline to test with the config of SR4IR, as in tools/train.py: h2t, l2t, ...'
    )
    parser.add_argument('--out', help='.pkl file for the predictions')
    parser.add_argument('--show-dir', help='folder for a panel of each image: LR, SR, HR, predictions, changes')
    parser.add_argument(
        '--lr-input',
        choices=['lr', 'hr'],
        help='the images of the data set are already LR; its annotations are in coordinates of the LR or the HR images',
    )
    args, cfg = parse_and_load(parser, lambda args: load_run(args.config, args.scheme, args.cfg_options))
    cfg.load_from = find_checkpoint(args.checkpoint)
    if args.show_dir:
        hook = dict(type='sr4ir_mm.SRVisualizationHook', out_dir=args.show_dir)
        cfg.custom_hooks = [*cfg.get('custom_hooks', []), hook]
    check_data(cfg, 'test_dataloader')

    # these take seconds to import, which --help and the messages above do not need
    from mmengine.runner import Runner

    from sr4ir_mm.evaluation import DumpPredictions
    from sr4ir_mm.inference import use_lr_input

    if args.lr_input:
        use_lr_input(cfg, args.lr_input)
    runner = Runner.from_cfg(cfg)
    if args.out:
        runner.test_evaluator.metrics.append(DumpPredictions(out_file_path=args.out))
    runner.test()


if __name__ == '__main__':
    with user_errors():
        main()
