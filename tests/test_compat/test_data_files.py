"""YAML and pickle files that MMEngine reads are data."""

import pickle
import subprocess

import mmengine
import numpy as np
import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.structures import InstanceData

from sr4ir_mm.config import load_config
from sr4ir_mm.errors import SR4IRError


class Call:
    def __init__(self, path) -> None:
        self.path = path

    def __reduce__(self):
        return subprocess.call, (['touch', str(self.path)],)


@pytest.mark.parametrize(
    'tag', ['object/apply:os.system', 'object/new:os.system', 'object:os.system', 'name:os.system', 'module:os']
)
def test_a_tag_of_python_in_yaml(tag, tmp_path):
    content = '' if tag.startswith(('name', 'module')) else f' ["touch {tmp_path / "ran"}"]'
    (tmp_path / 'a.yaml').write_text(f'model:\n  a: !!python/{tag}{content}\n')
    (tmp_path / 'b.py').write_text("_base_ = 'a.yaml'")
    for read in (mmengine.load, Config.fromfile):
        with pytest.raises(SR4IRError, match=r'more than plain values \(line 2\): .*os'):
            read(str(tmp_path / 'a.yaml'))
    with pytest.raises(SR4IRError, match=r"b\.py' cannot be read as a config: .*more than plain values"):
        load_config(tmp_path / 'b.py')
    assert not (tmp_path / 'ran').exists()


def test_what_mmengine_writes_to_yaml(tmp_path):
    entries = dict(sizes=[(1, (2,)), ()], name='a: b', rate=1e-5, none=None, flag=True, deep=dict(a=[dict(b='c')]))
    for suffix in ('yaml', 'yml', 'json'):
        Config(entries).dump(tmp_path / f'a.{suffix}')
        found = Config.fromfile(tmp_path / f'a.{suffix}').to_dict()
        assert found == (entries if suffix != 'json' else dict(entries, sizes=[[1, [2]], []]))
    assert mmengine.load(str(tmp_path / 'a.yaml'), Loader=yaml.BaseLoader)['flag'] == 'true'


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_with_a_call(protocol, tmp_path):
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(dict(a=1, b=[Call(tmp_path / 'ran')]), protocol))
    with pytest.raises(
        SR4IRError, match=r'more than plain values and arrays \(it must not contain (commands|subprocess)\.call'
    ):
        mmengine.load(str(tmp_path / 'a.pkl'))
    assert not (tmp_path / 'ran').exists()


def test_a_tensor_with_a_call(tmp_path):
    """In a pickle, a tensor is a file of PyTorch."""
    torch.save([Call(tmp_path / 'ran')], tmp_path / 'a.pth')

    class Tensor:
        def __reduce__(self):
            return torch.storage._load_from_bytes, ((tmp_path / 'a.pth').read_bytes(),)

    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(Tensor()))
    with pytest.raises(SR4IRError, match='more than plain values'):
        mmengine.load(str(tmp_path / 'a.pkl'))
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('protocol', range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_annotations_and_proposals(protocol, tmp_path):
    boxes = torch.arange(8.0).view(2, 4)
    arrays = [np.arange(6, dtype='>i2').reshape(2, 3), np.asfortranarray(np.ones((2, 3), np.float32)), np.zeros((0, 4))]
    data = dict(plain=[1, 'a', None, (2.5, {3}), b'x'], arrays=arrays, scalar=np.float32(0.5),
                proposals={'a.png': InstanceData(bboxes=boxes, scores=np.ones(2))})  # fmt: skip
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps(data, protocol))
    found = mmengine.load(str(tmp_path / 'a.pkl'))
    assert found['plain'] == data['plain'] and found['scalar'] == 0.5
    assert found['proposals']['a.png'].bboxes.equal(boxes) and len(found['proposals']['a.png']) == 2
    for array, expected in zip(found['arrays'], arrays, strict=True):
        assert (
            array.dtype.newbyteorder('=') == expected.dtype.newbyteorder('=')
            and array.shape == expected.shape
            and (array == expected).all()
        )


def test_plain_annotations_are_read_fast(tmp_path, monkeypatch):
    monkeypatch.setattr('sr4ir_mm.compat.data_files.DataUnpickler', None)
    mmengine.dump([dict(img_path='a.png', instances=[dict(bbox=[1, 2, 3, 4])])], str(tmp_path / 'a.pkl'))
    assert mmengine.load(str(tmp_path / 'a.pkl'))[0]['img_path'] == 'a.png'


def test_a_damaged_pickle(tmp_path):
    for content in (b'', b'no pickle', pickle.dumps(dict(a=1))[:-3]):
        (tmp_path / 'a.pkl').write_bytes(content)
        with pytest.raises(SR4IRError, match='a pickle file'):
            mmengine.load(str(tmp_path / 'a.pkl'))
