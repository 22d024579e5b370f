"""What a competitor is: anything whose time is measured on a bundle's model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from slipway.bench.protocol import Call
from slipway.bundle import Bundle
from slipway.runtime.protocol import Runtime

Arrays = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Job:
    """One model with one batch, for so many threads.

    Args:
        bundle: The model.
        inputs: By port name, C-contiguous.
        threads: How many threads one run may use.
        folder: Where competitors keep what they compile.
        called: What results and messages call the bundle; empty for its own name.
    """

    bundle: Bundle
    inputs: Arrays
    threads: int
    folder: Path
    called: str = ""

    @property
    def name(self) -> str:
        """What results and messages call the bundle."""
        return self.called or self.bundle.name

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs, in the model's order."""
        return [port.name for port in self.bundle.signature.inputs]

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs, in the model's order."""
        return [port.name for port in self.bundle.signature.outputs]


@dataclass(frozen=True)
class Prepared:
    """A loaded model with its inputs at hand.

    Args:
        call: What is timed.
        outputs: Runs once, in the same way, and gives copies of the outputs by name.
    """

    call: Call
    outputs: Callable[[], dict[str, NDArray[np.generic]]]


class Competitor(Protocol):
    """A way to run a bundle."""

    @property
    def name(self) -> str:
        """Name in reports."""
        ...

    def unavailable(self) -> str | None:
        """Say why it cannot be used on this machine, or None if it can."""
        ...

    def prepare(self, job: Job) -> Prepared:
        """Load the model and lay out its inputs, as this competitor likes them best.

        Raises:
            UnavailableError: It cannot run this model; the message says why.
        """
        ...


@dataclass(frozen=True)
class OfRuntime:
    """A runtime of :mod:`slipway.runtime` as it stands, its checks of the inputs included."""

    runtime: Runtime

    @property
    def name(self) -> str:
        """The runtime's name."""
        return self.runtime.name

    def unavailable(self) -> str | None:
        """As the runtime says."""
        return self.runtime.unavailable()

    def prepare(self, job: Job) -> Prepared:
        """Load the bundle's artefact for the runtime."""
        model = self.runtime.load(job.bundle, job.threads)
        return Prepared(Call(model.run, job.inputs), lambda: dict(model.run(job.inputs)))


def reason_of(error: BaseException) -> str:
    """Return the first line of an error of another library, short enough for a table."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return text if len(text) <= 200 else text[:197] + "..."
