"""What refers to what: cycles that hold sessions are collected, and no call keeps a reference behind."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from small_models import PERCEPTRON, Array, normal

import slipway
from slipway.errors import SlipwayError

Effort = Callable[..., int]
Figure = Callable[[str, float | str], None]

X = normal(0, 3, 30)


def test_cycles_that_hold_sessions_are_collected() -> None:
    class Holder:
        session: slipway.Session
        call: object

    holder = Holder()
    holder.session = slipway.Session(PERCEPTRON)
    holder.session.holder = holder  # type: ignore[attr-defined]
    holder.call = holder.session.bind({"x": X}, {"y": np.empty((3, 19), np.float32)})
    gone = weakref.ref(holder)
    del holder
    gc.collect()
    assert gone() is None


def refusals(session: slipway.Session, x: Array, y: Array) -> Iterator[Callable[[], object]]:
    """Calls that are refused, each in another place."""
    half = x.astype(np.float16)
    read_only = y.view()
    read_only.flags.writeable = False
    tensor = torch.from_numpy(x).bfloat16()
    yield lambda: session.run({"x": x[:, :5]})
    yield lambda: session.run({"x": half})
    yield lambda: session.run({"x": x, "z": x})
    yield lambda: session.run({})
    yield lambda: session.run({"x": tensor})  # type: ignore[dict-item]
    yield lambda: session.run({"x": x}, {"y": x})
    yield lambda: session.run({"x": x}, {"y": y[:1]})
    yield lambda: session.run({"x": x}, {"y": read_only})
    yield lambda: session.run({"x": x}, {"z": y})
    yield lambda: session.bind({"x": x}, {"y": y[:1]})
    yield lambda: session.bind({"x": x[::2]}, {"y": y})
    yield lambda: session.bind({"x": x}, {})
    yield lambda: session.stage_text("plan", {"x": [1]})
    yield lambda: slipway.ops.relu(half)
    yield lambda: slipway.ops.matmul(x, y)
    yield lambda: slipway.ops.call("Relu", [x], {"none": 1})
    yield lambda: slipway.Session(b"\xff" * 9)
    yield lambda: slipway.Session(PERCEPTRON, precision="fp3")


def test_thousands_of_refused_calls_keep_no_reference(effort: Effort, figure: Figure) -> None:
    session = slipway.Session(PERCEPTRON)
    x, y = X.copy(), np.empty((3, 19), np.float32)
    kept = (x, y, x.dtype, np.dtype(np.float16), slipway.InputError, session)
    calls = list(refusals(session, x, y))
    rounds = effort(short=100, long=2000)

    def refuse(count: int) -> None:
        for _ in range(count):
            for call in calls:
                try:
                    call()
                except SlipwayError:
                    continue
                pytest.fail("a call was not refused")

    refuse(5)
    gc.collect()
    before = [sys.getrefcount(thing) for thing in kept]
    refuse(rounds)
    gc.collect()
    assert [sys.getrefcount(thing) for thing in kept] == before
    figure("refused calls", rounds * len(calls))


def test_thousands_of_runs_keep_no_reference(effort: Effort, figure: Figure) -> None:
    session = slipway.Session(PERCEPTRON)
    x, y = X.copy(), np.empty((3, 19), np.float32)
    tensor = torch.from_numpy(x)
    rounds = effort(short=300, long=20_000)

    def run(count: int) -> None:
        for _ in range(count):
            session.run({"x": x})
            session.run({"x": x}, {"y": y})
            session.run({"x": tensor})  # type: ignore[dict-item]
            session.bind({"x": x}, {"y": y})()
            slipway.ops.relu(x)
            slipway.ops.relu(tensor)

    run(5)
    kept = (x, y, tensor, x.dtype, session)
    gc.collect()
    before = [sys.getrefcount(thing) for thing in kept]
    run(rounds)
    gc.collect()
    assert [sys.getrefcount(thing) for thing in kept] == before
    figure("runs", 6 * rounds)
