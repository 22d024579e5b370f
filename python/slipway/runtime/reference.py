"""The reference implementation of the package ``onnx``, in double precision: slow, simple, and nobody's rival.

It ignores what some recurrent nodes ask for; a file with such a node is refused, for a wrong referee is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from slipway.errors import UnavailableError, UnsupportedError
from slipway.runtime.protocol import Arrays, RunArrays

if TYPE_CHECKING:
    import onnx

_GATED = frozenset({"activations", "activation_alpha", "activation_beta", "clip", "input_forget"})
#: Attributes of recurrent nodes that the reference implementation takes and does not use.
_IGNORED = {"RNN": frozenset({"clip"}), "GRU": _GATED, "LSTM": _GATED}
#: Activations per direction that are not ignored, for they are what it computes.
_USUAL = {"GRU": [b"Sigmoid", b"Tanh"], "LSTM": [b"Sigmoid", b"Tanh", b"Tanh"]}
_LENGTHS = 4


@dataclass(frozen=True)
class OnnxReference:
    """The runtime."""

    name: str = "onnx-reference"

    def unavailable(self) -> str | None:
        """Say why this runtime cannot be used on this machine, or None if it can."""
        try:
            import_module("onnx.reference")
        except ImportError as error:
            return f"{error}; install onnx"
        return None

    def open(self, content: bytes, threads: int = 1) -> RunArrays:
        """Load any ONNX file; it computes in float64 and gives float64 where the file says float32.

        Raises:
            UnsupportedError: A recurrent node has lengths, activations of its own or a clip.
        """
        reason = self.unavailable()
        if reason is not None:
            raise UnavailableError(f"{self.name}: {reason}")
        import onnx
        from onnx.reference import ReferenceEvaluator

        model = onnx.load_model_from_string(content)
        for node in _nodes(model.graph):
            _refuse_ignored(node)
        _to_double(model.graph)
        evaluator = ReferenceEvaluator(model)

        def run(inputs: Arrays) -> dict[str, NDArray[np.generic]]:
            with np.errstate(all="ignore"):  # infinities and NaN are values like any other here
                outputs = evaluator.run(None, {name: _double(array) for name, array in inputs.items()})
            return {name: np.asarray(output) for name, output in zip(evaluator.output_names, outputs, strict=True)}

        return run


def _refuse_ignored(node: onnx.NodeProto) -> None:
    if node.op_type not in _IGNORED:
        return
    usual = _USUAL.get(node.op_type, [])
    asked = {a.name for a in node.attribute if a.name != "activations" or list(a.strings) not in (usual, usual * 2)}
    ignored = sorted(_IGNORED[node.op_type] & asked)
    if len(node.input) > _LENGTHS and node.input[_LENGTHS]:
        ignored.append("sequence_lens")
    if ignored:
        raise UnsupportedError(
            f'{node.op_type} "{node.name}": the reference implementation of onnx ignores {", ".join(ignored)}'
        )


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Yield every node, those of bodies too."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _nodes(attribute.g)


def _to_double(graph: onnx.GraphProto) -> None:
    """Replace float32 by float64 in ports, constants and casts, in bodies too."""
    from onnx import TensorProto

    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = TensorProto.DOUBLE
    for tensor in graph.initializer:
        _tensor_to_double(tensor)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                _tensor_to_double(attribute.t)
            if attribute.HasField("g"):
                _to_double(attribute.g)
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.DOUBLE


def _tensor_to_double(tensor: onnx.TensorProto) -> None:
    from onnx import TensorProto, numpy_helper

    if tensor.data_type == TensorProto.FLOAT:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))


def _double(array: NDArray[np.generic]) -> NDArray[np.generic]:
    return array.astype(np.float64) if array.dtype == np.float32 else array
