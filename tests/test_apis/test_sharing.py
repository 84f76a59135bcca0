"""A trained model as a folder, on the hub, and as a slim checkpoint."""

import hashlib
import json
import re
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import torch
from helpers.zoo import run_tool
from huggingface_hub import ModelCard
from safetensors import safe_open

from sr4ir_mm import SR4IRInferencer, from_pretrained, push_to_hub, save_pretrained
from sr4ir_mm.apis import save_checkpoint
from sr4ir_mm.compat.stored_configs import parse_config
from sr4ir_mm.config import find_weights, load_config
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference.runs import dataset_meta

TOOL = 'model_converters/publish_model'


@pytest.fixture
def shared(trained_dir, tmp_path) -> Path:
    return save_pretrained(trained_dir, tmp_path / 'ships-x4')


def test_the_folder_holds_three_files_of_data(shared, trained_dir):
    assert sorted(path.name for path in shared.iterdir()) == ['README.md', 'config.py', 'model.safetensors']
    entries = parse_config((shared / 'config.py').read_text())
    assert not {'work_dir', 'launcher', 'resume', 'load_from'} & set(entries)
    trained = load_config(trained_dir).to_dict()
    assert entries == {key: value for key, value in trained.items() if key in entries}
    with safe_open(shared / 'model.safetensors', 'pt') as file:
        assert not any('optim' in key for key in file.keys())  # noqa: SIM118


def test_the_model_comes_back(shared, trained_dir):
    model, other = from_pretrained(shared), from_pretrained(trained_dir)
    assert not model.training
    state, expected = model.state_dict(), other.state_dict()
    assert state.keys() == expected.keys() and all(torch.equal(state[key], expected[key]) for key in state)
    metas = [dataset_meta(load_config(run), find_weights(run)) for run in (shared, trained_dir)]
    assert len(metas[0]['classes']) == 21 and metas[0]['classes'] == list(metas[1]['classes'])
    assert metas[0]['palette'] == metas[1]['palette']
    assert all(isinstance(color, tuple) for color in metas[0]['palette'])  # mmdet's visualizer takes no lists


def test_the_inferencer_takes_it(shared, trained_dir):
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    maps = [
        SR4IRInferencer(str(run), device='cpu', show_progress=False)(image)['predictions'][0].seg_logits.data
        for run in (shared, trained_dir)
    ]
    assert torch.equal(*maps)


def test_the_tools_take_it(shared, tmp_path):
    assert run_tool('test', shared, cwd=tmp_path) == 0
    (path,) = (tmp_path / 'work_dirs/ships-x4/test').glob('*/2*.json')
    assert 'mIoU' in json.loads(path.read_text())
    assert len(list(shared.iterdir())) == 3, 'what is shared stays as it is'
    assert run_tool('infer', shared, next(Path(load_config(shared).data_root).glob('JPEGImages/*')), cwd=tmp_path) == 0
    assert len(list((tmp_path / 'outputs/preds').glob('*.json'))) == 1


def test_sharing_what_was_shared(shared, tmp_path):
    again = save_pretrained(shared, tmp_path / 'again')
    for name in ('config.py', 'model.safetensors'):
        assert (again / name).read_bytes() == (shared / name).read_bytes()


def test_an_edited_page_stays(shared, trained_dir):
    (shared / 'README.md').write_text('mine')
    save_pretrained(trained_dir, shared)
    assert (shared / 'README.md').read_text() == 'mine'


def test_what_cannot_be_shared(trained_dir, tmp_path):
    with pytest.raises(SR4IRError, match='holds a training: choose another folder'):
        save_pretrained(trained_dir, trained_dir)
    text = (trained_dir / 'ships.py').read_text()
    (tmp_path / 'code.py').write_text(f'{text}\nmodel["task"]["type"] = "os.system"\n')
    with pytest.raises(SR4IRError, match=r"The config in '.*code\.py' has type='os\.system'"):
        save_pretrained(tmp_path / 'code.py', tmp_path / 'out', find_weights(trained_dir))
    assert not (tmp_path / 'out').exists()
    with pytest.raises(SR4IRError, match='is a config, without weights'):
        save_pretrained('fcn-tiny_edsr-tiny_x4_demo', tmp_path / 'out')


def test_the_page_says_what_is_known(tested_dir, tmp_path):
    page = ModelCard.load(save_pretrained(tested_dir, tmp_path / 'ships-x4') / 'README.md')
    data = page.data.to_dict()
    assert data['library_name'] == 'sr4ir_mm' and data['pipeline_tag'] == 'image-segmentation'
    assert 'license' not in data and '## License' in page.text
    (result,) = data['model-index'][0]['results']
    assert {entry['type']: entry['value'] for entry in result['metrics']} == {'mIoU': 61.5, 'sr/PSNR': 26.0}
    for fact in (
        'BilinearSkip, EDSRNet',
        'EncoderDecoder, ResNet',
        'x4',
        'SR4IR',
        'epoch 2, iter 4',
        "SR4IRInferencer('ships-x4')",
    ):
        assert fact in page.text
    assert '| mIoU | 61.5 |' in page.text and 'Test with' in page.text


def test_the_page_has_results_of_this_checkpoint_only(trained_dir, tested_dir, tmp_path):
    page = (save_pretrained(trained_dir, tmp_path / 'a') / 'README.md').read_text()
    assert '| mIoU | 50 |' in page and '| sr/PSNR | 25.123 |' in page and 'Validation during' in page
    (tested_dir / 'epoch_2.pth').rename(tested_dir / 'epoch_1.pth')
    content = torch.load(tested_dir / 'epoch_1.pth', weights_only=True)
    torch.save({**content, 'meta': {**content['meta'], 'epoch': 1}}, tested_dir / 'epoch_1.pth')
    page = (save_pretrained(tested_dir, tmp_path / 'b') / 'README.md').read_text()
    assert '| mIoU | 40 |' in page and '61.5' not in page, 'the test was of another checkpoint'
    (tested_dir / 'epoch_1.pth').rename(tmp_path / 'alone.pth')
    page = (save_pretrained(tmp_path / 'alone.pth', tmp_path / 'c') / 'README.md').read_text()
    assert 'No results of this checkpoint' in page and 'model-index' not in page


def test_a_slim_checkpoint(trained_dir, tmp_path):
    path = save_checkpoint(trained_dir, tmp_path / 'ships.pth')
    digest = re.fullmatch(r'ships-([0-9a-f]{8})\.pth', path.name)[1]
    assert hashlib.sha256(path.read_bytes()).hexdigest().startswith(digest)
    content = torch.load(path, weights_only=True)
    assert set(content) == {'state_dict', 'meta'} and content['meta']['epoch'] == 2
    assert (
        load_config(path).model == load_config(trained_dir).model and Path(load_config(path).filename).stem == 'ships'
    )
    assert from_pretrained(path).state_dict().keys() == from_pretrained(trained_dir).state_dict().keys()


def test_the_tool_writes_both(trained_dir, tmp_path, capsys):
    assert run_tool(TOOL, trained_dir, 'ships', cwd=tmp_path) == 0
    assert 'hf upload USER/NAME ships' in capsys.readouterr().out
    assert run_tool(TOOL, trained_dir, trained_dir / 'epoch_2.pth', 'ships.pth', cwd=tmp_path) == 0
    assert len(list(tmp_path.glob('ships-*.pth'))) == 1 and (tmp_path / 'ships/model.safetensors').is_file()


class FakeApi:
    """What the hub is asked for."""

    def __init__(self, calls: dict, **options) -> None:
        self.calls = calls

    def create_repo(self, name: str, *, private: bool, exist_ok: bool) -> str:
        assert exist_ok
        self.calls['repo'] = (name, private)
        return f'https://hub/{name}'

    def file_exists(self, name: str, file: str) -> bool:
        return self.calls['has_page']

    def upload_folder(self, *, repo_id: str, folder_path: Path, allow_patterns: list[str], commit_message: str) -> None:
        if repo_id == 'other/net':
            raise PermissionError('403 Forbidden\nDetails')
        names = [path.name for path in Path(folder_path).iterdir() if path.name in allow_patterns]
        self.calls.update(files=sorted(names), page=(Path(folder_path) / 'README.md').read_text())


@pytest.mark.parametrize('has_page', [False, True])
def test_push(trained_dir, tmp_path, monkeypatch, has_page):
    calls = dict(has_page=has_page)
    monkeypatch.setattr(huggingface_hub, 'HfApi', lambda **options: FakeApi(calls, **options))
    assert push_to_hub(trained_dir, 'user/net', private=True) == 'https://hub/user/net'
    assert calls['repo'] == ('user/net', True) and "SR4IRInferencer('user/net')" in calls['page']
    weights = ['config.py', 'model.safetensors']
    assert calls['files'] == (weights if has_page else ['README.md', *weights])

    shared = save_pretrained(trained_dir, tmp_path / 'mine')
    (shared / 'README.md').write_text('my page')
    (shared / 'secret.txt').write_text('not for others')
    push_to_hub(shared, 'user/net')
    assert calls['files'] == ['README.md', *weights] and calls['page'] == 'my page'
    with pytest.raises(SR4IRError, match=r"does not take 'other/net' \(PermissionError: 403 Forbidden\)\. Log in with"):
        push_to_hub(shared, 'other/net')
