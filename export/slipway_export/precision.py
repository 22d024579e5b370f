"""How far a bundle's answers move when the engine keeps weights of reduced precision: measured, told, never judged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from slipway.bundle import ONNX, Bundle
from slipway.preprocess import decode
from slipway.runtime import Runtime
from slipway.runtime.checked import largest_difference
from slipway.session import Session

PRECISIONS = ("bf16", "int8")


@dataclass(frozen=True)
class PrecisionError:
    """One precision over all goldens.

    Args:
        precision: ``bf16`` or ``int8``, as of ``slipway.Session``.
        max_abs: Largest difference from eager float32.
        relative: The same, of the largest output of its golden.
        same_labels: Share of the goldens' labels that stay; None where outputs have none.
    """

    precision: str
    max_abs: float
    relative: float
    same_labels: float | None


def measure_precisions(bundle: Bundle, runtimes: Iterable[Runtime]) -> tuple[PrecisionError, ...]:
    """Run the goldens on the engine with each reduced precision; nothing where the engine is not among the runtimes."""
    if all(runtime.name != "native-cpu" or runtime.unavailable() is not None for runtime in runtimes):
        return ()
    return tuple(_measure(bundle, precision) for precision in PRECISIONS)


def _measure(bundle: Bundle, precision: str) -> PrecisionError:
    session = Session(bundle.read(ONNX), precision=precision)
    max_abs, relative = 0.0, 0.0
    labels: list[bool] = []
    for golden in bundle.goldens:
        outputs = {name: np.asarray(array) for name, array in session.run(golden.inputs).items()}
        for name, wanted in golden.outputs.items():
            difference = largest_difference(outputs[name], wanted)
            scale = float(np.abs(wanted.astype(np.float64)).max(initial=0.0))
            max_abs = max(max_abs, difference)
            relative = max(relative, difference / scale if scale > 0 else difference)
        labels += [a == b for a, b in zip(decode(bundle.signature, outputs), golden.labels, strict=True)]
    return PrecisionError(precision, max_abs, relative, sum(labels) / len(labels) if labels else None)
