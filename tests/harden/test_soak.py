"""Thousands of loads and runs leave nothing behind: no memory, no descriptor, no thread.

Memory is what the process holds of its own, not of files, after the allocator has given back what it can. It must not
grow with the number of calls: the second half of a soak, which is as long as the first, may add no more than noise.
"""

from __future__ import annotations

import ctypes
import gc
import hashlib
import itertools
import os
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from c_library import abi, open_library, read
from small_models import PERCEPTRON, Array, made, model_of, normal

import slipway
from slipway.bundle import Bundle
from slipway.errors import SlipwayError

Effort = Callable[..., int]
Figure = Callable[[str, float | str], None]

X = normal(0, 3, 30)
#: What the allocator's arenas and a busy machine's pages move, whatever the number of calls: 3 MiB.
NOISE = 3 << 20
GATHER = model_of("g (float[9] x, int64[N] i) => (float[N] y) { y = Gather (x, i) }")


@dataclass(frozen=True)
class Kept:
    """What the process holds now."""

    memory: int
    descriptors: int
    threads: int

    @staticmethod
    def now() -> Kept:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        # Pages of files do not count: a machine short of memory takes those away, and would hide a leak.
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        memory = sum(int(status[name].split()[0]) << 10 for name in ("RssAnon", "VmSwap"))
        descriptors, threads = (len(list(Path("/proc/self", what).iterdir())) for what in ("fd", "task"))
        return Kept(memory, descriptors, threads)


def soak(call: Callable[[int], object], rounds: int) -> int:
    """Call `rounds` times after a tenth of it as warm-up; nothing may be left. Give the bytes that memory grew by.

    A leak grows from half to half alike; caches fill in the first. So the second half is what counts.
    """
    for i in range(max(rounds // 10, 10)):
        call(i)
    for i in range(rounds // 2):
        call(i)
    middle = Kept.now()
    for i in range(rounds // 2):
        call(i)
    end = Kept.now()
    assert (end.descriptors, end.threads) == (middle.descriptors, middle.threads)
    assert end.memory - middle.memory < NOISE, f"{end.memory - middle.memory} bytes in {rounds // 2} calls"
    return end.memory - middle.memory


def test_a_leak_would_be_seen() -> None:
    """Of 64 KiB a call, in twice as many calls as the shortest soak has."""
    kept: list[Array] = []
    with pytest.raises(AssertionError, match="bytes in"):
        soak(lambda _: kept.append(np.ones(1 << 14, np.float32)), 300)
    descriptors = []
    with pytest.raises(AssertionError):
        soak(lambda _: descriptors.append(os.dup(0)), 300)
    for descriptor in descriptors:
        os.close(descriptor)


# ---- loads ----


def hostile_files() -> list[bytes]:
    """Models cut short, with bytes changed, or without sense."""
    whole = [small.model for small in made() if isinstance(small.model, bytes)]
    files = [model[:cut] for model in whole for cut in (0, 1, 40, len(model) // 2, len(model) - 3)]
    rng = np.random.default_rng(3)
    for model in whole:
        changed = bytearray(model)
        for at in rng.integers(0, len(model) // 4, 20):
            changed[int(at)] = int(rng.integers(256))
        files.append(bytes(changed))
    return [*files, b"\xff" * 64]


def test_loads_leave_nothing(tmp_path: Path, effort: Effort, figure: Figure) -> None:
    models = [small for small in made() if isinstance(small.model, bytes)]
    (tmp_path / "model.onnx").write_bytes(PERCEPTRON)

    def load(i: int) -> None:
        small = models[i % len(models)]
        session = slipway.Session(small.model, threads=1 + i % 2)
        session.run(small.draw(0, 2, 3))
        slipway.Session(tmp_path / "model.onnx")

    rounds = effort(short=300, long=10_000)
    figure(f"bytes after {2 * rounds} loads", soak(load, rounds))


def test_refused_loads_leave_nothing(tmp_path: Path, effort: Effort, figure: Figure) -> None:
    files = hostile_files()
    (tmp_path / "model.onnx").write_bytes(b"\x08" * 1000)

    def load(i: int) -> None:
        for model in (files[i % len(files)], tmp_path / "model.onnx", tmp_path / "none", tmp_path):
            with suppress(SlipwayError):
                slipway.Session(model, threads=1 + i % 2)
        for options in ({"precision": "fp3"}, {"isa": "sse9"}, {"device": "cuda:99"}):
            with pytest.raises(SlipwayError):
                slipway.Session(PERCEPTRON, **options)  # type: ignore[arg-type]

    rounds = effort(short=300, long=10_000)
    figure(f"bytes after {7 * rounds} loads", soak(load, rounds))


def sealed(folder: Path) -> Path:
    """A bundle's folder as small as it can be: a model, what must be listed beside it, and the sums."""
    (folder / "goldens").mkdir(parents=True)
    model = onnx.load_from_string(PERCEPTRON)
    entry = model.metadata_props.add()
    entry.key, entry.value = "slipway.recipe", '"perceptron"'
    files = {"model.onnx": model.SerializeToString(), "report.json": b"{}", "goldens/index.json": b"{}"}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items()]
    (folder / "SHA256SUMS").write_text("".join(lines))
    return folder


def test_bundles_leave_nothing(tmp_path: Path, effort: Effort, figure: Figure) -> None:
    whole, damaged = sealed(tmp_path / "whole"), sealed(tmp_path / "damaged")
    (damaged / "model.onnx").write_bytes(PERCEPTRON)

    def look(_: int) -> None:
        bundle = Bundle.open(whole)
        assert bundle.recipe == "perceptron"
        slipway.Session(bundle.path).run({"x": X})
        with pytest.raises(slipway.BundleError):
            Bundle.open(damaged)
        with pytest.raises(slipway.SlipwayError):
            Bundle.open(tmp_path / "none")

    rounds = effort(short=150, long=10_000)
    figure(f"bytes after {rounds} bundles", soak(look, rounds))


# ---- runs ----


def test_runs_leave_nothing(effort: Effort, figure: Figure) -> None:
    """Of all shapes that a session keeps plans of, and of as many that it drops."""
    models = made()
    sessions = [slipway.Session(small.model, threads=2) for small in models]
    inputs = [[small.draw(s, 1 + s, 1 + s % 5) for s in range(8)] for small in models]
    gather = slipway.Session(GATHER)
    many = itertools.cycle([{"x": normal(0, 9), "i": np.zeros(n, np.int64)} for n in range(400)])
    into = {"y": np.empty((3, 19), np.float32)}
    calls = [slipway.Session(PERCEPTRON).bind({"x": X}, {"y": np.empty((3, 19), np.float32)}) for _ in range(2)]

    def run(i: int) -> None:
        k = i % len(models)
        sessions[k].run(inputs[k][i % 8])
        sessions[0].run({"x": X}, into)
        calls[i % 2]()
        if i % 8 == 0:
            gather.run(next(many))

    rounds = effort(short=7000, long=340_000)
    figure(f"bytes after {3 * rounds} runs", soak(run, rounds))


def test_refused_runs_leave_nothing(effort: Effort, figure: Figure) -> None:
    session = slipway.Session(GATHER, threads=2)
    x, good, bad = normal(0, 9), np.array([0, 1]), np.array([0, 99])
    y = np.empty(2, np.float32)
    call = session.bind({"x": x, "i": bad}, {"y": y})

    def run(i: int) -> None:
        for inputs in ({"x": x, "i": bad}, {"x": x}, {"x": x[:3], "i": good}, {"x": x, "i": good.astype(np.int8)}):
            with suppress(SlipwayError):
                session.run(inputs)
                pytest.fail("a run was not refused")
        with suppress(SlipwayError):
            call()
        with suppress(SlipwayError):
            session.run({"x": x, "i": good}, {"y": x[:2]})

    rounds = effort(short=2000, long=100_000)
    figure(f"bytes after {6 * rounds} runs", soak(run, rounds))


def test_single_operators_and_bound_calls_leave_nothing(effort: Effort, figure: Figure) -> None:
    session = slipway.Session(PERCEPTRON, threads=2)
    image, window = normal(0, 2, 3, 9, 9), normal(1, 4, 3, 3, 3)

    def run(i: int) -> None:
        slipway.ops.conv2d(image, window)
        slipway.ops.softmax(X)
        with suppress(SlipwayError):
            slipway.ops.matmul(image, X)
        session.bind({"x": X}, {"y": np.empty((3, 19), np.float32)})()

    rounds = effort(short=2000, long=250_000)
    figure(f"bytes after {4 * rounds} calls", soak(run, rounds))


def test_python_keeps_no_object(effort: Effort, figure: Figure) -> None:
    """As resident memory, but of Python's own objects, to the byte."""
    session = slipway.Session(PERCEPTRON)
    into: dict[str, Array] = {"y": np.empty((3, 19), np.float32)}

    def run(count: int) -> int:
        for _ in range(count):
            session.run({"x": X})
            session.run({"x": X}, into)
            slipway.ops.relu(X)
            with suppress(SlipwayError):
                session.run({"x": X[:, :2]})
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    rounds = effort(short=500, long=50_000)
    run(100)
    tracemalloc.start()
    try:
        run(100)
        before = run(100)
        grown = run(rounds) - before
    finally:
        tracemalloc.stop()
    assert abs(grown) < 4096, f"{grown} bytes in {4 * rounds} calls"
    figure(f"bytes of Python after {4 * rounds} calls", grown)


# ---- C ----


def test_the_c_library_leaves_nothing(effort: Effort, figure: Figure) -> None:
    library = open_library()
    y = np.empty((3, 19), np.float32)
    files = hostile_files()

    def use(i: int) -> None:
        session = read(library, PERCEPTRON, threads=1 + i % 2)
        for room in (y.nbytes, 4):
            view = abi.MutableView(y.ctypes.data, room)
            one = ctypes.c_size_t(1)
            code = library.call("run", session, ctypes.byref(abi.view_of(X)), one, ctypes.byref(view), one)
            assert code == (abi.OK if room == y.nbytes else abi.INPUT)
        library.close(session)
        model, wrong = files[i % len(files)], ctypes.c_void_p()
        size = ctypes.c_size_t(len(model))
        code = library.call("read", ctypes.c_char_p(model), size, None, ctypes.byref(wrong))
        assert (code == abi.OK) == bool(wrong)
        library.close(wrong)

    rounds = effort(short=300, long=10_000)
    figure(f"bytes after {2 * rounds} sessions", soak(use, rounds))
