"""onnxruntime, on the CPU or on CUDA; a request for CUDA never runs on the CPU instead."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from slipway._onnx_file import OnnxFile
from slipway.bundle import ONNX, Bundle
from slipway.errors import ModelError, RuntimeFault, UnavailableError
from slipway.runtime._inputs import check_inputs
from slipway.runtime.protocol import Arrays, RunArrays
from slipway.signature import Signature

_FATAL = 4  # onnxruntime's log level; failures reach us as exceptions
# TF32 would round the factors of every product to 10 bits.
_PROVIDERS: dict[str, Any] = {
    "cpu": "CPUExecutionProvider",
    "cuda": ("CUDAExecutionProvider", {"use_tf32": "0"}),
}


@dataclass(frozen=True)
class OrtModel:
    """A loaded onnxruntime session; ``name`` is the runtime's."""

    session: Any
    signature: Signature
    name: str

    def run(self, inputs: Arrays) -> dict[str, NDArray[np.generic]]:
        """Run once; arrays by port name in, arrays by port name out."""
        checked = check_inputs(self.signature, inputs)
        return _run(self.session, self.name, [port.name for port in self.signature.outputs], checked)


@dataclass(frozen=True)
class Ort:
    """The runtime on one kind of device."""

    device: Literal["cpu", "cuda"] = "cpu"

    @property
    def name(self) -> str:
        """``onnxruntime-cpu`` or ``onnxruntime-cuda``."""
        return f"onnxruntime-{self.device}"

    def unavailable(self) -> str | None:
        """Say why this runtime cannot be used on this machine, or None if it can."""
        try:
            onnxruntime = import_module("onnxruntime")
        except ImportError as error:
            return f"{error}; install onnxruntime"
        if self.device == "cpu":
            return None
        if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
            return f"onnxruntime {onnxruntime.__version__} is built without CUDA; install onnxruntime-gpu"
        try:
            import torch
        except ImportError as error:
            return f"{error}; install torch, which tells what devices there are"
        return None if torch.cuda.is_available() else "no CUDA device is found here"

    def load(self, bundle: Bundle | OnnxFile, threads: int = 1) -> OrtModel:
        """Load ``model.onnx``, or a plain ONNX file where it lies.

        Raises:
            ModelError: onnxruntime refuses the file.
            UnavailableError: onnxruntime or the device is not there.
        """
        model = bundle.path if isinstance(bundle, OnnxFile) else bundle.read(ONNX)
        return OrtModel(self._session(model, threads, str(bundle.path)), bundle.signature, self.name)

    def open(self, content: bytes, threads: int = 1) -> RunArrays:
        """Load any ONNX file."""
        session = self._session(content, threads, "the model")
        names = [output.name for output in session.get_outputs()]
        return lambda inputs: _run(session, self.name, names, inputs)

    def _session(self, model: bytes | Path, threads: int, what: str) -> Any:
        reason = self.unavailable()
        if reason is not None:
            raise UnavailableError(f"{self.name}: {reason}")
        onnxruntime = import_module("onnxruntime")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL
        provider = _PROVIDERS[self.device]
        wanted = provider if isinstance(provider, str) else provider[0]
        try:
            session = onnxruntime.InferenceSession(model, options, providers=[provider])
        except Exception as error:  # onnxruntime's error types share no public base class
            lines = str(error).strip().splitlines()
            raise ModelError(f"onnxruntime cannot load {what}: {lines[0] if lines else error}") from error
        session.disable_fallback()
        if session.get_providers()[0] != wanted:
            raise UnavailableError(
                f"{self.name}: onnxruntime could not start {wanted}, it has {session.get_providers()}"
            )
        return session


def _run(session: Any, runtime: str, names: list[str], inputs: Arrays) -> dict[str, NDArray[np.generic]]:
    """Run a session.

    Raises:
        RuntimeFault: onnxruntime gave up; whose error it is and what to try.
    """
    try:
        return dict(zip(names, session.run(names, dict(inputs)), strict=True))
    except Exception as error:  # onnxruntime's error types share no public base class
        lines = str(error).strip().splitlines()
        reason = lines[0] if lines else type(error).__name__
        raise RuntimeFault(
            f"{runtime} gave up while it ran the model, with an error of its own: {reason}; try other values or "
            "sizes, or the runtime native"
        ) from error
