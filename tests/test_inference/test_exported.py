"""Predictions by exported files are those of PyTorch."""

import re
import sys
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch
from helpers.torch_version import needs_export
from mmengine.structures import BaseDataElement
from test_inferencer import config, nets, picture

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.export import export
from sr4ir_mm.export.nets import parts
from sr4ir_mm.inference.backends import Run, open_file
from sr4ir_mm.inference.exported_files import find_files, run_meta
from sr4ir_mm.inference.inferencer import SR4IRInferencer

onnx = pytest.importorskip('onnx')
FIELDS = dict(segformer='pred_sem_seg', retinanet='pred_instances', resnet18='pred_score')


def values(sample: BaseDataElement, name: str) -> list[np.ndarray]:
    field = sample.get(FIELDS[name])
    return [np.asarray(value, float) for value in ([field] if isinstance(field, torch.Tensor) else field.values())]


def write_empty(path: Path, meta: dict[str, str]) -> None:
    model = onnx.helper.make_model(onnx.helper.make_graph([], 'empty', [], []))
    onnx.helper.set_model_props(model, meta)
    onnx.save(model, path)


@pytest.fixture
def in_pytorch(tmp_path, monkeypatch):
    """Files without networks, and a runtime that runs the functions that would be exported."""

    def make(name: str, split: bool = True) -> tuple[SR4IRInferencer, Path]:
        torch.manual_seed(0)
        cfg = config(name)
        inferencer = SR4IRInferencer(cfg, 'random', 'cpu', show_progress=False)
        functions = parts(inferencer.model, split)
        for part in functions:
            write_empty(tmp_path / f'model{part}.onnx', run_meta(cfg, None))

        def open_function(path: Path, backend: str, device: str | None) -> Run:
            return Run(torch.no_grad()(functions[path.stem.removeprefix('model')][0]), None)

        monkeypatch.setattr('sr4ir_mm.inference.exported.open_file', open_function)
        return inferencer, tmp_path / 'model.onnx'

    return make


@nets
@pytest.mark.parametrize('options', [dict(), dict(coords='sr', batch_size=2)], ids=str)
def test_each_task(name, options, in_pytorch, tmp_path):
    reference, path = in_pytorch(name)
    exported = SR4IRInferencer(path, show_progress=False, tile=24)
    images = [picture(20, 30), picture(27, 21, 1), picture(20, 30, 2)]  # of sizes that are padded, and resized
    expected = reference(images, **options)
    found = exported(images, out_dir=str(tmp_path / 'out'), **options)
    assert exported.dataset_meta['classes'] == list(reference.dataset_meta['classes'])
    assert len(list((tmp_path / 'out').glob('vis/*.png'))) == 3
    for sample, other in zip(found['predictions'], expected['predictions']):
        for value, wanted in zip(values(sample, name), values(other, name), strict=True):
            assert value.shape == wanted.shape and wanted.size
            assert np.mean(np.abs(value - wanted) <= 1e-3) > 0.99  # of labels, a few pixels may change


@pytest.mark.slow
@needs_export
@pytest.mark.parametrize('backend', ['onnxruntime', 'openvino'])
def test_files(backend, tmp_path):
    pytest.importorskip('onnxscript')
    pytest.importorskip(backend)
    torch.manual_seed(0)
    cfg = config('segformer')
    reference = SR4IRInferencer(cfg, 'random', 'cpu', show_progress=False)
    export(reference.model, tmp_path / 'model.onnx', split=True, meta=run_meta(cfg, None))
    found, expected = (
        inferencer(picture(33, 41))
        for inferencer in (SR4IRInferencer(tmp_path / 'model.onnx', backend=backend, show_progress=False), reference)
    )
    labels = [result['predictions'][0].pred_sem_seg.data for result in (found, expected)]
    assert (labels[0] == labels[1]).float().mean() > 0.999
    assert np.abs(found['task_inputs'][0].astype(int) - expected['task_inputs'][0]).max() <= 1


@pytest.mark.parametrize('tile', [24, 256])
def test_the_sr_network_alone(tile, tmp_path, monkeypatch):
    """Of scheme S, whose only network is in the file: no parameter says which device it is on."""
    cfg = config('segformer', 'S')
    cfg.model.task = None
    reference = SR4IRInferencer(cfg, 'random', 'cpu', show_progress=False, tile=tile)
    function = parts(reference.model, False)[''][0]
    write_empty(tmp_path / 'model.onnx', run_meta(cfg, None))
    monkeypatch.setattr('sr4ir_mm.inference.exported.open_file', lambda *args: Run(torch.no_grad()(function), None))
    exported = SR4IRInferencer(tmp_path / 'model.onnx', show_progress=False, tile=tile)
    found, expected = (inferencer(picture(20, 30))['task_inputs'][0] for inferencer in (exported, reference))
    assert found.shape == (80, 120, 3) and np.array_equal(found, expected)


def test_an_image_of_another_size_is_skipped(in_pytorch, monkeypatch):
    _, path = in_pytorch('segformer')

    def fail(image: torch.Tensor) -> dict:
        raise RuntimeError('INVALID_ARGUMENT')

    monkeypatch.setattr('sr4ir_mm.inference.exported.open_file', lambda *args: Run(fail, (56, 40)))
    message = r'an input of 30 x 20 px, with its padding, but the exported file is for 40 x 56 px \(--shape\)'
    with pytest.raises(SR4IRError, match=message):
        SR4IRInferencer(path, show_progress=False)(picture(20, 30))


def test_mistakes(in_pytorch, tmp_path):
    _, path = in_pytorch('segformer', split=False)
    for options, message in (
        (dict(model=path), 'holds both networks, .* export them to two files, --split'),
        (dict(model=path, weights='a.pth'), 'holds its weights, in its precision: leave out weights and amp'),
        (dict(model=path, amp=True), 'leave out weights and amp. For float16, export it with --half'),
        (dict(model=path, backend='pytorch'), 'backend pytorch cannot run .*model.onnx'),
        (dict(model=path, backend='tensorrt'), "backend 'tensorrt' is unknown; choose from: pytorch, onnxruntime"),
        (dict(model='work_dirs/a', backend='openvino'), r'tools/export.py work_dirs/a model.onnx --split'),
        (dict(model='my work/a', backend='openvino'), r"tools/export.py 'my work/a' model.onnx --split"),
        (dict(model=tmp_path / 'no.onnx'), "no.onnx' not found, nor .*no_sr.onnx' of an export with --split"),
    ):
        with pytest.raises(SR4IRError, match=message):
            SR4IRInferencer(**options)
    write_empty(path, {})
    with pytest.raises(SR4IRError, match=r'holds no config, because it is not of tools/export.py'):
        SR4IRInferencer(path)
    assert find_files('work_dirs/a') == []


@pytest.mark.parametrize('part', ['sr', 'task'])
def test_one_file_of_two(part, in_pytorch):
    _, path = in_pytorch('segformer')
    with pytest.raises(SR4IRError, match=f"model_{part}.onnx' has the name of one of two files .*/model.onnx', which"):
        SR4IRInferencer(path.with_stem(f'model_{part}'))


def test_an_earlier_file_of_the_same_name(tmp_path):
    path, *pair = (tmp_path / f'model{part}.onnx' for part in ('', '_sr', '_task'))
    path.touch()
    pair[0].touch()
    assert find_files(path) == [path]
    pair[1].touch()
    assert find_files(path) == pair


def test_the_metadata_are_read_once_without_weights(in_pytorch, monkeypatch):
    _, path = in_pytorch('segformer')
    load, options = onnx.load, []
    monkeypatch.setattr(onnx, 'load', lambda file, **kwargs: options.append(kwargs) or load(file, **kwargs))
    assert len(SR4IRInferencer(path, show_progress=False).dataset_meta['classes']) == 150
    assert options == [dict(load_external_data=False)]


def test_onnx_is_missing(in_pytorch, monkeypatch):
    _, path = in_pytorch('segformer')
    monkeypatch.setitem(sys.modules, 'onnx', None)
    with pytest.raises(
        SR4IRError, match=r"Reading '.*model_sr.onnx' needs onnx: pip install -r requirements/export.txt"
    ):
        SR4IRInferencer(path)
    folder = Path(__file__).parents[2] / 'requirements'
    wanted = [
        re.findall('^onnx>=[^ \\n]+', (folder / f'{name}.txt').read_text(), re.M) for name in ('export', 'openvino')
    ]
    assert wanted[0] == wanted[1] != []  # openvino reads the file without onnx, its metadata are read with it


@pytest.mark.parametrize('device, index', [('cuda:1', 1), ('cuda', 0), ('cpu', None), (None, None)])
def test_the_device_of_onnxruntime(device, index, monkeypatch):
    onnxruntime = pytest.importorskip('onnxruntime')
    session = MagicMock()
    session.return_value.get_inputs.return_value = [MagicMock(shape=['batch', 3, 'height', 'width'])]
    monkeypatch.setattr(onnxruntime, 'InferenceSession', session)
    known = ['CUDAExecutionProvider', 'CPUExecutionProvider']
    monkeypatch.setattr(onnxruntime, 'get_available_providers', lambda: known)
    open_file(Path('model.onnx'), device=device)
    gpu = [] if index is None else [('CUDAExecutionProvider', dict(device_id=index))]
    assert session.call_args.kwargs['providers'] == [*gpu, 'CPUExecutionProvider']


def test_runtimes(tmp_path, monkeypatch):
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(SR4IRError, match='The backend openvino is not installed: pip install -r'):
        open_file(tmp_path / 'model.onnx', 'openvino')
    with pytest.raises(SR4IRError, match="The backend 'pytorch' is unknown; choose from: onnxruntime, openvino"):
        open_file(tmp_path / 'model.onnx', 'pytorch')
