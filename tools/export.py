"""Export S and T to one ONNX file, checked against PyTorch:

    python tools/export.py configs/sr4ir/deeplabv3_edsr_x4_voc.py work_dirs/.../epoch_100.pth model.onnx

It takes LR images and returns the SR image and what T returns; --split makes model_sr.onnx and model_task.onnx. A name
that ends in .pt2 makes files for torch.export.load. See docs/export.md.
"""

import argparse
from pathlib import Path

from mmengine.config import Config, DictAction
from mmengine.runner import load_checkpoint

from sr4ir_mm.apis import find_checkpoint, load_config
from sr4ir_mm.config.building import build_model
from sr4ir_mm.errors import SR4IRError, user_errors
from sr4ir_mm.export.exporter import export
from sr4ir_mm.models import SR4IR


def build(cfg: Config, checkpoint: str) -> SR4IR:
    """The model of a config, with all its weights."""
    model = build_model(cfg)
    try:
        load_checkpoint(model, find_checkpoint(checkpoint), map_location='cpu', strict=True)
    except RuntimeError as error:
        raise SR4IRError(f"'{checkpoint}' is not of the model of the config: {error}") from error
    return model


def main() -> None:
    """Read the command line, export, print the differences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('out', type=Path, help='file to write, *.onnx or *.pt2')
    parser.add_argument('--split', action='store_true', help='S and T in files of their own: OUT_sr, OUT_task')
    parser.add_argument('--shape', nargs=2, type=int, metavar=('H', 'W'), help='size of all LR images; default: any')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='override entries: key=value ...')
    args = parser.parse_args()
    model = build(load_config(args.config, args.cfg_options), args.checkpoint)
    for path, rows in export(model, args.out, args.split, args.shape).items():
        print(f'\n{path}: {path.stat().st_size / 2**20:.1f} MB, compared with PyTorch:')
        print('images         output            max |difference|  max |value|')
        for row in rows:
            size = ' x '.join(map(str, row.size))
            print(f'{size:14} {row.output:17} {row.difference:<17.1e} {row.largest:.3g}')


if __name__ == '__main__':
    with user_errors():
        main()
