"""Files in float16: smaller, with the same input and outputs."""

import pytest
import torch
from helpers.torch_version import needs_export
from helpers.toy import EDSR, ToyClassifier

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.export.exporter import export
from sr4ir_mm.export.half import to_half
from sr4ir_mm.models import SR4IR

onnx = pytest.importorskip('onnx')
onnxruntime = pytest.importorskip('onnxruntime')


@needs_export
def test_networks_in_float16(tmp_path):
    pytest.importorskip('onnxscript')
    model = SR4IR(EDSR, ToyClassifier(), 4, 'S+T').eval()
    ((path, rows),) = export(model, tmp_path / 'model.onnx', half=True, meta=dict(key='value')).items()
    assert all(1e-7 * row.largest < row.difference < 5e-2 * row.largest for row in rows)
    loaded = onnx.load(path)
    kinds = {weight.name: weight.data_type for weight in loaded.graph.initializer}
    weights = [kinds[node.input[1]] for node in loaded.graph.node if node.op_type == 'Conv']
    assert len(weights) > 4 and set(weights) == {onnx.TensorProto.FLOAT16}
    assert [entry.value for entry in loaded.metadata_props if entry.key == 'key'] == ['value']
    session = onnxruntime.InferenceSession(path)
    assert {value.type for value in (*session.get_inputs(), *session.get_outputs())} == {'tensor(float)'}


def test_coordinates_stay_in_float32(tmp_path):
    """A center of 2049 px, which float16 does not have, plus an output of a convolution; a sum of two such outputs."""
    make, kind = onnx.helper, onnx.TensorProto.FLOAT
    image, *outputs = (make.make_tensor_value_info(name, kind, [1, 1, 2, 2]) for name in ('image', 'box', 'sum'))
    weights = [
        onnx.numpy_helper.from_array(torch.full(shape, value).numpy(), name)
        for name, value, shape in (('weight', 0.5, (1, 1, 1, 1)), ('center', 2049.0, (1,)))
    ]
    nodes = [
        make.make_node('Conv', ['image', 'weight'], ['offset']),
        make.make_node('Add', ['offset', 'center'], ['box']),
        make.make_node('Add', ['offset', 'offset'], ['sum']),
    ]
    known = [make.make_tensor_value_info('offset', kind, [1, 1, 2, 2])]
    graph = make.make_graph(nodes, 'boxes', [image], outputs, weights, value_info=known)
    onnx.save(make.make_model(graph, opset_imports=[make.make_opsetid('', 18)], ir_version=8), tmp_path / 'model.onnx')
    to_half(tmp_path / 'model.onnx')
    onnx.checker.check_model(tmp_path / 'model.onnx', full_check=True)
    session = onnxruntime.InferenceSession(tmp_path / 'model.onnx')
    box, total = session.run(['box', 'sum'], dict(image=torch.ones(1, 1, 2, 2).numpy()))
    assert (box == 2049.5).all() and (total == 1).all()
    loaded = onnx.load(tmp_path / 'model.onnx')
    assert [node.op_type for node in loaded.graph.node].count('Cast') == 3  # of image, offset and sum
    assert {weight.name for weight in loaded.graph.initializer} == {'weight_half', 'center'}


def test_onnx_alone(tmp_path):
    with pytest.raises(SR4IRError, match=r"--half is for ONNX files, not for '.*model.pt2': name it \*.onnx"):
        export(SR4IR(EDSR, ToyClassifier(), 4, 'S+T'), tmp_path / 'model.pt2', half=True)
