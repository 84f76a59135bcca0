"""Refuse requests that the page itself never sends.

Gradio answers more than the page needs: requests that make the server fetch a URL or read images outside of the page's
folder, that redirect to other servers, or that pages of other sites send from the user's browser.
"""

import json
from contextlib import nullcontext
from fnmatch import fnmatchcase
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .hosts import Hosts
from .uploads import Refused, Uploads

FILE, UPLOAD = '/gradio_api/file=', '/gradio_api/upload'
#: what the page requests; '*' stands for slashes, too
ROUTES = dict(
    GET=('/', '/config', '/theme.css', '/favicon.ico', '/manifest.json', '/assets/*', '/static/*', f'{FILE}*',
         '/gradio_api/startup-events', '/gradio_api/app_id', '/gradio_api/heartbeat/*', '/gradio_api/queue/*',
         '/gradio_api/upload_progress'),
    POST=(UPLOAD, '/gradio_api/queue/join', '/gradio_api/run/*', '/gradio_api/cancel', '/gradio_api/reset'),
)  # fmt: skip
MAX_BODY = 100_000  # bytes; those of the page are 50 times smaller
#: The browser loads nothing from other servers, and shows the page in no frame of another site.
SAFE_HEADERS = {
    'Content-Security-Policy': "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'self'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
}


class Guard:
    """ASGI middleware that passes on what the page sends, and refuses all else.

    Args:
        app (ASGIApp): Application behind it.
        hosts (Hosts): Names under which the page may be requested.
        uploads (Uploads): Folder with the only files that a request may name.
    """

    def __init__(self, app: ASGIApp, hosts: Hosts, uploads: Uploads) -> None:
        self.app, self.hosts, self.uploads = app, hosts, uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it."""
        if scope['type'] == 'lifespan':  # start and stop of the server
            return await self.app(scope, receive, send)
        if scope['type'] != 'http':  # the page has no WebSockets: nothing answers
            return None
        request, send = Request(dict(scope, headers=_without_proxies(scope['headers'])), receive), _safe(send)
        try:
            self.check(request.method, request.scope['path'], request.headers)
            await self.forward(request, send)
        except ClientDisconnect:
            pass  # the browser left before it had sent everything
        except Refused as error:
            await PlainTextResponse(error.message, error.status)(scope, receive, send)

    def check(self, method: str, path: str, headers: Headers) -> None:
        """Refuse unknown names of this machine, other sites, unknown routes and files outside of the folder."""
        hosts = headers.getlist('host')
        if len(hosts) != 1 or hosts[0] not in self.hosts:
            raise Refused(421, 'The page is not known under this name: see --allowed-hosts of tools/webui.py.')
        if _is_foreign(method, headers):
            raise Refused(403, 'The page does not answer pages of other sites.')
        if not any(fnmatchcase(path, route) for route in ROUTES.get('GET' if method == 'HEAD' else method, ())):
            raise Refused(404, 'The page has no such address.')
        if path.startswith(FILE) and not self.uploads.contains(path[len(FILE) :]):
            raise Refused(403, 'The page has no such file.')

    async def forward(self, request: Request, send: Send) -> None:
        """Pass an upload on if there is room for it, and any other request with JSON that was checked."""
        room, receive = nullcontext(), request.receive
        if request.scope['path'] == UPLOAD:
            room = self.uploads.reserve(_length(request.headers))
        elif request.method == 'POST':
            if request.scope['path'].endswith('/queue/join'):
                room = self.uploads.reserve(0)  # results take room, too
            receive = _replay(await self.read(request), receive)
        with room:
            await self.app(request.scope, receive, send)

    async def read(self, request: Request) -> bytes:
        """Read the JSON of a request, check the files that it names, and write it again without URLs."""
        body = b''
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                raise Refused(413, 'The request is too large.')
        try:
            return json.dumps(json.loads(body, object_hook=self.check_files)).encode()
        except (ValueError, RecursionError) as error:
            raise Refused(400, 'The request is not JSON.') from error

    def check_files(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Refuse a JSON object that names another file than an upload, and remove its URL."""
        if 'path' in entry and not (isinstance(entry['path'], str) and self.uploads.contains(entry['path'])):
            raise Refused(403, 'The page has no such file.')
        return dict(entry, url=None) if 'url' in entry else entry


def _without_proxies(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Remove the headers by which a request could change the address that Gradio redirects to."""
    return [(key, value) for key, value in headers if not key.startswith((b'x-forwarded-', b'x-gradio-'))]


def _is_foreign(method: str, headers: Headers) -> bool:
    """Return whether a page of another site sent the request; links to the page are welcome."""
    if 'origin' in headers:
        return headers['origin'].partition('://')[2] != headers['host']
    opened = method == 'GET' and headers.get('sec-fetch-dest') == 'document'
    return not opened and headers.get('sec-fetch-site', 'none') not in ('none', 'same-origin')


def _length(headers: Headers) -> int:
    length = headers.get('content-length', '')
    if not length.isdecimal() or 'transfer-encoding' in headers:
        raise Refused(411, 'An upload must say how long it is.')
    return int(length)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that gives a body that was read, then what follows it."""
    messages = [dict(type='http.request', body=body, more_body=False)]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


def _safe(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message['type'] == 'http.response.start':
            MutableHeaders(scope=message).update(SAFE_HEADERS)
        await send(message)

    return send_with_headers
