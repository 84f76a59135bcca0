"""Convert a checkpoint of ours to files of the official code, net_sr_latest.pth and net_{seg,det,cls}_latest.pth:

    python tools/model_converters/mm2official.py configs/paper/tv-deeplabv3_edsr_x4_voc.py epoch_100.pth OUT_DIR

This works for the networks that both have: EDSR (the public EDSR-PyTorch loads the file too), SwinIR, the torchvision
networks of configs/paper/, and mmpretrain's ResNet.
"""

from pathlib import Path

from sr4ir_mm.config.cli import Parser, add_cfg_options, load_from_args
from sr4ir_mm.errors import user_errors


def main() -> None:
    """Read the command line, convert, save."""
    parser = Parser(description=__doc__)
    parser.add_argument('config', help='config file of the model')
    parser.add_argument('checkpoint', help='checkpoint of ours')
    parser.add_argument('out_dir', type=Path, help='folder for the files')
    add_cfg_options(parser)
    args = parser.parse_args()

    from sr4ir_mm.converters import to_official  # takes seconds, which --help does not need
    from sr4ir_mm.utils import write_checkpoint

    nets = to_official(load_from_args(args), args.checkpoint)
    for name, state in nets.items():
        path = args.out_dir / f'{name}_latest.pth'
        write_checkpoint(path, state)
        print(f'{path}: {len(state)} tensors')


if __name__ == '__main__':
    with user_errors():
        main()
