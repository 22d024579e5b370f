"""What a runtime is: anything that can run a bundle and be compared with eager PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from slipway.bundle import Bundle

Arrays = Mapping[str, NDArray[np.generic]]
#: A loaded ONNX file: arrays by the names of its inputs in, arrays by the names of its outputs out.
RunArrays = Callable[[Arrays], dict[str, NDArray[np.generic]]]


class Runnable(Protocol):
    """A loaded model."""

    def run(self, inputs: Arrays) -> dict[str, NDArray[np.generic]]:
        """Run once; arrays by port name in, arrays by port name out."""
        ...


class Runtime(Protocol):
    """A way to run bundles, on one device."""

    @property
    def name(self) -> str:
        """Name in reports: ``eager``, ``torchscript``, ``onnxruntime-cpu``, ``native-cpu``, ..."""
        ...

    def unavailable(self) -> str | None:
        """Say why this runtime cannot be used on this machine, or None if it can."""
        ...

    def load(self, bundle: Bundle, threads: int = 1) -> Runnable:
        """Load the bundle's artefact for this runtime.

        Raises:
            UnavailableError: The runtime, or the bundle's artefact for it, is not there; the message says why.
        """
        ...


class OnnxRuntime(Protocol):
    """A way to run any ONNX file, on one device."""

    @property
    def name(self) -> str:
        """Name in reports."""
        ...

    def unavailable(self) -> str | None:
        """Say why this runtime cannot be used on this machine, or None if it can."""
        ...

    def open(self, content: bytes, threads: int = 1) -> RunArrays:
        """Load the bytes of an ONNX file.

        Raises:
            UnavailableError: The runtime is not there; the message says why.
        """
        ...
