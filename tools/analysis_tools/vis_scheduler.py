"""Plot the learning rates of a training that has not run, and where its TDP loss begins:

python tools/analysis_tools/vis_scheduler.py configs/sr4ir/faster-rcnn_edsr_x4_voc.py --out schedule.png
python tools/analysis_tools/vis_scheduler.py mmdet::retinanet/retinanet_r50_fpn_1x_coco.py --sr edsr --images 118287
"""

from pathlib import Path

from sr4ir_mm.config.cli import Parser, add_cfg_options, at_least
from sr4ir_mm.config.trainings import add_training, load_training
from sr4ir_mm.errors import SR4IRError, user_errors


def main() -> None:
    """Read the command line, step through the schedulers, plot."""
    parser = Parser(description=__doc__)
    add_training(parser)
    add_cfg_options(parser)
    parser.add_argument(
        '--out', type=Path, default=Path('schedule.png'), help='PNG, SVG or PDF file; default: schedule.png'
    )
    parser.add_argument(
        '--images', type=at_least(1), help='number of training images; default: those of the data set of the config'
    )
    args = parser.parse_args()
    if args.out.suffix.lower() not in ('.png', '.svg', '.pdf'):
        raise SR4IRError(f"The format of '{args.out}' is unknown: let --out end in .png, .svg or .pdf.")
    cfg = load_training(args)

    # these take seconds to import, which --help does not need
    from sr4ir_mm.analysis.schedules import find_schedule, plot_schedule
    from sr4ir_mm.config import check_data

    if not args.images:
        check_data(cfg, 'train_dataloader')
    schedule = find_schedule(cfg, args.images)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    plot_schedule(schedule).savefig(args.out, dpi=150)
    iterations = max(map(len, schedule.rates.values()))
    print(f'{iterations} iterations, {schedule.epoch_length} in an epoch: {args.out}')


if __name__ == '__main__':
    with user_errors():
        main()
