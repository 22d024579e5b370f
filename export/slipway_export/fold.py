"""Constant folding: what is computed from weights alone becomes a weight.

onnxscript's optimizer does it for operators of one output; Split of a constant, as attention leaves of its joined
projections, is folded here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import onnx_ir as ir
from onnxscript import optimizer

# Weights of any size are folded; the optimizer's own limits would leave large ones computed at run time.
_FOLD_LIMIT = 2**31


def fold(model: ir.Model) -> None:
    """Fold constants until nothing changes any more."""
    with quiet_optimizer():
        optimizer.optimize(model, input_size_limit=_FOLD_LIMIT, output_size_limit=_FOLD_LIMIT)
        while sum(_fold_split(node) for node in list(ir.traversal.RecursiveGraphIterator(model.graph))):
            optimizer.optimize(model, input_size_limit=_FOLD_LIMIT, output_size_limit=_FOLD_LIMIT)


@contextmanager
def quiet_optimizer() -> Iterator[None]:
    """Keep back what the optimizer logs of nodes that it leaves as they are."""
    loggers = [logging.getLogger(name) for name in ("onnxscript", "onnx_ir")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _fold_split(node: ir.Node) -> bool:
    """Replace a Split of a constant by its parts; says whether it did."""
    if node.op_type != "Split" or node.domain not in ("", "ai.onnx") or node.graph is None:
        return False
    constants = [None if value is None else value.const_value for value in node.inputs]
    if any(value is not None and constant is None for value, constant in zip(node.inputs, constants, strict=True)):
        return False
    assert constants[0] is not None
    array = constants[0].numpy()
    axis = node.attributes["axis"].as_int() if "axis" in node.attributes else 0
    if len(constants) > 1 and constants[1] is not None:
        sizes = constants[1].numpy()
    else:  # equal parts, of which the last may be smaller
        sizes = np.full(len(node.outputs), -(-array.shape[axis] // len(node.outputs)))
    graph = node.graph
    parts = np.split(array, np.cumsum(sizes)[:-1], axis)
    for output, part in zip(node.outputs, parts, strict=True):
        name, output.name = output.name, f"{output.name}.split"
        constant = ir.tensor(np.ascontiguousarray(part), name=name)
        value = ir.Value(name=name, type=output.type, shape=ir.Shape(part.shape), const_value=constant)
        ir.convenience.replace_all_uses_with(output, value, replace_graph_outputs=True)
        graph.register_initializer(value)
    graph.remove(node, safe=True)
    return True
