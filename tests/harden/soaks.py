"""What test_soak.py asks to leave nothing behind: ``python soaks.py NAME ROUNDS`` prints what the process has gained.

A soak has a process of its own. Memory is what that process holds itself, not of files, after the allocator has given
back what it can; it may not grow with the number of calls. One that has already held much would hide a leak: what it
gave back is used again, and huge pages grow and shrink by themselves.
"""

from __future__ import annotations

import ctypes
import gc
import hashlib
import itertools
import json
import os
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from c_library import abi, open_library, read
from small_models import PERCEPTRON, made, model_of, normal

import slipway
from slipway.bundle import Bundle
from slipway.errors import SlipwayError

Call = Callable[[int], object]
X = normal(0, 3, 30)
GATHER = model_of("g (float[9] x, int64[N] i) => (float[N] y) { y = Gather (x, i) }")


@dataclass(frozen=True)
class Kept:
    """What the process holds, or has gained."""

    memory: int
    descriptors: int
    threads: int

    @staticmethod
    def now() -> Kept:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        memory = sum(int(status[name].split()[0]) << 10 for name in ("RssAnon", "VmSwap"))
        descriptors, threads = (len(list(Path("/proc/self", what).iterdir())) for what in ("fd", "task"))
        return Kept(memory, descriptors, threads)

    def since(self, before: Kept) -> Kept:
        """What was gained."""
        return Kept(self.memory - before.memory, self.descriptors - before.descriptors, self.threads - before.threads)


def soak(call: Call, rounds: int) -> Kept:
    """Call `rounds` times after a tenth of it as warm-up, and tell what the second half of them has kept.

    A leak grows from half to half alike; caches fill in the first.
    """
    for i in range(max(rounds // 10, 10)):
        call(i)
    for i in range(rounds // 2):
        call(i)
    middle = Kept.now()
    for i in range(rounds // 2):
        call(i)
    return Kept.now().since(middle)


def refused(call: Callable[[], object]) -> None:
    """Call what must not succeed."""
    try:
        call()
    except SlipwayError:
        return
    raise AssertionError("what must be refused was not")


# ---- leaks, to see that they are seen ----


def leaked_memory(_: Path) -> Call:
    """64 KiB a call."""
    kept: list[object] = []
    return lambda _: kept.append(np.ones(1 << 14, np.float32))


def leaked_descriptors(_: Path) -> Call:
    """One a call."""
    return lambda _: os.dup(0)


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


def loads(folder: Path) -> Call:
    models = [small for small in made() if isinstance(small.model, bytes)]
    (folder / "model.onnx").write_bytes(PERCEPTRON)

    def load(i: int) -> None:
        small = models[i % len(models)]
        session = slipway.Session(small.model, threads=1 + i % 2)
        session.run(small.draw(0, 2, 3))
        slipway.Session(folder / "model.onnx")

    return load


def refused_loads(folder: Path) -> Call:
    files = hostile_files()
    (folder / "model.onnx").write_bytes(b"\x08" * 1000)

    def load(i: int) -> None:
        for model in (files[i % len(files)], folder / "model.onnx", folder / "none", folder):
            with suppress(SlipwayError):  # a changed byte may leave a model
                slipway.Session(model, threads=1 + i % 2)
        for options in ({"precision": "fp3"}, {"isa": "sse9"}, {"device": "cuda:99"}):
            refused(lambda options=options: slipway.Session(PERCEPTRON, **options))  # type: ignore[misc]

    return load


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


def bundles(folder: Path) -> Call:
    whole, damaged = sealed(folder / "whole"), sealed(folder / "damaged")
    (damaged / "model.onnx").write_bytes(PERCEPTRON)

    def look(_: int) -> None:
        slipway.Session(Bundle.open(whole).path).run({"x": X})
        refused(lambda: Bundle.open(damaged))
        refused(lambda: Bundle.open(folder / "none"))

    return look


# ---- runs ----


def runs(_: Path) -> Call:
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

    return run


def refused_runs(_: Path) -> Call:
    session = slipway.Session(GATHER, threads=2)
    x, good, bad = normal(0, 9), np.array([0, 1]), np.array([0, 99])
    call = session.bind({"x": x, "i": bad}, {"y": np.empty(2, np.float32)})
    wrong = ({"x": x, "i": bad}, {"x": x}, {"x": x[:3], "i": good}, {"x": x, "i": good.astype(np.int8)})

    def run(_: int) -> None:
        for inputs in wrong:
            refused(lambda inputs=inputs: session.run(inputs))  # type: ignore[misc]
        refused(call)
        refused(lambda: session.run({"x": x, "i": good}, {"y": x[:2]}))

    return run


def operators(_: Path) -> Call:
    """Single operators, and sessions bound anew."""
    session = slipway.Session(PERCEPTRON, threads=2)
    image, window = normal(0, 2, 3, 9, 9), normal(1, 4, 3, 3, 3)

    def run(_: int) -> None:
        slipway.ops.conv2d(image, window)
        slipway.ops.softmax(X)
        refused(lambda: slipway.ops.matmul(image, X))
        session.bind({"x": X}, {"y": np.empty((3, 19), np.float32)})()

    return run


def library(_: Path) -> Call:
    """The same from C."""
    engine = open_library()
    y = np.empty((3, 19), np.float32)
    files = hostile_files()

    def use(i: int) -> None:
        session = read(engine, PERCEPTRON, threads=1 + i % 2)
        for room in (y.nbytes, 4):
            view = abi.MutableView(y.ctypes.data, room)
            one = ctypes.c_size_t(1)
            code = engine.call("run", session, ctypes.byref(abi.view_of(X)), one, ctypes.byref(view), one)
            assert code == (abi.OK if room == y.nbytes else abi.INPUT)
        engine.close(session)
        model, wrong = files[i % len(files)], ctypes.c_void_p()
        size = ctypes.c_size_t(len(model))
        code = engine.call("read", ctypes.c_char_p(model), size, None, ctypes.byref(wrong))
        assert (code == abi.OK) == bool(wrong)
        engine.close(wrong)

    return use


# ---- Python's own objects, to the byte ----


def python_objects(rounds: int) -> Kept:
    """As resident memory, but of what Python counts itself: what each of three times so many rounds has left."""
    session = slipway.Session(PERCEPTRON)
    into = {"y": np.empty((3, 19), np.float32)}

    def run(count: int) -> int:
        for _ in range(count):
            session.run({"x": X})
            session.run({"x": X}, into)
            slipway.ops.relu(X)
            refused(lambda: session.run({"x": X[:, :2]}))
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    run(100)
    tracemalloc.start()
    run(100)
    held = [run(100), *(run(rounds) for _ in range(3))]
    # What waits to be used again, by Python and by NumPy, moves by 20 KB either way; a leak grows every time.
    return Kept(min((after - before for before, after in pairwise(held)), key=abs), 0, 0)


SOAKS: dict[str, Callable[[Path], Call]] = {
    soak.__name__: soak
    for soak in (
        leaked_memory,
        leaked_descriptors,
        loads,
        refused_loads,
        bundles,
        runs,
        refused_runs,
        operators,
        library,
    )
}


def main(name: str, rounds: int) -> None:
    """Do one of them."""
    if name == "python_objects":
        gained = python_objects(rounds)
    else:
        with TemporaryDirectory() as folder:
            gained = soak(SOAKS[name](Path(folder)), rounds)
    sys.stdout.write(json.dumps(asdict(gained)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
