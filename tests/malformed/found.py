"""What the fuzz targets (``tests/fuzz``) have found, for ``corpus.py``: each finding cut down to a few nodes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from control import model_of
from onnx import helper, numpy_helper


def pads(mode: str) -> onnx.ModelProto:
    """A Pad to 2^44 places, of which the plan once kept a list."""
    return model_of(
        f"""pads (float[2,3] x) => (float[A,B] y) {{
          p = Constant <value_ints = [{2**44}, 0, 0, {2**44}]> ()
          y = Pad <mode = "{mode}"> (x, p)
        }}"""
    )


def logarithms() -> onnx.ModelProto:
    """Logarithms of what has none: the bits of -0 once overflowed a subtraction."""
    return model_of(
        """logarithms (float[2,3] x) => (float[2,3] y) {
          m = Neg (x)
          y = Log (m)
        }"""
    )


def repetitions() -> onnx.ModelProto:
    """A Tile of nothing, whose repetitions multiplied beyond 64 bits."""
    return model_of(
        f"""repetitions (float[0,3] x) => (float[A,B] y) {{
          r = Constant <value_ints = [{2**62}, {2**31}]> ()
          y = Tile (x, r)
        }}"""
    )


def convolution() -> onnx.ModelProto:
    """A Conv whose last row ends so that a vector of its sums reached over the end of the kernel's memory."""
    weights = numpy_helper.from_array(np.ones((1, 1, 2, 1), np.float32), "w")
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 1, 4, 17])
    y = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 1, 3, 17])
    graph = helper.make_graph([helper.make_node("Conv", ["x", "w"], ["y"])], "g", [x], [y], [weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def found_models() -> Iterator[tuple[str, onnx.ModelProto, str | None]]:
    """Name, model, and the words of its refusal, None where it must load."""
    for mode in ("constant", "edge", "reflect"):
        yield f"pads_beyond_all_memory_{mode}", pads(mode), None
    yield "convolution_of_rows_that_end_in_a_vector", convolution(), None
    yield "repetitions_of_nothing", repetitions(), None
    yield "logarithms_of_zero_below_zero", logarithms(), None
