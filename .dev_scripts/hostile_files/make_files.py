"""Files that try to run code: it would leave a mark, named as the folder of the case."""

import io
import json
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

#: Python that leaves a mark
CODE = "import os; open(os.path.join(os.environ['HOSTILE_MARKS'], os.path.basename(os.getcwd())), 'w')"
COMMAND = 'touch "$HOSTILE_MARKS/$(basename "$PWD")"'
#: name of a file -> what is wrong with it: its 'weights', or only the 'config' in it, or 'nothing'
FILES: dict[str, str] = {}
_MAKERS: list[tuple[str, Callable[[dict], Any]]] = []


class Call:
    """Pickles to a call."""

    def __init__(self, function: Callable, *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> tuple:
        return self.call


RUN = Call(exec, CODE)


def file(name: str, wrong: str = 'weights') -> Callable:
    """Add a file, whose content a function returns for a right checkpoint: bytes, or what is to be saved."""

    def add(make: Callable[[dict], Any]) -> Callable:
        FILES[name] = wrong
        _MAKERS.append((name, make))
        return make

    return add


def make_files(run: Path, folder: Path) -> None:
    """Write all files.

    Args:
        run (Path): Right checkpoint of a training.
        folder (Path): New folder.
    """
    folder.mkdir()
    for name, make in _MAKERS:
        content = make(torch.load(run, weights_only=False))
        (folder / name).write_bytes(content if isinstance(content, bytes) else _saved(content))


def _saved(content: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


def _with_meta(run: dict, **entries: Any) -> dict:
    return dict(run, meta={**run['meta'], **entries})


def _with_cfg(run: dict, text: str) -> dict:
    run['message_hub']['runtime_info']['cfg'] = text
    return _with_meta(run, cfg=text)


file('zip.pth')(lambda run: dict(run, more=RUN))
file('system.pth')(lambda run: dict(run, more=Call(__import__('os').system, COMMAND)))
file('in_meta.pth')(lambda run: _with_meta(run, more=[RUN]))
file('in_weights.pth')(lambda run: dict(run, state_dict={**run['state_dict'], 'more': RUN}))
file('legacy.pth')(lambda run: _saved(dict(run, more=RUN), _use_new_zipfile_serialization=False))
file('plain_pickle.pth')(lambda run: pickle.dumps(dict(state_dict=RUN)))
file('results.pkl')(lambda run: pickle.dumps([dict(img_path='a.png', more=RUN)]))
file('module.pth')(lambda run: nn.Linear(1, 1))
file('config.pth', 'nothing')(lambda run: _with_meta(run, config=CODE))
file('cfg.pth', 'config')(lambda run: _with_cfg(run, CODE))
file('cfg_call.pth', 'config')(lambda run: _with_cfg(run, f'{run["meta"]["cfg"]}\nmore = exec({CODE!r})\n'))
file('cfg_lambda.pth', 'config')(lambda run: _with_cfg(run, f'model = (lambda: exec({CODE!r}))()'))
file('cfg_import.pth', 'config')(lambda run: _with_cfg(run, f"model = dict(a=__import__('os').system({COMMAND!r}))"))


@file('cfg_type.pth', 'config')
def _type(run: dict) -> dict:
    hook = f"custom_hooks = [dict(type='os.system', command={COMMAND!r})]"
    return _with_cfg(run, f'{run["meta"]["cfg"]}\n{hook}\n')


@file('cfg_remote.pth', 'config')
def _remote(run: dict) -> dict:
    net = "dict(type='mmpretrain.HuggingFaceClassifier', model_name='x/y', trust_remote_code=True)"
    return _with_cfg(run, f'{run["meta"]["cfg"]}\nteacher = {net}\n')


@file('cfg_data.pth', 'data')
def _data(run: dict) -> dict:
    """The data of its config are in a pickle."""
    text = run['meta']['cfg'].replace("type='BaseSegDataset'", "type='mmengine.BaseDataset', ann_file='x.pkl'")
    return _with_cfg(run, text.replace("data_root='data/seg'", "data_root='hostile'").replace('x.pkl', 'results.pkl'))


@file('tar.pth')
def _tar(run: dict) -> bytes:
    """As PyTorch 0.1 saved."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode='w') as archive:
        for name in ('sys_info', 'storages', 'tensors', 'pickle'):
            data = pickle.dumps(dict(protocol_version=1000, little_endian=True) if name == 'sys_info' else RUN, 2)
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@file('script.pth')
def _script(run: dict) -> bytes:
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Linear(1, 1)), buffer)
    return buffer.getvalue()


@file('script_with_pickle.pth')
def _script_with_pickle(run: dict) -> bytes:
    """A checkpoint that looks like TorchScript."""
    buffer = io.BytesIO(_saved(dict(run, more=RUN)))
    with zipfile.ZipFile(buffer, 'a') as archive:
        root = archive.namelist()[0].partition('/')[0]
        archive.writestr(f'{root}/constants.pkl', pickle.dumps(RUN, 2))
    return buffer.getvalue()


def _safetensors(length: int, header: bytes) -> bytes:
    return struct.pack('<Q', length) + header + bytes(8)


_HEADER = json.dumps({'a': dict(dtype='F32', shape=[2], data_offsets=[0, 1 << 40]), '__metadata__': {'x': CODE}})
file('offsets.safetensors')(lambda run: _safetensors(len(_HEADER), _HEADER.encode()))
file('length.safetensors')(lambda run: _safetensors(1 << 62, b'{}'))
file('safetensors.pth')(lambda run: _safetensors(3, b'\xff{"'))


@file('objects.npz')
def _npz(run: dict) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, state_dict=np.array([RUN], dtype=object))
    return buffer.getvalue()


file('matlab.mat')(lambda run: b'MATLAB 5.0 MAT-file'.ljust(128) + pickle.dumps(RUN))
