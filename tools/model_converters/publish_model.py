"""Write a trained model as a folder to share, or as a slim checkpoint:

    python tools/model_converters/publish_model.py work_dirs/deeplabv3_edsr_x4_voc deeplabv3_edsr_x4_voc
    python tools/model_converters/publish_model.py work_dirs/deeplabv3_edsr_x4_voc deeplabv3_edsr_x4_voc.pth

The folder has the config, the weights as safetensors, and a page about the model; all tools take it as they take a
work dir. The checkpoint has weights and config, and a hash in its name. See docs/share.md.
"""

from pathlib import Path

from sr4ir_mm.config.cli import Parser, add_run
from sr4ir_mm.errors import user_errors


def main() -> Path:
    """Read the command line, write, say what to do next; return what was written."""
    parser = Parser(description=__doc__)
    add_run(parser)
    parser.add_argument('out', type=Path, help='folder, or file *.pth')
    args = parser.parse_args()

    from sr4ir_mm.apis import save_checkpoint, save_pretrained  # takes seconds, which --help does not need

    if args.out.suffix == '.pth':
        path = save_checkpoint(args.config, args.out, args.checkpoint)
        print(f'{path}: {path.stat().st_size / 2**20:.1f} MB')
        return path
    path = save_pretrained(args.config, args.out, args.checkpoint)
    print(f'{path}: add the license to README.md, and read it. To upload the folder: hf upload USER/NAME {path}')
    return path


if __name__ == '__main__':
    with user_errors():
        main()
