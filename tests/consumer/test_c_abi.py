"""libslipway.so from ctypes: every function, right and wrong."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import threading
from ctypes import Structure, byref, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_void_p
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper

import slipway

pytestmark = pytest.mark.slow

OK, MODEL, UNSUPPORTED, INPUT, LIMIT, FAULT, UNAVAILABLE, DAMAGED, IO, USAGE = range(10)
RANK = 8


class Options(Structure):
    _fields_ = (
        ("bytes", c_size_t),
        ("device", c_char_p),
        ("isa", c_char_p),
        ("max_steps", c_int64),
        ("threads", c_int64),
        ("precision", c_char_p),
        ("max_memory", c_int64),
    )


def options_of(**values: Any) -> Options:
    return Options(**{"bytes": ctypes.sizeof(Options), **values})


class Port(Structure):
    _fields_ = (
        ("name", c_char_p),
        ("dtype", c_int32),
        ("rank", c_int32),
        ("sizes", c_int64 * RANK),
        ("symbols", c_char_p * RANK),
    )


class View(Structure):
    _fields_ = (("data", c_void_p), ("dtype", c_int32), ("rank", c_int32), ("sizes", c_int64 * RANK))


class MutableView(Structure):
    _fields_ = (
        ("data", c_void_p),
        ("bytes", c_int64),
        ("dtype", c_int32),
        ("rank", c_int32),
        ("sizes", c_int64 * RANK),
    )


class Engine:
    """The library, with the message of the last call."""

    def __init__(self, path: Path) -> None:
        self.library = ctypes.CDLL(str(path))
        self.library.slipway_abi_version.restype = c_uint32
        for name in ("version", "metadata"):
            getattr(self.library, f"slipway_{name}").restype = c_char_p
        for name in ("input", "output", "metadata"):
            getattr(self.library, f"slipway_{name}_count").restype = c_int64
        self.message = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.library, f"slipway_{name}")

    def call(self, name: str, *arguments: Any, room: int = 512) -> int:
        """Call a function that can fail, and return its code."""
        buffer = ctypes.create_string_buffer(b"?" * room, room)
        code: int = getattr(self.library, f"slipway_{name}")(*arguments, buffer, c_size_t(room))
        self.message = buffer.value.decode()
        assert (code == OK) == (self.message == ""), (code, self.message)
        return code

    def opened(self, path: Path, **options: Any) -> c_void_p:
        session = c_void_p()
        code = self.call("open", str(path).encode(), byref(options_of(**options)), byref(session))
        assert code == OK, self.message
        assert session
        return session


def view_of(array: NDArray[np.generic]) -> View:
    dtype = helper.np_dtype_to_tensor_dtype(array.dtype)
    return View(array.ctypes.data, dtype, array.ndim, (c_int64 * RANK)(*array.shape))


def memory_of(array: NDArray[np.generic]) -> MutableView:
    return MutableView(array.ctypes.data, array.nbytes)


@pytest.fixture(scope="session")
def engine(library: Path) -> Engine:
    return Engine(library)


@pytest.fixture
def session(engine: Engine, bundle: Path) -> Any:
    opened = engine.opened(bundle)
    yield opened
    engine.close(opened)


NUMBERS = np.float32([[3], [5], [15]])


def test_versions_are_told(engine: Engine) -> None:
    assert engine.abi_version() == 1
    assert engine.version().decode() == slipway.__version__


def test_only_the_functions_of_the_header_are_exported(prefix: Path, library: Path) -> None:
    nm = shutil.which("nm")
    if nm is None:
        pytest.skip("nm is not installed")
    listing = subprocess.run([nm, "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
    symbols = {line.split()[-1].partition("@")[0] for line in listing.splitlines() if " A " not in line}
    header = next(prefix.rglob("c.h")).read_text(encoding="utf-8")
    declared = {part.split("(")[0].split()[-1].lstrip("*") for part in header.split("\nSLIPWAY_API ")[1:]}
    assert len(declared) > 10
    assert symbols == declared


def test_ports_and_metadata_are_those_of_python(engine: Engine, session: c_void_p, bundle: Path) -> None:
    python = slipway.Session(bundle)
    port = Port()
    for way, ports in (("input", python.inputs), ("output", python.outputs)):
        assert getattr(engine, f"{way}_count")(session) == len(ports)
        for i, wanted in enumerate(ports):
            assert engine.call(way, session, c_size_t(i), byref(port)) == OK
            assert (port.name.decode(), port.rank) == (wanted.name, len(wanted.shape))
            assert port.dtype == helper.np_dtype_to_tensor_dtype(np.dtype(wanted.dtype))
            sizes = [port.sizes[k] if port.symbols[k] is None else port.symbols[k].decode() for k in range(port.rank)]
            assert sizes == list(wanted.shape)
        assert engine.call(way, session, c_size_t(len(ports)), byref(port)) == USAGE
        assert f"index is {len(ports)}" in engine.message
    key, value = c_char_p(), c_char_p()
    found = {}
    for i in range(engine.metadata_count(session)):
        assert engine.call("metadata_entry", session, c_size_t(i), byref(key), byref(value)) == OK
        found[(key.value or b"").decode()] = (value.value or b"").decode()
    assert found == dict(python.metadata)
    assert engine.metadata(session, b"slipway.recipe") == b'"fizzbuzz"'
    assert engine.metadata(session, b"nothing") is None
    assert engine.call("metadata_entry", session, c_size_t(len(found)), byref(key), byref(value)) == USAGE


def test_a_run_writes_what_python_gets(engine: Engine, session: c_void_p, bundle: Path) -> None:
    scores = np.full((3, 4), np.nan, np.float32)
    memory = memory_of(scores)
    assert engine.call("run", session, byref(view_of(NUMBERS)), c_size_t(1), byref(memory), c_size_t(1)) == OK
    np.testing.assert_array_equal(scores, slipway.Session(bundle).run({"number": NUMBERS})["scores"])
    assert (memory.dtype, memory.rank, list(memory.sizes[:2])) == (1, 2, [3, 4])


def test_memory_that_is_too_small_is_not_touched_and_the_shape_is_told(engine: Engine, session: c_void_p) -> None:
    scores = np.full((3, 4), np.nan, np.float32)
    memory = MutableView(scores.ctypes.data, 47)
    assert engine.call("run", session, byref(view_of(NUMBERS)), c_size_t(1), byref(memory), c_size_t(1)) == INPUT
    assert engine.message == 'output "scores" is float32 [3, 4] and needs 48 bytes, its memory has 47'
    assert np.isnan(scores).all()
    assert list(memory.sizes[:2]) == [3, 4]
    wanted = MutableView()
    assert engine.call("run", session, byref(view_of(NUMBERS)), c_size_t(1), byref(wanted), c_size_t(1)) == OK
    assert (wanted.data, wanted.rank, list(wanted.sizes[:2])) == (None, 2, [3, 4])


WRONG_INPUTS: dict[str, tuple[View, int, str]] = {
    "type": (view_of(np.zeros((3, 1))), INPUT, "float64 [3, 1], expected float32 [N, 1]"),
    "shape": (view_of(np.zeros((3, 2), np.float32)), INPUT, "float32 [3, 2], expected float32 [N, 1]"),
    "rank": (View(NUMBERS.ctypes.data, 1, 9), INPUT, 'input "number" has rank 9, expected 0 to 8'),
    "negative rank": (View(NUMBERS.ctypes.data, 1, -1), INPUT, 'input "number" has rank -1'),
    "negative size": (View(NUMBERS.ctypes.data, 1, 2, (c_int64 * RANK)(-1, 1)), INPUT, "[-1, 1]"),
    "far too large": (
        View(NUMBERS.ctypes.data, 1, 2, (c_int64 * RANK)(1 << 62, 1)), LIMIT,
        "too large to be held in memory",
    ),
    "unknown dtype": (View(NUMBERS.ctypes.data, 99, 2), INPUT, 'input "number" has the unknown dtype 99'),
    "no memory": (View(None, 1, 2, (c_int64 * RANK)(3, 1)), USAGE, 'data of input "number" is NULL'),
    "alignment": (
        View(NUMBERS.ctypes.data + 1, 1, 2, (c_int64 * RANK)(1, 1)), INPUT,
        'the memory of input "number" is not aligned to its elements of 4 bytes',
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", WRONG_INPUTS)
def test_a_wrong_input_is_named(engine: Engine, session: c_void_p, fault: str) -> None:
    view, code, message = WRONG_INPUTS[fault]
    memory = MutableView()
    assert engine.call("run", session, byref(view), c_size_t(1), byref(memory), c_size_t(1)) == code
    assert message in engine.message


def test_a_forbidden_value_is_a_fault_of_the_run(engine: Engine, tmp_path: Path) -> None:
    place = helper.make_tensor_value_info("place", onnx.TensorProto.INT64, ["N"])
    value = helper.make_tensor_value_info("value", onnx.TensorProto.FLOAT, ["N"])
    values = onnx.numpy_helper.from_array(NUMBERS[:, 0], "values")
    graph = helper.make_graph(
        [helper.make_node("Gather", ["values", "place"], ["value"])], "g", [place], [value], [values]
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), tmp_path / "gather.onnx")
    session, memory = engine.opened(tmp_path / "gather.onnx"), MutableView()
    codes = [
        engine.call("run", session, byref(view_of(np.int64([index]))), c_size_t(1), byref(memory), c_size_t(1))
        for index in (2, 3)
    ]
    engine.close(session)
    assert codes == [OK, FAULT]


def test_a_wrong_number_of_arrays_is_refused(engine: Engine, session: c_void_p) -> None:
    view, memory = view_of(NUMBERS), MutableView()
    for counts in ((0, 1), (1, 0), (2, 1)):
        inputs, outputs = map(c_size_t, counts)
        assert engine.call("run", session, byref(view), inputs, byref(memory), outputs) == INPUT
        assert f"got {counts[0]} inputs and {counts[1]} outputs, the model has 1 and 1" in engine.message


def test_memory_of_an_output_is_aligned(engine: Engine, session: c_void_p) -> None:
    scores = np.zeros(20, np.float32)
    memory = MutableView(scores.ctypes.data + 2, 48)
    assert engine.call("run", session, byref(view_of(NUMBERS)), c_size_t(1), byref(memory), c_size_t(1)) == INPUT
    assert 'output "scores" is not aligned' in engine.message


def test_memory_of_an_input_is_not_written(engine: Engine, session: c_void_p) -> None:
    numbers = NUMBERS.copy()
    last = numbers.ctypes.data + numbers.nbytes - 4
    for place, room in ((numbers.ctypes.data, 48), (last, 4), (numbers.ctypes.data - 44, 48), (last - 4000, 2**63 - 1)):
        memory = MutableView(place, room)
        assert engine.call("run", session, byref(view_of(numbers)), c_size_t(1), byref(memory), c_size_t(1)) == INPUT
        assert engine.message == 'the memory given for output "scores" shares memory with an input'
    np.testing.assert_array_equal(numbers, NUMBERS)


def test_files_that_are_no_models_have_their_own_codes(engine: Engine, bundle: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes((bundle / "model.onnx").read_bytes()[:-100])
    unknown = onnx.load(bundle / "model.onnx")
    unknown.graph.node[0].op_type = "Nothing"
    onnx.save(unknown, tmp_path / "unknown.onnx")
    empty = tmp_path / "empty"
    empty.mkdir()
    files = {tmp_path / "nowhere.onnx": IO, damaged: MODEL, tmp_path / "unknown.onnx": UNSUPPORTED, empty: DAMAGED}
    for path, code in files.items():
        session = c_void_p(1)
        assert engine.call("open", str(path).encode(), None, byref(session)) == code
        assert str(path) in engine.message
        assert session.value is None


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ({"threads": 1000}, USAGE, "threads is 1000, expected 1 to 256"),
        ({"threads": -1}, USAGE, "threads is -1"),
        ({"threads": 1 << 40}, USAGE, "threads is 1099511627776, expected 1 to 256"),
        ({"device": b"abacus"}, USAGE, "abacus"),
        ({"device": b"cuda:999"}, UNAVAILABLE, "cuda"),
        ({"isa": b"mmx"}, USAGE, '"mmx"'),
        ({"max_steps": -1}, USAGE, "max_steps is -1"),
        ({"bytes": 0}, USAGE, "options.bytes is 0, expected sizeof(slipway_options), 40 to 56"),
        ({"bytes": 64}, USAGE, "options.bytes is 64"),
        ({"max_memory": -1}, USAGE, "max_memory is -1, expected 0 or more"),
        ({"precision": b"fp8"}, USAGE, 'unknown precision "fp8", expected fp32, bf16, int8 or tf32'),
    ],
)
def test_wrong_options_are_named(
    engine: Engine, bundle: Path, options: dict[str, Any], code: int, message: str
) -> None:
    session = c_void_p()
    assert engine.call("open", str(bundle).encode(), byref(options_of(**options)), byref(session)) == code
    assert message in engine.message


ASKS_FOR_CUDA = """
import ctypes, sys
session, message = ctypes.c_void_p(), ctypes.create_string_buffer(512)
options = (ctypes.c_void_p * 5)(40, ctypes.cast(ctypes.c_char_p(b"cuda"), ctypes.c_void_p))
library = ctypes.CDLL(sys.argv[1])
code = library.slipway_open(sys.argv[2].encode(), options, ctypes.byref(session), message, ctypes.c_size_t(512))
print(code, message.value.decode())
"""


def test_the_cuda_plugin_is_looked_for_beside_the_library(library: Path, bundle: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copy(library, tmp_path))
    command = [sys.executable, "-c", ASKS_FOR_CUDA, alone, bundle]
    environment = {name: value for name, value in os.environ.items() if name != "SLIPWAY_CUDA_PLUGIN"}
    (tmp_path / "libslipway_cuda.so").write_bytes(b"no library")
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert said.startswith(f"{UNAVAILABLE} ")
    assert f"the CUDA plugin cannot be opened: {tmp_path / 'libslipway_cuda.so'}" in said


def test_a_model_is_read_from_memory_with_options(engine: Engine, bundle: Path) -> None:
    content = (bundle / "model.onnx").read_bytes()
    session = c_void_p()
    options = options_of(device=b"cpu", isa=b"scalar", threads=2, max_steps=5)
    assert engine.call("read", content, c_size_t(len(content)), byref(options), byref(session)) == OK
    assert engine.input_count(session) == 1
    engine.close(session)
    assert engine.call("read", content, c_size_t(0), None, byref(session)) == MODEL


def test_null_is_an_error_and_never_a_crash(engine: Engine, session: c_void_p, bundle: Path) -> None:
    path, place, one = str(bundle).encode(), byref(c_void_p()), c_size_t(1)
    port, key, value = byref(Port()), byref(c_char_p()), byref(c_char_p())
    view, memory = byref(view_of(NUMBERS)), byref(MutableView())
    calls = {
        "path": ("open", None, None, place),
        "bytes": ("read", None, one, None, place),
        "port": ("input", session, c_size_t(0), None),
        "key": ("metadata_entry", session, c_size_t(0), None, value),
        "value": ("metadata_entry", session, c_size_t(0), key, None),
        "inputs": ("run", session, None, one, memory, one),
        "outputs": ("run", session, view, one, None, one),
    }
    for name, call in calls.items():
        assert engine.call(*call) == USAGE
        assert engine.message == f"slipway_{call[0]}: {name} is NULL"
    without_session = (
        ("open", path, None, None), ("read", path, one, None, None), ("input", None, one, port),
        ("output", None, one, port), ("metadata_entry", None, one, key, value), ("run", None, view, one, memory, one),
    )  # fmt: skip
    for call in without_session:
        assert engine.call(*call) == USAGE
        assert engine.message == f"slipway_{call[0]}: session is NULL"
    assert [getattr(engine, f"{way}_count")(None) for way in ("input", "output", "metadata")] == [-1, -1, -1]
    assert engine.metadata(None, b"x") is engine.metadata(session, None) is None
    engine.close(None)
    assert engine.run(None, None, one, None, one, None, c_size_t(10)) == USAGE


def test_a_message_is_cut_between_characters(engine: Engine) -> None:
    place = c_void_p()
    path = "/näö".encode()
    assert engine.call("open", path, None, byref(place)) == IO
    whole = engine.message.encode()
    cut_in_two = whole.index("ä".encode()) + 2
    for room in (1, 2, 10, cut_in_two, cut_in_two + 1, len(whole), len(whole) + 1):
        buffer = ctypes.create_string_buffer(b"?" * (room + 1), room + 1)
        engine.library.slipway_open(path, None, byref(place), buffer, c_size_t(room))
        wanted = whole[: room - 1].decode(errors="ignore").encode()
        assert buffer.raw[: len(wanted) + 1] == wanted + b"\0"
        assert buffer.raw[room:] == b"?"


def test_threads_share_a_session(engine: Engine, session: c_void_p, bundle: Path) -> None:
    python = slipway.Session(bundle)
    faults: list[object] = []

    def ask(rows: int) -> None:
        numbers = np.arange(rows * 7, rows * 8, dtype=np.float32)[:, np.newaxis]
        wanted = python.run({"number": numbers})["scores"]
        buffer = ctypes.create_string_buffer(512)
        for _ in range(300):
            scores = np.zeros_like(wanted)
            view, memory = view_of(numbers), memory_of(scores)
            code = engine.library.slipway_run(
                session, byref(view), c_size_t(1), byref(memory), c_size_t(1), buffer, c_size_t(512)
            )
            if code != OK or not np.array_equal(scores, wanted):
                faults.append((rows, code, buffer.value))

    threads = [threading.Thread(target=ask, args=(rows,)) for rows in (3, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
