"""Cast against numpy, bit for bit; what numpy leaves open against the documented choice."""

from __future__ import annotations

import numpy as np
import pytest
from elementwise_cases import INTEGERS, NUMBERS, special_values
from harness import Array, Case, Oracle, check, check_refused
from onnx import helper

OP = "Cast"
DTYPES = (*NUMBERS, np.bool_)


def number_of(dtype: type) -> int:
    """TensorProto.DataType of a numpy type."""
    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def oracle_to(dtype: type) -> Oracle:
    """The conversion of numpy."""
    return lambda x, to: x.astype(dtype)


@pytest.mark.parametrize("to", DTYPES, ids=lambda t: f"to_{np.dtype(t).name}")
@pytest.mark.parametrize("source", DTYPES, ids=lambda t: np.dtype(t).name)
def test_cast_agrees_with_numpy(source: type, to: type, isa: str) -> None:
    x: Array = special_values(source)
    if x.dtype.kind == "f" and np.dtype(to).kind in "iu":
        x = np.array([0.0, -0.0, 0.5, 1.5, 2.99, 100.25, 127.9], source)
    for value in (x, x[:0], x[:1].reshape(()), np.tile(x, 4).reshape(2, 2, -1)):
        check(OP, Case("values", [value.copy()], {"to": number_of(to)}), isa, oracle=oracle_to(to))


@pytest.mark.parametrize("to", INTEGERS, ids=lambda t: np.dtype(t).name)
@pytest.mark.parametrize("source", [np.float32, np.float64], ids=lambda t: np.dtype(t).name)
def test_cast_of_floats_beyond_an_integer_keeps_to_its_ends(source: type, to: type, isa: str) -> None:
    limits = np.iinfo(to)

    def oracle(x: Array, to: int) -> Array:
        values = [0 if np.isnan(v) else limits.max if v > 0 else limits.min for v in x]
        return np.array(values, limits.dtype)

    x: Array = np.array([np.nan, np.inf, -np.inf, 2.0**63, -(2.0**63) * 1.5, 2.0**100], source)
    check(OP, Case("beyond", [x], {"to": number_of(to)}), isa, oracle=oracle)


@pytest.mark.parametrize("to", INTEGERS, ids=lambda t: np.dtype(t).name)
@pytest.mark.parametrize("source", [np.float32, np.float64], ids=lambda t: np.dtype(t).name)
def test_cast_of_floats_does_not_depend_on_what_stands_beside_them(source: type, to: type, isa: str) -> None:
    limits = np.iinfo(to)
    x = np.random.default_rng(0).uniform(0, 127, 1000).astype(source)
    ends = np.array([np.nan, np.inf, float(limits.max) + 1, float(limits.min), -0.5], source)
    x[[3, 255, 256, 700, 999]] = ends
    wanted = np.trunc(np.where(np.isin(np.arange(1000), [3, 255, 256]), 0, x)).astype(to)
    wanted[[255, 256]] = limits.max
    check(OP, Case("beside", [x], {"to": number_of(to)}), isa, oracle=lambda x, to: wanted)


def test_cast_refuses_types_that_the_engine_does_not_have() -> None:
    x = np.zeros(1, np.float32)
    check_refused(OP, Case("float16", [x], {"to": 10}), "ONNX type 10, supported are float32")
    check_refused(OP, Case("missing", [x]), "attribute to is missing")
    for number in (0, -1, 2**31, 2**62):
        check_refused(OP, Case("hostile", [x], {"to": number}), "supported are")
