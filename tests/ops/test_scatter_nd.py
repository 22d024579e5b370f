"""ScatterND against the onnx reference, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from harness import HOSTILE_INTS, Case, check, check_refused, name_of, onnx_reference
from moving_cases import DTYPES, counted, ints

OP = "ScatterND"

INDICES = ints(2, 0, -1, 3).reshape(2, 2)
MEETING = ints(*[i * i % 5 for i in range(600)]).reshape(600, 1)
CASES = [
    *(Case(np.dtype(t).name, [counted((3, 4), t), INDICES, counted((2,), t)]) for t in DTYPES),
    *(
        Case(how, [counted((3, 4)), ints(0, 1, 0).reshape(3, 1), counted((3, 4)) + 2], {"reduction": how})
        for how in ("none", "add", "mul", "max", "min")
    ),
    *(
        Case(f"many_meet_{how}_{n}", [counted((5, n)), MEETING, counted((600, n)) % 3], {"reduction": how})
        for how in ("none", "add", "max")
        for n in (1, 3, 40)
    ),
    Case("one", [counted((3, 4)), ints(1, 2), np.array(9, np.float32)]),
    Case("nothing", [counted((3, 4)), np.zeros((0, 1), np.int64), counted((0, 4))]),
]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_scatter_nd_agrees_with_the_reference(case: Case, isa: str) -> None:
    check(OP, case, isa, oracle=onnx_reference(OP))


@pytest.mark.parametrize("index", [3, -4, *HOSTILE_INTS[2:]])
def test_scatter_nd_of_an_index_out_of_range_is_a_fault(index: int, isa: str) -> None:
    check_refused(OP, Case("index", [counted((3,)), ints(index), counted(())]), "index is", isa)


def test_scatter_nd_refuses_what_does_not_fit() -> None:
    x = counted((3, 4))
    check_refused(OP, Case("updates", [x, INDICES, counted((3,))]), "axis 0 of updates")
    check_refused(OP, Case("rank", [x, INDICES, counted((2, 4))]), "updates have shape")
    check_refused(OP, Case("tuple", [x, ints(0, 0, 0), counted(())]), "last size must lie in 1 to 2")
    check_refused(OP, Case("13", [x, INDICES, counted((2,))], {"reduction": "none"}, opset=13), "reduction")
