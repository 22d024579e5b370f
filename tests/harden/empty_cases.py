"""Every operator with arrays of size 0, and what ONNX makes of them: an array, or a word of the refusal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Empty:
    """One call, and its first output: an array to be equal to, or a regular expression that the refusal matches."""

    op: str
    inputs: Sequence[Array | None]
    expected: Array | str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    outputs: int = 1
    domain: str = ""

    def __str__(self) -> str:
        shapes = ",".join("-" if x is None else str(list(x.shape)).replace(" ", "") for x in self.inputs)
        return f"{self.op}({shapes})"


def f(*shape: int) -> Array:
    """Ones of float32; nothing where a size is 0."""
    return np.ones(shape, np.float32)


def i(*values: int) -> Array:
    return np.array(values, np.int64)


def full(value: float, *shape: int) -> Array:
    return np.full(shape, value, np.float32)


#: Shapes of nothing: a list, an empty axis between others, and several.
NOTHING = ((0,), (3, 0, 2), (0, 5), (0, 0))


def _elementwise() -> Iterator[Empty]:
    unary = (
        "Abs Ceil Celu Cos Dropout Elu Erf Exp Floor Gelu HardSigmoid HardSwish Identity LeakyRelu Log LogSoftmax Mish "
        "Neg Reciprocal Relu Round Selu Sigmoid Sign Sin Softmax Softplus Softsign Sqrt Tanh ThresholdedRelu"
    )
    for shape in NOTHING:
        for op in unary.split():
            yield Empty(op, [f(*shape)], f(*shape))
        for op in ("IsInf", "IsNaN"):
            yield Empty(op, [f(*shape)], f(*shape) > 0)
        yield Empty("Not", [f(*shape) > 0], f(*shape) > 0)
        yield Empty("Clip", [f(*shape), f(), f()], f(*shape))
        yield Empty("Cast", [f(*shape)], f(*shape).astype(np.int64), {"to": 7})
        for op in ("Add", "Div", "Max", "Min", "Mul", "PRelu", "Pow", "Sub"):
            yield Empty(op, [f(*shape), f(*shape)], f(*shape))
            yield Empty(op, [f(*shape), f(1)], f(*shape))
        for op in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"):
            yield Empty(op, [f(*shape), f(1)], f(*shape) > 0)
        for op in ("And", "Or", "Xor"):
            yield Empty(op, [f(*shape) > 0, f(1) > 0], f(*shape) > 0)
        for op in ("Div", "Mod"):
            yield Empty(op, [f(*shape).astype(np.int64), i(0)], f(*shape).astype(np.int64))
        yield Empty("Where", [f(*shape) > 0, f(1), f(1)], f(*shape))
    yield Empty("Add", [f(3, 1), f(1, 0)], f(3, 0))
    yield Empty("Add", [f(3), f(0)], "broadcast|do not fit|shape")
    yield Empty("Where", [f(2, 1) > 0, f(1, 0), f(1)], f(2, 0))


def _reductions() -> Iterator[Empty]:
    """Of no elements a sum is 0, a product 1, a mean no number, and an extremum the other end of the line."""
    of_nothing = {
        "L1": 0, "L2": 0, "LogSum": -np.inf, "LogSumExp": -np.inf, "Max": -np.inf, "Mean": np.nan, "Min": np.inf,
        "Prod": 1, "Sum": 0, "SumSquare": 0,
    }  # fmt: skip
    for name, value in of_nothing.items():
        op = f"Reduce{name}"
        yield Empty(op, [f(3, 0, 2), i(1)], full(value, 3, 1, 2))
        yield Empty(op, [f(3, 0, 2), i(1)], full(value, 3, 2), {"keepdims": 0})
        yield Empty(op, [f(3, 0, 2)], full(value, 1, 1, 1))
        yield Empty(op, [f(0)], full(value), {"keepdims": 0})
        yield Empty(op, [f(3, 0, 2), i(0)], f(1, 0, 2))
        yield Empty(op, [f(0, 4), i(1)], f(0, 1))
        yield Empty(op, [f(0, 4), i()], f(0, 4), {"noop_with_empty_axes": 1})
    for op in ("ArgMax", "ArgMin"):
        yield Empty(op, [f(0, 4)], np.zeros((0, 1), np.int64), {"axis": 1})
        yield Empty(op, [f(4, 0)], "empty|no elements|size 0|nothing", {"axis": 1})
    yield Empty("CumSum", [f(3, 0), i(1).reshape(())], f(3, 0))
    yield Empty("CumSum", [f(0, 3), i(1).reshape(())], f(0, 3))
    yield Empty("TopK", [f(0, 4), i(2)], f(0, 2), outputs=2)
    yield Empty("TopK", [f(4, 0), i(0)], f(4, 0), outputs=2)
    yield Empty("TopK", [f(4, 3), i(0)], f(4, 0), outputs=2)
    yield Empty("TopK", [f(4, 0), i(1)], "k|K", outputs=2)


def _shapes() -> Iterator[Empty]:
    yield Empty("Concat", [f(2, 0), f(2, 3)], f(2, 3), {"axis": 1})
    yield Empty("Concat", [f(0, 3), f(0, 3)], f(0, 3), {"axis": 0})
    yield Empty("Constant", [], f(0, 3), {"value": f(0, 3)})
    yield Empty("ConstantOfShape", [i(2, 0)], np.zeros((2, 0), np.float32))
    yield Empty("ConstantOfShape", [i()], np.zeros((), np.float32))
    yield Empty("DepthToSpace", [f(2, 4, 0, 3)], f(2, 1, 0, 6), {"blocksize": 2})
    yield Empty("DepthToSpace", [f(2, 0, 2, 3)], f(2, 0, 4, 6), {"blocksize": 2, "mode": "CRD"})
    yield Empty("Expand", [f(1, 0), i(4, 1)], f(4, 0))
    yield Empty("Expand", [f(3, 1), i(3, 0)], f(3, 0))
    yield Empty("Flatten", [f(0, 3, 2)], f(0, 6))
    yield Empty("Flatten", [f(3, 0, 2)], f(3, 0))
    yield Empty("Gather", [f(3, 0), i(0, 2)], f(2, 0))
    yield Empty("Gather", [f(3, 2), i()], f(0, 2))
    yield Empty("Gather", [f(0, 2), i()], f(0, 2))
    yield Empty("Gather", [f(0, 2), i(0)], "index")
    yield Empty("GatherElements", [f(3, 2), i().reshape(0, 2)], f(0, 2))
    yield Empty("GatherElements", [f(0), i(0)], "index")
    yield Empty("GatherND", [f(3, 2), i().reshape(0, 2)], f(0))
    yield Empty("GatherND", [f(3, 0), i(1).reshape(1, 1)], f(1, 0))
    yield Empty("GatherND", [f(0, 2), i(0).reshape(1, 1)], "index")
    yield Empty("OneHot", [i(), i(4).reshape(()), f(2)], f(0, 4))
    yield Empty("OneHot", [i(1), i(0).reshape(()), f(2)], "depth")
    yield Empty("Pad", [f(0, 2), i(1, 0, 1, 0)], np.zeros((2, 2), np.float32))
    yield Empty("Pad", [f(0, 2), i(1, 0, 0, 0)], "reflect|empty|size 0|edge", {"mode": "edge"})
    yield Empty("Range", [f(), f(), f()], f(0))
    yield Empty("Reshape", [f(0, 3), i(3, 0)], f(3, 0), {"allowzero": 1})
    yield Empty("Reshape", [f(0, 3), i(0, -1)], f(0, 3))
    yield Empty("Reshape", [f(0, 3), i(0, -1)], "open", {"allowzero": 1})
    yield Empty("Reshape", [f(3, 0), i(0, 0, 7)], f(3, 0, 7))
    yield Empty("ScatterElements", [f(3, 2), i().reshape(0, 2), f(0, 2)], f(3, 2))
    yield Empty("ScatterElements", [f(0), i(), f(0)], f(0))
    yield Empty("ScatterElements", [f(0), i(0), f(1)], "index")
    yield Empty("ScatterND", [f(3, 2), i().reshape(0, 1), f(0, 2)], f(3, 2))
    yield Empty("ScatterND", [f(3, 0), i(1).reshape(1, 1), f(1, 0)], f(3, 0))
    yield Empty("Shape", [f(3, 0)], i(3, 0))
    yield Empty("Size", [f(3, 0)], i(0).reshape(()))
    yield Empty("Resize", [f(2, 0, 3), f(0), np.array([1, 2, 2], np.float32)], f(2, 0, 6))
    yield Empty("Slice", [f(3, 2), i(1), i(1)], f(0, 2))
    yield Empty("Slice", [f(0, 2), i(0), i(9)], f(0, 2))
    yield Empty("Slice", [f(0, 2), i(-1), i(-9), i(0), i(-1)], f(0, 2))
    yield Empty("SpaceToDepth", [f(2, 1, 0, 6)], f(2, 4, 0, 3), {"blocksize": 2})
    yield Empty("Split", [f(0, 4)], f(0, 2), {"axis": 1, "num_outputs": 2}, outputs=2)
    yield Empty("Split", [f(3), i(0, 3)], f(0), outputs=2)
    yield Empty("Squeeze", [f(1, 0), i(0)], f(0))
    yield Empty("Squeeze", [f(1, 0), i(1)], "size|squeeze|1")
    yield Empty("Tile", [f(3, 2), i(0, 1)], f(0, 2))
    yield Empty("Tile", [f(0, 2), i(2, 2)], f(0, 4))
    yield Empty("Transpose", [f(0, 2, 3)], f(3, 0, 2), {"perm": [2, 0, 1]})
    yield Empty("Trilu", [f(2, 0, 3)], f(2, 0, 3))
    yield Empty("Unsqueeze", [f(0), i(1)], f(0, 1))


def _images() -> Iterator[Empty]:
    pool = {"kernel_shape": [2, 2]}
    yield Empty("AveragePool", [f(0, 3, 4, 4)], f(0, 3, 3, 3), pool)
    yield Empty("MaxPool", [f(0, 3, 4, 4)], f(0, 3, 3, 3), pool)
    yield Empty("MaxPool", [f(2, 0, 4, 4)], f(2, 0, 3, 3), pool)
    yield Empty("MaxPool", [f(1, 1, 0, 4)], "kernel|window|smaller|size", pool)
    yield Empty("GlobalAveragePool", [f(0, 3, 4, 4)], f(0, 3, 1, 1))
    yield Empty("GlobalMaxPool", [f(0, 3, 4, 4)], f(0, 3, 1, 1))
    yield Empty("Conv", [f(0, 3, 5, 5), f(4, 3, 3, 3), f(4)], f(0, 4, 3, 3))
    yield Empty("Conv", [f(2, 3, 5, 5), f(0, 3, 3, 3)], f(2, 0, 3, 3))
    yield Empty("Conv", [f(1, 3, 0, 5), f(4, 3, 3, 3)], "kernel|window|smaller|size")
    yield Empty("ConvTranspose", [f(0, 3, 5, 5), f(3, 4, 3, 3), f(4)], f(0, 4, 7, 7))
    activation = {"activation": "relu"}
    yield Empty("ConvActivation", [f(0, 3, 5, 5), f(4, 3, 3, 3), f(4)], f(0, 4, 3, 3), activation, domain="slipway")
    yield Empty("BatchNormalization", [f(0, 3, 4), f(3), f(3), f(3), f(3)], f(0, 3, 4))
    yield Empty("InstanceNormalization", [f(0, 3, 4), f(3), f(3)], f(0, 3, 4))
    yield Empty("LayerNormalization", [f(0, 4), f(4), f(4)], f(0, 4))
    yield Empty("LayerNormalization", [f(3, 0), f(0), f(0)], f(3, 0))


def _products() -> Iterator[Empty]:
    for op, domain, attributes in (("Gemm", "", {}), ("GemmActivation", "slipway", {"activation": "relu"})):
        yield Empty(op, [f(0, 3), f(3, 4), f(4)], f(0, 4), attributes, domain=domain)
        yield Empty(op, [f(2, 3), f(3, 0)], f(2, 0), attributes, domain=domain)
        yield Empty(op, [f(2, 0), f(0, 4), f(4)], f(2, 4), attributes, domain=domain)  # a sum of nothing, and the bias
    yield Empty("MatMul", [f(0, 3), f(3, 4)], f(0, 4))
    yield Empty("MatMul", [f(2, 0), f(0, 4)], full(0, 2, 4))
    yield Empty("MatMul", [f(0, 2, 3), f(3, 4)], f(0, 2, 4))
    yield Empty("MatMul", [f(0), f(0)], full(0))


def _recurrent() -> Iterator[Empty]:
    """No sequences, or sequences without a step: then the last state is the first."""
    for op, gates in (("GRU", 3), ("LSTM", 4), ("RNN", 1)):
        weights = [f(1, gates * 4, 3), f(1, gates * 4, 4), None]
        size = {"hidden_size": 4}
        yield Empty(op, [f(5, 0, 3), *weights], f(5, 1, 0, 4), size, outputs=2)
        yield Empty(op, [f(0, 2, 3), *weights], f(0, 1, 2, 4), size, outputs=2)
        yield Empty(op, [f(5, 0, 3), *weights, np.zeros(0, np.int32)], f(5, 1, 0, 4), size, outputs=2)
        none = np.zeros(2, np.int32)
        yield Empty(op, [f(5, 2, 3), *weights, none], full(0, 5, 1, 2, 4), size, outputs=2)
        yield Empty(op, [f(5, 2, 3), *weights, none + 6], "sequence_lens", size, outputs=2)
        yield Empty(op, [f(5, 2, 3), *weights, none - 1], "sequence_lens", size, outputs=2)


def empty_cases() -> list[Empty]:
    """All of them."""
    return [*_elementwise(), *_reductions(), *_shapes(), *_images(), *_products(), *_recurrent()]
