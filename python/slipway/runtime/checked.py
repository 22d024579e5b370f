"""Two runtimes at once: gives the first one's outputs, and fails where the second one's differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slipway.bundle import Bundle
from slipway.errors import MismatchError
from slipway.runtime.protocol import Arrays, Runnable, Runtime

#: Largest difference, as a share of the largest absolute output or of 1 if that is more; as for goldens.
SCALE_TOLERANCE = 1e-5


@dataclass(frozen=True)
class CheckedModel:
    """Two loaded models."""

    first: Runnable
    second: Runnable
    names: tuple[str, str]

    def run(self, inputs: Arrays) -> dict[str, NDArray[np.generic]]:
        """Run both.

        Raises:
            MismatchError: An output differs by more than :data:`SCALE_TOLERANCE` of its scale.
        """
        outputs, others = self.first.run(inputs), self.second.run(inputs)
        for name, output in outputs.items():
            difference, limit = largest_difference(output, others[name]), tolerance(others[name])
            if not difference <= limit:
                pair = " and ".join(self.names)
                raise MismatchError(
                    f'output "{name}": {pair} differ by {difference:.3g}, at most {limit:.3g} is allowed'
                )
        return outputs


@dataclass(frozen=True)
class Checked:
    """The runtime ``first``, judged by ``second`` on every run."""

    first: Runtime
    second: Runtime

    @property
    def name(self) -> str:
        """``checked:<first>:<second>``."""
        return f"checked:{self.first.name}:{self.second.name}"

    def unavailable(self) -> str | None:
        """Say why this runtime cannot be used on this machine, or None if it can."""
        return self.first.unavailable() or self.second.unavailable()

    def load(self, bundle: Bundle, threads: int = 1) -> CheckedModel:
        """Load both."""
        names = (self.first.name, self.second.name)
        return CheckedModel(self.first.load(bundle, threads), self.second.load(bundle, threads), names)


def largest_difference(a: NDArray[np.generic], b: NDArray[np.generic]) -> float:
    """Return max |a - b| in double; infinite where shapes differ, or only one of two values is NaN or infinite.

    Whole numbers that differ do so by 1 at least, also where they are one as doubles.
    """
    if a.shape != b.shape:
        return float("inf")
    if a.size == 0:
        return 0.0
    x, y = a.astype(np.float64), b.astype(np.float64)
    same = np.equal(a, b) | (np.isnan(x) & np.isnan(y))
    least = 1.0 if np.issubdtype(a.dtype, np.integer) and np.issubdtype(b.dtype, np.integer) else 0.0
    with np.errstate(invalid="ignore"):
        difference = np.where(same, 0.0, np.maximum(np.abs(x - y), least))
    return float(np.max(np.where(np.isnan(difference), np.inf, difference)))


def tolerance(reference: NDArray[np.generic], scale_tolerance: float = SCALE_TOLERANCE) -> float:
    """Return the largest allowed difference from a reference output; 0 for integers and booleans."""
    if not np.issubdtype(reference.dtype, np.floating):
        return 0.0
    finite = np.abs(reference[np.isfinite(reference)])
    return scale_tolerance * max(1.0, float(finite.max()) if finite.size else 1.0)
