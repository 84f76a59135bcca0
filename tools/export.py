"""Export the SR network and the task network to one ONNX file, and compare it with PyTorch:

    python tools/export.py configs/sr4ir/deeplabv3_edsr_x4_voc.py work_dirs/.../epoch_100.pth model.onnx

The file takes LR images and returns the SR image and the outputs of the task network. With --split, model_sr.onnx and
model_task.onnx hold one network each. With the suffix .pt2 the file is for torch.export.load. See docs/export.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from prettytable import PrettyTable

from sr4ir_mm.config import add_cfg_options, load_config
from sr4ir_mm.errors import user_errors

if TYPE_CHECKING:
    from sr4ir_mm.export import Difference


def difference_table(rows: list[Difference]) -> PrettyTable:
    """Make a table with a row for each output and size."""
    table = PrettyTable(['images', 'output', 'max |difference|', 'max |value|'], align='r')
    for row in rows:
        size = ' x '.join(map(str, row.size))
        table.add_row([size, row.output, f'{row.difference:.1e}', f'{row.largest:.3g}'])
    return table


def main() -> None:
    """Read the command line, export, print the differences from PyTorch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file, name of one of our configs, or work dir of a training')
    parser.add_argument('checkpoint', help='checkpoint file or URL')
    parser.add_argument('out', type=Path, help='file to write, *.onnx or *.pt2')
    parser.add_argument('--split', action='store_true', help='write each network to its own file: OUT_sr, OUT_task')
    parser.add_argument('--shape', nargs=2, type=int, metavar=('H', 'W'), help='size of all LR images; default: any')
    add_cfg_options(parser)
    args = parser.parse_args()
    cfg = load_config(args.config, args.cfg_options)

    # these take seconds
    from sr4ir_mm.config import build_model
    from sr4ir_mm.export import export

    for path, rows in export(build_model(cfg, args.checkpoint), args.out, args.split, args.shape).items():
        print(f'\n{path}: {path.stat().st_size / 2**20:.1f} MB, compared with PyTorch:')
        print(difference_table(rows))


if __name__ == '__main__':
    with user_errors():
        main()
