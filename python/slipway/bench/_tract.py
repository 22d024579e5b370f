"""tract (Sonos), which has one thread and wants every shape written into the file."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from slipway.bench._static import with_static_shapes
from slipway.bench.competitor import Job, Prepared, reason_of
from slipway.bench.protocol import Call
from slipway.errors import UnavailableError


@dataclass(frozen=True)
class Tract:
    """An optimised plan with its input tensors made before."""

    name: str = "tract"

    def unavailable(self) -> str | None:
        """Say whether tract is installed."""
        try:
            import_module("tract")
        except ImportError as error:
            return f"{error}; install slipway[bench]"
        return None

    def prepare(self, job: Job) -> Prepared:
        """Read the file and optimise it."""
        if job.threads != 1:
            raise UnavailableError("tract has one thread")
        tract = import_module("tract")
        try:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "model.onnx"
                path.write_bytes(with_static_shapes(job))
                model = tract.onnx().load(path).into_model().into_runnable()
            tensors = [tract.Tensor.from_numpy(job.inputs[name]) for name in job.input_names]
            model.run(tensors)
        except tract.TractError as error:
            raise UnavailableError(_cause(error)) from error

        def outputs() -> dict[str, Any]:
            return {n: t.to_numpy().copy() for n, t in zip(job.output_names, model.run(tensors), strict=True)}

        return Prepared(Call(partial(model.run, tensors)), outputs)


def _cause(error: Exception) -> str:
    """Return the innermost cause of tract's chain, before its backtrace."""
    chain = str(error).partition("Stack backtrace")[0]
    lines = [line.strip() for line in chain.splitlines() if line.strip()]
    return reason_of(RuntimeError(lines[-1])).removeprefix("RuntimeError: ") if lines else reason_of(error)
