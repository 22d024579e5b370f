"""The slipway engine: through ``session.run``, and with bound buffers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slipway.bench.competitor import Job, Prepared
from slipway.bench.protocol import Call
from slipway.bundle import ONNX
from slipway.runtime.native import Native
from slipway.session import Session


@dataclass(frozen=True)
class NativeRun:
    """``session.run`` of a dict of arrays.

    Args:
        name: In reports.
        threads: Of the session; None for as many as the cell has.
    """

    name: str = "native-cpu"
    threads: int | None = None

    def unavailable(self) -> str | None:
        """Say whether the engine is built."""
        return Native().unavailable()

    def prepare(self, job: Job) -> Prepared:
        """Open a session."""
        session = Session(job.bundle.read(ONNX), threads=self.threads or job.threads)
        inputs = dict(job.inputs)
        return Prepared(Call(session.run, inputs), lambda: {k: v.copy() for k, v in session.run(inputs).items()})


@dataclass(frozen=True)
class NativeBound:
    """``session.bind``: arrays are checked once, results are written into the same buffers."""

    name: str = "native-cpu-bound"

    def unavailable(self) -> str | None:
        """Say whether the engine is built."""
        return Native().unavailable()

    def prepare(self, job: Job) -> Prepared:
        """Open a session and bind its memory."""
        session = Session(job.bundle.read(ONNX), threads=job.threads)
        buffers = {name: np.empty_like(array) for name, array in session.run(dict(job.inputs)).items()}
        call = session.bind(job.inputs, buffers)

        def outputs() -> dict[str, np.ndarray]:
            call()
            return {name: array.copy() for name, array in buffers.items()}

        return Prepared(Call(call), outputs)
