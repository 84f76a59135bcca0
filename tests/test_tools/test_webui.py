"""tools/webui.py: what the page shows, and the page itself in a browser without a network."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers.zoo import TOOLS, run_tool, tiny_config
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope, init_default_scope

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.webui.comparison import SAME_TASK_NET, Comparison, load_runs, on_bilinear


def make_run(folder: Path, **options) -> Path:
    """Write a work dir with random weights."""
    folder.mkdir()
    cfg = Config.fromfile(tiny_config(folder, **options))
    init_default_scope(cfg.default_scope)
    model = MODELS.build(cfg.model)
    if model.sr is not None:  # which starts from the bilinear image
        torch.nn.init.normal_(model.sr.residual.conv_last.weight, std=0.1)
    torch.save(dict(meta={}, state_dict=model.state_dict()), folder / 'epoch_1.pth')
    cfg.dump(folder / 'tiny.py')
    DefaultScope._instance_dict.clear()
    return folder


@pytest.fixture(scope='module')
def folder(tmp_path_factory) -> Path:
    """Two work dirs and files to upload."""
    folder = tmp_path_factory.mktemp('webui')
    torch.manual_seed(0)
    make_run(folder / 'ours')
    make_run(folder / 'base', **{'model.scheme': 'L->T'})
    make_run(folder / 'alone', **{'model.scheme': 'S'})
    image = np.random.default_rng(0).integers(0, 256, (24, 40, 3)).astype(np.uint8)
    cv2.imwrite(str(folder / 'lr.png'), image)
    cv2.imwrite(str(folder / 'deep.png'), image[..., 0].astype(np.uint16) * 257)
    cv2.imwrite(str(folder / 'wide.png'), np.zeros((10, 600, 3), np.uint8))
    (folder / 'corrupt.png').write_bytes(b'no image')
    (folder / 'cut.png').write_bytes((folder / 'lr.png').read_bytes()[:500])
    return folder


@pytest.fixture(scope='module')
def comparison(folder) -> Comparison:
    return Comparison(load_runs([str(folder / name) for name in ('base', 'ours', 'alone')], device='cpu'))


def test_pictures_and_labels(folder, comparison):
    pictures = comparison(str(folder / 'lr.png'), 'ours', 'base')
    assert [label for label, _ in pictures] == [
        'LR image, 40 x 24 px',
        'bilinear up-sampling, 160 x 96 px',
        'prediction on bilinear up-sampling',
        'super-resolution, 160 x 96 px',
        'prediction on super-resolution',
    ]
    assert [image.shape for _, image in pictures] == [(24, 40, 3)] + [(96, 160, 3)] * 4
    lr, low, low_drawn, sr, drawn = (image for _, image in pictures)
    assert np.array_equal(lr, cv2.imread(str(folder / 'lr.png'))[..., ::-1])
    assert np.array_equal(low[[0, 0, -1], [0, -1, -1]], lr[[0, 0, -1], [0, -1, -1]])  # with aligned corners
    assert not np.array_equal(low, sr) and not np.array_equal(sr, drawn) and not np.array_equal(low, low_drawn)


def test_the_same_task_network_receives_bilinear_up_sampling(folder, comparison):
    ours = comparison.runs['ours']
    twin = on_bilinear(ours)
    assert (ours.model.scheme.test_input, twin.model.scheme.test_input) == ('sr', 'bilinear')
    assert twin.model.task is ours.model.task
    path = str(folder / 'lr.png')
    own, other = comparison(path, 'ours', SAME_TASK_NET), comparison(path, 'ours', 'base')
    assert np.array_equal(own[1][1], other[1][1])  # both receive one image,
    assert not np.array_equal(own[2][1], other[2][1])  # on which these networks predict different classes
    assert np.array_equal(own[4][1], other[4][1])


def test_an_untrained_task_network_is_not_asked(folder, comparison):
    path, nothing = str(folder / 'lr.png'), 'no prediction: only the SR network was trained'
    _, (_, low), (label, low_drawn), (_, sr), (other_label, drawn) = comparison(path, 'alone', SAME_TASK_NET)
    assert label == other_label == nothing and np.array_equal(low, low_drawn) and np.array_equal(sr, drawn)
    _, _, (label, _), _, (other_label, _) = comparison(path, 'alone', 'base')  # that of the baseline is trained
    assert label == 'prediction on bilinear up-sampling' and other_label == nothing


def test_images_are_whole_even_if_the_run_predicts_in_windows(folder):
    """Of windows there is no picture of what the task network receives."""
    make_run(folder / 'windows', predict=dict(window=16, overlap=4))
    comparison = Comparison(load_runs([str(folder / 'windows')], device='cpu'))
    pictures = comparison(str(folder / 'lr.png'), 'windows', SAME_TASK_NET)
    assert [image.shape for _, image in pictures] == [(24, 40, 3)] + [(96, 160, 3)] * 4


def test_16_bit_gray(folder, comparison):
    (_, lr), *_ = comparison(str(folder / 'deep.png'), 'ours', 'base')
    assert np.array_equal(lr, np.repeat(cv2.imread(str(folder / 'lr.png'))[..., :1], 3, 2))


@pytest.mark.parametrize(
    'name, message',
    [
        ('corrupt.png', "'corrupt.png' is not an image"),
        ('cut.png', "'cut.png' is not an image"),
        ('wide.png', '600 x 10 px, but this page takes images of up to 512 px'),
    ],
)
def test_bad_images_are_named(folder, comparison, name, message):
    with pytest.raises(SR4IRError, match=message):
        comparison(str(folder / name), 'ours', 'base')


def test_first_choices(gradio, comparison, folder, tmp_path, monkeypatch):
    monkeypatch.setenv('GRADIO_TEMP_DIR', str(tmp_path))  # copies of the examples
    from sr4ir_mm.webui.page import build_page

    assert (comparison.first('sr'), comparison.first('bilinear'), comparison.first('hr')) == ('ours', 'base', None)
    page = build_page(comparison, str(folder))
    values = {block.label: block.value for block in page.blocks.values() if hasattr(block, 'choices')}
    assert values['Run'] == 'ours' and values['Baseline'] == 'base'


def test_config_and_checkpoint_instead_of_a_work_dir(folder):
    config, weights = str(folder / 'ours/tiny.py'), str(folder / 'ours/epoch_1.pth')
    assert list(load_runs([config, weights, config, weights], device='cpu')) == ['tiny', 'tiny_2']
    with pytest.raises(SR4IRError, match='is a config, without weights: name a checkpoint after it'):
        load_runs([config])


def test_checkpoints_alone(folder):
    """Each holds its config."""
    path = folder / 'stored' / 'epoch_2.pth'
    path.parent.mkdir()
    state = torch.load(folder / 'ours/epoch_1.pth')['state_dict']
    torch.save(dict(state_dict=state, meta=dict(cfg=Config.fromfile(folder / 'ours/tiny.py').pretty_text)), path)
    runs = load_runs([str(path), str(path), str(folder / 'ours'), str(path)], device='cpu')
    assert list(runs) == ['stored epoch_2', 'stored epoch_2_2', 'ours']
    with pytest.raises(SR4IRError, match=r"epoch_1\.pth' holds no config"):
        load_runs([str(folder / 'ours/epoch_1.pth')])


def test_nothing_in_the_work_dir(gradio, tmp_path, capsys):
    assert run_tool('webui', '.', cwd=tmp_path) == 2
    assert 'No config of a run found' in capsys.readouterr().err


@pytest.fixture(scope='module')
def gradio() -> None:
    """Skip if it is not installed."""
    pytest.importorskip('gradio')


def test_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    assert run_tool('webui', '.', cwd=tmp_path) == 2
    assert 'gradio is not installed: pip install' in capsys.readouterr().err


@pytest.mark.parametrize('option', ['--max-disk', '--max-side', '--port'])
def test_limits_are_positive(tmp_path, capsys, option):
    assert run_tool('webui', '.', option, '0', cwd=tmp_path) == 2
    assert f'{option}: 0 is less than 1' in capsys.readouterr().err


def test_names_the_port_that_is_in_use(gradio, folder, monkeypatch, capsys):
    monkeypatch.setattr('signal.signal', lambda *args: None)  # this process keeps its own way to end,
    for name in ('GRADIO_TEMP_DIR', 'GRADIO_ANALYTICS_CACHE_FREQUENCY', 'no_proxy'):
        monkeypatch.setenv(name, '')  # and its own environment
    with socket.create_server(('127.0.0.1', 0)) as other:
        port = other.getsockname()[1]
        assert run_tool('webui', 'base', '--port', port, '--device', 'cpu', cwd=folder) == 2
    assert f'cannot listen on 127.0.0.1, port {port}: another program uses the port' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('options', 'named'),
    [
        (('--host', 'no-such-host.invalid'), "on 'no-such-host.invalid'"),
        (('--host', '192.0.2.1'), "on '192.0.2.1'"),
        (('--port', '70000'), 'on 127.0.0.1, port 70000'),
    ],
)
def test_addresses_that_cannot_be_listened_on(gradio, folder, monkeypatch, capsys, options, named):
    """The page waited for its own server forever."""
    monkeypatch.setattr('signal.signal', lambda *args: None)
    assert run_tool('webui', 'base', *options, '--device', 'cpu', cwd=folder) == 2
    assert f'The page cannot listen {named}' in capsys.readouterr().err


@contextmanager
def serve(folder: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen]]:
    """Serve the page as a user does; give its address and the process, which writes into log.txt."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    (folder / 'temporary').mkdir(exist_ok=True)
    env = dict(os.environ, PYTHONPATH=str(TOOLS.parent), OMP_NUM_THREADS='1', TMPDIR=str(folder / 'temporary'))
    env.update(HTTP_PROXY='http://127.0.0.1:9', http_proxy='http://127.0.0.1:9', NO_PROXY='', no_proxy='')
    warnings = ['-W', 'default', '-W', 'ignore::ResourceWarning']  # the latter, while importing, breaks Python 3.10
    command = [sys.executable, *warnings, TOOLS / 'webui.py', 'ours', 'base', '--port', str(port), *options]
    with (folder / 'log.txt').open('w') as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)
    try:
        end = time.time() + 120
        while 'Running' not in (folder / 'log.txt').read_text():
            assert process.poll() is None and time.time() < end, (folder / 'log.txt').read_text()
            time.sleep(0.2)
        yield f'http://127.0.0.1:{port}', process
    finally:
        process.terminate()
        process.wait(20)


def status(address: str, host: str) -> int:
    try:
        request = urllib.request.Request(address, headers=dict(Host=host))
        return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20).status
    except urllib.error.HTTPError as error:
        return error.code


def test_a_page_for_the_network(gradio, folder):
    with serve(folder, '--host', '0.0.0.0', '--allowed-hosts', 'gpu1.lan') as (address, process):
        log = (folder / 'log.txt').read_text()
        assert 'WARNING: everyone on the network can use this page' in log and 'no password' in log
        hosts = ('10.1.2.3:7860', socket.gethostname(), 'gpu1.lan', 'other.example')
        assert [status(address, host) for host in hosts] == [200, 200, 200, 421]
        (private,) = (folder / 'temporary').glob('sr4ir_mm_webui_*')
        assert private.stat().st_mode & 0o777 == 0o700  # other users of this machine cannot look into it
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0 and not private.exists()


@pytest.fixture
def browser(gradio):
    webdriver = pytest.importorskip('selenium.webdriver')
    chromium, driver = shutil.which('chromium') or shutil.which('google-chrome'), shutil.which('chromedriver')
    if not (chromium and driver):
        pytest.skip('needs chromium and chromedriver')
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.set_capability('goog:loggingPrefs', dict(browser='ALL', performance='ALL'))
    for argument in (
        '--headless=new',
        '--no-sandbox',  # for root, as in a container
        '--disable-dev-shm-usage',
        '--window-size=1500,900',
        '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',  # no network
    ):
        options.add_argument(argument)
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield browser
    browser.quit()


@pytest.fixture
def address(gradio, folder) -> Iterator[str]:
    with serve(folder, '--examples', '.') as (address, _):
        yield address


def requests(browser) -> set[str]:
    """What the page requested."""
    events = [json.loads(entry['message'])['message'] for entry in browser.get_log('performance')]
    sent = [event['params'] for event in events if event['method'] == 'Network.requestWillBeSent']
    return {params['request']['url'] for params in sent}


@pytest.mark.slow
def test_page(folder, browser, address):
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.support.wait import WebDriverWait

    def wait_for(ready):
        # elements are drawn again or fade away after they are found and before they are read
        ignored = [StaleElementReferenceException]
        return WebDriverWait(browser, 60, 0.2, ignored_exceptions=ignored).until(lambda _: ready())

    def find(selector: str) -> list:
        return browser.find_elements('css selector', selector)

    def upload(name: str) -> None:
        for button in find('#upload button[aria-label="Remove Image"]'):
            button.click()
        wait_for(
            lambda: (
                find('#upload input[type=file]') and not find('#upload img') and not find('#the-runs-prediction img')
            )
        )
        find('#upload input[type=file]')[0].send_keys(str(folder / name))

    def pictures() -> dict[str, tuple[int, int]]:
        names = (
            'LR-image', 'the-baselines-task-input', 'the-runs-task-input', 'the-baselines-prediction',
            'the-runs-prediction',
        )  # fmt: skip
        found = {name: find(f'#{name} img') for name in names}
        if not all(found.values()):
            return {}
        sizes = {n: (i.get_property('naturalWidth'), i.get_property('naturalHeight')) for n, (i,) in found.items()}
        return sizes if all(map(all, sizes.values())) else {}

    def said(message: str) -> bool:
        return any(message in element.text for element in find('.toast-body'))

    browser.get(address)
    wait_for(lambda: find('#upload input[type=file]'))

    upload('lr.png')
    lr, *others = wait_for(pictures).values()
    assert lr == (40, 24) and others == [(160, 96)] * 4
    wait_for(lambda: len(find('.slider-wrap img')) == 2)
    first = find('#the-baselines-prediction img')[0].get_attribute('src')

    find('input[aria-label="Baseline"]')[0].click()  # the page shows another choice at once
    # an option has no text while it fades in
    wait_for(lambda: [option for option in find('[role=option]') if SAME_TASK_NET in option.text])[0].click()
    wait_for(lambda: pictures() and find('#the-baselines-prediction img')[0].get_attribute('src') != first)

    upload('corrupt.png')
    wait_for(lambda: said("'corrupt.png' is not an image"))
    upload('wide.png')
    wait_for(lambda: said('this page takes images of up to 512 px'))
    assert not pictures()

    upload('deep.png')  # the page still works
    assert wait_for(pictures)['the-runs-task-input'] == (160, 96)
    assert browser.save_screenshot(str(folder / 'page.png')) and cv2.imread(str(folder / 'page.png')).std() > 10

    find('#upload button[aria-label="Remove Image"]')[0].click()
    wait_for(lambda: not find('#the-runs-prediction img'))
    find('.gallery-item')[3].click()  # lr.png, among the examples by name
    assert wait_for(pictures)['LR-image'] == (40, 24)

    assert [entry for entry in browser.get_log('browser') if entry['level'] == 'SEVERE'] == []
    assert {url for url in requests(browser) if not url.startswith((f'{address}/', 'data:', 'blob:'))} == set()
    log = (folder / 'log.txt').read_text()
    assert 'Traceback' not in log and re.findall(r'gradio\S*: \w*Warning.*', log) == []
