"""slipway.Session: ports, arrays in and out, memory, threads, and an error class for every code of the engine."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

import slipway

WEIGHT = np.random.default_rng(1).normal(size=(3, 2)).astype(np.float32)
BIAS = np.array([0.5, -0.25], np.float32)


def model_bytes(
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    constants: dict[str, np.ndarray] | None = None,
) -> bytes:
    initializers = [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()]
    graph = helper.make_graph(nodes, "test", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    helper.set_model_props(model, {"slipway.recipe": '"tëst"'})
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def port(name: str, shape: list[int | str], dtype: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, dtype, shape)


@pytest.fixture(scope="module")
def affine() -> bytes:
    """y = x @ WEIGHT + BIAS, z = relu(y)."""
    nodes = [
        helper.make_node("MatMul", ["x", "weight"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["y"]),
        helper.make_node("Relu", ["y"], ["z"]),
    ]
    outputs = [port("y", ["N", 2]), port("z", ["N", 2])]
    return model_bytes(nodes, [port("x", ["N", 3])], outputs, {"weight": WEIGHT, "bias": BIAS})


@pytest.fixture(scope="module")
def gather() -> bytes:
    """y = table[i]."""
    node = helper.make_node("Gather", ["table", "i"], ["y"])
    indices = port("i", ["N"], TensorProto.INT64)
    return model_bytes([node], [indices], [port("y", ["N", 3])], {"table": WEIGHT.repeat(2, axis=1)[:, :3]})


def batch(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)


def expected(x: np.ndarray) -> np.ndarray:
    return (x.astype(np.float64) @ WEIGHT + BIAS).astype(np.float32)


def close(got: object, want: np.ndarray) -> None:
    np.testing.assert_allclose(np.asarray(got), want, rtol=1e-5, atol=1e-6)


# ---- ports ----


def test_ports_have_name_type_and_symbolic_shape(affine: bytes) -> None:
    session = slipway.Session(affine)
    assert [(p.name, p.dtype, p.shape) for p in session.inputs] == [("x", np.float32, ("N", 3))]
    assert [p.name for p in session.outputs] == ["y", "z"]
    assert repr(session) == "<slipway.Session (x) -> (y, z)>"


def test_metadata_is_a_copy(affine: bytes) -> None:
    session = slipway.Session(affine)
    session.metadata["slipway.recipe"] = "another"
    assert session.metadata == {"slipway.recipe": '"tëst"'}


def test_a_file_opens_by_path_and_by_text(affine: bytes, tmp_path: Path) -> None:
    file = tmp_path / "modèle.onnx"
    file.write_bytes(affine)
    for path in (file, str(file)):
        close(slipway.Session(path).run({"x": batch(2)})["y"], expected(batch(2)))


# ---- arrays ----


@pytest.mark.parametrize("n", [0, 1, 2, 17])
@pytest.mark.parametrize("optimize", [True, False])
def test_numpy_in_gives_numpy_out(affine: bytes, n: int, optimize: bool) -> None:
    outputs = slipway.Session(affine, optimize=optimize).run({"x": batch(n)})
    assert list(outputs) == ["y", "z"]
    assert all(isinstance(array, np.ndarray) and array.flags.writeable for array in outputs.values())
    close(outputs["y"], expected(batch(n)))
    close(outputs["z"], np.maximum(expected(batch(n)), 0))


def test_torch_in_gives_torch_out(affine: bytes) -> None:
    outputs = slipway.Session(affine).run({"x": torch.from_numpy(batch(5))})
    assert all(isinstance(tensor, torch.Tensor) for tensor in outputs.values())
    close(outputs["y"], expected(batch(5)))


@pytest.mark.parametrize(
    "x",
    [
        batch(6)[::2],
        np.asfortranarray(batch(3)),
        batch(3)[::-1],
        np.frombuffer(b"0" + batch(3).tobytes(), np.uint8)[1:],
    ],
    ids=["strided", "fortran", "reversed", "unaligned"],
)
def test_an_array_that_is_not_contiguous_is_copied(affine: bytes, x: np.ndarray) -> None:
    x = x.view(np.float32).reshape(3, 3) if x.dtype == np.uint8 else x
    close(slipway.Session(affine).run({"x": x})["y"], expected(x))


def test_a_transposed_tensor_is_copied(affine: bytes) -> None:
    x = torch.from_numpy(batch(3)).T
    close(slipway.Session(affine).run({"x": x})["y"], expected(x.numpy()))


def test_a_read_only_array_may_be_an_input(affine: bytes) -> None:
    x = batch(2)
    x.flags.writeable = False
    close(slipway.Session(affine).run({"x": x})["y"], expected(x))


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_contiguous_inputs_are_not_copied(affine: bytes, library: str) -> None:
    session = slipway.Session(affine)
    x = batch(200_000)
    given = {"x": torch.from_numpy(x) if library == "torch" else x}
    buffers = {name: np.empty((200_000, 2), np.float32) for name in ("y", "z")}
    session.run(given, buffers)
    tracemalloc.start()
    session.run(given, buffers)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < x.nbytes / 10


# ---- the caller's memory ----


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_outputs_are_written_into_the_given_buffers(affine: bytes, library: str) -> None:
    empty = torch.empty if library == "torch" else np.empty
    buffer = empty((4, 2), dtype=torch.float32 if library == "torch" else np.float32)
    outputs = slipway.Session(affine).run({"x": batch(4)}, outputs={"z": buffer})
    assert outputs["z"] is buffer
    close(buffer, np.maximum(expected(batch(4)), 0))
    close(outputs["y"], expected(batch(4)))


def test_a_bound_call_sees_new_contents_and_keeps_its_arrays_alive(affine: bytes) -> None:
    session = slipway.Session(affine)
    x, y, z = batch(3), np.empty((3, 2), np.float32), np.empty((3, 2), np.float32)
    call = session.bind({"x": x}, {"y": y, "z": z})
    del session
    for seed in range(3):
        x[:] = batch(3, seed)
        assert call() is None
        close(y, expected(batch(3, seed)))
    other = slipway.Session(affine).bind({"x": batch(3)}, {"y": y, "z": np.empty((3, 2), np.float32)})
    other()
    close(y, expected(batch(3)))


def test_a_bound_call_of_tensors_writes_tensors(affine: bytes) -> None:
    x, y, z = torch.from_numpy(batch(3)), torch.empty(3, 2), torch.empty(3, 2)
    slipway.Session(affine).bind({"x": x}, {"y": y, "z": z})()
    close(y, expected(batch(3)))


def test_results_outlive_the_session_and_the_inputs(affine: bytes) -> None:
    session = slipway.Session(affine)
    results = [session.run({"x": batch(n)})["y"] for n in range(1, 30)]
    tensors = session.run({"x": torch.from_numpy(batch(4))})
    del session
    for n, result in enumerate(results, 1):
        close(result, expected(batch(n)))
    close(tensors["y"], expected(batch(4)))


@pytest.mark.parametrize(
    ("buffers", "message"),
    [
        ({"y": np.empty((3, 2), np.float32)}, "y"),
        ({"y": np.empty((2, 2), np.float64)}, "float64"),
        ({"y": np.empty((2, 4), np.float32)[:, ::2]}, "contiguous"),
        ({"w": np.empty((2, 2), np.float32)}, "unknown: w"),
        ({"y": np.broadcast_to(np.float32(0), (2, 2)).copy().view()}, None),
        ({"y": [[0, 0], [0, 0]]}, "list"),
    ],
)
def test_buffers_that_do_not_fit_are_refused(
    affine: bytes, buffers: dict[str, np.ndarray], message: str | None
) -> None:
    session = slipway.Session(affine)
    if message is None:
        session.run({"x": batch(2)}, buffers)
        return
    with pytest.raises(slipway.InputError, match=message):
        session.run({"x": batch(2)}, buffers)


def test_buffers_that_share_memory_are_refused(affine: bytes) -> None:
    session = slipway.Session(affine)
    memory = np.zeros(12, np.float32)
    x, y, z = memory[:6].reshape(2, 3), memory[4:8].reshape(2, 2), memory[6:10].reshape(2, 2)
    with pytest.raises(slipway.InputError, match='"y" shares memory with an input'):
        session.run({"x": x}, {"y": y})
    with pytest.raises(slipway.InputError, match='"z" shares memory with another output'):
        session.run({"x": batch(2)}, {"y": y, "z": z})
    z.flags.writeable = False
    with pytest.raises(slipway.InputError, match='"z" is read-only'):
        session.run({"x": x}, {"z": z})


def test_a_bound_call_needs_every_buffer_and_contiguous_inputs(affine: bytes) -> None:
    session = slipway.Session(affine)
    y, z = np.empty((3, 2), np.float32), np.empty((3, 2), np.float32)
    with pytest.raises(slipway.InputError, match="missing: z"):
        session.bind({"x": batch(3)}, {"y": y})
    with pytest.raises(slipway.InputError, match="not C-contiguous"):
        session.bind({"x": batch(6)[::2]}, {"y": y, "z": z})


# ---- threads ----


@pytest.mark.parametrize("threads", [1, 2])
def test_many_threads_may_run_one_session(affine: bytes, threads: int) -> None:
    session = slipway.Session(affine, threads=threads)

    def work(seed: int) -> None:
        for n in (1, 3, 64, 1 + seed):
            close(session.run({"x": batch(n, seed)})["y"], expected(batch(n, seed)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(48)))


def test_the_number_of_threads_does_not_change_a_bit(affine: bytes) -> None:
    one, two = slipway.Session(affine, threads=1), slipway.Session(affine, threads=2)
    x = {"x": batch(5000)}
    assert np.array_equal(one.run(x)["y"], two.run(x)["y"])


def test_the_gil_is_released_while_a_session_runs(affine: bytes) -> None:
    session = slipway.Session(affine, isa="scalar")
    x, span = {"x": batch(500_000)}, []
    session.run(x)

    def work() -> None:
        start = time.perf_counter()
        session.run(x)
        span.extend([start, time.perf_counter()])

    worker = threading.Thread(target=work)
    ticks = []
    worker.start()
    while worker.is_alive():
        ticks.append(time.perf_counter())
    worker.join()
    start, end = span
    margin = (end - start) / 4
    assert any(start + margin < tick < end - margin for tick in ticks)


def test_a_session_works_after_a_fork_and_at_exit(affine: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(affine)
    program = """
import os, sys, numpy as np, slipway
session = slipway.Session(sys.argv[1], threads=2)
x = {"x": np.ones((5000, 3), np.float32)}
want = session.run(x)["y"]
child = os.fork()
assert np.array_equal(session.run(x)["y"], want)
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program, str(tmp_path / "model.onnx")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# ---- errors ----


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "missing: x"),
        ({"x": batch(1), "w": batch(1)}, "unknown: w .*the model has x"),
        ({"w": batch(1)}, "missing: x; unknown: w"),
        ({"x": batch(2).astype(np.float64)}, 'input "x" has type float64, expected float32'),
        ({"x": batch(2).astype(">f4")}, "type >f4"),
        ({"x": batch(2).T.copy()}, "x.*3"),
        ({"x": batch(2)[0]}, "x"),
        ({"x": [[1.0, 2.0, 3.0]]}, "got list, expected a NumPy array"),
        ({"x": torch.zeros(2, 3, requires_grad=True)}, "does not share its memory"),
        ([batch(2)], "got list, expected a dict"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_by_name(affine: bytes, inputs: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(slipway.InputError, match=message):
        slipway.Session(affine).run(inputs)


def test_every_code_of_the_engine_has_its_class(affine: bytes, gather: bytes, tmp_path: Path) -> None:
    unknown = model_bytes([helper.make_node("Det", ["x"], ["y"])], [port("x", [2, 2])], [port("y", [])])
    session = slipway.Session(affine)
    with pytest.raises(slipway.ModelError):
        slipway.Session(b"\xff" * 64)
    with pytest.raises(slipway.UnsupportedError, match="Det"):
        slipway.Session(unknown)
    with pytest.raises(slipway.InputError):
        session.run({"x": batch(2).reshape(3, 2)})
    with pytest.raises(slipway.LimitError):
        slipway.ops.call("Expand", [batch(1), np.array([2**40, 2**20, 3])])
    with pytest.raises(slipway.RuntimeFault, match="7"):
        slipway.Session(gather).run({"i": np.array([0, 7])})
    with pytest.raises(slipway.UnavailableError, match="cuda"):
        slipway.Session(affine, device="cuda:99")
    with pytest.raises(slipway.FileError, match=r"nothing\.onnx"):
        slipway.Session(tmp_path / "nothing.onnx")
    with pytest.raises(slipway.UsageError, match="nonsense"):
        session.stage_text("nonsense")
    with pytest.raises(slipway.BundleError):
        slipway.Session(tmp_path)


@pytest.mark.parametrize("threads", [0, -1, 257, 1.5, "2"])
def test_a_number_of_threads_out_of_range_is_refused(affine: bytes, threads: int) -> None:
    with pytest.raises(slipway.UsageError, match="threads"):
        slipway.Session(affine, threads=threads)


def test_an_unknown_instruction_set_or_device_is_refused(affine: bytes) -> None:
    with pytest.raises(slipway.SlipwayError, match="sse9"):
        slipway.Session(affine, isa="sse9")
    with pytest.raises(slipway.SlipwayError, match="tpu"):
        slipway.Session(affine, device="tpu")


def test_a_session_goes_on_after_a_fault(gather: bytes) -> None:
    session = slipway.Session(gather)
    for _ in range(3):
        with pytest.raises(slipway.RuntimeFault):
            session.run({"i": np.array([3])})
        assert session.run({"i": np.array([-1, 2])})["y"].shape == (2, 3)


# ---- stages ----


def test_every_stage_has_a_stable_text(affine: bytes) -> None:
    for stage in ("onnx", "graph", "passes"):
        text = slipway.Session(affine).stage_text(stage)
        assert text
        assert slipway.Session(affine).stage_text(stage) == text
    session = slipway.Session(affine)
    assert session.stage_text("plan", {"x": [4, 3]}) == session.stage_text("plan", {"x": [4, 3]})
    with pytest.raises(slipway.SlipwayError):
        session.stage_text("plan")
    with pytest.raises(slipway.InputError, match="missing: x"):
        session.stage_text("plan", {})


def test_importing_slipway_loads_neither_torch_nor_numpy() -> None:
    program = (
        "import sys, slipway; assert not {'torch', 'numpy', 'onnx'} & set(sys.modules); slipway.Session; slipway.ops"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    with pytest.raises(AttributeError, match="nothing"):
        _ = slipway.nothing
