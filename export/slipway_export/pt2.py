"""The ``.pt2`` of a bundle as a runtime; it is verified like the others when a bundle is made.

It lives here and not among ``slipway.runtime``, because loading a program with recurrent layers needs the operators
of ``recurrent.py``.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from slipway.bundle import PT2, Bundle
from slipway.runtime._inputs import check_inputs
from slipway.runtime.protocol import Arrays
from slipway.signature import Signature
from slipway_export import recurrent as _registers_operators  # noqa: F401


@dataclass(frozen=True)
class ExportedProgramModel:
    """A loaded program on the CPU."""

    module: Any
    signature: Signature

    def run(self, inputs: Arrays) -> dict[str, NDArray[np.generic]]:
        """Run once; arrays by port name in, arrays by port name out."""
        checked = check_inputs(self.signature, inputs)
        with torch.no_grad():
            outputs = self.module(*(torch.from_numpy(np.array(array)) for array in checked.values()))
        outputs = (outputs,) if isinstance(outputs, torch.Tensor) else outputs
        ports = self.signature.outputs
        return {port.name: output.detach().numpy() for port, output in zip(ports, outputs, strict=True)}


@dataclass(frozen=True)
class ExportedProgramRuntime:
    """The runtime."""

    name: str = "pt2"

    def unavailable(self) -> str | None:
        """Return None: torch is here, or this module could not have been imported."""
        return None

    def load(self, bundle: Bundle, threads: int = 1) -> ExportedProgramModel:
        """Load ``model.pt2``."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The given buffer is not writable")  # torch 2.11 copies it anyway
            program = torch.export.load(io.BytesIO(bundle.read(PT2)))
        return ExportedProgramModel(program.module(), bundle.signature)
