""".npy files in and out of slipway-infer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.lib import format as npy_format
from onnx import TensorProto, helper

from slipway.cli import run_command, slipway_app
from slipway.signature import TensorInput

from .conftest import Echo, Run, save_model


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "bool", "uint8", "int8"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_an_array_goes_through_unchanged(
    infer: Run, echo: Echo, tmp_path: Path, dtype: str, order: str, version: tuple[int, int]
) -> None:
    model, _ = echo(dtype, ("A", "B", "C"), TensorInput())
    array = np.asarray(np.random.default_rng(0).integers(0, 100, (2, 3, 5)).astype(dtype), order=order)  # type: ignore[call-overload]
    with (tmp_path / "x.npy").open("wb") as file:
        npy_format.write_array(file, array, version=version)
    infer(model, "--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy")
    result = np.load(tmp_path / "y.npy")
    assert result.dtype == array.dtype
    np.testing.assert_array_equal(result, array)


@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0, 2)])
def test_scalars_and_empty_arrays_go_through(infer: Run, echo: Echo, tmp_path: Path, shape: tuple[int, ...]) -> None:
    model, _ = echo("float32", tuple("ABC"[: len(shape)]), TensorInput())
    np.save(tmp_path / "x.npy", np.ones(shape, np.float32))
    infer(model, "--input", f"x={tmp_path / 'x.npy'}", "--output", tmp_path / "y.npy")
    assert np.load(tmp_path / "y.npy").shape == shape


@pytest.mark.parametrize(
    "array",
    [
        np.ones((2, 3), np.float64),
        np.ones((2, 4), np.float32),
        np.ones((2, 3, 1), np.float32),
        np.ones((2, 3), np.float16),
        np.ones((2, 3), ">f4"),
        np.array([["a"]]),
        np.zeros(3, [("a", "<f4")]),
    ],
    ids=lambda array: f"{array.dtype.str}{list(array.shape)}",
)
def test_an_array_that_does_not_fit_is_refused(infer: Run, echo: Echo, tmp_path: Path, array: np.ndarray) -> None:
    model, _ = echo("float32", ("N", 3), TensorInput())
    np.save(tmp_path / "x.npy", array)
    infer(model, "--input", tmp_path / "x.npy", code=1)


HOSTILE_HEADERS = [
    b"",
    b"{",
    b"{}",
    b"[1]",
    b"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
    b"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
    b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
    b"{'descr': '<f4', 'fortran_order': 1, 'shape': (1,)}",
    b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
    b"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
    b"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}",
    b"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9223372036854775807, 9223372036854775807)}",
    b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 1)}",
    b"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
    b"{'descr': '<f4', 'fortran_order': False, 'shape': (0,)}",
    b"{'descr': \"<f4', 'fortran_order': False, 'shape': (1,)}",
]


@pytest.mark.parametrize("header", HOSTILE_HEADERS)
def test_a_hostile_header_is_refused(infer: Run, echo: Echo, tmp_path: Path, header: bytes) -> None:
    model, _ = echo("float32", ("N",), TensorInput())
    bytes_of = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0\0\x80\x3f"
    (tmp_path / "x.npy").write_bytes(bytes_of)
    infer(model, "--input", tmp_path / "x.npy", code=1)


def test_every_truncation_is_refused(infer: Run, echo: Echo, tmp_path: Path) -> None:
    model, _ = echo("float32", ("N",), TensorInput())
    np.save(tmp_path / "x.npy", np.ones(2, np.float32))
    whole = (tmp_path / "x.npy").read_bytes()
    for length in [*range(14), 60, 126, 128, 130, len(whole) - 1]:
        (tmp_path / "x.npy").write_bytes(whole[:length])
        infer(model, "--input", tmp_path / "x.npy", code=1)


def test_several_inputs_go_by_name_and_outputs_into_a_folder(infer: Run, tmp_path: Path) -> None:
    shape = ["N", 2]
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("a", "b", "../sum", "product")]
    nodes = [helper.make_node("Add", ["a", "b"], ["../sum"]), helper.make_node("Mul", ["a", "b"], ["product"])]
    model = save_model(tmp_path / "two.onnx", nodes, ports[:2], ports[2:])
    a, b = np.float32([[1, 2]]), np.float32([[3, 5]])
    np.save(tmp_path / "a.npy", a)
    np.save(tmp_path / "b.npy", b)
    inputs = ["--input", f"b={tmp_path / 'b.npy'}", f"a={tmp_path / 'a.npy'}"]
    infer(model, *inputs, "--output-dir", tmp_path / "out" / "deep")
    files = sorted(path.name for path in (tmp_path / "out" / "deep").iterdir())
    assert files == ["_.._sum.npy", "product.npy"]
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "deep" / "_.._sum.npy"), a + b)
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "deep" / "product.npy"), a * b)
    infer(model, *inputs, "--output", tmp_path / "y.npy", code=2)
    infer(model, "--input", tmp_path / "a.npy", code=2)
    infer(model, *inputs[:2], code=2)
    infer(model, *inputs, f"a={tmp_path / 'a.npy'}", code=2)


def test_a_number_without_axes_goes_in_and_out_of_both_programs(infer: Run, tmp_path: Path) -> None:
    port, out = (helper.make_tensor_value_info(name, TensorProto.FLOAT, []) for name in "xy")
    model = save_model(tmp_path / "scalar.onnx", [helper.make_node("Relu", ["x"], ["y"])], [port], [out])
    np.save(tmp_path / "x.npy", np.float32(2.5))
    given = ("--input", f"x={tmp_path / 'x.npy'}", "--output-dir")
    infer(model, *given, tmp_path / "cpp")
    for runtime in ("native", "onnxruntime"):
        command = ["run", str(model), *given, str(tmp_path / runtime), "--runtime", runtime]
        assert run_command(slipway_app, "slipway", command) == 0
    for name in ("cpp", "native", "onnxruntime"):
        array = np.load(tmp_path / name / "y.npy")
        assert (array.shape, float(array)) == ((), 2.5)


@pytest.mark.parametrize("length", [247, 248, 255])
def test_an_output_may_have_the_longest_name(infer: Run, tmp_path: Path, length: int) -> None:
    port, out = (helper.make_tensor_value_info(name, TensorProto.FLOAT, []) for name in "xy")
    model = save_model(tmp_path / "scalar.onnx", [helper.make_node("Relu", ["x"], ["y"])], [port], [out])
    target = tmp_path / "out" / "y".ljust(length, "y")
    target.parent.mkdir()
    infer(model, "--random", "--output", target)
    assert list(target.parent.iterdir()) == [target]
