"""Cases that GRU, LSTM and RNN share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from harness import Case
from recurrent_oracle import ACTIVATIONS, DEFAULTS, GATES, OUTPUTS, Array


def make(
    op: str,
    name: str,
    *,
    time: int = 4,
    batch: int = 3,
    features: int = 5,
    hidden: int = 6,
    lengths: list[int] | None = None,
    bias: bool = True,
    initial: bool = True,
    peepholes: bool = False,
    dtype: npt.DTypeLike = np.float32,
    outputs: int | None = None,
    opset: int = 20,
    seed: int = 0,
    **attributes: Any,
) -> Case:
    """A case with weights as torch initialises them: uniform within 1 / sqrt(H)."""
    rng = np.random.default_rng(seed)
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    rows = GATES[op] * hidden
    scale = 1 / np.sqrt(max(hidden, 1))

    def uniform(*shape: int) -> Array:
        return rng.uniform(-scale, scale, shape).astype(dtype)

    swap = attributes.get("layout", 0) == 1
    x = rng.normal(size=(batch, time, features) if swap else (time, batch, features)).astype(dtype)
    state = (batch, directions, hidden) if swap else (directions, batch, hidden)
    inputs: list[Array | None] = [x, uniform(directions, rows, features), uniform(directions, rows, hidden)]
    inputs.append(uniform(directions, 2 * rows) if bias else None)
    inputs.append(None if lengths is None else np.array(lengths, np.int32))
    inputs.append(rng.normal(size=state).astype(dtype) if initial else None)
    if op == "LSTM":
        inputs.append(rng.normal(size=state).astype(dtype) if initial else None)
        inputs.append(uniform(directions, 3 * hidden) if peepholes else None)
    if op == "GRU":
        attributes.setdefault("linear_before_reset", 1)
    while inputs[-1] is None:
        inputs.pop()
    return Case(name, inputs, {"hidden_size": hidden, **attributes}, outputs or OUTPUTS[op], opset)


SIZES = (0, 1, 3, 7, 8, 9, 15, 16, 17, 33, 65)


def common_cases(op: str) -> list[Case]:
    """Sizes, lengths, directions, layouts and optional inputs: what the three operators have in common."""
    cases = [make(op, f"hidden_{n}", hidden=n) for n in SIZES]
    cases += [
        make(op, f"hidden_{n}_batch_{batch}", hidden=n, batch=batch, lengths=[3, 4, 1, 0, 2][:batch],
             direction="bidirectional")
        for n in (100, 101, 128, 130, 256, 300)
        for batch in (1, 5)
    ]  # fmt: skip
    cases += [make(op, f"features_{n}", features=n) for n in SIZES]
    cases += [make(op, f"batch_{n}", batch=n, time=3, lengths=[1 + i % 3 for i in range(n)]) for n in SIZES]
    cases += [make(op, f"time_{n}", time=n, direction="bidirectional") for n in (0, 1, 2, 19)]
    lengths = {
        "all_one": [1, 1, 1],
        "all_the_longest": [4, 4, 4],
        "unsorted": [2, 4, 1],
        "shorter_than_time": [2, 3, 2],
        "with_zero": [0, 4, 0],
        "all_zero": [0, 0, 0],
    }
    for direction in ("forward", "reverse", "bidirectional"):
        for layout in (0, 1):
            cases += [
                make(op, f"{direction}_layout_{layout}_{name}", lengths=of, direction=direction, layout=layout)
                for name, of in lengths.items()
            ]
    for bias in (True, False):
        for initial in (True, False):
            cases.append(make(op, f"bias_{bias}_initial_{initial}", bias=bias, initial=initial, lengths=[2, 4, 1]))
    cases += [make(op, f"outputs_{n}", outputs=n, lengths=[2, 4, 1]) for n in range(1, OUTPUTS[op] + 1)]
    cases += [make(op, f"opset_{n}", opset=n) for n in (13, 14, 22, 24)]
    cases.append(make(op, "float64", dtype=np.float64, lengths=[2, 4, 1], direction="bidirectional"))
    for layout in (0, 1):
        cases.append(
            make(op, f"names_model_{layout}", time=7, batch=5, features=100, hidden=100, lengths=[7, 3, 5, 5, 1],
                 direction="bidirectional", layout=layout)
        )  # fmt: skip
    cases.append(make(op, "clip", clip=0.3, lengths=[2, 4, 1], direction="bidirectional"))
    return cases


def activation_cases(op: str) -> list[Case]:
    """Every activation of ONNX at each place, with its defaults and with alpha and beta of its own."""
    cases = []
    for place in range(len(DEFAULTS[op])):
        for name, (_, _, alpha, beta) in ACTIVATIONS.items():
            names = list(DEFAULTS[op])
            names[place] = name
            own: dict[str, Any] = {"activations": names}
            if name not in ("Affine", "ScaledTanh"):
                cases.append(make(op, f"{place}_{name}", lengths=[2, 4, 1], **own))
            if alpha is not None:
                own["activation_alpha"] = [0.75]
            if beta is not None:
                own["activation_beta"] = [0.125]
            if alpha is not None:
                cases.append(make(op, f"{place}_{name}_alpha", lengths=[2, 4, 1], **own))
    mixed = [*DEFAULTS[op][:-1], "LeakyRelu", *DEFAULTS[op][:-1], "HardSigmoid"]
    cases.append(
        make(op, "each_direction_its_own", direction="bidirectional", activations=mixed,
             activation_alpha=[0.3, 0.4], activation_beta=[0.6])
    )  # fmt: skip
    return cases
