"""Who computes in float32 what eager PyTorch computes: judged before any clock starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slipway.bundle import Bundle
from slipway.errors import UnavailableError
from slipway.runtime.checked import SCALE_TOLERANCE, largest_difference
from slipway.runtime.eager import Eager

Arrays = Mapping[str, NDArray[np.generic]]

#: A competitor may err so many times as much as eager float32 does, as in ``slipway verify``.
TIMES_EAGER = 8.0
#: And so much of the largest output in any case: some sixteen units in the last place.
ALWAYS_ALLOWED = 2e-6


@dataclass(frozen=True)
class Judge:
    """The wanted outputs, and how far off them one may be.

    Args:
        wanted: By output name; floating-point ones in double where eager can give them.
        own_error: Eager float32's own error, a share of the largest output; 0 where eager does not judge.
        limit: Largest share that counts as accurate.
    """

    wanted: Arrays
    own_error: float
    limit: float

    @staticmethod
    def of(bundle: Bundle, inputs: Arrays, fallback: Arrays | None = None) -> Judge:
        """Run eager in double.

        Args:
            bundle: The model.
            inputs: What it is asked.
            fallback: Outputs that judge instead where eager cannot be rebuilt (a user's own recipe).

        Raises:
            UnavailableError: Eager cannot be rebuilt, and there is no fallback.
        """
        try:
            eager = Eager().load(bundle)
        except UnavailableError:
            if fallback is None:
                raise
            return Judge(fallback, 0.0, SCALE_TOLERANCE)
        single = eager.run(inputs)
        double = eager.double().run(inputs)
        # Integers (labels) are float32's: where two scores are nearly equal, double may choose the other one.
        wanted = {
            name: double[name] if np.issubdtype(array.dtype, np.floating) else array for name, array in single.items()
        }
        own = _largest_share(single, wanted)
        return Judge(wanted, own, max(TIMES_EAGER * own, ALWAYS_ALLOWED))

    def error(self, outputs: Arrays) -> float:
        """Return the largest difference as a share of the largest wanted output; infinite where one is missing."""
        return _largest_share(outputs, self.wanted)

    def accepts(self, error: float) -> bool:
        """Say whether an error counts as float32-accurate."""
        return error <= self.limit


def _largest_share(outputs: Arrays, wanted: Arrays) -> float:
    worst = 0.0
    for name, reference in wanted.items():
        if name not in outputs:
            return float("inf")
        difference = largest_difference(np.asarray(outputs[name]), reference)
        if difference > 0 and not np.issubdtype(reference.dtype, np.floating):
            return float("inf")
        finite = np.abs(reference[np.isfinite(reference)])
        scale = float(finite.max()) if finite.size else 0.0
        worst = max(worst, difference / scale if scale > 0 else difference)
    return worst
