"""Compare trained runs on LR images in a browser: python tools/webui.py work_dirs/fcn-tiny_edsr-tiny_x4_demo

For an image that you drop on the page it shows the SR image and the prediction of the task network, next to those of a
baseline. Name several work dirs to compare them, such as those of SR4IR and of its baseline L->T. Instead of a work dir
you can name a config and its checkpoint. The page is for this machine only (see --host) and needs no network.
"""

import argparse
import importlib.util

from sr4ir_mm.errors import SR4IRError, user_errors


def main() -> None:
    """Read the command line, load the runs, serve the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('runs', nargs='+', help='work dirs of tools/train.py, or a config and its checkpoint')
    parser.add_argument('--examples', help='folder of LR images to offer')
    parser.add_argument('--host', default='127.0.0.1', help="address to listen on; '0.0.0.0' opens it to the network")
    parser.add_argument('--port', type=int, help='port to listen on; default: the first free one from 7860 on')
    parser.add_argument('--device', help="'cpu', 'cuda:0', ...; default: a GPU, if the machine has one")
    parser.add_argument('--max-side', type=int, default=512, help='px; larger images are refused')
    parser.add_argument('--tile', type=int, default=256, help='px; larger images go through the SR network in tiles')
    args = parser.parse_args()
    if missing := [name for name in ('gradio', 'gradio_imageslider') if not importlib.util.find_spec(name)]:
        raise SR4IRError(f'{missing[0]} is not installed: pip install -r requirements/webui.txt')

    # these take seconds, and need what was just looked for
    from sr4ir_mm.webui.comparison import Comparison, load_runs
    from sr4ir_mm.webui.page import build_page

    comparison = Comparison(load_runs(args.runs, device=args.device, tile=args.tile), args.max_side)
    page = build_page(comparison, args.examples)
    page.launch(
        server_name=args.host,
        server_port=args.port,
        share=False,  # by gradio's servers
        max_file_size='50mb',
        show_error=True,
        show_api=False,
    )


if __name__ == '__main__':
    with user_errors():
        main()
