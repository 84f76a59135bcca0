"""Serve the page, guarded, with a folder of its own for uploads and results."""

import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.request import getproxies

from starlette.middleware import Middleware

from ..errors import SR4IRError
from .comparison import Comparison
from .guard import Guard
from .hosts import Hosts, check_address, is_loopback, listening
from .uploads import Uploads

if TYPE_CHECKING:
    from gradio import Blocks

OPEN = 'WARNING: everyone on the network can use this page, as {host} is not only for this machine. It has no password.'
SETTINGS = dict(
    max_file_size='50mb',
    show_error=True,
    footer_links=[],
    quiet=True,
    # what the page does not need: gradio's servers, statistics, a copy of all images in the browser, other interfaces
    share=False,
    enable_monitoring=False,
    run_history=False,
    mcp_server=False,
    ssr_mode=False,
    pwa=False,
)


def serve(
    comparison: Comparison,
    examples: str | None = None,
    host: str = '127.0.0.1',
    port: int | None = None,
    allowed_hosts: Sequence[str] = (),
    max_disk: int = 1000,
) -> None:
    """Serve the page until Ctrl-C.

    Args:
        comparison (Comparison): Runs to choose from.
        examples (str, optional): Folder of images to offer.
        host (str): Address to listen on.
        port (int, optional): Port to listen on. Default: the first free one from 7860 on.
        allowed_hosts (Sequence[str]): Other names and addresses of the page, see :class:`Hosts`.
        max_disk (int): MB for uploads and results; with more, uploads are refused.

    Raises:
        SR4IRError: If an allowed host is not a name, or the address or the port cannot be listened on.
    """
    if examples and not os.path.isdir(examples):
        raise SR4IRError(f"--examples '{examples}' is not a folder: name one with images.")
    hosts = Hosts(host, allowed_hosts)
    check_address(host, port)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the folder is deleted
    with tempfile.TemporaryDirectory(prefix='sr4ir_mm_webui_', ignore_cleanup_errors=True) as folder:
        page = start(comparison, examples, host, port, hosts, Uploads(folder, max_disk))
        if not is_loopback(host):
            print(OPEN.format(host=host), file=sys.stderr)
        print(f'Running on {page.local_url} (Ctrl-C stops it)', flush=True)
        page.block_thread()


def start(
    comparison: Comparison, examples: str | None, host: str, port: int | None, hosts: Hosts, uploads: Uploads
) -> 'Blocks':
    """Serve the page in a thread, with the arguments of :func:`serve`; ``close`` of what it returns ends it."""
    os.environ.update(
        GRADIO_TEMP_DIR=str(uploads.folder),
        GRADIO_ANALYTICS_CACHE_FREQUENCY=str(sys.maxsize),  # statistics of calls, which nothing here reads
        no_proxy=','.join(filter(None, (getproxies().get('no'), 'localhost', host))),  # gradio tests its own address
    )
    from .page import LOOK, build_page  # gradio reads the environment when it is imported, too

    page = build_page(comparison, examples).queue(api_open=False)  # every request waits in the queue
    uploads.examples = uploads.used()
    with listening(host, port):
        page.launch(
            server_name=f'[{host}]' if ':' in host else host,
            server_port=port,
            prevent_thread_lock=True,
            app_kwargs=dict(middleware=[Middleware(Guard, hosts=hosts, uploads=uploads)]),
            **LOOK,
            **SETTINGS,
        )
    return page
