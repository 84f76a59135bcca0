"""Folders with a model that was shared, and names on the Hugging Face Hub."""

import pickle
from pathlib import Path

import huggingface_hub
import pytest
import torch

from sr4ir_mm.config import find_weights, load_config
from sr4ir_mm.config import shared as module
from sr4ir_mm.config.shared import find_shared, shared_weights
from sr4ir_mm.config.stored import read_meta
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.utils.weights_files import write_weights

TEXT = 'model = dict(scale=4, sizes=[(1, 2)])\ntest_dataloader = dict(batch_size=1)\n'


def make(folder: Path, text: str = TEXT) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'config.py').write_text(text)
    write_weights(folder / 'model.safetensors', dict(weight=torch.ones(2)), dict(epoch=3))
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    module._download.cache_clear()
    return tmp_path


@pytest.fixture
def hub(monkeypatch, tmp_path) -> list:
    """A hub that has user/net and user/other; the calls."""
    calls = []

    def download(name: str, revision: str | None, allow_patterns: list[str]) -> str:
        calls.append((name, revision))
        assert allow_patterns == ['config.py', 'model.safetensors', 'README.md'], 'nothing else is downloaded'
        if name not in ('user/net', 'user/other'):
            raise huggingface_hub.errors.LocalEntryNotFoundError('An error happened.\nCheck your connection.')
        folder = tmp_path / f'cache/models--{name.replace("/", "--")}/snapshots/1a2b'
        folder.mkdir(parents=True, exist_ok=True)
        return str(make(folder) if name == 'user/net' else folder)

    monkeypatch.setattr(huggingface_hub, 'snapshot_download', download)
    return calls


@pytest.mark.parametrize('source', ['net', './net/', 'net/config.py', 'net/model.safetensors'])
def test_a_folder_is_a_run(here, source):
    make(here / 'net')
    cfg = load_config(source, {'model.scale': 2})
    assert cfg.model.scale == 2 and cfg.model.sizes == [(1, 2)] and Path(cfg.filename).name == 'net.py'
    assert Path(find_weights(source)) == Path('net/model.safetensors')
    assert Path(find_weights('other_config.py', source)) == Path('net/model.safetensors')
    assert read_meta(find_weights(source))['epoch'] == 3


def test_a_name_on_the_hub_is_a_run(hub):
    assert Path(load_config('user/net').filename).name == 'net.py'
    assert find_weights('user/net').endswith('models--user--net/snapshots/1a2b/model.safetensors')
    assert hub == [('user/net', None)], 'config and weights of one revision'
    find_weights('user/net@v1.0')
    assert hub[1:] == [('user/net', 'v1.0')]


def test_what_the_hub_does_not_have(hub):
    for read in (load_config, find_weights):
        with pytest.raises(SR4IRError) as error:
            read('user/missing')
        assert str(error.value).startswith(
            "'user/missing' is no file or folder here, and the Hugging Face Hub does not"
        )
        assert '(LocalEntryNotFoundError: An error happened.)' in str(error.value) and '\n' not in str(error.value)
    with pytest.raises(SR4IRError, match=r"'user/other' on the Hugging Face Hub has no config\.py"):
        load_config('user/other')


def test_without_a_network_a_name_is_one_message(monkeypatch, here):
    monkeypatch.setattr(huggingface_hub.constants, 'HF_HUB_OFFLINE', True)
    with pytest.raises(SR4IRError, match="'user/name' is no file or folder here"):
        load_config('user/name')


@pytest.mark.parametrize(
    'name',
    ['runs/missing', 'work_dirs/missing', 'user/missing.pth', 'user/missing.py', 'a/b/c', 'missing', 'mmdet::a/b'],
)
def test_other_names_never_reach_the_hub(hub, here, name):
    (here / 'runs').mkdir()
    assert find_shared(name) is None and shared_weights(name) is None
    with pytest.raises(SR4IRError, match=r'not found|without a super-resolution network'):
        load_config(name)
    assert hub == []


def test_an_author_does_not_choose_where_files_are_written(here):
    make(here / 'net', "work_dir = '/victim'\nresume = True\nload_from = '/victim/a.pth'\nlauncher = 'slurm'")
    assert not {'work_dir', 'resume', 'load_from', 'launcher'} & set(load_config('net'))


def test_a_folder_here_comes_first(hub, here):
    make(here / 'user/net')
    assert find_weights('user/net') == 'user/net/model.safetensors' and hub == []


@pytest.mark.parametrize('source', ['net', 'net/config.py'])
@pytest.mark.parametrize(
    'code', ['import os\nos.remove("victim")', 'a = open("victim", "w")', 'a = dict(type="os.remove")']
)
def test_code_in_a_folder_is_not_run(here, source, code):
    (here / 'victim').write_text('unchanged')
    make(here / 'net', code)
    with pytest.raises(SR4IRError, match=r"The config in 'net/config\.py'"):
        load_config(source)
    assert (here / 'victim').read_text() == 'unchanged'


class Evil:
    def __reduce__(self):
        return (open, ('victim', 'w'))


@pytest.mark.parametrize('save', [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))])
def test_pickles_in_a_folder_are_not_read(here, save):
    (here / 'victim').write_text('unchanged')
    save(dict(state_dict=Evil()), make(here / 'net') / 'epoch_9.pth')
    assert find_weights('net') == 'net/model.safetensors' and load_config('net').model.scale == 4
    save(dict(state_dict=Evil()), here / 'net/model.safetensors')
    with pytest.raises(SR4IRError, match=r"model\.safetensors' is not a file of weights"):
        read_meta(find_weights('net'))
    assert (here / 'victim').read_text() == 'unchanged'


def test_a_folder_without_weights_is_none(here):
    make(here / 'net')
    (here / 'net/model.safetensors').unlink()
    assert find_shared('net') is None
