"""Turn a checkpoint of ours into files of the official code, net_sr_latest.pth and net_{seg,det,cls}_latest.pth:

python tools/model_converters/mm2official.py configs/paper/tv-deeplabv3_edsr_x4_voc.py epoch_100.pth OUT_DIR

It holds for the nets that both have: EDSR (whose S the public EDSR-PyTorch loads too), SwinIR, the torchvision nets
of configs/paper/ and mmpretrain's ResNet.
"""

import argparse
from pathlib import Path

import torch

from sr4ir_mm.apis import load_config
from sr4ir_mm.converters.convert import to_official
from sr4ir_mm.errors import user_errors


def main() -> None:
    """Read the command line, convert, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file of the model')
    parser.add_argument('checkpoint', help='checkpoint of ours')
    parser.add_argument('out_dir', type=Path, help='folder for the files')
    args = parser.parse_args()
    nets = to_official(load_config(args.config), args.checkpoint)
    args.out_dir.mkdir(parents=True, exist_ok=True)
    for name, state in nets.items():
        path = args.out_dir / f'{name}_latest.pth'
        torch.save(state, path)
        print(f'{path}: {len(state)} tensors')


if __name__ == '__main__':
    with user_errors():
        main()
