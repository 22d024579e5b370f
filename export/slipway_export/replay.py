"""Replays a bundle's goldens on the engine, without PyTorch; ``slipway-infer --selftest`` does the same in C++."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway.bundle import GOLDENS, Bundle, Golden
from slipway.errors import BundleError, InputError, ModelError, UnsupportedError
from slipway.preprocess import decode
from slipway.runtime import find_runtime
from slipway.runtime.checked import largest_difference, tolerance
from slipway.runtime.protocol import Runnable
from slipway_export.goldens import check_raw


def replay(bundle: Bundle) -> dict[str, Any]:
    """Encode every golden's raw input, run it, and compare outputs and labels.

    Returns:
        ``{"bundle", "ok", "cases": [{"case", "max_abs", "labels", "ok"}]}``.

    Raises:
        BundleError: The goldens or the model are not what a bundle holds.
        MismatchError: Raw input is no longer encoded to the recorded arrays.
    """
    for golden in bundle.goldens:
        _check_ports(bundle, golden)
    try:
        check_raw(bundle)
        model = find_runtime("native").load(bundle)
        cases = [_replay_case(bundle, golden, model) for golden in bundle.goldens]
    except UnsupportedError:
        raise
    except (InputError, ModelError) as error:  # what was sealed does not fit together
        raise BundleError(f"bundle {bundle.path} is damaged: {error}") from error
    return {"bundle": str(bundle.path), "ok": all(case["ok"] for case in cases), "cases": cases}


def _replay_case(bundle: Bundle, golden: Golden, model: Runnable) -> dict[str, Any]:
    outputs = model.run(golden.inputs)
    pairs = [(output, golden.outputs[name]) for name, output in outputs.items()]
    worst = max(_difference(output, wanted) for output, wanted in pairs)
    close = all(_difference(output, wanted) <= tolerance(wanted, bundle.scale_tolerance) for output, wanted in pairs)
    labels = decode(bundle.signature, outputs) == list(golden.labels)
    return {"case": golden.name, "max_abs": worst, "labels": labels, "ok": close and labels}


def _check_ports(bundle: Bundle, golden: Golden) -> None:
    signature = bundle.signature
    absent = [port.name for port in signature.inputs if port.name not in golden.inputs]
    absent += [port.name for port in signature.outputs if port.name not in golden.outputs]
    if absent:
        raise BundleError(f"{GOLDENS} of bundle {bundle.path}: case {golden.name} has no {', '.join(absent)}")
    ports = {port.name for port in signature.inputs} | {port.name for port in signature.outputs}
    unknown = sorted({*golden.inputs, *golden.outputs} - ports)
    if unknown:
        raise BundleError(
            f"{GOLDENS} of bundle {bundle.path}: case {golden.name} has {', '.join(unknown)}, which the model has not"
        )


def _difference(output: NDArray[np.generic], wanted: NDArray[np.generic]) -> float:
    return largest_difference(output, wanted) if output.dtype == wanted.dtype else float("inf")
