"""Show what the networks receive in training:

    python tools/analysis_tools/browse_dataset.py configs/sr4ir/faster-rcnn_edsr_x4_voc.py --out-dir browse
    python tools/analysis_tools/browse_dataset.py mmdet::retinanet/retinanet_r50_fpn_1x_coco.py --sr edsr --scale 4

A picture for each image, after the training pipeline, the data preprocessor and the degradation: LR, bilinear and HR
image, ground truth, the mask of CQMix and the mix. No network runs: bilinear stands for SR.
"""

from itertools import islice
from pathlib import Path

from sr4ir_mm.config.cli import Parser, add_cfg_options, at_least
from sr4ir_mm.config.trainings import add_training, load_training
from sr4ir_mm.errors import user_errors


def main() -> None:
    """Read the command line, write the pictures."""
    parser = Parser(description=__doc__)
    add_training(parser)
    add_cfg_options(parser)
    parser.add_argument('--out-dir', type=Path, default=Path('browse'), help='folder for the pictures; default: browse')
    parser.add_argument('--number', type=at_least(1), default=16, help='number of images (default: %(default)s)')
    parser.add_argument('--seed', type=at_least(0), default=0, help='seed of all that is random (default: %(default)s)')
    args = parser.parse_args()
    cfg = load_training(args)

    # these take seconds to import, which --help does not need
    from sr4ir_mm.analysis.browsing import training_panels
    from sr4ir_mm.config import check_data
    from sr4ir_mm.utils import output_names, write_image
    from sr4ir_mm.utils.names import UniqueNames
    from sr4ir_mm.visualization import render

    check_data(cfg, 'train_dataloader')
    unique, done = UniqueNames(), 0
    for path, panel in islice(training_panels(cfg, args.seed), args.number):
        (name,) = output_names([path], unique=unique)
        write_image(args.out_dir / f'{name}.png', render(panel))
        done += 1
    print(f'{done} pictures: {args.out_dir}')


if __name__ == '__main__':
    with user_errors():
        main()
