"""PyTorch: eager, and the bundle's TorchScript frozen and optimised for inference."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from slipway.bench.competitor import Job, Prepared, reason_of
from slipway.bench.protocol import Call
from slipway.bundle import TORCHSCRIPT
from slipway.errors import UnavailableError
from slipway.runtime.eager import Eager
from slipway.signature import LengthInput

if TYPE_CHECKING:
    import torch

#: Runs that TorchScript's profiling executor watches before it settles, and one more.
_SETTLE = 4


@dataclass(frozen=True)
class EagerTorch:
    """The recipe's own module under ``inference_mode``, its tensors made before."""

    name: str = "eager"

    def unavailable(self) -> str | None:
        """Say whether torch is installed."""
        return Eager().unavailable()

    def prepare(self, job: Job) -> Prepared:
        """Rebuild the module."""
        return of_module(Eager().load(job.bundle).module, job)


@dataclass(frozen=True)
class FrozenTorchScript:
    """``model.ts.pt`` through ``torch.jit.freeze`` and ``optimize_for_inference``."""

    name: str = "torchscript-frozen"

    def unavailable(self) -> str | None:
        """Say whether torch is installed."""
        return Eager().unavailable()

    def prepare(self, job: Job) -> Prepared:
        """Load, freeze, optimise, and let the profiling executor settle."""
        import torch

        with warnings.catch_warnings(), torch_turn(job.threads):
            warnings.simplefilter("ignore")
            try:
                loaded = torch.jit.load(io.BytesIO(job.bundle.read(TORCHSCRIPT)), map_location="cpu").eval()  # type: ignore[no-untyped-call]
                module = torch.jit.optimize_for_inference(torch.jit.freeze(loaded))
                prepared = of_module(module, job)
                for _ in range(_SETTLE):
                    prepared.call.function()
            except RuntimeError as error:
                raise UnavailableError(reason_of(error)) from error
        return prepared


def of_module(module: Callable[..., Any], job: Job) -> Prepared:
    """Prepare anything that takes and gives torch tensors by position.

    A module that insists on sorted lengths gets them sorted, once and outside of the clock.
    """
    turn = partial(torch_turn, job.threads)
    with turn():
        try:
            tensors, order = tensors_of(job), None
            module(*tensors)
        except RuntimeError as error:
            if "enforce_sorted" not in str(error):
                raise
            order = _by_length(job)
            tensors = tensors_of(job, order)
    run = partial(module, *tensors)

    def outputs() -> dict[str, Any]:
        with turn():
            found = run()
        found = (found,) if not isinstance(found, tuple | list) else found
        arrays = {name: tensor.numpy().copy() for name, tensor in zip(job.output_names, found, strict=True)}
        return arrays if order is None else _rows(job.bundle.signature.outputs, arrays, np.argsort(order))

    return Prepared(Call(run, turn=turn), outputs)


def tensors_of(job: Job, order: np.ndarray | None = None) -> list[torch.Tensor]:
    """Return the inputs as tensors, in the model's order; the batch in another order if one is given."""
    import torch

    ports = job.bundle.signature.inputs
    inputs = dict(job.inputs) if order is None else _rows(ports, dict(job.inputs), order)
    return [torch.from_numpy(np.array(inputs[port.name])) for port in ports]


@contextmanager
def torch_turn(threads: int) -> Iterator[None]:
    """Inference mode, with so many threads; the number before comes back."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(before)


def _by_length(job: Job) -> np.ndarray:
    name = next(p.name for p in job.bundle.signature.inputs if isinstance(p.spec, LengthInput))
    return np.argsort(-job.inputs[name].astype(np.int64), kind="stable")


def _rows(ports: Sequence[Any], arrays: dict[str, Any], order: np.ndarray) -> dict[str, Any]:
    axes = {port.name: port.dims.index("N") if "N" in port.dims else None for port in ports}
    return {
        name: array if (axis := axes[name]) is None else np.take(array, order, axis) for name, array in arrays.items()
    }
