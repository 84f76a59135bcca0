"""ONNX files that compute in float16 where it is safe: in convolutions and matrix products."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import NodeProto

#: operators with weights, and others that continue in float16 if all their inputs are in float16
COMPUTE = {'Conv', 'ConvTranspose', 'Gemm', 'MatMul'}
FOLLOW = {'Add', 'Concat', 'DepthToSpace', 'LeakyRelu', 'MaxPool', 'Relu'}


def to_half(path: Path) -> None:
    """Change a file so that its networks compute in float16, with weights of float16.

    Input and outputs stay in float32, and so do normalization, softmax, and the coordinates of boxes, which would be
    whole pixels in float16 from 1024 px on.

    Args:
        path (Path): ONNX file with the type of each tensor, as PyTorch writes it.
    """
    import onnx  # an optional package

    model = onnx.load(path)
    nodes = _Halves(model).nodes()
    del model.graph.node[:], model.graph.value_info[:]  # the types of before
    model.graph.node.extend(nodes)
    _drop_unused_weights(model.graph)
    onnx.save(model, path)


class _Halves:
    """Nodes of a graph, some of them in float16.

    Args:
        model (onnx.ModelProto): Model.
    """

    def __init__(self, model) -> None:
        import onnx

        self.onnx, self.graph = onnx, model.graph
        known = [*self.graph.value_info, *self.graph.input, *self.graph.output]
        self.weights = {w.name: w for w in self.graph.initializer if w.data_type == onnx.TensorProto.FLOAT}
        self.floats = {value.name for value in known if value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT}
        self.floats |= set(self.weights)
        self.halves: set[str] = set()  # tensors that are computed in float16
        self.both: set[str] = set()  # those that exist in both types already
        self.result: list[NodeProto] = []

    def nodes(self) -> list[NodeProto]:
        """Return the nodes in an order in which they can run."""
        for node in self.graph.node:
            is_half = node.op_type in COMPUTE or (node.op_type in FOLLOW and self.halves.issuperset(node.input))
            if is_half and self.floats.issuperset(filter(None, node.input)):
                node.input[:] = [name and self._to(name, 'FLOAT16') for name in node.input]
                self.halves |= set(node.output)
                node.output[:] = [f'{name}_half' for name in node.output]
            else:
                for name in self.halves.intersection(node.input):
                    self._to(name, 'FLOAT')
            self.result.append(node)
        for name in self.halves.intersection(output.name for output in self.graph.output):
            self._to(name, 'FLOAT')
        return self.result

    def _to(self, name: str, kind: str) -> str:
        """Make a tensor exist in the other type, too, and return its name in this one."""
        new = f'{name}_half' if kind == 'FLOAT16' else name
        if name in self.both or (name in self.halves and kind == 'FLOAT16'):
            return new
        self.both.add(name)
        if name in self.weights:
            array = self.onnx.numpy_helper.to_array(self.weights[name]).astype('float16')
            self.graph.initializer.append(self.onnx.numpy_helper.from_array(array, new))
            return new
        old = name if kind == 'FLOAT16' else f'{name}_half'
        to = getattr(self.onnx.TensorProto, kind)
        self.result.append(self.onnx.helper.make_node('Cast', [old], [new], to=to))
        return new


def _drop_unused_weights(graph) -> None:
    used = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
    kept = [weight for weight in graph.initializer if weight.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
