"""onnxruntime with the model's file: plain runs, and bound memory with threads that spin for work or sleep."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from slipway.bench.competitor import Job, Prepared
from slipway.bench.protocol import Call
from slipway.bundle import ONNX
from slipway.errors import UnavailableError
from slipway.runtime.ort import Ort


@dataclass(frozen=True)
class OnnxRuntime:
    """One way to call onnxruntime on the CPU.

    Args:
        name: In reports.
        bound: Inputs and outputs are bound once (``run_with_iobinding``), onnxruntime's cheapest call.
        spinning: Idle threads spin for work (onnxruntime's default) instead of sleeping.
    """

    name: str = "onnxruntime-cpu"
    bound: bool = False
    spinning: bool = True

    def unavailable(self) -> str | None:
        """Say whether onnxruntime is installed."""
        return Ort("cpu").unavailable()

    def prepare(self, job: Job) -> Prepared:
        """Start a session, and bind its memory if asked to."""
        if not self.spinning and job.threads == 1:
            raise UnavailableError("with one thread no thread waits for work: the same as spinning")
        runtime = import_module("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = job.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        options.add_session_config_entry("session.intra_op.allow_spinning", "1" if self.spinning else "0")
        session = runtime.InferenceSession(job.bundle.read(ONNX), options, providers=["CPUExecutionProvider"])
        names = job.output_names
        if not self.bound:
            run = partial(session.run, names, dict(job.inputs))
            return Prepared(Call(run), lambda: dict(zip(names, run(), strict=True)))
        return _bound(session, runtime, job)


def _bound(session: Any, runtime: Any, job: Job) -> Prepared:
    """Bind inputs and outputs; the outputs' shapes are learnt by a plain run."""
    binding = session.io_binding()
    names = job.output_names
    values = {name: runtime.OrtValue.ortvalue_from_numpy(array) for name, array in job.inputs.items()}
    results = {
        name: runtime.OrtValue.ortvalue_from_numpy(array)
        for name, array in zip(names, session.run(names, dict(job.inputs)), strict=True)
    }
    for name, value in values.items():
        binding.bind_ortvalue_input(name, value)
    for name, value in results.items():
        binding.bind_ortvalue_output(name, value)

    def outputs() -> dict[str, Any]:
        session.run_with_iobinding(binding)
        return {name: value.numpy().copy() for name, value in results.items()}

    return Prepared(Call(session.run_with_iobinding, binding), outputs)
