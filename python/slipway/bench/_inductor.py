"""torch's compiler: ``torch.compile`` in the process, and AOTInductor's packages.

Both compile for the very shapes of the job. Compiling takes seconds, so what it makes is kept in the job's folder, and
``python -m slipway.bench._inductor`` fills that folder ahead of the clock, from a list of jobs on its standard input.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slipway.bench._torch import of_module, tensors_of, torch_turn
from slipway.bench.competitor import Job, Prepared, reason_of
from slipway.bundle import Bundle
from slipway.errors import SlipwayError, UnavailableError
from slipway.runtime.eager import Eager
from slipway.signature import LengthInput

if TYPE_CHECKING:
    from torch import nn

#: The generated code asks for the number of threads when it runs, so that one compilation serves all.
_OPTIONS: dict[str, Any] = {"cpp.dynamic_threads": True}


@dataclass(frozen=True)
class TorchCompile:
    """``torch.compile`` for static shapes; where it breaks the graph, eager runs what is between."""

    name: str = "torch-compile"

    def unavailable(self) -> str | None:
        """Say whether torch is installed."""
        return Eager().unavailable()

    def prepare(self, job: Job) -> Prepared:
        """Compile by a first call; packed sequences and loops would only be cut into pieces that eager runs."""
        import torch

        if any(isinstance(port.spec, LengthInput) for port in job.bundle.signature.inputs):
            raise UnavailableError("the graph breaks at packed sequences: what runs is eager")

        with _compiler(job.folder):
            torch._dynamo.reset()
            compiled = torch.compile(_module(job.bundle), dynamic=False, options=_OPTIONS)
            return of_module(compiled, job)


@dataclass(frozen=True)
class AotInductor:
    """``torch.export``, compiled to a package without Python."""

    name: str = "aot-inductor"

    def unavailable(self) -> str | None:
        """Say whether torch is installed."""
        return Eager().unavailable()

    def prepare(self, job: Job) -> Prepared:
        """Load the package, made now if it is not there."""
        import torch

        package = _package(job)
        refusal = package.with_suffix(".txt")
        if not package.is_file() and not refusal.is_file():
            _build(job, package)
        if refusal.is_file():
            raise UnavailableError(refusal.read_text(encoding="utf-8"))
        with _compiler(job.folder):
            return of_module(torch._inductor.aoti_load_package(str(package)), job)


def _build(job: Job, package: Path) -> None:
    """Compile, or record why that fails. Exporting follows Python code, so any error may come out of it."""
    import torch

    package.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _compiler(job.folder), torch.no_grad():
            program = torch.export.export(_module(job.bundle), tuple(tensors_of(job)))
            torch._inductor.aoti_compile_and_package(program, package_path=str(package), inductor_configs=_OPTIONS)
    except (RuntimeError, TypeError, ValueError, AssertionError, NotImplementedError) as error:
        package.with_suffix(".txt").write_text(reason_of(error), encoding="utf-8")


def _package(job: Job) -> Path:
    import torch

    facts = [sorted(job.bundle.sums.items()), {k: v.shape for k, v in job.inputs.items()}, torch.__version__]
    key = hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
    return job.folder / f"aot-{job.bundle.name}-{key}.pt2"


def _module(bundle: Bundle) -> nn.Module:
    return Eager().load(bundle).module


@contextmanager
def _compiler(folder: Path) -> Iterator[None]:
    """Keep what the compiler makes in the folder, and its warnings and logs to itself."""
    import logging

    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(folder / "inductor"))
    loggers = [logging.getLogger(name) for name in ("torch", "torch._dynamo", "torch._inductor", "torch.utils")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _ahead() -> None:
    """Compile every job of the list on standard input; a line on standard output after each."""
    from slipway.bench.inputs import bench_inputs

    for line in sys.stdin:
        wanted = json.loads(line)
        bundle = Bundle.open(Path(wanted["bundle"]))
        job = Job(bundle, bench_inputs(bundle, wanted["batch"], wanted["dims"]), 1, Path(wanted["folder"]))
        try:
            package = _package(job)
            done = package.with_suffix(".done")
            if not package.is_file() and not package.with_suffix(".txt").is_file():
                _build(job, package)
            if not done.is_file():
                with torch_turn(job.threads):
                    TorchCompile().prepare(job)
                done.touch()
        except (SlipwayError, RuntimeError) as error:
            sys.stderr.write(f"{bundle.name}: {reason_of(error)}\n")
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _ahead()
