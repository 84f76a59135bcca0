"""Super-resolve LR images and videos, and predict on them:

    python tools/infer.py work_dirs/faster-rcnn_edsr_x4_voc folder/with/images --out-dir outputs
    python tools/infer.py work_dirs/faster-rcnn_edsr_x4_voc video.mp4

Writes the SR images (sr/), the predictions of the task network in the coordinates of the LR images (preds/) and
pictures of the predictions (vis/). Of a video, sr/ and vis/ receive videos, and preds/ a file for each frame. Ctrl-C
ends a stream; what is done is kept.
"""

import json
import sys
from pathlib import Path

from sr4ir_mm.config.cli import Parser, at_least
from sr4ir_mm.config.predict import add_predict_options
from sr4ir_mm.errors import user_errors
from sr4ir_mm.utils.files import check_writable, write_file


def main() -> Path:
    """Read the command line, predict each image, count the results; return their folder."""
    args = vars(build_parser().parse_args())

    # these take seconds
    from sr4ir_mm.apis import CocoPredictions
    from sr4ir_mm.inference import SR4IRInferencer

    names = ('model', 'weights', 'backend', 'device', 'tile', 'max_pixels', 'amp', 'tta', 'classes', 'score_thr')
    names += ('slice_size', 'slice_overlap')
    init = {key: args.pop(key) for key in names}
    if file := args.pop('coco'):
        check_writable(file)
    inferencer = SR4IRInferencer(**init)
    coco = CocoPredictions(inferencer.dataset_meta.get('classes') or ())
    skipped: dict[str, str] = {}
    done, stopped = 0, ''
    try:
        for result in inferencer.stream(skipped=skipped, **args):
            done += 1
            if file:
                coco.add(result['input'], result['prediction'])
    except KeyboardInterrupt:  # the only end of a camera
        stopped = 'stopped: '
    if file:
        write_file(file, json.dumps(coco.data))
    print(f'{stopped}{done} images done, {len(skipped)} skipped; results: {args["out_dir"]}')
    if stopped:
        sys.exit(130)
    return Path(args['out_dir'])


def build_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        'model',
        help='work dir or checkpoint of tools/train.py; file of tools/export.py; shared model (folder or user/name); '
        'or config file, or name of one of our configs',
    )
    parser.add_argument(
        'inputs',
        nargs='+',
        help='LR images or videos: files, folders, globs, URLs, rtsp:// streams, number of a camera',
    )
    parser.add_argument('--weights', help="checkpoint file or URL; default: that of 'model'; 'random' for a trial")
    parser.add_argument(
        '--backend',
        choices=['pytorch', 'onnxruntime', 'openvino'],
        help='what runs the networks; default: onnxruntime for a file of tools/export.py, else pytorch',
    )
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
    parser.add_argument('--recursive', action='store_true', help='search subfolders of folders too; names keep them')
    parser.add_argument(
        '--every', type=at_least(1), default=1, metavar='N', help='predict only every N-th frame of videos; default: 1'
    )
    parser.add_argument('--max-frames', type=at_least(1), metavar='N', help='stop a video or a stream after N frames')
    parser.add_argument('--save-frames', action='store_true', help='write frames as images, not as videos')
    parser.add_argument('--no-save-pred', action='store_true', help='write no predictions')
    parser.add_argument('--no-save-vis', action='store_true', help='write no pictures')
    parser.add_argument('--coco', metavar='FILE', help="one .json file in COCO's format for all objects; default: none")
    parser.add_argument('--show', action='store_true', help='show each picture in a window')
    parser.add_argument('--amp', action='store_true', help='mixed precision: float16 on a GPU, bfloat16 on a CPU')
    add_predict_options(parser, 'that are drawn and written; default: all are written, those above 0.3 are drawn')
    return parser


if __name__ == '__main__':
    with user_errors():
        main()
