"""What EmbeddedGRU, EmbeddedLSTM and EmbeddedRNN share: cases, and the check against the rows gathered by numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
from harness import Case, check
from recurrent_cases import make
from recurrent_oracle import X, closed_form, magnitudes

DOMAIN = "slipway"
TABLE = 8


def embed(op: str, name: str, *, rows: int = 11, index: type[np.signedinteger[Any]] = np.int64, **options: Any) -> Case:
    """Row numbers, negative ones too, in place of the rows of `make`, and the table as the last input."""
    case = make(op, name, **options)
    rng = np.random.default_rng(1)
    x = case.inputs[X]
    assert x is not None
    numbers = rng.integers(-rows, rows, x.shape[:2]).astype(index)
    table = rng.normal(size=(rows, x.shape[2])).astype(x.dtype)
    inputs = [numbers, *case.inputs[1:]]
    inputs += [None] * (TABLE - len(inputs))
    return Case(name, [*inputs, table], case.attributes, case.outputs, case.opset)


def gathered(case: Case) -> Case:
    """The case of the plain operator: rows instead of their numbers."""
    numbers, table = case.inputs[X], case.inputs[TABLE]
    assert numbers is not None
    assert table is not None
    inputs = [table[numbers], *case.inputs[1:TABLE]]
    while inputs[-1] is None:
        inputs.pop()
    return Case(case.name, inputs, case.attributes, case.outputs, case.opset)


def cases(op: str) -> list[Case]:
    """Directions, layouts, lengths, sizes around the vector, absent inputs, types."""
    made = [
        embed(op, f"{direction}_{layout}", time=6, batch=5, hidden=20, lengths=[6, 0, 3, 5, 1],
              direction=direction, layout=layout)
        for direction in ("forward", "reverse", "bidirectional")
        for layout in (0, 1)
    ]  # fmt: skip
    made += [embed(op, f"hidden_{n}", hidden=n) for n in (1, 4, 5, 16, 17, 33, 100)]
    made += [embed(op, f"features_{n}", features=n) for n in (0, 1, 17, 300)]
    made += [embed(op, f"batch_{n}", batch=n) for n in (0, 1, 13)]
    made += [embed(op, "bare", bias=False, initial=False), embed(op, "one_row", rows=1), embed(op, "no_time", time=0)]
    made += [embed(op, "int32", index=np.int32), embed(op, "float64", dtype=np.float64)]
    made += [embed(op, "clip", clip=0.3)]
    return made


def check_embedded(op: str, case: Case, isa: str) -> None:
    """Against the formulas, both where the table is multiplied before (it is constant) and where it is not."""
    plain = gathered(case)
    check(
        f"Embedded{op}",
        case,
        isa,
        oracle=lambda *_, **__: closed_form(op, plain),
        magnitude=lambda *_, **__: magnitudes(op, plain),
        domain=DOMAIN,
    )
