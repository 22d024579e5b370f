"""The same bits, whatever a run may be asked on: threads, runs, processes, alignment, and the rest of the batch."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from row_cases import Rows, row_cases
from small_models import Array, Arrays, Small, bits_of, bundles, made, row_of

import slipway
from slipway import _engine

Effort = Callable[..., int]
Figure = Callable[[str, float | str], None]

BATCHES = (1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 31, 32, 33, 64, 65, 100)
MODELS = [*made(), *bundles()]
#: A row that costs milliseconds is asked at few batches.
LARGE = frozenset({"linknet", "conv-stack", "bottleneck", "snli-spinn", "cifar-cnn", "snli-lstm", "snli-gru"})


# Not amx, whose large products are others than its small ones (docs/decisions/0023-split-products.md).
@pytest.fixture(params=[isa for isa in _engine.isas() if isa != "amx"])
def isa(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# ---- rows of a batch ----


def run_rows(rows: Rows, isa: str, x: Array, weights: list[Array]) -> Array:
    return _engine.run_op(rows.op, [x, *weights], dict(rows.attributes), 1, 20, rows.domain, isa)[0]


def rows_that_differ(rows: Rows, isa: str, most: int) -> list[str]:
    """Which batches, and which rows alone, have other bits than in the largest batch."""
    x, weights = rows.draw(most)
    whole = run_rows(rows, isa, x, weights)
    wrong = []
    for batch in (n for n in BATCHES if n < most):
        first = np.ascontiguousarray(np.take(x, range(batch), rows.batch_axis))
        if run_rows(rows, isa, first, weights).tobytes() != np.take(whole, range(batch), rows.output_axis).tobytes():
            wrong.append(f"batch {batch}")
    for i in (1, most // 2, most - 1):
        alone = np.ascontiguousarray(np.take(x, [i], rows.batch_axis))
        if run_rows(rows, isa, alone, weights).tobytes() != np.take(whole, [i], rows.output_axis).tobytes():
            wrong.append(f"row {i}")
    return wrong


def test_a_row_of_every_kernel_has_the_bits_that_it_has_alone(isa: str, effort: Effort, figure: Figure) -> None:
    most = 9 if isa == "scalar" else effort(short=33, long=100)
    cases = row_cases()
    chosen = cases[:: effort(short=7 if isa == "scalar" else 4, long=1)]
    wrong = {str(rows): found for rows in chosen if (found := rows_that_differ(rows, isa, most))}
    assert not wrong
    figure("operators at a shape", len(chosen))


def test_every_vector_kernel_is_among_the_rows() -> None:
    """Embedded recurrences and networks are no operators of their own: the models below are made of them."""
    of_models = {"EmbeddedGRU", "EmbeddedLSTM", "EmbeddedRNN", "Network"}
    wanted = {row["onnx"] for row in _engine.operators() if row["has_simd"]}
    assert wanted - of_models <= {rows.op for rows in row_cases()}


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
@pytest.mark.parametrize("small", [m for m in MODELS if m.name != "grown"], ids=str)
def test_a_row_of_a_model_has_the_bits_that_it_has_alone(
    small: Small, precision: str, isa: str, effort: Effort, figure: Figure
) -> None:
    session = slipway.Session(small.model, isa=isa, precision=precision)
    few = isa == "scalar" or small.name in LARGE
    batches = (2, 5) if few else BATCHES[1 :: effort(short=4, long=1)]
    asked = 0
    for batch in batches:
        inputs = small.draw(batch, batch, 12)
        whole = session.run(inputs)
        for i in range(0, batch, effort(short=max(1, batch // 2), long=1)):
            alone = session.run(row_of(small, inputs, i))
            assert bits_of(alone) == bits_of(row_of(small, whole, i)), f"row {i} of {batch}"
            asked += 1
    figure(f"rows of {small.name}, {isa}, {precision}", asked)


# ---- threads, runs, memory ----


@pytest.mark.parametrize("small", MODELS, ids=str)
def test_one_to_eight_threads_give_the_same_bits(small: Small, effort: Effort, figure: Figure) -> None:
    batch = 3 if small.name in LARGE else 150
    inputs = small.draw(1, batch, 20)
    expected = bits_of(slipway.Session(small.model).run(inputs))
    runs = effort(short=2, long=20)
    for threads in range(1, 9):
        session = slipway.Session(small.model, threads=threads)
        for _ in range(runs):
            assert bits_of(session.run(inputs)) == expected, f"{threads} threads"
    figure("runs", 8 * runs)


@pytest.mark.parametrize("small", made(), ids=str)
def test_every_run_gives_the_same_bits(small: Small, isa: str, effort: Effort, figure: Figure) -> None:
    session = slipway.Session(small.model, isa=isa, threads=2)
    shapes = [small.draw(n, n, 1 + n % 5) for n in (1, 4, 33)]
    expected = [bits_of(session.run(inputs)) for inputs in shapes]
    runs = effort(short=40, long=1000)
    for i in range(runs):
        assert bits_of(session.run(shapes[i % 3])) == expected[i % 3]
    figure("runs", runs)


def placed(array: Array, offset: int) -> Array:
    """A copy that begins ``offset`` bytes behind a multiple of 64."""
    memory = np.empty(array.nbytes + 128, np.uint8)
    start = -memory.ctypes.data % 64 + offset
    copy = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


@pytest.mark.parametrize("small", made(), ids=str)
def test_where_arrays_lie_does_not_change_a_bit(small: Small, isa: str) -> None:
    session = slipway.Session(small.model, isa=isa)
    inputs = small.draw(3, 19, 7)
    expected = session.run(inputs)
    for offset in range(0, 64, 8):
        there: Arrays = {name: placed(array, offset) for name, array in inputs.items()}
        into = {name: placed(array, 64 - offset) for name, array in expected.items()}
        assert bits_of(session.run(there)) == bits_of(expected)
        assert bits_of(session.run(there, into)) == bits_of(expected)
        for array in into.values():
            array.fill(0)
        session.bind(there, into)()
        assert bits_of(into) == bits_of(expected)


@pytest.mark.parametrize("small", made(), ids=str)
def test_the_shapes_that_ran_before_do_not_change_a_bit(small: Small) -> None:
    inputs = small.draw(5, 6, 5)
    expected = bits_of(slipway.Session(small.model).run(inputs))
    session = slipway.Session(small.model, threads=3)
    for batch in (1, 200, 2, 7, 300, 6):
        session.run(small.draw(batch, batch, 1 + batch % 9))
        assert bits_of(session.run(inputs)) == expected


# ---- processes ----

SAY = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from small_models import bits_of, made
import slipway
from slipway import _engine
digest = hashlib.sha256()
for small in made():
    for isa in _engine.isas():
        session = slipway.Session(small.model, isa=isa, threads=int(sys.argv[2]))
        for batch in (1, 5, 40):
            for name, bits in bits_of(session.run(small.draw(batch, batch, 9))).items():
                digest.update(name.encode() + bits)
print(digest.hexdigest())
"""


def test_other_processes_give_the_same_bits(figure: Figure) -> None:
    digest = hashlib.sha256()
    for small in made():
        for isa in _engine.isas():
            session = slipway.Session(small.model, isa=isa)
            for batch in (1, 5, 40):
                for name, bits in bits_of(session.run(small.draw(batch, batch, 9))).items():
                    digest.update(name.encode() + bits)
    changes = [
        ("1", {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}),
        ("2", {"PYTHONHASHSEED": "12345", "OMP_NUM_THREADS": "4", "MALLOC_PERTURB_": "171"}),
        ("5", {"PYTHONHASHSEED": "777", "SLIPWAY_SPIN_MICROSECONDS": "0", "PYTHONMALLOC": "malloc"}),
    ]
    for threads, environment in changes:
        command = [sys.executable, "-c", SAY, str(Path(__file__).parent), threads]
        done = subprocess.run(
            command, env={**os.environ, **environment}, capture_output=True, text=True, check=True, timeout=120
        )
        assert done.stdout.strip() == digest.hexdigest(), environment
    figure("processes", len(changes))
