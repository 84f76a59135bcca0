"""What the server of the web page refuses. Gradio alone would answer each of these requests."""

import json
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from sr4ir_mm.webui.comparison import SAME_TASK_NET

gradio = pytest.importorskip('gradio')
httpx = pytest.importorskip('httpx')

META = dict(_type='gradio.FileData')
FOREIGN = ('http://other.example', 'null', 'http://127.0.0.1:1', 'http://localhost')


class Shown:
    """Stands for a Comparison: shows the image five times."""

    runs = dict(ours=None)

    def first(self, test_input: str) -> None:
        return None

    def __call__(self, path: str, run: str, baseline: str) -> list:
        image = np.ascontiguousarray(cv2.imread(path)[..., ::-1])
        return [(f'picture {i}', image) for i in range(5)]


@pytest.fixture(scope='module')
def server(tmp_path_factory) -> Iterator:
    """The page behind its guard, with 1 MB for uploads."""
    from sr4ir_mm.webui.hosts import Hosts
    from sr4ir_mm.webui.serve import start
    from sr4ir_mm.webui.uploads import Uploads

    with pytest.MonkeyPatch.context() as patch:
        for name in ('GRADIO_TEMP_DIR', 'GRADIO_ANALYTICS_CACHE_FREQUENCY', 'no_proxy'):
            patch.setenv(name, '')  # start() changes them; they are restored afterwards
        uploads = Uploads(str(tmp_path_factory.mktemp('uploads')), 1)
        page = start(Shown(), None, '127.0.0.1', None, Hosts('127.0.0.1', ['gpu1.lan']), uploads)
        page.uploads = uploads
        yield page
        page.close(verbose=False)


@pytest.fixture
def client(server) -> Iterator:
    with httpx.Client(base_url=server.local_url, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def outside(tmp_path) -> Path:
    """An image that nobody uploaded."""
    cv2.imwrite(str(tmp_path / 'secret.png'), np.full((4, 4, 3), 77, np.uint8))
    return tmp_path / 'secret.png'


@pytest.fixture
def proxy(monkeypatch) -> Iterator[list[str]]:
    """URLs that the server requested: they arrive here, as at the proxy of a network."""
    requested = []

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requested.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args) -> None:
            pass

    server = HTTPServer(('127.0.0.1', 0), Proxy)
    monkeypatch.setenv('HTTP_PROXY', f'http://127.0.0.1:{server.server_port}')
    monkeypatch.setenv('http_proxy', f'http://127.0.0.1:{server.server_port}')
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield requested
    server.shutdown()
    server.server_close()


def upload(client, data: bytes | None = None, **headers: str):
    data = data or cv2.imencode('.png', np.full((8, 6, 3), 50, np.uint8))[1].tobytes()
    return client.post('/gradio_api/upload', files=dict(files=('lr.png', data)), headers=headers)


def ask(client, image: object, **headers: str):
    """Ask for the pictures of an image, as the page does; return the response and the session that will get them."""
    index = client.get('/config').json()['dependencies'][-1]['id']
    body = dict(data=[image, 'ours', SAME_TASK_NET], fn_index=index, session_hash=os.urandom(8).hex())
    headers = {'Content-Type': 'application/json', **headers}
    response = client.post('/gradio_api/queue/join', content=json.dumps(body), headers=headers)
    return response, body['session_hash']


def answer(client, session: str) -> str:
    """What the page receives after it asked, until the last message."""
    text = ''
    with client.stream('GET', '/gradio_api/queue/data', params=dict(session_hash=session)) as response:
        for line in response.iter_lines():
            text += line
            if 'process_completed' in line:
                break
    return text


def test_the_page_works(client):
    (path,) = upload(client, Origin=str(client.base_url).rstrip('/')).json()
    _, session = ask(client, dict(path=path, url=None, meta=META))
    found = re.findall(r'"(http[^"]*?/gradio_api/file=[^"]*)"', answer(client, session))
    image = cv2.imdecode(np.frombuffer(client.get(found[0]).content, np.uint8), cv2.IMREAD_COLOR)
    assert len(found) == 7 and image.shape == (8, 6, 3) and (image == 50).all()
    response = client.get('/')
    assert response.status_code == 200 and "default-src 'self'" in response.headers['Content-Security-Policy']


@pytest.mark.parametrize('origin', FOREIGN)
def test_other_sites_cannot_send_or_read(client, server, origin):
    before = server.uploads.used()
    assert upload(client, Origin=origin).status_code == 403
    assert ask(client, None, Origin=origin)[0].status_code == 403
    assert client.get('/config', headers=dict(Origin=origin)).status_code == 403
    assert server.uploads.used() == before


def test_other_sites_cannot_embed_but_can_link(client):
    foreign = {'Sec-Fetch-Site': 'cross-site'}
    assert client.get('/config', headers={**foreign, 'Sec-Fetch-Dest': 'script'}).status_code == 403
    assert client.get('/', headers={**foreign, 'Sec-Fetch-Dest': 'iframe'}).status_code == 403
    assert client.get('/', headers={**foreign, 'Sec-Fetch-Dest': 'document'}).status_code == 200
    assert client.get('/config', headers={'Sec-Fetch-Site': 'same-origin'}).status_code == 200


@pytest.mark.parametrize(
    'host', ['other.example', 'other.example:7860', '10.0.0.1', 'localhost.other.example', 'a@b', '']
)
def test_unknown_names_of_the_machine_are_refused(client, host):
    response = client.get('/config', headers=dict(Host=host))
    assert response.status_code == 421 and '--allowed-hosts' in response.text
    assert ask(client, None, Host=host)[0].status_code == 421


@pytest.mark.parametrize('host', ['localhost:1', 'LOCALHOST', '127.0.0.1', '[::1]:7860', 'gpu1.lan:80'])
def test_known_names_are_answered(client, host):
    assert client.get('/config', headers=dict(Host=host)).status_code == 200


def test_no_url_is_fetched(client, proxy):
    url = 'http://huggingface.co/x.png'  # one of the hosts that gradio trusts, whatever they resolve to
    for image in (dict(path=url, meta=META), dict(path=url), dict(path=None, url=url, meta=META)):
        assert ask(client, image)[0].status_code == 403
        assert ask(client, dict(nested=[image]))[0].status_code == 403
    (path,) = upload(client).json()
    _, session = ask(client, dict(path=path, url=url, meta=META))
    text = answer(client, session)
    assert '"success":true' in text and url not in text
    response = client.get(f'/gradio_api/file={url}')
    assert (response.status_code, response.text) == (403, 'The page has no such file.')
    assert not proxy


@pytest.mark.parametrize('meta', [{}, dict(meta=META)])
def test_no_other_image_of_the_machine_is_read(client, server, outside, meta):
    around = f'{server.uploads.folder}/../../{outside.parent.name}/{outside.name}'
    for path in (str(outside), around, 'relative.png', '\0', '\ud800', 7):
        assert ask(client, dict(path=path, **meta))[0].status_code == 403


def test_no_other_file_of_the_machine_is_sent(client, server, outside, monkeypatch):
    monkeypatch.setenv('GRADIO_EXAMPLES_CACHE', str(outside.parent))  # gradio sends all files of this folder
    link = server.uploads.folder / 'link.png'
    link.symlink_to(outside)
    for path in (outside, link, f'{server.uploads.folder}/../{outside.name}', '/etc/hostname', '%00'):
        assert client.get(f'/gradio_api/file={path}').text == 'The page has no such file.'
    link.unlink()


@pytest.mark.parametrize('method, path', [('GET', '/logout'), ('POST', '/login'), ('GET', '/login')])
def test_no_redirects(client, method, path):
    form = dict(username='a', password='b')
    forwarded = {'X-Forwarded-Host': 'other.example'}
    response = client.request(method, path, data=form if method == 'POST' else None, headers=forwarded)
    assert response.status_code == 404 and 'location' not in response.headers


@pytest.mark.parametrize('header', ['X-Forwarded-Host', 'X-Gradio-Server'])
def test_headers_do_not_change_the_address_of_the_page(client, header):
    assert 'other.example' not in client.get('/', headers={header: 'http://other.example'}).text


@pytest.mark.parametrize(
    'method, path',
    [
        ('GET', '/gradio_api/proxy=http://x.hf.space/'),
        ('GET', '/gradio_api/deep_link?session_hash=1'),
        ('GET', '/gradio_api/openapi.json'),
        ('GET', '/monitoring/summary'),
        ('POST', '/gradio_api/process_recording'),
        ('POST', '/gradio_api/component_server'),
        ('POST', '/gradio_api/call/update'),
        ('POST', '/config'),
        ('DELETE', '/'),
    ],
)
def test_what_the_page_does_not_use_does_not_exist(client, method, path):
    response = client.request(method, path)
    assert (response.status_code, response.text) == (404, 'The page has no such address.')


def test_no_request_runs_beside_the_queue(client):
    image = dict(path=upload(client).json()[0], meta={'_type': 'gradio.FileData'})
    index = client.get('/config').json()['dependencies'][-1]['id']
    data = dict(data=[image, 'ours', SAME_TASK_NET], fn_index=index, session_hash='x')
    assert client.post('/gradio_api/run/predict', json=data).status_code == 404


def test_results_need_room_too(client, empty):
    (empty / 'result').mkdir()
    (empty / 'result/large.png').write_bytes(bytes(3_000_000))
    assert client.post('/gradio_api/queue/join', json={}).status_code == 413
    (empty / 'result/large.png').unlink()


def test_requests_must_be_small_json(client):
    for body, status in ((b'{', 400), (b'[' * 10_000, 400), (b' ' * 200_000, 413)):
        assert client.post('/gradio_api/queue/join', content=body).status_code == status


@pytest.fixture
def empty(server) -> Path:
    """The folder for uploads, empty."""
    for path in files(server.uploads.folder):
        path.unlink()
    return server.uploads.folder


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob('*') if path.is_file()]


def test_uploads_stop_at_the_limit(client, empty):
    assert upload(client, os.urandom(700_000)).status_code == 200
    response = upload(client, os.urandom(700_000))
    assert response.status_code == 413 and 'no room for more images (1 MB)' in response.text
    (path,) = files(empty)
    path.unlink()  # as gradio does after an hour
    assert upload(client, os.urandom(700_000)).status_code == 200


def test_an_upload_must_say_how_long_it_is(client):
    kind = {'Content-Type': 'multipart/form-data; boundary=x'}
    assert client.post('/gradio_api/upload', content=iter([b'--x--']), headers=kind).status_code == 411


def test_an_upload_under_way_holds_its_room_and_leaves_nothing_when_it_is_interrupted(client, server, empty):
    head = (
        'POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 700000\r\n'
        'Content-Type: multipart/form-data; boundary=x\r\n\r\n'
        '--x\r\nContent-Disposition: form-data; name="files"; filename="lr.png"\r\n\r\n'
    )
    with socket.create_connection(('127.0.0.1', server.server_port)) as connection:
        connection.sendall(head.encode() + b'0' * 1000)
        wait_until(lambda: files(empty))
        assert upload(client, os.urandom(700_000)).status_code == 413
    wait_until(lambda: not files(empty))
    assert upload(client, os.urandom(700_000)).status_code == 200


def wait_until(ready: Callable[[], object]) -> None:
    end = time.time() + 20
    while not ready():
        assert time.time() < end
        time.sleep(0.05)
