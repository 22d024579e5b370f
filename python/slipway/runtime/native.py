"""The slipway engine, on the CPU or on CUDA."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from slipway._onnx_file import OnnxFile
from slipway.bundle import ONNX, Bundle
from slipway.errors import UnavailableError
from slipway.runtime._inputs import check_inputs
from slipway.runtime.protocol import Arrays, RunArrays
from slipway.signature import Signature


@dataclass(frozen=True)
class NativeModel:
    """A session of the engine."""

    session: Any
    signature: Signature

    def run(self, inputs: Arrays) -> dict[str, NDArray[np.generic]]:
        """Run once; arrays by port name in, arrays by port name out."""
        return dict(self.session.run(check_inputs(self.signature, inputs, takes_none=True)))


@dataclass(frozen=True)
class Native:
    """The runtime on one kind of device.

    Args:
        device: Where it runs.
        precision: Of the weights, as of ``slipway.Session``; so are the next two.
        max_memory: Bytes that a session may hold.
        max_steps: Steps of a loop.
    """

    device: Literal["cpu", "cuda"] = "cpu"
    precision: str = "fp32"
    max_memory: int | None = None
    max_steps: int | None = None

    @property
    def name(self) -> str:
        """``native-cpu`` or ``native-cuda``."""
        return f"native-{self.device}"

    def unavailable(self) -> str | None:
        """Say why this runtime cannot be used on this machine, or None if it can."""
        try:
            engine = import_module("slipway._engine")
        except ImportError as error:
            return f"the engine is not built ({error}); build it with: pip install ."
        if self.device == "cuda":
            return _no_cuda(engine)
        return None

    def load(self, bundle: Bundle | OnnxFile, threads: int = 1) -> NativeModel:
        """Load ``model.onnx``, or a plain ONNX file where it lies."""
        model = bundle.path if isinstance(bundle, OnnxFile) else bundle.read(ONNX)
        return NativeModel(self._session(model, threads), bundle.signature)

    def open(self, content: bytes, threads: int = 1) -> RunArrays:
        """Load any ONNX file."""
        session = self._session(content, threads)
        return lambda inputs: dict(session.run(dict(inputs)))

    def _session(self, model: bytes | Path, threads: int) -> Any:
        reason = self.unavailable()
        if reason is not None:
            raise UnavailableError(f"{self.name}: {reason}")
        return import_module("slipway").Session(
            model,
            device=self.device,
            threads=threads,
            precision=self.precision,
            max_memory=self.max_memory,
            max_steps=self.max_steps,
        )


def _no_cuda(engine: Any) -> str | None:
    """Return why the engine has no CUDA device here."""
    devices, why = engine.devices()
    return None if any(device.startswith("cuda") for device in devices) else str(why)
