"""What the tests of slipway-infer share: the program, and bundles made by hand with a signature of choice."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper

from slipway._metadata import signature_to_metadata
from slipway.signature import InputPort, InputSpec, OutputPort, Signature, TensorOutput

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Echo = Callable[..., tuple[Path, Signature]]


@pytest.fixture(scope="session")
def infer(infer_program: Path) -> Run:
    """Run the program; a crash (a signal, a sanitizer's report) fails whatever the test expects."""

    def run(*arguments: object, code: int = 0, stdin: str | bytes = "") -> subprocess.CompletedProcess[str]:
        data = stdin if isinstance(stdin, bytes) else stdin.encode()
        done = subprocess.run(
            [infer_program, *map(os.fsencode, map(str, arguments))], input=data, capture_output=True, timeout=60
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == code, f"exit code {done.returncode}, expected {code}\n{out}\n{err}"
        if code not in (0, 130):
            assert err.startswith("slipway-infer: "), err
            assert err.count("\n") == 1, err
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    return run


def save_model(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    constants: Mapping[str, NDArray[np.generic]] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Write an ONNX file of opset 20."""
    initializers = [onnx.numpy_helper.from_array(array, name) for name, array in (constants or {}).items()]
    graph = helper.make_graph(list(nodes), "test", list(inputs), list(outputs), initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    for key, value in (metadata or {}).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(model, path)
    return path


def port_info(port: InputPort | OutputPort) -> onnx.ValueInfoProto:
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(port.dtype))
    return helper.make_tensor_value_info(port.name, kind, list(port.dims))


@pytest.fixture
def echo(tmp_path: Path) -> Echo:
    """Make a model whose output is its encoded input, so that encoding can be seen from outside."""

    def make(dtype: str, dims: tuple[int | str, ...], spec: InputSpec) -> tuple[Path, Signature]:
        source = InputPort("x", dtype, dims, spec)  # type: ignore[arg-type] # tests give any
        target = OutputPort("y", dims, TensorOutput(), dtype)  # type: ignore[arg-type]
        signature = Signature((source,), (target,))
        node = helper.make_node("Identity", ["x"], ["y"])
        metadata = signature_to_metadata(signature)
        path = save_model(tmp_path / "echo.onnx", [node], [port_info(source)], [port_info(target)], metadata=metadata)
        return path, signature

    return make


def seal(bundle: Path) -> None:
    """Write SHA256SUMS over every file of a bundle."""
    files = sorted(path for path in bundle.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(bundle)}\n" for path in files]
    (bundle / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
