"""Print the complete config of a training, with all that it inherits:

    python tools/analysis_tools/print_config.py mmdet::retinanet/retinanet_r50_fpn_1x_coco.py --sr edsr --scale 4
    python tools/analysis_tools/print_config.py faster-rcnn_edsr_x4_voc --scheme s2t > my_config.py

It is a Python file, which tools/train.py takes.
"""

from sr4ir_mm.config.cli import Parser, add_cfg_options
from sr4ir_mm.config.trainings import add_training, load_training
from sr4ir_mm.errors import user_errors


def main() -> None:
    """Read the command line, print the config."""
    parser = Parser(description=__doc__)
    add_training(parser)
    add_cfg_options(parser)
    print(load_training(parser.parse_args()).pretty_text)


if __name__ == '__main__':
    with user_errors():
        main()
