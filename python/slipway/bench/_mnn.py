"""MNN (Alibaba) at its highest precision.

Its converter and its first run happen in a process of their own: on some models either ends the process.
``MNN.tools`` is never imported, because that import installs a package that sends statistics; the converter itself is
the extension ``_tools``.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from slipway.bench._static import with_static_shapes
from slipway.bench.competitor import Job, Prepared
from slipway.bench.protocol import Call
from slipway.errors import UnavailableError

_CONVERT = "import sys, _tools; _tools.mnnconvert(['mnnconvert', '-f', 'ONNX', '--modelFile', *sys.argv[1:]])"
#: Longest that a conversion or a trial may take, seconds.
_PATIENCE = 120


@dataclass(frozen=True)
class Mnn:
    """A module with its input variables made before; outputs are read, because MNN computes when they are."""

    name: str = "mnn"

    def unavailable(self) -> str | None:
        """Say whether MNN is installed."""
        try:
            with _stdout_kept():
                import_module("MNN")
        except ImportError as error:
            return f"{error}; install slipway[bench]"
        return None

    def prepare(self, job: Job) -> Prepared:
        """Convert the model, try it in another process, and load it."""
        static = with_static_shapes(job)
        job.folder.mkdir(parents=True, exist_ok=True)
        base = job.folder / f"mnn-{hashlib.sha256(static).hexdigest()[:16]}"
        file, trial = base.with_suffix(".mnn"), base.with_suffix(".npz")
        if not file.is_file():
            onnx_file = base.with_suffix(".onnx")
            onnx_file.write_bytes(static)
            _run("its converter", "-c", _CONVERT, str(onnx_file), "--MNNModel", str(file))
            onnx_file.unlink()
            if not file.is_file():
                raise UnavailableError("its converter refuses the model")
        np.savez(trial, **{name: job.inputs[name] for name in job.input_names})  # type: ignore[arg-type]
        names = (",".join(job.input_names), ",".join(job.output_names))
        _run("a first run", "-m", "slipway.bench._mnn", str(file), str(trial), *names)
        with _stdout_kept():
            return _load(file, dict(job.inputs), job.output_names, job.threads)


def _run(what: str, *arguments: str) -> None:
    try:
        done = subprocess.run([sys.executable, *arguments], capture_output=True, timeout=_PATIENCE, check=False)
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"{what} takes more than {_PATIENCE} s") from error
    if done.returncode != 0:
        raise UnavailableError(f"{what} fails, code {done.returncode}")


def _load(file: Path, inputs: dict[str, Any], outputs: list[str], threads: int) -> Prepared:
    mnn = import_module("MNN")
    expr = mnn.expr
    manager = mnn.nn.create_runtime_manager(({"precision": "high", "numThread": threads, "backend": 0},))
    module = mnn.nn.load_module_from_file(
        str(file), list(inputs), outputs, runtime_manager=manager, dynamic=False, shape_mutable=False
    )
    variables = [_variable(expr, array) for array in inputs.values()]

    def run() -> None:
        for variable in module.forward(variables):
            variable.read()

    def results() -> dict[str, Any]:
        found = [np.array(expr.convert(v, expr.NCHW).read()) for v in module.forward(variables)]
        return dict(zip(outputs, found, strict=True))

    return Prepared(Call(run), results)


@contextmanager
def _stdout_kept() -> Iterator[None]:
    """Drop what C code prints to stdout: MNN greets there, where results belong."""
    sys.stdout.flush()
    kept = os.dup(1)
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 1)
    try:
        yield
    finally:
        ctypes.CDLL(None).fflush(None)
        os.dup2(kept, 1)
        os.close(kept)


def _variable(expr: Any, array: np.ndarray) -> Any:
    """Return an MNN constant; MNN has no int64."""
    floating = np.issubdtype(array.dtype, np.floating)
    narrow = np.ascontiguousarray(array if floating else array.astype(np.int32))
    return expr.const(narrow, list(array.shape), expr.NCHW, expr.float if floating else expr.int)


def _trial() -> None:
    file, data, inputs, outputs = sys.argv[1:]
    with np.load(data) as arrays:
        loaded = {name: arrays[name] for name in inputs.split(",")}
    prepared = _load(Path(file), loaded, outputs.split(","), 1)
    if not all(array.size for array in prepared.outputs().values()):
        raise ValueError("an output is empty")


if __name__ == "__main__":
    _trial()
