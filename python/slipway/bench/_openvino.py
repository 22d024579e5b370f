"""OpenVINO on the CPU, in float32 (its default on some machines is bfloat16), with static or dynamic shapes."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from slipway.bench._static import with_static_shapes
from slipway.bench.competitor import Job, Prepared, reason_of
from slipway.bench.protocol import Call
from slipway.bundle import ONNX
from slipway.errors import UnavailableError


@dataclass(frozen=True)
class OpenVino:
    """An infer request whose input memory is shared and whose output memory stays."""

    name: str = "openvino"
    static: bool = True

    def unavailable(self) -> str | None:
        """Say whether OpenVINO is installed."""
        try:
            import_module("openvino")
        except ImportError as error:
            return f"{error}; install slipway[bench]"
        return None

    def prepare(self, job: Job) -> Prepared:
        """Compile the model for latency."""
        openvino = import_module("openvino")
        config = {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": job.threads,
            "NUM_STREAMS": 1,
        }
        try:
            core = openvino.Core()
            model = core.read_model(with_static_shapes(job) if self.static else job.bundle.read(ONNX))
            request = core.compile_model(model, "CPU", config).create_infer_request()
            for name, array in job.inputs.items():
                request.set_tensor(name, openvino.Tensor(array, shared_memory=True))
            request.infer()
        except RuntimeError as error:
            raise UnavailableError(reason_of(error)) from error

        def outputs() -> dict[str, Any]:
            request.infer()
            return {name: request.get_tensor(name).data.copy() for name in job.output_names}

        return Prepared(Call(request.infer), outputs)
