"""Export the SR network and the task network to one ONNX file, and compare it with predictions in PyTorch:

    python tools/export.py work_dirs/deeplabv3_edsr_x4_voc model.onnx
    python tools/export.py work_dirs/deeplabv3_edsr_x4_voc/epoch_50.pth model.onnx

The file takes LR images and returns the SR image and the outputs of the task network: boxes, scores and labels of a
detector, logits of others. With --split, model_sr.onnx and model_task.onnx hold one network each, which tools/infer.py
runs as well. With the suffix .pt2 the file is for torch.export.load. See docs/export.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from prettytable import PrettyTable

from sr4ir_mm.config import add_cfg_options, find_weights, load_config
from sr4ir_mm.config.cli import Parser, add_run, at_least
from sr4ir_mm.config.nodes import find_all
from sr4ir_mm.errors import user_errors

if TYPE_CHECKING:
    from sr4ir_mm.export import Difference


def difference_table(rows: list[Difference]) -> PrettyTable:
    """Make a table with a row for each output and size."""
    table = PrettyTable(['images', 'size', 'output', 'max |difference|', 'max |value|'], align='r')
    for row in rows:
        size = ' x '.join(map(str, row.size))
        table.add_row([row.image, size, row.output, f'{row.difference:.1e}', f'{row.largest:.3g}'])
    return table


def main() -> list[Path]:
    """Read the command line, export, print the differences from PyTorch; return the files."""
    parser = Parser(description=__doc__)
    add_run(parser)
    parser.add_argument('out', type=Path, help='file to write, *.onnx or *.pt2')
    parser.add_argument('--split', action='store_true', help='write each network to its own file: OUT_sr, OUT_task')
    parser.add_argument(
        '--shape', nargs=2, type=at_least(1), metavar=('H', 'W'), help='size of all LR images; default: any'
    )
    parser.add_argument(
        '--half', action='store_true', help='compute in float16 in the networks; input and outputs stay in float32'
    )
    parser.add_argument(
        '--raw', action='store_true', help='of detectors: what the heads return, for any batch size, instead of boxes'
    )
    add_cfg_options(parser)
    args = parser.parse_intermixed_args()
    cfg = load_config(args.config, args.cfg_options)
    weights = find_weights(args.config, args.checkpoint)

    # these take seconds
    from sr4ir_mm.config import build_model
    from sr4ir_mm.export import export, find_images
    from sr4ir_mm.inference.exported_files import run_meta

    pipeline = next(find_all(cfg.get('test_dataloader'), 'pipeline'), None)
    options = dict(split=args.split, shape=args.shape, raw=args.raw, half=args.half, meta=run_meta(cfg, weights))
    files = export(build_model(cfg, weights), args.out, pipeline=pipeline, images=find_images(cfg), **options)
    for path, rows in files.items():
        print(f'\n{path}: {path.stat().st_size / 2**20:.1f} MB, compared with PyTorch:')
        print(difference_table(rows))
    return list(files)


if __name__ == '__main__':
    with user_errors():
        main()
