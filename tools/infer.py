"""Super-resolve LR images and predict on them:

    python tools/infer.py work_dirs/faster-rcnn_edsr_x4_voc folder/with/images --out-dir outputs

Writes the SR images (sr/), the predictions of the task network in the coordinates of the LR images (preds/) and
pictures of the predictions (vis/).
"""

from sr4ir_mm.config.cli import Parser
from sr4ir_mm.errors import user_errors


def main() -> None:
    """Read the command line, predict each image, count the results."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        'model', help='work dir or checkpoint of tools/train.py; or config file, or name of one of our configs'
    )
    parser.add_argument('inputs', nargs='+', help='LR images: files, folders, globs, URLs')
    parser.add_argument('--weights', help="checkpoint file or URL; default: that of 'model'; 'random' for a trial")
    parser.add_argument('--out-dir', default='outputs', help='folder for the results; default: outputs')
    parser.add_argument('--device', help="'cpu', 'cuda:0', ...; default: a GPU, if the machine has one")
    parser.add_argument(
        '--batch-size',
        type=int,
        default=1,
        help='largest number of images of the same size that make one batch; default: %(default)s',
    )
    parser.add_argument(
        '--tile', type=int, default=256, help='longest side, in LR pixels, that the SR network takes in one piece'
    )
    parser.add_argument(
        '--max-pixels',
        type=int,
        default=2**29,
        help='largest number of pixels of an SR image; LR images that would make a larger one are skipped; '
        'default: %(default)s',
    )
    parser.add_argument(
        '--coords', choices=['lr', 'sr'], default='lr', help='coordinates of the predictions: those of LR or SR image'
    )
    parser.add_argument('--no-save-pred', action='store_true', help='write no predictions')
    parser.add_argument('--no-save-vis', action='store_true', help='write no pictures')
    parser.add_argument('--show', action='store_true', help='show each picture in a window')
    parser.add_argument('--amp', action='store_true', help='mixed precision: float16 on a GPU, bfloat16 on a CPU')
    args = vars(parser.parse_args())

    from sr4ir_mm.inference import SR4IRInferencer  # takes seconds

    init = {key: args.pop(key) for key in ('model', 'weights', 'device', 'tile', 'max_pixels', 'amp')}
    skipped: dict[str, str] = {}
    done = sum(1 for _ in SR4IRInferencer(**init).stream(skipped=skipped, **args))
    print(f'{done} images done, {len(skipped)} skipped; results: {args["out_dir"]}')


if __name__ == '__main__':
    with user_errors():
        main()
