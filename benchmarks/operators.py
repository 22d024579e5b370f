"""Single operators beside onnxruntime: where is the engine slower?

    python benchmarks/operators.py                       # all, slowest against onnxruntime first; two minutes
    python benchmarks/operators.py --only Conv,MatMul --threads 2
    python benchmarks/operators.py --json operators.json

Sizes are those of small models: 262,144 numbers of [8, 32, 32, 32] where shape does not matter. Both engines give the
same answer, within float32's accuracy, before they are timed in turn. Every call makes its outputs anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from slipway.bench.beside import compare, parser_of, report
from slipway.bench.protocol import Settings

Array = NDArray[Any]
_OPSET = 22
_SETTINGS = Settings(rounds=7, turn_seconds=0.02, cell_seconds=3.0)
_RNG = np.random.default_rng(0)
_IMAGES = (8, 32, 32, 32)


def _floats(*shape: int) -> Array:
    return _RNG.normal(size=shape).astype(np.float32)


def _positive(*shape: int) -> Array:
    return np.abs(_floats(*shape)) + np.float32(0.1)


def _below(limit: int, *shape: int) -> Array:
    return _RNG.integers(0, limit, shape)


def _ints(*values: int) -> Array:
    return np.array(values, np.int64)


@dataclass(frozen=True)
class Case:
    """One operator; the inputs listed in ``given`` are the model's, the others constants of the file."""

    op: str
    inputs: Sequence[Array]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    given: Sequence[int] = (0,)
    outputs: int = 1

    def __str__(self) -> str:
        shapes = " ".join(str(list(array.shape)) for array in self.inputs[:2])
        return f"{self.op} {shapes}" + "".join(f" {key}={value}" for key, value in self.attributes.items())


def cases() -> Iterator[Case]:
    """Yield all cases, drawn anew."""
    for op in ("Abs", "Ceil", "Cos", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish", "IsNaN",
               "LeakyRelu", "Mish", "Neg", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign", "Sin", "Softplus",
               "Softsign", "Tanh"):  # fmt: skip
        yield Case(op, [_floats(*_IMAGES)])
    yield Case("Gelu", [_floats(*_IMAGES)], {"approximate": "tanh"})
    for op in ("Log", "Sqrt"):
        yield Case(op, [_positive(*_IMAGES)])
    yield from _broadcasting()
    yield from _moving()
    yield from _reducing()
    yield from _products()


def _broadcasting() -> Iterator[Case]:
    x = _floats(*_IMAGES)
    for op in ("Add", "Mul", "Div", "Max"):
        yield Case(op, [x, _floats(32, 1, 1)])
    yield Case("Mul", [x, _floats(8, 32, 1, 1)], given=(0, 1))
    yield Case("Max", [x, _floats(*_IMAGES)], given=(0, 1))
    yield Case("Clip", [x, np.array(-1, np.float32), np.array(1, np.float32)])
    yield Case("PRelu", [x, _floats(32, 1, 1)])
    for exponent in (0.5, 2.0, 2.3):
        yield Case("Pow", [_positive(*_IMAGES), np.array(exponent, np.float32)])
    yield Case("Mod", [_positive(*_IMAGES), np.array(0.7, np.float32)], {"fmod": 1})
    for op in ("Equal", "Greater", "LessOrEqual"):
        yield Case(op, [x, _floats(*_IMAGES)], given=(0, 1))
    yield Case("Greater", [x, _floats(1, 32, 1, 1)])
    yield Case("And", [x > 0, _floats(*_IMAGES) > 0], given=(0, 1))
    yield Case("Not", [x > 0])
    yield Case("Where", [x > 0, x, _floats(*_IMAGES)], given=(0, 1, 2))
    yield Case("Where", [_floats(32, 32) > 0, x, np.array(-1e9, np.float32)], given=(0, 1))
    yield Case("Cast", [x], {"to": TensorProto.INT64})
    yield Case("Cast", [x > 0], {"to": TensorProto.FLOAT})


def _moving() -> Iterator[Case]:
    x = _floats(*_IMAGES)
    yield Case("Transpose", [x], {"perm": [0, 2, 3, 1]})
    yield Case("Transpose", [_floats(16, 50, 4, 32)], {"perm": [0, 2, 1, 3]})
    yield Case("Transpose", [_floats(16, 50, 4, 32)], {"perm": [0, 2, 3, 1]})
    yield Case("Concat", [x, _floats(*_IMAGES)], {"axis": 1}, given=(0, 1))
    yield Case("Split", [x], {"axis": 1, "num_outputs": 2}, outputs=2)
    yield Case("Slice", [x, _ints(1, 2), _ints(31, 30), _ints(2, 3)])
    yield Case("Pad", [x, _ints(0, 0, 1, 1, 0, 0, 1, 1)])
    yield Case("Pad", [x, _ints(0, 0, 1, 1, 0, 0, 1, 1)], {"mode": "reflect"})
    yield Case("Tile", [_floats(8, 32, 32), _ints(1, 4, 2)])
    yield Case("Expand", [_floats(8, 1, 32, 1), _ints(*_IMAGES)])
    yield Case("DepthToSpace", [x], {"blocksize": 2})
    yield Case("SpaceToDepth", [x], {"blocksize": 2})
    yield Case("Gather", [_floats(1000, 64), _below(1000, 64, 50)], given=(1,))
    yield Case("Gather", [_floats(64, 1000), _below(1000, 500)], {"axis": 1}, given=(0, 1))
    yield Case("GatherElements", [_floats(64, 1000), _below(64, 64, 1000)], given=(0, 1))
    yield Case("GatherND", [_floats(100, 100, 32), _below(100, 2000, 2)], given=(1,))
    yield Case("OneHot", [_below(100, 64, 50), np.array(100), np.array([0, 1], np.float32)])
    yield Case("Trilu", [_floats(16, 128, 128)])
    nowhere = np.zeros(0, np.float32)
    for mode, factor in (("nearest", 2.0), ("linear", 2.0), ("linear", 0.5), ("cubic", 2.0)):
        how = {"mode": mode, "coordinate_transformation_mode": "asymmetric" if mode == "nearest" else "half_pixel"}
        if mode == "nearest":
            how["nearest_mode"] = "floor"
        yield Case("Resize", [x, nowhere, np.array([1, 1, factor, factor], np.float32)], how)


def _reducing() -> Iterator[Case]:
    x = _floats(*_IMAGES)
    for op in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare",
               "ReduceLogSumExp"):  # fmt: skip
        for axis in (1, 3):
            yield Case(op, [x, _ints(axis)])
    yield Case("ArgMax", [x], {"axis": 1})
    yield Case("ArgMax", [_floats(64, 1000)], {"axis": 1})
    yield Case("TopK", [_floats(64, 1000), _ints(10)], outputs=2)
    yield Case("CumSum", [_floats(64, 1000), np.array(1)])
    yield Case("Softmax", [_floats(64, 1000)])
    yield Case("Softmax", [_floats(16, 4, 50, 50)])
    yield Case("Softmax", [x], {"axis": 1})
    yield Case("LogSoftmax", [_floats(64, 1000)])
    yield Case("LayerNormalization", [_floats(64, 50, 128), _floats(128), _floats(128)])
    yield Case("InstanceNormalization", [x, _floats(32), _floats(32)])
    yield Case("BatchNormalization", [x, _floats(32), _floats(32), _floats(32), _positive(32)])
    yield Case("GlobalAveragePool", [x])
    yield Case("GlobalMaxPool", [x])
    yield Case("AveragePool", [x], {"kernel_shape": [2, 2], "strides": [2, 2]})
    yield Case("MaxPool", [x], {"kernel_shape": [2, 2], "strides": [2, 2]})
    yield Case("MaxPool", [x], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4})


def _products() -> Iterator[Case]:
    x = _floats(*_IMAGES)
    yield Case("MatMul", [_floats(16, 64, 64), _floats(16, 64, 64)], given=(0, 1))
    yield Case("MatMul", [_floats(8, 4, 50, 32), _floats(8, 4, 32, 50)], given=(0, 1))
    yield Case("MatMul", [_floats(64, 50, 128), _floats(128, 128)])
    yield Case("Gemm", [_floats(1, 512), _floats(512, 256), _floats(256)])
    yield Case("Gemm", [_floats(64, 512), _floats(512, 256), _floats(256)])
    yield Case("Gemm", [_floats(64, 512), _floats(512, 10), _floats(10)])
    yield Case("Conv", [x, _floats(32, 32, 3, 3)], {"pads": [1] * 4})
    yield Case("Conv", [x, _floats(32, 32, 3, 3)], {"pads": [1] * 4, "strides": [2, 2]})
    yield Case("Conv", [x, _floats(32, 32, 3, 3)], {"pads": [2] * 4, "dilations": [2, 2]})
    yield Case("Conv", [x, _floats(32, 32, 5, 5)], {"pads": [2] * 4})
    yield Case("Conv", [x, _floats(64, 32, 1, 1)])
    yield Case("Conv", [x, _floats(32, 8, 3, 3)], {"pads": [1] * 4, "group": 4})
    yield Case("Conv", [x, _floats(32, 1, 3, 3)], {"pads": [1] * 4, "group": 32})
    yield Case("Conv", [x, _floats(32, 1, 3, 3)], {"pads": [1] * 4, "group": 32, "strides": [2, 2]})
    yield Case("Conv", [_floats(8, 32, 256), _floats(32, 32, 5)], {"pads": [2] * 2})
    yield Case("Conv", [_floats(2, 8, 16, 16, 16), _floats(8, 8, 3, 3, 3)], {"pads": [1] * 6})
    yield Case("ConvTranspose", [x, _floats(32, 32, 2, 2)], {"strides": [2, 2]})
    yield Case("ConvTranspose", [x, _floats(32, 32, 4, 4)], {"strides": [2, 2], "pads": [1] * 4})
    yield Case("ConvTranspose", [_floats(16, 128, 4, 4), _floats(128, 64, 4, 4)], {"strides": [2, 2], "pads": [1] * 4})


def model_of(case: Case) -> bytes:
    """Return the operator as a file of its own."""
    ports = [
        helper.make_tensor_value_info(f"x{i}", helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for i, array in enumerate(case.inputs)
        if i in case.given
    ]
    constants = [numpy_helper.from_array(array, f"x{i}") for i, array in enumerate(case.inputs) if i not in case.given]
    outputs = [f"y{i}" for i in range(case.outputs)]
    node = helper.make_node(case.op, [f"x{i}" for i in range(len(case.inputs))], outputs, **case.attributes)
    infos = [onnx.ValueInfoProto(name=name) for name in outputs]
    graph = helper.make_graph([node], case.op, ports, infos, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=10)
    return onnx.shape_inference.infer_shapes(model, strict_mode=True).SerializeToString()


def run_case(case: Case, threads: int = 1, settings: Settings = _SETTINGS) -> dict[str, Any]:
    """Time one case in both engines.

    Raises:
        AssertionError: They do not give the same answer.
    """
    inputs = {f"x{i}": case.inputs[i] for i in case.given}
    return compare(str(case), model_of(case), inputs, threads, settings) | {"op": case.op}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write JSON where asked."""
    options = parser_of(__doc__, "operator").parse_args(arguments)
    chosen = [case for case in cases() if options.only is None or case.op in options.only.split(",")]
    if not chosen:
        names = ", ".join(sorted({case.op for case in cases()}))
        sys.stderr.write(f"--only: got {options.only!r}, expected some of {names}\n")
        return 2
    report(options, "operator", [(case.op, partial(run_case, case)) for case in chosen])
    return 0


if __name__ == "__main__":
    sys.exit(main())
