"""TorchScript: ``model.ts.pt``, loaded only from bytes whose sum holds, because loading one can run code."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway.bundle import TORCHSCRIPT, Bundle
from slipway.errors import BundleError
from slipway.runtime._inputs import check_inputs
from slipway.runtime.eager import call_any_order, torch_settings
from slipway.runtime.protocol import Arrays
from slipway.signature import Signature


@dataclass(frozen=True)
class TorchScriptModel:
    """A loaded TorchScript module on the CPU."""

    module: Any
    signature: Signature
    threads: int

    def run(self, inputs: Arrays) -> dict[str, NDArray[np.generic]]:
        """Run once; arrays by port name in, arrays by port name out."""
        import torch

        checked = check_inputs(self.signature, inputs)
        with torch.no_grad(), torch_settings(torch.float32, self.threads):
            return call_any_order(self.module, self.signature, checked, torch.float32)


@dataclass(frozen=True)
class TorchScript:
    """The runtime."""

    name: str = "torchscript"

    def unavailable(self) -> str | None:
        """Say why this runtime cannot be used on this machine, or None if it can."""
        try:
            import torch  # noqa: F401
        except ImportError as error:
            return f"{error}; install torch"
        return None

    def load(self, bundle: Bundle, threads: int = 1) -> TorchScriptModel:
        """Load ``model.ts.pt``.

        Raises:
            BundleError: It is no TorchScript archive.
        """
        import torch

        content = bundle.read(TORCHSCRIPT)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r".*torch\.jit\.load")
            try:
                module = torch.jit.load(io.BytesIO(content), map_location="cpu")  # type: ignore[no-untyped-call]
            except RuntimeError as error:
                reason = str(error).partition("\n")[0]
                raise BundleError(f"{TORCHSCRIPT} of bundle {bundle.path} is no TorchScript: {reason}") from error
        return TorchScriptModel(module.eval(), bundle.signature, threads)
