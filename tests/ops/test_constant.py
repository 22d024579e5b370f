"""Constant gives the value of its attribute."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Array, Case, check, check_refused, name_of
from moving_cases import DTYPES, counted

OP = "Constant"

CASES = [
    *(Case(np.dtype(t).name, [], {"value": counted((2, 3), t)}) for t in DTYPES),
    Case("float", [], {"value_float": 1.5}),
    Case("int", [], {"value_int": -3}),
    Case("floats", [], {"value_floats": [1.5, 2.5]}),
    Case("ints", [], {"value_ints": [1, 2, 3]}),
]


def oracle(**attributes: object) -> Array:
    """The one attribute, floats as float32."""
    (value,) = attributes.values()
    array = np.asarray(value)
    return array.astype(np.float32) if not isinstance(value, np.ndarray) and array.dtype.kind == "f" else array


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_constant_gives_its_attribute(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=oracle)


def test_constant_refuses_no_attribute_several_and_strings() -> None:
    check_refused(OP, Case("none", []), "exactly one attribute")
    check_refused(OP, Case("two", [], {"value_int": 1, "value_float": 1.0}), "exactly one attribute")
    check_refused(OP, Case("string", [], {"value_string": "a"}), "value_string")
