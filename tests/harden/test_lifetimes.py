"""Memory and threads that end at odd times: forks, exits, buffers that overlap or change while they are read."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from c_library import abi, open_library, read
from small_models import CONVOLUTION, PERCEPTRON, Array, bits_of, made, model_of, normal

import slipway
from slipway.errors import SlipwayError

Effort = Callable[..., int]
Figure = Callable[[str, float | str], None]

FOLDER = str(Path(__file__).parent)
X = normal(0, 3, 30)
LARGE = model_of("g (float[N, 1500] x) => (float[N, 1500] y) { y = MatMul (x, w) }", {"w": (1500, 1500)})


@pytest.fixture(scope="module")
def perceptron() -> slipway.Session:
    return slipway.Session(PERCEPTRON)


@pytest.fixture(scope="module")
def expected(perceptron: slipway.Session) -> bytes:
    return perceptron.run({"x": X})["y"].tobytes()


def program(text: str, *arguments: str, code: int = 0, **environment: str) -> str:
    """Run a program in a new interpreter; it ends by itself, with that exit code and without a word of complaint."""
    head = f"import sys\nsys.path.insert(0, {FOLDER!r})\nfrom small_models import *\nimport slipway\n"
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", head + text, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **environment}
    )
    assert (done.returncode, done.stderr) == (code, "")
    return done.stdout


# ---- outputs and views of them ----


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_outputs_and_their_views_outlive_the_session_and_the_inputs(library: str, expected: bytes) -> None:
    x = X.copy()
    session = slipway.Session(PERCEPTRON)
    y: Any = session.run({"x": torch.from_numpy(x) if library == "torch" else x})["y"]  # type: ignore[dict-item]
    part = y[1:, ::2]
    del session, x
    gc.collect()
    for seed in range(20):
        slipway.Session(CONVOLUTION).run({"x": normal(seed, 3, 1, 14, 14)})
    whole = np.frombuffer(expected, np.float32).reshape(3, 19)
    np.testing.assert_array_equal(np.asarray(part), whole[1:, ::2])
    del y
    gc.collect()
    np.testing.assert_array_equal(np.asarray(part), whole[1:, ::2])


def test_a_bound_call_keeps_alive_all_that_it_needs(expected: bytes) -> None:
    y = np.zeros((3, 19), np.float32)
    call = slipway.Session(PERCEPTRON).bind({"x": X.copy()}, {"y": y[:]})
    gc.collect()
    call()
    assert y.tobytes() == expected


def test_memory_that_a_bound_call_reads_cannot_be_moved() -> None:
    session = slipway.Session(PERCEPTRON)
    memory, y = bytearray(X.tobytes()), np.zeros((3, 19), np.float32)
    call = session.bind({"x": np.frombuffer(memory, np.float32).reshape(3, 30)}, {"y": y})
    with pytest.raises(BufferError):
        memory.extend(b"more")
    with pytest.raises(ValueError, match="resize"):
        y.resize((1, 1))
    call()


# ---- buffers that overlap ----


def test_a_buffer_that_overlaps_another_is_refused() -> None:
    session = slipway.Session(model_of("g (float[N] x) => (float[N] y, float[N] z) { y = Neg (x)\n z = Exp (x) }"))
    memory = np.zeros(30, np.float32)
    x, own = memory[:10], np.zeros(10, np.float32)
    overlaps = {
        "the input itself": ({"y": x}, "an input"),
        "part of the input": ({"y": memory[9:19]}, "an input"),
        "the input shifted": ({"z": memory[5:15]}, "an input"),
        "both outputs": ({"y": own, "z": own}, "another output"),
        "part of the other": ({"y": memory[10:20], "z": memory[19:29]}, "another output"),
    }
    for name, (into, message) in overlaps.items():
        before = memory.copy()
        with pytest.raises(slipway.InputError, match=f"shares memory with {message}"):
            session.run({"x": x}, into)
        assert memory.tobytes() == before.tobytes(), name
    session.run({"x": x}, {"y": memory[10:20], "z": memory[20:30]})
    with pytest.raises(slipway.InputError, match="shares memory"):
        session.bind({"x": x}, {"y": own, "z": own})


def test_an_output_without_memory_shares_none_in_c_whatever_its_size_says() -> None:
    library = open_library()
    session = read(library, model_of("g (float[N] x) => (float[N] y, float[N] z) { y = Neg (x)\n z = Exp (x) }"))
    x, y = np.ones(10, np.float32), np.zeros(10, np.float32)
    outputs = (abi.MutableView * 2)(abi.MutableView(y.ctypes.data, y.nbytes), abi.MutableView(None, 2**63 - 1))
    one, two = ctypes.c_size_t(1), ctypes.c_size_t(2)
    for views in (outputs, (abi.MutableView * 2)(*reversed(outputs))):
        assert library.call("run", session, ctypes.byref(abi.view_of(x)), one, views, two) == abi.OK
    library.close(session)


def test_inputs_may_share_memory_with_each_other() -> None:
    session = slipway.Session(model_of("g (float[N] a, float[N] b) => (float[N] y) { y = Sub (a, b) }"))
    memory = np.arange(8, dtype=np.float32)
    np.testing.assert_array_equal(session.run({"a": memory[1:], "b": memory[:-1]})["y"], np.ones(7))
    np.testing.assert_array_equal(session.run({"a": memory, "b": memory})["y"], np.zeros(8))


# ---- inputs that change while a run reads them ----

RACES = {
    "Gather": ("g (float[50] t, int64[N] i) => (float[N] y) { y = Gather (t, i) }", (50,)),
    "Gather of columns": (
        "g (float[9, 50, 3] t, int64[N] i) => (float[9, N, 3] y) { y = Gather <axis = 1> (t, i) }",
        (9, 50, 3),
    ),
    "GatherElements": ("g (float[N] t, int64[N] i) => (float[N] y) { y = GatherElements (t, i) }", (4000,)),
    "GatherND": (
        "g (float[50] t, int64[N] i) => (float[N] y) { a = Constant <value_ints = [1]> ()\n j = Unsqueeze (i, a)\n"
        " y = GatherND (t, j) }",
        (50,),
    ),
    "ScatterElements": ("g (float[N] t, int64[N] i) => (float[N] y) { y = ScatterElements (t, i, t) }", (4000,)),
    "OneHot": (
        "g (float[2] t, int64[N] i) => (float[N, D] y) { d = Constant <value_int = 50> ()\n y = OneHot (i, d, t) }",
        (2,),
    ),
    "Div": ("g (float[1] t, int64[N] i) => (int64[N] y) { y = Div (i, i) }", (1,)),
    "Mod": ("g (float[1] t, int64[N] i) => (int64[N] y) { y = Mod (i, i) }", (1,)),
    "TopK": (
        "g (float[1] t, int64[N] i) => (int64[K] y, int64[K] z) { k = Constant <value_ints = [2000]> ()\n"
        " y, z = TopK (i, k) }",
        (1,),
    ),
}
WILD = np.array([50, -51, 2**31, 2**40, -(2**62), 2**63 - 1, -(2**63)])


def race(session: slipway.Session, inputs: dict[str, Array], changed: Array, wild: Array, rounds: int) -> int:
    """Run while another thread writes to the last element of `changed`; give how many runs were refused."""
    stop = threading.Event()
    refused = 0
    good = changed[0]

    def change() -> None:
        while not stop.is_set():
            for value in wild:
                changed[-1] = value
                changed[-1] = good

    writer = threading.Thread(target=change)
    writer.start()
    try:
        for _ in range(rounds):
            try:
                session.run(inputs)
            except SlipwayError:
                refused += 1
    finally:
        stop.set()
        writer.join()
    return refused


@pytest.mark.parametrize("name", RACES)
def test_indices_that_change_while_they_are_read_harm_nobody(name: str, effort: Effort, figure: Figure) -> None:
    """Which outputs come is open; a refusal is as good. Under AddressSanitizer no byte beside them is read."""
    text, shape = RACES[name]
    session = slipway.Session(model_of(text))
    indices = np.zeros(4000, np.int64)
    rounds = effort(short=60, long=5000)
    refused = race(session, {"t": normal(0, *shape), "i": indices}, indices, WILD, rounds)
    figure(f"runs of {name}, refused", f"{rounds}, {refused}")


@pytest.mark.parametrize("isa", ["scalar", ""])
@pytest.mark.parametrize("op", ["GRU", "LSTM", "RNN"])
def test_lengths_and_tokens_that_change_while_they_are_read_harm_nobody(
    op: str, isa: str, effort: Effort, figure: Figure
) -> None:
    gates = {"GRU": 3, "LSTM": 4, "RNN": 1}[op]
    text = f"""g (int64[T, N] tokens, int32[N] lengths) => (float[A, B, C, D] y, float[E, F, G] h) {{
        e = Gather (table, tokens)
        y, h = {op} <hidden_size = 4> (e, w, r, , lengths)
    }}"""
    model = model_of(text, {"table": (50, 6), "w": (1, 4 * gates, 6), "r": (1, 4 * gates, 4)})
    session = slipway.Session(model, isa=isa)
    rounds = effort(short=60, long=3000)
    tokens, lengths = np.zeros((8, 3000), np.int64), np.full(3000, 8, np.int32)
    inputs: dict[str, Array] = {"tokens": tokens, "lengths": lengths}
    refused = race(session, inputs, lengths, np.array([9, -1, 2**31 - 1, -(2**31)]), rounds)
    lengths[:] = 8
    refused += race(session, inputs, tokens.reshape(-1), WILD, rounds)
    figure(f"runs of {op} {isa or 'vectors'}, refused", f"{2 * rounds}, {refused}")


# ---- forks ----


def child_runs(session: slipway.Session, inputs: dict[str, Array], bits: dict[str, bytes]) -> int:
    """Fork; the child runs the session and ends at once. Give its exit status: 0, or a signal of its alarm."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(20)
        os._exit(0 if bits_of(session.run(inputs)) == bits else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_runs_the_session_that_its_parent_was_planning(effort: Effort, figure: Figure) -> None:
    """The weights of a fresh session are packed by its first run, behind a lock that no fork may cut in two."""
    x = normal(0, 2, 1500)
    bits = bits_of(slipway.Session(LARGE).run({"x": x}))
    forks = effort(short=6, long=200)
    for _ in range(forks):
        session = slipway.Session(LARGE, threads=2)
        begun = threading.Event()

        def work(session: slipway.Session = session, begun: threading.Event = begun) -> None:
            begun.set()
            session.run({"x": x}, {"y": np.empty((2, 1500), np.float32)})

        first = threading.Thread(target=work)
        first.start()
        begun.wait()
        assert child_runs(session, {"x": x}, bits) == 0
        first.join()
    figure("forks while a plan was made", forks)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_children_run_what_many_threads_are_running(effort: Effort, figure: Figure) -> None:
    small = next(small for small in made() if small.name == "attention")
    session = slipway.Session(small.model, threads=2)
    inputs = small.draw(1, 3, 5)
    bits = bits_of(session.run(inputs))
    stop = threading.Event()

    def work(number: int) -> None:
        while not stop.is_set():
            for k in range(300):
                shape = small.draw(number, 1 + k % 60, 1 + (k + number) % 7)
                session.run(shape, {"y": np.empty_like(shape["x"])})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    forks = effort(short=15, long=300)
    try:
        assert [child_runs(session, inputs, bits) for _ in range(forks)] == [0] * forks
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    figure("forks while threads ran", forks)


SHARED: list[slipway.Session] = []


def run_shared(seed: int) -> bytes:
    outputs = SHARED[0].run({"x": normal(seed, 3, 30)})
    return outputs["y"].tobytes()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_pool_of_forked_processes_shares_a_session(perceptron: slipway.Session) -> None:
    SHARED[:] = [slipway.Session(PERCEPTRON, threads=2)]
    run_shared(0)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        answers = pool.map_async(run_shared, range(20)).get(timeout=60)
    assert answers == [perceptron.run({"x": normal(seed, 3, 30)})["y"].tobytes() for seed in range(20)]


# ---- the end of the interpreter ----

AT_EXIT = """
import threading, time
session = slipway.Session(model_of("g (float[N] x) => (float[N] y) { a = Erf (x)\\n y = Exp (a) }"), threads=2)
x, y = normal(0, 1_000_000), normal(0, 1_000_000)
call = session.bind({"x": x}, {"y": y})
kinds = {
    "run": lambda: session.run({"x": x}),
    "into": lambda: session.run({"x": x}, {"y": np.empty_like(x)}),
    "bound": call,
    "short": lambda: session.run({"x": x[:2]}),
    "ops": lambda: slipway.ops.call("Erf", [x]),
    "load": lambda: slipway.Session(CONVOLUTION),
    "plan": lambda: session.stage_text("plan", {"x": [3]}),
}
def work():
    while True:
        try:
            kinds[sys.argv[1]]()
        except slipway.UsageError:
            pass
for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.03)
"""


ENDS = [(kind, "", 0) for kind in ("run", "into", "bound", "short", "ops", "load", "plan")] + [
    (kind, how, 7) for kind in ("run", "bound") for how in ("import os; os._exit(7)", "sys.exit(7)")
]


@pytest.mark.parametrize(("kind", "how", "code"), ENDS)
def test_an_interpreter_ends_while_daemons_run(kind: str, how: str, code: int, effort: Effort, figure: Figure) -> None:
    ends = effort(short=1, long=10)
    for _ in range(ends):
        program(AT_EXIT + how, kind, code=code)
    figure("interpreters ended", ends)
