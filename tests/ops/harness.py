"""One operator against an oracle outside our code; the tolerance comes from the operator's row, never by hand.

    OP = "Softplus"
    CASES = [Case("one", [np.array([0.5], np.float32)])]

    @pytest.mark.parametrize("case", CASES, ids=name_of)
    def test_softplus_agrees_with_torch(case: Case, isa: str) -> None:
        check(OP, case, isa, oracle=lambda x: np.logaddexp(0, x))

An oracle is called as ``oracle(*inputs, **attributes)`` and returns one array or a tuple. For the classes ``ulp4`` and
``sum`` it gets float inputs as float64, so its own rounding does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from slipway import _engine
from slipway.errors import SlipwayError

Array = npt.NDArray[Any]
Oracle = Callable[..., Any]

# A sum of n float32 terms in blocked order errs by a few roundings of the sum of their magnitudes.
SUM_FACTOR = 4.0
ULPS = 4.0


@dataclass(frozen=True)
class Case:
    """One call of an operator. An absent optional input is None; ``outputs`` counts the wanted ones."""

    name: str
    inputs: Sequence[Array | None]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    outputs: int = 1
    opset: int = 20


def name_of(case: Case) -> str:
    """For ``ids=`` of pytest's parametrize."""
    return case.name


#: Operators whose kernels of the column amx are others than those of avx512.
SPLIT = frozenset({"Gemm", "GemmActivation", "MatMul"})


def row_of(op: str, domain: str = "") -> Mapping[str, Any]:
    """The operator's row in the table."""
    rows = [row for row in _engine.operators() if row["onnx"] == op and row["domain"] == domain]
    assert len(rows) == 1, f"{op} has {len(rows)} rows in ops.def"
    found: Mapping[str, Any] = rows[0]
    return found


def columns_of(op: str, domain: str = "") -> list[str]:
    """The columns to test: scalar, the instruction sets where the row has them, CUDA where a device is there too."""
    if not op:
        return ["scalar"]
    row = row_of(op, domain)
    names: list[str] = list(_engine.isas()) if row["has_simd"] else ["scalar"]
    if op not in SPLIT:
        names = [name for name in names if name != "amx"]
    return names + (["cuda"] if row["has_cuda"] and "cuda:0" in _engine.devices()[0] else [])


def run(op: str, case: Case, isa: str = "scalar", *, domain: str = "", all_constant: bool = False) -> list[Array]:
    """Run the engine's operator once."""
    outputs: list[Array] = _engine.run_op(
        op,
        list(case.inputs),
        dict(case.attributes),
        outputs=case.outputs,
        opset=case.opset,
        domain=domain,
        isa=isa,
        all_constant=all_constant,
    )
    return outputs


def check(
    op: str,
    case: Case,
    isa: str = "scalar",
    *,
    oracle: Oracle,
    magnitude: Oracle | None = None,
    domain: str = "",
) -> None:
    """Run the operator on aligned, unaligned and constant inputs and compare each time with the oracle.

    Args:
        op: ONNX operator name.
        case: Inputs and attributes.
        isa: Column of kernels.
        oracle: What the outputs must be.
        magnitude: For the class ``sum``: the sum of the terms' magnitudes of each output. The default, the oracle at
            the inputs' absolute values, is right for everything linear.
        domain: Domain of the operator.
    """
    tolerance = row_of(op, domain)["tolerance"]
    exact = tolerance == "exact"
    inputs = [x if exact or x is None else _widened(x) for x in case.inputs]
    with np.errstate(all="ignore"):
        expected = _tuple(oracle(*inputs, **case.attributes))
    bounds: tuple[Any, ...] = (None,) * len(expected)
    if tolerance == "sum":
        absolute = [None if x is None else np.abs(x) if x.dtype.kind == "f" else x for x in inputs]
        with np.errstate(all="ignore"):
            bounds = _tuple((magnitude or oracle)(*absolute, **case.attributes))

    before = [None if x is None else x.copy() for x in case.inputs]
    shifted = Case(case.name, [_unaligned(x) for x in case.inputs], case.attributes, case.outputs, case.opset)
    for call, constant in ((case, False), (shifted, False), (case, True)):
        actual = run(op, call, isa, domain=domain, all_constant=constant)
        assert len(actual) == case.outputs <= len(expected)
        for i, got in enumerate(actual):
            _compare(f"{case.name}, output {i}", got, np.asarray(expected[i]), tolerance, bounds[i])
    for x, y in zip(case.inputs, before, strict=True):
        assert x is None or x.tobytes() == y.tobytes(), "an input was written to"  # type: ignore[union-attr]


def check_refused(op: str, case: Case, message: str, isa: str = "scalar", *, domain: str = "") -> None:
    """The call must raise a SlipwayError whose message matches the regular expression."""
    with pytest.raises((SlipwayError, RuntimeError), match=message):
        run(op, case, isa, domain=domain)


#: Sizes at which loops and vectors have their edges.
EDGE_SIZES = (0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 257)
#: Attribute values at which shape arithmetic overflows or divides by zero.
HOSTILE_INTS = (0, -1, 2**31, 2**32, 2**62, 2**63 - 1, -(2**63))


def specials(dtype: npt.DTypeLike = np.float32) -> Array:
    """NaN, infinities, signed zeros, denormals, the largest and smallest normal numbers, and ordinary ones."""
    kind = np.finfo(dtype)
    values = [0.0, -0.0, np.nan, np.inf, -np.inf, kind.max, -kind.max, kind.tiny, -kind.tiny]
    values += [kind.smallest_subnormal, -kind.smallest_subnormal, kind.eps, 0.5, -0.5, 1.5, 2.5, -1.5, 1.0, -1.0, 88.8]
    return np.array(values, dtype)


def onnx_reference(op: str, opset: int = 20, outputs: int = 1) -> Oracle:
    """The onnx package's own evaluator as an oracle; see docs for the operators where it is wrong."""

    def oracle(*inputs: Array | None, **attributes: Any) -> tuple[Array, ...]:
        names = ["" if x is None else f"x{i}" for i, x in enumerate(inputs)]
        results = [f"y{i}" for i in range(outputs)]
        node = helper.make_node(op, names, results, **attributes)
        ports = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(x.dtype), list(x.shape))
            for name, x in zip(names, inputs, strict=True)
            if x is not None
        ]
        graph = helper.make_graph(
            [node], op, ports, [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in results]
        )
        model = helper.make_model(graph, opset_imports=[onnx.OperatorSetIdProto(domain="", version=opset)])
        feeds = {name: x for name, x in zip(names, inputs, strict=True) if x is not None}
        with np.errstate(all="ignore"):
            return tuple(ReferenceEvaluator(model).run(None, feeds))

    return oracle


def _tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def _widened(x: Array) -> Array:
    return x.astype(np.float64) if x.dtype.kind == "f" else x


def _unaligned(x: Array | None) -> Array | None:
    """The same array one element beyond a 64-byte boundary."""
    if x is None or x.size == 0:
        return x
    memory = np.empty(x.nbytes + 128, np.uint8)
    start = -memory.ctypes.data % 64 + x.itemsize
    copy = memory[start : start + x.nbytes].view(x.dtype).reshape(x.shape)
    copy[...] = x
    return copy


def _compare(where: str, got: Array, expected: Array, tolerance: str, magnitude: Any) -> None:
    assert got.shape == expected.shape, f"{where}: shape {got.shape}, expected {expected.shape}"
    if tolerance == "exact" or got.dtype.kind != "f":
        assert got.dtype == expected.dtype, f"{where}: {got.dtype}, expected {expected.dtype}"
        same = _same_bits(got, expected)
        assert same.all(), _worst(where, got, expected, ~same)
        return
    with np.errstate(all="ignore"):
        rounded = expected.astype(got.dtype)
        if tolerance == "ulp4":
            bound = ULPS * np.spacing(np.abs(rounded)).astype(np.float64)
        else:
            terms = np.maximum(np.abs(np.asarray(magnitude, np.float64)), np.abs(expected))
            bound = SUM_FACTOR * np.finfo(got.dtype).eps * terms + np.finfo(got.dtype).smallest_subnormal
        error = np.abs(got.astype(np.float64) - rounded.astype(np.float64))
    finite = np.isfinite(rounded)
    same = np.where(finite, error <= bound, _same_bits(got, rounded))
    assert same.all(), _worst(where, got, expected, ~same)


def _same_bits(a: Array, b: Array) -> npt.NDArray[np.bool_]:
    """Equal, with NaN equal to NaN, and -0 not equal to 0."""
    if a.dtype.kind != "f":
        return np.asarray(a == b)
    return np.asarray(((a == b) & (np.signbit(a) == np.signbit(b))) | (np.isnan(a) & np.isnan(b)))


def _worst(where: str, got: Array, expected: Array, wrong: npt.NDArray[np.bool_]) -> str:
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    first = f"first at {index}: {got[index]!r}, expected {expected[index]!r}"
    return f"{where}: {int(wrong.sum())} of {wrong.size} differ, {first}"
