"""Compare trained runs on LR images in a browser: python tools/webui.py work_dirs/fcn-tiny_edsr-tiny_x4_demo

For an image that you drop on the page it shows the SR image and the prediction of the task network, next to those of a
baseline. Name several work dirs to compare them, such as those of SR4IR and of its baseline L->T. Instead of a work dir
you can name a config and its checkpoint. The page is for this machine only (see --host) and needs no network.
"""

import argparse
import importlib.util

from sr4ir_mm.config.cli import Parser
from sr4ir_mm.errors import SR4IRError, user_errors


def positive(text: str) -> int:
    """Read an integer that is at least 1."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f'{text} is less than 1')
    return int(text)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        'runs', nargs='+', help='work dirs or checkpoints of tools/train.py, or a config and its checkpoint'
    )
    parser.add_argument('--examples', help='folder of LR images to offer')
    parser.add_argument('--host', default='127.0.0.1', help="address to listen on; '0.0.0.0' opens it to the network")
    parser.add_argument('--port', type=positive, help='port to listen on; default: the first free one from 7860 on')
    parser.add_argument(
        '--allowed-hosts', nargs='+', default=[], metavar='NAME', help='other names and addresses of the page'
    )
    parser.add_argument('--device', help="'cpu', 'cuda:0', ...; default: a GPU, if the machine has one")
    parser.add_argument('--max-side', type=positive, default=512, help='px; larger images are refused')
    parser.add_argument('--max-disk', type=positive, default=1000, help='MB for uploads and results; more are refused')
    parser.add_argument('--tile', type=int, default=256, help='px; larger images go through the SR network in tiles')
    return parser.parse_args()


def main() -> None:
    """Load the runs, serve the page."""
    args = parse_args()
    if not importlib.util.find_spec('gradio'):
        raise SR4IRError('gradio is not installed: pip install -r requirements/webui.txt')

    # these take seconds, and need what was just looked for
    from sr4ir_mm.webui.comparison import Comparison, load_runs
    from sr4ir_mm.webui.serve import serve

    comparison = Comparison(load_runs(args.runs, device=args.device, tile=args.tile), args.max_side)
    serve(comparison, args.examples, args.host, args.port, args.allowed_hosts, args.max_disk)


if __name__ == '__main__':
    with user_errors():
        main()
