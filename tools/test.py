"""Test a training, whose config is in its work dir and in each checkpoint:

    python tools/test.py work_dirs/deeplabv3_swinir_x4_voc
    python tools/test.py work_dirs/deeplabv3_swinir_x4_voc/epoch_50.pth

With another config: python tools/test.py configs/sr4ir/deeplabv3_swinir_x4_voc.py work_dirs/.../epoch_100.pth
The results are in the folder 'test' of the work dir, or in that of --work-dir.
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from mmengine.config import Config

from sr4ir_mm.config import check_data, find_weights, load_config, load_run, parse_and_load
from sr4ir_mm.config.amp import enable_test_amp
from sr4ir_mm.config.cli import Parser, add_run
from sr4ir_mm.config.entries import check_entries
from sr4ir_mm.config.predict import PredictOptions, add_predict_options, predict_options
from sr4ir_mm.config.schemes import is_sr4ir
from sr4ir_mm.config.shared import find_shared
from sr4ir_mm.config.stored import is_checkpoint, training_of
from sr4ir_mm.config.work_dir import folder_for_test, is_work_dir
from sr4ir_mm.errors import SR4IRError, user_errors

if TYPE_CHECKING:
    from mmengine.runner import Runner


def main() -> dict[str, float]:
    """Read the command line, build the runner, test; return the metrics."""
    args, cfg = parse_and_load(build_parser(), load)
    cfg.compile = args.compile and (cfg.get('compile') or True)  # that of a training would cost minutes
    cfg.work_dir = str(folder_for_test(_run_dir(args, cfg), is_chosen=bool(args.work_dir)))
    cfg.resume = False  # as the config of a resumed training says
    tested = dict(checkpoint=cfg.load_from, training=training_of(cfg.load_from))
    options = choose_options(args, cfg)
    cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), *_hooks(args, options.score_thr)]
    if not cfg.get('test_dataloader'):
        raise SR4IRError(f"'{cfg.filename}' has no test_dataloader, so there is nothing to test: set it.")
    check_data(cfg, 'test_dataloader')
    check_entries(cfg, 'test')

    # these take seconds to import, which --help does not need
    from sr4ir_mm.engine.screen_runner import ScreenRunner
    from sr4ir_mm.evaluation import DumpPredictions
    from sr4ir_mm.evaluation.chosen_classes import restrict_evaluator
    from sr4ir_mm.inference import use_lr_input
    from sr4ir_mm.inference.runs import dataset_meta
    from sr4ir_mm.inference.task_options import set_options

    if args.lr_input:
        use_lr_input(cfg, args.lr_input, options.slice_size, options.slice_overlap)
    if args.amp:
        enable_test_amp(cfg)
    runner = ScreenRunner.from_cfg(cfg)
    runner.message_hub.update_info('test/tested', tested)  # written with the metrics
    if args.out:
        runner.test_evaluator.metrics.append(DumpPredictions(out_file_path=args.out))
    # the file of weights is read for its names of classes, so only if there is a choice
    names = () if options.classes is None else dataset_meta(cfg, cfg.load_from).get('classes') or ()
    if (labels := set_options(runner.model, cfg, options, names, drops_scores=False)) is not None:
        restrict_evaluator(runner.test_evaluator, labels)
    metrics = runner.test()
    show_end(runner, metrics)
    return metrics


def build_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(description=__doc__)
    add_run(parser)
    parser.add_argument(
        '--scheme', help='baseline to test with the config of SR4IR, as in tools/train.py: h2t, l2t, ...'
    )
    parser.add_argument('--out', help='.pkl file for the predictions')
    parser.add_argument('--show-dir', help='folder for a panel of each image: LR, SR, HR, predictions, changes')
    parser.add_argument('--per-image', help='.npz file for the result of each image, for paired statistics')
    parser.add_argument(
        '--lr-input',
        choices=['lr', 'hr'],
        help='the images of the data set are already LR; its annotations are in coordinates of the LR or the HR images',
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision; the metrics stay in float32')
    add_predict_options(parser, 'in the panels of --show-dir; the metrics count all objects')
    parser.add_argument('--compile', action='store_true', help='torch.compile for the networks; may be slower on a CPU')
    return parser


def choose_options(args: argparse.Namespace, cfg: Config) -> PredictOptions:
    """Return the options of predictions; the config holds those that make it another test than that of the training.

    Raises:
        SR4IRError: If two options do not go together.
    """
    slices = dict(slice_size=args.slice_size, slice_overlap=args.slice_overlap)
    options = predict_options(cfg, tta=args.tta, classes=args.classes, score_thr=args.score_thr, **slices)
    if (args.slice_size or args.slice_overlap is not None) and not args.lr_input:
        raise SR4IRError('--slice is for LR images of any size: add --lr-input, or leave out slice_size (--slice).')
    if options.classes is not None and args.per_image:
        raise SR4IRError('--per-image has the results of all classes: leave out --classes, or --per-image.')
    if args.score_thr is not None and not args.show_dir:
        raise SR4IRError('--score-thr chooses the objects in panels, not those of the metrics: add --show-dir.')
    if chosen := {key: value for key in ('tta', 'classes') if (value := getattr(args, key)) is not None}:
        cfg.predict = {**(cfg.get('predict') or {}), **chosen}  # so that reports see another test
    return options


def load(args: argparse.Namespace) -> Config:
    """Load the config that the arguments name, and find its weights."""
    cfg = load_config(args.config, zoo=True)  # first, so that a name that leads nowhere is not taken for a config
    weights = find_weights(args.config, args.checkpoint)
    if not is_sr4ir(cfg):
        remedy = f'a checkpoint of SR4IR holds the config of its training: python tools/test.py {shlex.quote(weights)}'
        if str(args.config) == weights:
            remedy = 'test it with the tools of its own library.'
        raise SR4IRError(f"The model of '{args.config}' has no super-resolution network: {remedy}")
    cfg = load_run(args.config, args.scheme, args.cfg_options)
    cfg.load_from = weights
    return cfg


def show_end(runner: Runner, metrics: dict[str, float]) -> None:
    """Say where the log is, and the metrics where no LoggerHook of the config has shown them."""
    from mmengine.hooks import LoggerHook

    from sr4ir_mm.engine.log_lines import metric_text
    from sr4ir_mm.utils import short_path

    if not any(isinstance(hook, LoggerHook) for hook in runner.hooks):
        runner.logger.info('  '.join(f'{name} {metric_text(value)}' for name, value in metrics.items()))
    has_metrics = (Path(runner.log_dir) / f'{runner.timestamp}.json').is_file()
    runner.logger.info(f'{"Metrics and log" if has_metrics else "Log"}: {short_path(runner.log_dir)}')


def _hooks(args: argparse.Namespace, score_thr: float | None) -> list[dict]:
    """Return the hooks that write what is asked for."""
    drawn = {} if score_thr is None else dict(pred_score_thr=score_thr)
    panels = dict(type='sr4ir_mm.SRVisualizationHook', out_dir=args.show_dir, draw_cfg=drawn)
    images = dict(type='sr4ir_mm.ImageResultsHook', out_file=args.per_image)
    return [panels] * bool(args.show_dir) + [images] * bool(args.per_image)


def _run_dir(args: argparse.Namespace, cfg: Config) -> Path:
    """Return the work dir of the training, or the folder that the user has chosen; a shared model stays as it is."""
    source = Path(args.config)
    is_own = source.is_dir() or (is_checkpoint(source) and is_work_dir(source.parent))
    if args.work_dir or find_shared(source) or not is_own:
        return Path(cfg.work_dir)
    return source if source.is_dir() else source.parent


if __name__ == '__main__':
    with user_errors():
        main()
