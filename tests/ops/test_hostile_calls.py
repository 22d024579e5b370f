"""Every operator of the table on random calls, most of them senseless: each answers or refuses, and none crashes.

Attributes come from ONNX's own schemas, with values at which arithmetic on sizes overflows or divides by zero. Run it
on a build with sanitizers to see more than crashes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx.defs
import pytest
from harness import Array, Case, run

from slipway import _engine
from slipway.errors import SlipwayError

CALLS = 200
DTYPES = (np.float32, np.float32, np.float32, np.int64, np.int64, np.int32, np.bool_, np.float64, np.int8, np.uint8)
# Nothing between 2^16 and 2^40: such sizes are possible, and would be allocated.
INTS = (0, 0, 1, 1, 2, 3, -1, -2, 7, 2**40, 2**62, 2**63 - 1, -(2**63))
WORDS = ("none", "add", "max", "constant", "edge", "reflect", "forward", "bidirectional", "SAME_UPPER", "VALID", "tanh")
ROWS = [(row["onnx"], row["domain"], row["min_opset"]) for row in _engine.operators()]

Random = np.random.Generator


def random_int(rng: Random) -> int:
    """A small number mostly, else one far beyond."""
    return int(rng.integers(0, 3)) if rng.random() < 0.6 else INTS[rng.integers(len(INTS))]


def random_shape(rng: Random) -> tuple[int, ...]:
    """Up to four small sizes, 0 among them."""
    return tuple(int(size) for size in rng.choice([0, 1, 1, 2, 2, 3, 4], rng.integers(0, 5)))


def random_array(rng: Random, shape: tuple[int, ...], dtype: type) -> Array:
    """Integers are indices, sizes, or far beyond."""
    if np.dtype(dtype).kind == "f":
        return np.asarray(rng.normal(size=shape), dtype)
    if dtype is np.int64:
        return np.array([random_int(rng) for _ in range(int(np.prod(shape)))], np.int64).reshape(shape)
    return np.asarray(rng.integers(0, 2, shape), dtype)


def random_inputs(rng: Random, count: int) -> list[Array | None]:
    """Arrays of which most share one type, and many one shape."""
    usual_shape, usual_type = random_shape(rng), DTYPES[rng.integers(len(DTYPES))]
    inputs: list[Array | None] = []
    for _ in range(count):
        shape = usual_shape if rng.random() < 0.5 else (2,) if rng.random() < 0.4 else random_shape(rng)
        dtype = usual_type if rng.random() < 0.6 else DTYPES[rng.integers(len(DTYPES))]
        inputs.append(random_array(rng, shape, dtype) if rng.random() < 0.97 else None)
    return inputs


def random_attribute(rng: Random, kind: onnx.defs.OpSchema.AttrType) -> Any:
    """A value of the schema's type."""
    ints = [random_int(rng) for _ in range(rng.integers(0, 5))]
    values = {
        "INT": random_int(rng),
        "INTS": ints,
        "FLOAT": float(rng.choice([0, -1, 0.5, np.nan, np.inf])),
        "FLOATS": [0.5, -1.0],
        "STRING": WORDS[rng.integers(len(WORDS))],
        "STRINGS": ["Tanh", "Sigmoid"],
        "TENSOR": random_array(rng, (1,), DTYPES[rng.integers(len(DTYPES))]),
    }
    return values.get(str(kind).rpartition(".")[2])


def random_case(rng: Random, op: str, domain: str, min_opset: int) -> Case:
    """Inputs of a count that the operator may have, and some of its attributes."""
    opset = int(rng.integers(min_opset, 25))
    known = not domain and onnx.defs.has(op)
    schema = onnx.defs.get_schema(op, opset) if known else onnx.defs.get_schema("Conv", 13)
    count = int(rng.integers(schema.min_input, min(schema.max_input, 8) + 1))
    inputs = random_inputs(rng, count)
    attributes = {
        name: random_attribute(rng, attribute.type)
        for name, attribute in schema.attributes.items()
        if attribute.required or rng.random() < 0.5
    }
    present = {name: value for name, value in attributes.items() if value is not None}
    outputs = int(rng.integers(max(schema.min_output, 1), min(schema.max_output, 3) + 1))
    return Case("random", inputs, present, outputs, opset)


@pytest.mark.parametrize(("op", "domain", "min_opset"), ROWS, ids=lambda value: str(value))
def test_a_senseless_call_is_answered_or_refused(op: str, domain: str, min_opset: int) -> None:
    for seed in range(CALLS):
        case = random_case(np.random.default_rng([seed, *op.encode()]), op, domain, min_opset)
        try:
            run(op, case, domain=domain, all_constant=bool(seed % 2))
        except SlipwayError:
            continue
