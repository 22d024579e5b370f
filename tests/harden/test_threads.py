"""One session for many threads: each gets the bits that it gets alone, whatever the others do meanwhile."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from c_library import abi, open_library, read
from small_models import PERCEPTRON, WORDS, Array, Small, bits_of, bundles, made, model_of, normal

import slipway

Effort = Callable[..., int]
Figure = Callable[[str, float | str], None]

THREADS = 64
GATHER = model_of("g (float[9] x, int64[N] i) => (float[N] y) { y = Gather (x, i) }")


@pytest.fixture(autouse=True)
def hasty_switches() -> Iterator[None]:
    """Let the interpreter go from thread to thread as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def at_once(count: int, work: Callable[[int], None]) -> None:
    """Run work(0) ... work(count - 1), all begun together; what one raises fails the test."""
    start = threading.Barrier(count)
    failures: list[BaseException] = []

    def go(number: int) -> None:
        try:
            start.wait()
            work(number)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=go, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def own_inputs(small: Small, number: int) -> dict[str, Array]:
    """Shapes and values that hardly two threads share."""
    return small.draw(number, 1 + number % 19, 1 + number % 7)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("small", [*made(), *bundles()], ids=str)
def test_64_threads_get_the_bits_that_they_get_alone(
    small: Small, threads: int, effort: Effort, figure: Figure
) -> None:
    is_made = isinstance(small.model, bytes)
    runs = effort(short=50, long=10_000) if is_made else effort(short=2, long=60)
    alone = slipway.Session(small.model)
    expected = [bits_of(alone.run(own_inputs(small, number))) for number in range(THREADS)]
    session = slipway.Session(small.model, threads=threads)

    def work(number: int) -> None:
        inputs = own_inputs(small, number)
        for _ in range(runs):
            assert bits_of(session.run(inputs)) == expected[number]

    at_once(THREADS, work)
    figure(f"runs of {small.name}", THREADS * runs)


@pytest.mark.parametrize("small", made(), ids=str)
def test_plans_may_be_dropped_while_others_run_them(small: Small, effort: Effort, figure: Figure) -> None:
    """A session keeps 256 plans: 16 threads with 40 shapes each drop them again and again."""
    session = slipway.Session(small.model, threads=2)
    alone = slipway.Session(small.model)
    rounds = effort(short=1, long=50)

    def work(number: int) -> None:
        shapes = [small.draw(number, 1 + number + 16 * k, 1 + k % 5) for k in range(40)]
        with one_at_a_time:
            expected = [bits_of(alone.run(inputs)) for inputs in shapes]
        for _ in range(rounds):
            for inputs, bits in zip(shapes, expected, strict=True):
                assert bits_of(session.run(inputs)) == bits

    one_at_a_time = threading.Lock()
    at_once(16, work)
    figure(f"runs of {small.name}", 16 * 40 * rounds)


def test_sessions_come_and_go_meanwhile(effort: Effort, figure: Figure) -> None:
    models = made()
    shared = [slipway.Session(small.model, threads=2) for small in models]
    expected = [bits_of(session.run(own_inputs(small, 5))) for session, small in zip(shared, models, strict=True)]
    rounds = effort(short=10, long=400)

    def work(number: int) -> None:
        for i in range(rounds):
            k = (number + i) % len(models)
            inputs = own_inputs(models[k], 5)
            if number % 2:
                assert bits_of(slipway.Session(models[k].model, threads=1 + i % 3).run(inputs)) == expected[k]
            else:
                assert bits_of(shared[k].run(inputs)) == expected[k]

    at_once(16, work)
    figure("sessions opened", 8 * rounds)


@pytest.mark.parametrize("small", made(), ids=str)
def test_every_thread_may_have_a_bound_call(small: Small, effort: Effort, figure: Figure) -> None:
    session = slipway.Session(small.model, threads=2)
    runs = effort(short=100, long=10_000)

    def work(number: int) -> None:
        inputs = own_inputs(small, number)
        expected = session.run(inputs)
        into = {name: np.zeros_like(array) for name, array in expected.items()}
        call = session.bind(inputs, into)
        for _ in range(runs):
            call()
        assert bits_of(into) == bits_of(expected)
        for array in into.values():
            array.fill(0)
        call()
        assert bits_of(into) == bits_of(expected)

    at_once(16, work)
    figure(f"bound calls of {small.name}", 16 * runs)


def test_the_errors_of_some_threads_leave_the_others_alone(effort: Effort, figure: Figure) -> None:
    session = slipway.Session(GATHER, threads=2)
    x = normal(0, 9)
    runs = effort(short=100, long=10_000)

    def work(number: int) -> None:
        indices = np.arange(number + 1) % 9
        bad = np.append(indices, 1000 + number)
        for _ in range(runs):
            if number % 4 == 1:
                with pytest.raises(slipway.RuntimeFault, match=rf"\b{1000 + number}\b"):
                    session.run({"x": x, "i": bad})
            elif number % 4 == 2:
                with pytest.raises(slipway.InputError, match=rf"\[{number + 10}\]"):
                    session.run({"x": np.zeros(number + 10, np.float32), "i": indices})
            else:
                assert session.run({"x": x, "i": indices})["y"].tobytes() == x[indices].tobytes()

    at_once(THREADS, work)
    figure("runs", THREADS * runs)


def test_single_operators_run_in_many_threads(effort: Effort, figure: Figure) -> None:
    runs = effort(short=20, long=2000)

    def work(number: int) -> None:
        x, w = normal(number, 3 + number, 40), normal(1, 40, 17)
        expected = slipway.ops.matmul(x, w)
        for _ in range(runs):
            assert slipway.ops.matmul(x, w).tobytes() == expected.tobytes()
            with pytest.raises(slipway.ModelError):
                slipway.ops.matmul(x, x)

    at_once(32, work)
    figure("operators run", 32 * runs)


def test_metadata_and_texts_are_read_while_others_run(effort: Effort) -> None:
    session = slipway.Session(WORDS, threads=2)
    small = next(small for small in made() if small.name == "words")
    expected = bits_of(session.run(own_inputs(small, 3)))
    shapes = {"tokens": [4, 4], "lengths": [4]}
    text = session.stage_text("plan", shapes)

    def work(number: int) -> None:
        for _ in range(effort(short=20, long=1000)):
            if number % 2:
                assert session.stage_text("plan", shapes) == text
                assert session.metadata == {}
            else:
                assert bits_of(session.run(own_inputs(small, 3))) == expected

    at_once(8, work)


def test_the_c_library_in_many_threads(effort: Effort, figure: Figure) -> None:
    library = open_library()
    runs = effort(short=50, long=10_000)
    message_bytes = 200

    def run(session: Any, x: Array, y: Array, room: int) -> tuple[int, bytes]:
        message = ctypes.create_string_buffer(message_bytes)
        view = abi.MutableView(y.ctypes.data, room)
        one = ctypes.c_size_t(1)
        inputs = ctypes.byref(abi.view_of(x))
        code = library.library.slipway_run(session, inputs, one, ctypes.byref(view), one, message, message_bytes)
        return code, message.value

    # Of the library too: it need not be of the extension's build, and another build may have other bits.
    alone = read(library, PERCEPTRON)
    given = [normal(number, 1 + number, 30) for number in range(THREADS)]
    shapes = slipway.Session(PERCEPTRON)
    expected = [np.empty_like(shapes.run({"x": x})["y"]) for x in given]
    for x, y in zip(given, expected, strict=True):
        assert run(alone, x, y, y.nbytes) == (abi.OK, b"")
    library.close(alone)
    session = read(library, PERCEPTRON, threads=2)

    def work(number: int) -> None:
        y = np.empty_like(expected[number])
        for i in range(runs):
            room = y.nbytes - (i % 3 == 1)
            code, message = run(session, given[number], y, room)
            assert code == (abi.INPUT if room < y.nbytes else abi.OK), message
            assert (message == b"") == (code == abi.OK)
            assert room < y.nbytes or y.tobytes() == expected[number].tobytes()

    at_once(THREADS, work)
    library.close(session)
    figure("runs", THREADS * runs)
