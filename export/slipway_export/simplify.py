"""Rewrites of the exported graph that make it shorter and provably compute the same.

Kept to what every recurrent model of the notes has: ``hn[-1]`` of a stack of layers is exported as all last states
joined and one of them gathered again.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass


def simplify(model: ir.Model) -> None:
    """Apply every rewrite, and drop the nodes that nothing reads any more."""
    for node in list(model.graph):
        if node.op_type == "Gather":
            _pick_from_concat(model.graph, node)
    RemoveUnusedNodesPass()(model)


def _pick_from_concat(graph: ir.Graph, gather: ir.Node) -> None:
    """Gather(Concat(a, b, ...), i) along axis 0 with a constant scalar i is a row of one of a, b, ..."""
    joined, index = gather.inputs
    concat = joined.producer() if joined is not None else None
    if concat is None or concat.op_type != "Concat" or concat.attributes["axis"].as_int() != 0:
        return
    if index is None or index.const_value is None or index.const_value.shape.rank() or _axis(gather) != 0:
        return
    rows: list[tuple[ir.Value, int]] = []
    for part in concat.inputs:
        size = part.shape[0] if part is not None and part.shape else None
        if part is None or not isinstance(size, int):
            return
        rows += [(part, row) for row in range(size)]
    _replace(graph, gather, *rows[int(index.const_value.numpy())])


def _replace(graph: ir.Graph, gather: ir.Node, part: ir.Value, row: int) -> None:
    result = gather.outputs[0]
    single = part.shape is not None and part.shape[0] == 1
    number = np.array([0] if single else row, dtype=np.int64)
    name = f"{result.name}.{'axes' if single else 'row'}"
    constant = ir.Value(
        name=name,
        type=ir.TensorType(ir.DataType.INT64),
        shape=ir.Shape(number.shape),
        const_value=ir.tensor(number, name=name),
    )
    graph.register_initializer(constant)
    attributes = [] if single else [ir.AttrInt64("axis", 0)]
    node = ir.Node("", "Squeeze" if single else "Gather", [part, constant], attributes, name=gather.name)
    new = node.outputs[0]
    new.shape, new.type, new.name = result.shape, result.type, result.name
    node.metadata_props.update(gather.metadata_props)
    graph.insert_before(gather, node)
    ir.convenience.replace_all_uses_with(result, new, replace_graph_outputs=True)


def _axis(node: ir.Node) -> int:
    return node.attributes["axis"].as_int() if "axis" in node.attributes else 0
