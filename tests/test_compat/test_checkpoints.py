"""MMEngine's own checkpoints load with torch's safe loader, and harmful ones do not."""

import os
import pickle
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest
import torch
import torchvision
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import CheckpointLoader, Runner
from torch import Tensor, nn
from torch.utils.data import Dataset

from sr4ir_mm.errors import SR4IRError

needs_safe_loader = pytest.mark.skipif(
    tuple(int(n) for n in torch.__version__.split('.')[:2]) < (2, 6), reason='torch < 2.6 loads anything'
)


class TwoNets(BaseModel):
    def __init__(self) -> None:
        super().__init__()
        self.sr, self.task = nn.Linear(2, 2), nn.Linear(2, 1)

    def forward(self, inputs: list[Tensor], data_samples: list, mode: str = 'tensor') -> Tensor:
        return self.task(self.sr(torch.stack(inputs)))

    def train_step(self, data: dict, optim_wrapper: OptimWrapperDict) -> dict[str, Tensor]:
        loss = self(**data).square().mean()
        loss.backward()
        for wrapper in optim_wrapper.values():
            wrapper.step()
            wrapper.zero_grad()
        return {'loss': loss}


class Data(Dataset):
    metainfo = dict(
        classes=('a', 'b'),
        palette=np.arange(6, dtype=np.uint8).reshape(2, 3),
        size=np.int64(4),
        scale=np.float32(0.5),
        nested=ConfigDict(a=dict(b=1)),
    )

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> dict:
        return dict(inputs=torch.tensor([index, 1.0]), data_samples=index)


def runner(work_dir, resume_from=None) -> Runner:
    torch.manual_seed(1)
    model = TwoNets()
    optimizers = [torch.optim.Adam(model.sr.parameters()), torch.optim.SGD(model.task.parameters(), 0.1, momentum=0.9)]
    wrappers = OptimWrapperDict(**{name: OptimWrapper(o) for name, o in zip(('sr', 'task'), optimizers, strict=True)})
    schedulers = dict(
        sr=[dict(type='LinearLR', end=2), dict(type='CosineAnnealingLR', T_max=4)],
        task=[dict(type='MultiStepLR', milestones=[2]), dict(type='OneCycleLR', total_steps=10, eta_max=0.1)],
    )
    return Runner(
        model,
        str(work_dir),
        train_dataloader=dict(dataset=Data(), batch_size=2, sampler=dict(type='DefaultSampler', shuffle=False)),
        train_cfg=dict(by_epoch=True, max_epochs=4),
        optim_wrapper=wrappers,
        param_scheduler=schedulers,
        default_hooks=dict(logger=dict(type='LoggerHook', interval=1)),
        custom_hooks=[dict(type='EMAHook')],
        experiment_name=work_dir.name,
        log_level='ERROR',
        load_from=resume_from and str(resume_from),
        resume=resume_from is not None,
    )


def test_resumes_its_own_checkpoint(tmp_path):
    """Two optimizers, schedulers, message hub, EMA: a run resumed after two of four epochs ends as the whole run."""
    expected = runner(tmp_path / 'whole').train().state_dict()
    middle = tmp_path / 'whole' / 'epoch_2.pth'
    assert isinstance(torch.load(middle)['message_hub']['log_scalars']['train/loss'], HistoryBuffer)
    resumed = runner(tmp_path / 'resumed', resume_from=middle)
    found = resumed.train().state_dict()
    assert resumed.message_hub.get_scalar('train/loss').statistics('mean') > 0
    assert resumed.message_hub.get_info('dataset_meta')['nested'].a.b == 1
    for key in expected:
        torch.testing.assert_close(found[key], expected[key], rtol=0, atol=0)


class Call:
    """Pickles to a call."""

    def __init__(self, function, *args) -> None:
        self.call = function, args

    def __reduce__(self):
        return self.call


@needs_safe_loader
@pytest.mark.parametrize(
    'harmful',
    [
        Call(eval, '1'),
        Call(getattr, HistoryBuffer, '__init__'),
        Call(getattr, Call(getattr, HistoryBuffer, 'mean'), '__globals__'),
        Call(print, 'hello'),
        SimpleNamespace(a=1),
        Call(np.load, 'file'),
    ],
    ids=['eval', 'getattr', 'getattr of a method', 'print', 'namespace', 'load'],
)
def test_harmful_checkpoint_is_refused(tmp_path, harmful):
    torch.save({'state_dict': {}, 'meta': harmful}, tmp_path / 'harmful.pth')
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / 'harmful.pth')


@needs_safe_loader
@pytest.mark.parametrize('package', ['numpy.core', 'numpy._core'])
def test_checkpoint_of_the_other_numpy(tmp_path, package):
    """NumPy 2 moved the functions that arrays are pickled with."""
    torch.save(np.arange(3), tmp_path / 'a.pth', _use_new_zipfile_serialization=False)
    data = (tmp_path / 'a.pth').read_bytes()
    here = b'numpy._core' if b'numpy._core' in data else b'numpy.core'
    (tmp_path / 'b.pth').write_bytes(data.replace(b'c' + here, b'c' + package.encode()))
    assert torch.load(tmp_path / 'b.pth').tolist() == [0, 1, 2]


@pytest.fixture
def hostile(tmp_path, monkeypatch) -> Path:
    """A checkpoint that writes a file ``ran`` when its code runs, in the cache of downloads under a published name."""
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    monkeypatch.setattr(torch.hub, '_hub_dir', None)
    path = tmp_path / 'hub/checkpoints/resnet18-f37072fd.pth'
    path.parent.mkdir(parents=True)
    torch.save(dict(state_dict={'w': torch.ones(1), 'x': Call(exec, f'open({str(tmp_path / "ran")!r}, "w")')}), path)
    return path


@pytest.mark.parametrize('legacy', [False, True])
@pytest.mark.parametrize(
    'name', ['{path}', 'https://example.org/resnet18-f37072fd.pth', 'torchvision://resnet18', 'modelzoo://resnet18']
)
def test_no_way_of_loading_runs_code(hostile, name, legacy):
    if legacy:
        state = dict(state_dict=Call(exec, f'open({str(hostile.parents[2] / "ran")!r}, "w")'))
        torch.save(state, hostile, _use_new_zipfile_serialization=False)
    with pytest.raises(SR4IRError, match=f'{re.escape(name.format(path=hostile))}.*not a file of weights'):
        CheckpointLoader.load_checkpoint(name.format(path=hostile), 'cpu')
    assert not (hostile.parents[2] / 'ran').exists()


@needs_safe_loader
def test_a_call_of_the_system_is_named(tmp_path):
    """PyTorch advises to load the file without the check."""
    torch.save({'w': torch.ones(1), 'x': Call(os.system, 'true')}, tmp_path / 'a.pth')
    with pytest.raises(SR4IRError, match=rf'it calls {os.name}.system, which no file of weights does') as error:
        CheckpointLoader.load_checkpoint(str(tmp_path / 'a.pth'))
    assert 'weights_only' not in str(error.value)


@pytest.mark.parametrize('legacy', [False, True])
def test_weights_that_other_packages_download(hostile, legacy):
    """torchvision, timm and LPIPS load them through ``torch.hub``, with the unsafe loader."""
    state = torch.load(hostile, weights_only=False) if legacy else None
    (hostile.parents[2] / 'ran').unlink(missing_ok=True)
    if legacy:
        state['x'] = Call(exec, f'open({str(hostile.parents[2] / "ran")!r}, "w")')
        torch.save(state, hostile, _use_new_zipfile_serialization=False)
    with pytest.raises(SR4IRError, match=r'resnet18-f37072fd\.pth.*not a file of weights'):
        torchvision.models.resnet18(weights='DEFAULT')
    assert not (hostile.parents[2] / 'ran').exists()
    torch.save(torchvision.models.resnet18().state_dict(), hostile)
    torchvision.models.resnet18(weights='DEFAULT')


def test_the_stored_config_of_a_checkpoint_is_not_run_on_resume(tmp_path):
    runner(tmp_path / 'whole').train()
    saved = torch.load(tmp_path / 'whole/epoch_2.pth', weights_only=False)
    saved['meta']['config'] = f'open({str(tmp_path / "ran")!r}, "w")'
    torch.save(saved, tmp_path / 'hostile.pth')
    runner(tmp_path / 'resumed', resume_from=tmp_path / 'hostile.pth').train()
    assert (tmp_path / 'resumed/epoch_4.pth').exists() and not (tmp_path / 'ran').exists()


@pytest.mark.parametrize(
    'name, checked',
    [
        ('net-1a2b3c4d.pth', True),
        ('net_mAP-0.384_20200130-1a2b3c4d.pth', True),  # a name of mmdet: 0 is no hash
        ('net-1a2b.pth', False),
        ('net-20230101.pth', False),  # a date
        ('net-final.pth', False),
        ('net.pth', False),
    ],
)
def test_a_download_is_compared_with_the_hash_in_its_name(monkeypatch, tmp_path, name, checked):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    monkeypatch.setattr(torch.hub, '_hub_dir', None)
    torch.save({'w': torch.ones(1)}, tmp_path / 'source.pth')

    def download(url: str, path: str, hash_prefix: str | None, progress: bool) -> None:
        assert (hash_prefix == '1a2b3c4d') is checked
        shutil.copy(tmp_path / 'source.pth', path)

    monkeypatch.setattr(torch.hub, 'download_url_to_file', download)
    assert CheckpointLoader.load_checkpoint(f'https://example.org/{name}', 'cpu')['w'] == 1


@pytest.mark.parametrize('reason', [URLError('no route'), TimeoutError('no route')])
def test_without_a_network_the_message_says_where_the_file_belongs(reason, tmp_path, monkeypatch):
    def fail(*args: object, **kwargs: object) -> None:
        raise reason

    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    monkeypatch.setattr('urllib.request.urlopen', fail)
    monkeypatch.setattr('torch.hub.urlopen', fail)
    words = rf"net-1a2b3c4d\.pth' cannot be downloaded: no route\. .* copy it to '{tmp_path}/hub/checkpoints'"
    with pytest.raises(SR4IRError, match=words):
        CheckpointLoader.load_checkpoint('https://host/net-1a2b3c4d.pth')
    assert not list(tmp_path.rglob('*.pth'))
    (tmp_path / 'hub/checkpoints').mkdir(parents=True, exist_ok=True)
    torch.save(dict(state_dict=dict(a=torch.ones(1))), tmp_path / 'hub/checkpoints/net-1a2b3c4d.pth')
    assert CheckpointLoader.load_checkpoint('https://host/net-1a2b3c4d.pth')['state_dict']['a'] == 1


class Array:
    """Pickles to an array with a type and values of our choice."""

    def __init__(self, code: str, state: tuple, values: bytes = b'A' * 8) -> None:
        self.code, self.state, self.values = code, state, values

    def __reduce__(self):
        make = np.empty(0).__reduce__()[0]
        return make, (np.ndarray, (0,), b'b'), (1, (1,), Kind(self.code, self.state), False, self.values)


class Kind:
    """Pickles to a type of numbers that is filled with a state of our choice."""

    def __init__(self, code: str, state: tuple) -> None:
        self.code, self.state = code, state

    def __reduce__(self):
        return np.dtype, (self.code, False, True), self.state


@pytest.mark.parametrize(
    'array',
    [
        Array('f8', (3, '<', None, ('a',), {'a': (np.dtype('f8'), 0)}, 8, 8, 0)),
        Array('O8', (3, '|', None, None, None, -1, -1, 63)),
        Array('f8', (3, '<', None, None, None, -1, -1, 0), b'too short'),
        Array('S8', (3, '|', None, None, None, -8, 1, 0), b''),
    ],
    ids=['fields', 'objects', 'length', 'size'],
)
def test_arrays_that_would_be_addresses_are_refused(tmp_path, array):
    torch.save(dict(state_dict={}, meta=dict(dataset_meta=array)), tmp_path / 'harmful.pth')
    with pytest.raises(SR4IRError, match='not a file of weights'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'harmful.pth'))


def test_arrays_and_numbers_keep_type_order_and_values(tmp_path):
    arrays = [np.arange(6).reshape(2, 3).astype(kind) for kind in ('<f4', '>i8', '?', 'c16')]
    arrays += [np.asfortranarray(arrays[0]), np.array(['a', 'bcd']), np.array(b'xyz'), np.empty((0, 3))]
    numbers = [np.float32(0.5), np.int64(-3), np.bool_(True), np.str_('abc')]
    path = str(tmp_path / 'a.pth')
    torch.save(dict(state_dict={'w': torch.ones(1)}, meta=dict(arrays=arrays, numbers=numbers)), path)
    for _ in range(2):  # also what was read and saved again
        meta = CheckpointLoader.load_checkpoint(path)['meta']
        for found, expected in zip(meta['arrays'] + meta['numbers'], arrays + numbers, strict=True):
            assert found.dtype == pickle.loads(pickle.dumps(expected)).dtype  # NumPy itself changes the byte order
            assert found.shape == expected.shape and np.all(found == expected)
        assert [type(number) for number in meta['numbers']] == [type(number) for number in numbers]
        assert pickle.dumps(meta['arrays'][0]) == pickle.dumps(arrays[0])  # as MMEngine compares the classes
        torch.save(dict(state_dict={'w': torch.ones(1)}, meta=meta), path)


@pytest.mark.parametrize('meta', [np.zeros((), dtype=[('config', 'U9')])[()], ['config'], 'config'], ids=str)
def test_meta_is_a_dict_or_nothing(tmp_path, meta):
    torch.save(dict(state_dict={'w': torch.ones(1)}, meta=meta), tmp_path / 'a.pth')
    with pytest.raises(SR4IRError, match='not a file of weights'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'a.pth'))


@pytest.mark.parametrize('content, reason', [
    (b'<html>not found</html>', 'UnpicklingError: '),
    (b'version https://git-lfs.github.com/spec/v1', 'UnpicklingError: '),
    (b'', 'EOFError: its end is missing'),
])  # fmt: skip
def test_no_message_advises_to_load_without_the_check(tmp_path, content, reason):
    """As that of PyTorch does for a page of a website that was saved as the file."""
    (tmp_path / 'a.pth').write_bytes(content)
    with pytest.raises(SR4IRError, match=reason) as error:
        CheckpointLoader.load_checkpoint(str(tmp_path / 'a.pth'))
    assert 'weights_only' not in str(error.value)


@pytest.mark.parametrize('whole', [True, False])
def test_the_rest_of_a_file_stays(tmp_path, whole):
    state, meta = nn.Linear(1, 1).state_dict(), dict(epoch=3, config='raise')
    content = dict(state_dict=state, meta=meta, more=4) if whole else dict(state, meta=meta)
    torch.save(content, tmp_path / 'a.pth')
    loaded = CheckpointLoader.load_checkpoint(str(tmp_path / 'a.pth'))
    assert list(loaded) == list(content) and loaded['meta'] == dict(epoch=3)
    torch.save(dict(state_dict=state), tmp_path / 'b.pth')
    assert list(CheckpointLoader.load_checkpoint(str(tmp_path / 'b.pth'))) == ['state_dict']


def test_torchscript_is_refused(tmp_path):
    torch.jit.save(torch.jit.script(nn.Linear(1, 1)), tmp_path / 'script.pth')
    with pytest.raises(SR4IRError, match='not a file of weights'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'script.pth'))


def test_torch_load_of_others_stays_as_it_is(tmp_path, monkeypatch):
    """Another thread may load a trusted file in the meantime."""
    torch.save(dict(state_dict={'w': torch.ones(1)}), tmp_path / 'a.pth')
    seen, real = [], torch.load
    monkeypatch.setattr(torch, 'load', lambda *args, **kwargs: [seen.append(torch.load), real(*args, **kwargs)][1])
    patched = torch.load
    CheckpointLoader.load_checkpoint(str(tmp_path / 'a.pth'))
    assert seen == [patched] and torch.load is patched
