r"""Convert weights of the official code to a checkpoint of ours, for tools/test.py, ``load_from`` and ``init_cfg``.

A whole model of the official release, to be tested by ``tools/test.py CONFIG OUT``:

    python tools/model_converters/official2mm.py configs/paper/tv-deeplabv3_edsr_x4_voc.py sr4ir.pth \
        --sr net_sr_latest.pth --task net_seg_latest.pth

A pretrained SR network, EDSR-PyTorch's .pt or SwinIR's .pth, as the start of a training with
``--cfg-options model.sr.init_cfg.type=Pretrained model.sr.init_cfg.prefix=sr. model.sr.init_cfg.checkpoint=OUT``:

    python tools/model_converters/official2mm.py configs/sr4ir/deeplabv3_edsr_x4_voc.py edsr.pth \
        --sr edsr_baseline_x4-6b446fab.pt
"""

from pathlib import Path

from sr4ir_mm.config.cli import Parser, add_cfg_options, load_from_args
from sr4ir_mm.errors import user_errors


def main() -> None:
    """Read the command line, convert, save."""
    parser = Parser(description=__doc__)
    parser.add_argument('config', help='config file of the model')
    parser.add_argument('out', type=Path, help='checkpoint file to write')
    parser.add_argument('--sr', help='weights of the SR network: net_sr_latest.pth, EDSR-PyTorch .pt or SwinIR .pth')
    parser.add_argument('--task', help='weights of the task network: net_{seg,det,cls}_latest.pth')
    add_cfg_options(parser)
    args = parser.parse_args()

    from sr4ir_mm.converters import from_official  # takes seconds, which --help does not need
    from sr4ir_mm.utils import write_checkpoint

    checkpoint = from_official(load_from_args(args), sr=args.sr, task=args.task)
    write_checkpoint(args.out, checkpoint)
    print(f'{args.out}: {len(checkpoint["state_dict"])} tensors')


if __name__ == '__main__':
    with user_errors():
        main()
