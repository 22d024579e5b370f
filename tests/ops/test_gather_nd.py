"""GatherND against the onnx reference, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from harness import HOSTILE_INTS, Case, check, check_refused, name_of, onnx_reference
from moving_cases import DTYPES, counted, ints

OP = "GatherND"

CASES = [
    *(Case(np.dtype(t).name, [counted((3, 4), t), ints(2, 0, -1, 3).reshape(2, 2)]) for t in DTYPES),
    Case("slices", [counted((3, 4, 5)), ints(2, 0, 1).reshape(3, 1)]),
    Case("deep", [counted((3, 4, 5)), ints(0, 1, 2, 3, 2, 0, 1, 3).reshape(2, 2, 2) % 3]),
    Case("batch", [counted((2, 3, 4)), ints(1, 0).reshape(2, 1)], {"batch_dims": 1}),
    Case("batch_many", [counted((2, 3, 4)), ints(1, 0, 2, 2).reshape(2, 2, 1)], {"batch_dims": 1}),
    Case("one", [counted((3, 4)), ints(1, 2)]),
    Case("no_tuple", [counted((3, 4)), np.zeros((0, 2), np.int64)]),
    Case("empty_slices", [counted((3, 0)), ints(1, 2).reshape(2, 1)]),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_gather_nd_agrees_with_the_reference(case: Case, isa: str) -> None:
    if case.name in ("no_tuple", "empty_slices"):
        shape = (0,) if case.name == "no_tuple" else (2, 0)
        check(OP, case, isa, oracle=lambda x, indices: np.zeros(shape, x.dtype))
    else:
        check(OP, case, isa, oracle=onnx_reference(OP))


@pytest.mark.parametrize("index", [3, -4, *HOSTILE_INTS[2:]])
def test_gather_nd_of_an_index_out_of_range_is_a_fault(index: int, isa: str) -> None:
    check_refused(OP, Case("index", [counted((3,)), ints(0, index).reshape(2, 1)]), "index is", isa)


def test_gather_nd_refuses_what_does_not_fit() -> None:
    x = counted((3, 4))
    check_refused(OP, Case("tuple", [x, ints(0, 0, 0)]), "last size must lie in 1 to 2")
    check_refused(OP, Case("no_tuple", [x, np.zeros((1, 0), np.int64)]), "last size must lie in 1 to 2")
    check_refused(OP, Case("batch", [x, ints(0, 0).reshape(2, 1)], {"batch_dims": 1}), "axis 0 of indices")
    for batch in (2, *HOSTILE_INTS[1:]):
        check_refused(OP, Case("batch", [x, ints(0, 0).reshape(2, 1)], {"batch_dims": batch}), "batch_dims is")
