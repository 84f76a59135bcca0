"""Super-resolve LR images and videos, and predict on them:

    python tools/infer.py work_dirs/faster-rcnn_edsr_x4_voc folder/with/images --out-dir outputs
    python tools/infer.py work_dirs/faster-rcnn_edsr_x4_voc video.mp4
    torchrun --nproc_per_node 4 tools/infer.py work_dirs/faster-rcnn_edsr_x4_voc folder/with/images --resume

Writes the SR images (sr/), the predictions of the task network in the coordinates of the LR images (preds/) and
pictures of the predictions (vis/). Large images go through both networks in windows, and rasters (GeoTIFF) give GeoTIFF
and GeoJSON. Of a video, sr/ and vis/ receive videos, and preds/ a file for each frame. Ctrl-C
ends a stream; what is done is kept. Images without a result are listed at the end, with exit code 1.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sr4ir_mm.config.calls import is_call
from sr4ir_mm.config.cli import Parser, at_least
from sr4ir_mm.config.predict import add_predict_options
from sr4ir_mm.errors import SR4IRError, user_errors
from sr4ir_mm.inference.shards import Shard, find_shard, parse_shard, rank_device, wait_for_ranks

if TYPE_CHECKING:
    from sr4ir_mm.inference.file_runs import Outcome

#: options of the inferencer itself
NETWORKS = (
    'model', 'weights', 'backend', 'device', 'tile', 'max_pixels', 'amp', 'tta', 'classes', 'score_thr', 'slice_size',
    'slice_overlap', 'window', 'overlap', 'bands', 'stretch', 'save_sr',
)  # fmt: skip
#: those without an influence on results, or only by what the files hold
FREE = ('model', 'weights', 'device', 'max_pixels')
#: images without a result that are listed at the end
LISTED = 20


def main() -> Path:
    """Read the command line, predict each image, report; return the folder of the results."""
    args = vars(build_parser().parse_args())

    # these take seconds
    from sr4ir_mm.inference import SR4IRInferencer
    from sr4ir_mm.inference.file_runs import predict_files
    from sr4ir_mm.inference.tables import table_files

    environ: Mapping[str, str] = {} if is_call() else os.environ  # a function is called by one rank, or by all of them
    shard = find_shard(args.pop('shard'), environ)
    init = {key: args.pop(key) for key in NETWORKS}
    init['device'] = rank_device(init['device'], environ)
    tables = table_files(args.pop('predictions'), args.pop('coco'))
    inferencer = SR4IRInferencer(**init, show_progress=environ.get('RANK', '0') == '0')
    settings = {key: value for key, value in init.items() if key not in FREE}
    outcome = predict_files(
        inferencer, args.pop('inputs'), shard=shard, tables=tables, resume=args.pop('resume'), options=args,
        settings=settings,
    )  # fmt: skip
    report(outcome, shard, args['out_dir'], [str(path) for path in tables])
    if outcome.is_stopped:
        sys.exit(130)
    if not is_call():
        wait_for_ranks()
        if outcome.failed:
            sys.exit(1)
    return Path(args['out_dir'])


def report(outcome: 'Outcome', shard: Shard, out_dir: str, tables: list[str]) -> None:
    """Count what is done, and list what has no result.

    Raises:
        SR4IRError: If nothing has one: most often, the inputs are wrong.
    """
    from sr4ir_mm.inference.images import describe
    from sr4ir_mm.inference.journal import DONE, part_folder

    failures = [f'{describe(path)} {reason}' for path, reason in list(outcome.failed.items())[:LISTED]]
    if len(outcome.failed) > LISTED:
        failures.append(f"and {len(outcome.failed) - LISTED} more, see '{part_folder(Path(out_dir), shard) / DONE}'")
    if failures and shard.count == 1 and not outcome.done and not outcome.before and not outcome.is_stopped:
        raise SR4IRError('\n'.join(failures))
    name = 'stopped: ' * outcome.is_stopped + f'shard {shard}: ' * (shard.count > 1)
    before = f'{outcome.before} were complete before, ' if outcome.before else ''
    print(f'{name}{before}{outcome.done} images done, {len(outcome.failed)} skipped; results: {out_dir}')
    if failures:
        print('\n'.join(['No results:', *failures]), file=sys.stderr)
    if tables and outcome.missing:
        print(f'{", ".join(tables)}: written when these shards are complete: {", ".join(map(str, outcome.missing))}')


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
    parser.add_argument(
        '--predictions',
        metavar='FILE',
        help='one file for all predictions: .jsonl (JSON lines), .json (COCO, for objects) or .parquet; default: none',
    )
    parser.add_argument('--coco', metavar='FILE', help="one file in COCO's format for all objects; default: none")
    parser.add_argument(
        '--shard',
        type=parse_shard,
        metavar='I/N',
        help='predict only every N-th image, from the I-th one on; torchrun divides them further; default: all',
    )
    parser.add_argument(
        '--resume', action='store_true', help='predict only what an earlier run of the same command has not completed'
    )
    add_scene_options(parser)
    parser.add_argument('--show', action='store_true', help='show each picture in a window')
    parser.add_argument('--amp', action='store_true', help='mixed precision: float16 on a GPU, bfloat16 on a CPU')
    add_predict_options(parser, 'that are drawn and written; default: all are written, those above 0.3 are drawn')
    return parser


def add_scene_options(parser: Parser) -> None:
    """Add the options of images that are predicted in windows, and of rasters."""
    parser.add_argument(
        '--window',
        type=at_least(0),
        metavar='PX',
        help='side, in LR pixels, of windows in which larger images go through both networks; 0: whole images only; '
        'default: that of the training images, if the SR image has more than 2^25 pixels',
    )
    parser.add_argument(
        '--overlap',
        type=at_least(0),
        metavar='PX',
        help='LR pixels that windows have in common; default: a quarter of --window',
    )
    parser.add_argument(
        '--bands', metavar='R,G,B', help='bands of rasters, from 1, or one for gray; default: those of the file'
    )
    parser.add_argument(
        '--stretch',
        metavar='LOW,HIGH',
        help="values of rasters that become 0 and 255, or percentiles, '2%%,98%%'; default: none for 8 bits, else "
        'these percentiles; both may also be in the LoadRaster of the test pipeline',
    )
    parser.add_argument('--save-sr', action='store_true', help='also write the SR images of images with windows')


if __name__ == '__main__':
    with user_errors():
        main()
