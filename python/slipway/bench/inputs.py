"""The inputs of a benchmark: items of the bundle's goldens, drawn again and again until the batch is full."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from slipway.bundle import Bundle
from slipway.signature import LengthInput

Array = NDArray[np.generic]


def bench_inputs(bundle: Bundle, size: int, dims: Mapping[str, int] | None = None, seed: int = 0) -> dict[str, Array]:
    """Return inputs for a batch.

    Args:
        bundle: Whose goldens give the items, in a seeded order; lengths vary as theirs do.
        size: Items in the batch.
        dims: Sizes of other dimensions by name, such as ``{"H": 256}``; values are repeated to fill them.
        seed: Of the order.
    """
    from slipway.preprocess import encode
    from slipway_export.goldens import read_raw

    raws = [raw for golden in bundle.goldens for raw in read_raw(bundle, golden)]
    if raws:
        rng = np.random.default_rng(seed)
        inputs = encode(bundle.signature, [raws[i] for i in rng.integers(len(raws), size=size)])
    else:
        inputs = dict(bundle.goldens[-1].inputs)
    wanted = {**(dims or {}), "N": size}
    for port in bundle.signature.inputs:
        for axis, dim in enumerate(port.dims):
            if isinstance(dim, str) and dim in wanted and inputs[port.name].shape[axis] != wanted[dim]:
                taken = np.take(inputs[port.name], np.arange(wanted[dim]), axis, mode="wrap")
                inputs[port.name] = np.ascontiguousarray(taken)
    return inputs


def share_of_steps(bundle: Bundle, inputs: Mapping[str, Array]) -> float | None:
    """Return sum(lengths) / (T N) of a model with lengths, or None: what padding leaves to be computed."""
    shares = []
    for port in bundle.signature.inputs:
        if isinstance(port.spec, LengthInput):
            lengths = inputs[port.name].astype(np.int64)
            tokens = inputs[port.spec.of]
            shares.append((float(lengths.sum()), float(tokens.shape[0] * tokens.shape[1])))
    return sum(s for s, _ in shares) / sum(t for _, t in shares) if shares else None
