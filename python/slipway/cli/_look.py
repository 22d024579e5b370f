"""``slipway inspect``, ``ops`` and ``doctor``: what a model is, what the engine and this machine have."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

import typer

from slipway.cli import _complete as complete
from slipway.cli._console import JsonOption, show, table, write_result
from slipway.errors import ExitCode, UnavailableError, UsageError

EXAMPLES = """[b]Examples[/b]

slipway inspect artifacts/names-gru --stage passes

slipway inspect model.onnx --stage plan --shapes tokens:9x4,lengths:4
"""

STAGES = ("onnx", "graph", "passes", "plan")

_PACKAGES = (
    "torch", "torchvision", "onnx", "onnxscript", "onnxruntime-gpu", "onnxruntime", "numpy", "pytorch-ignite",
    "scikit-learn", "Faker", "matplotlib", "typer", "rich",
)  # fmt: skip


def inspect_verb(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", autocompletion=complete.models, help="A bundle folder or an ONNX file.")
    ],
    stage: Annotated[
        str, typer.Option(metavar="|".join(STAGES), autocompletion=complete.words(*STAGES), help="What to show.")
    ] = "graph",
    shapes: Annotated[
        str | None, typer.Option(metavar="NAME:AxB,...", help="For plan; a bundle's first golden gives the default.")
    ] = None,
) -> int:
    """Print a stage of a model in the engine, in its stable text form."""
    if stage not in STAGES:
        raise UsageError(f"there is no stage {stage!r}; there are {', '.join(STAGES)}")
    _require_engine()
    from slipway.bundle import ONNX, Bundle
    from slipway.session import Session

    wanted = None if shapes is None else parse_shapes(shapes)
    if model.is_dir():
        bundle = Bundle.open(model)
        if wanted is None and stage == "plan":
            wanted = {name: list(array.shape) for name, array in bundle.goldens[0].inputs.items()}
        session = Session(bundle.read(ONNX))
    else:
        session = Session(model)
    show(session.stage_text(stage, wanted if stage == "plan" else None))
    return ExitCode.OK


def ops_verb(json: JsonOption = None) -> int:
    """List the operators that the engine has."""
    _require_engine()
    from slipway import _engine

    rows: list[dict[str, Any]] = [dict(row) for row in _engine.operators()]
    columns = list(rows[0]) if rows else []
    write_result(rows, json, table(columns, [list(row.values()) for row in rows]))
    return ExitCode.OK


def doctor_verb(json: JsonOption = None) -> int:
    """Say what this machine has: versions, runtimes and why one is missing, devices, data."""
    from slipway.bench.machine import processor
    from slipway.runtime import RUNTIMES

    runtimes = {runtime.name: runtime.unavailable() for runtime in RUNTIMES}
    found: dict[str, Mapping[str, object]] = {
        "slipway": {"version": _version("slipway") or "not installed", "engine": _engine_facts()},
        "machine": {
            "system": platform.platform(),
            "processor": processor(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "packages": {package: present for package in _PACKAGES if (present := _version(package))},
        "runtimes": {name: reason or "available" for name, reason in runtimes.items()},
        "devices": _devices(),
        "data": _data(),
    }
    rows = [(room, name, _short(value)) for room, facts in found.items() for name, value in facts.items()]
    write_result(found, json, table(("", "", ""), rows))
    return ExitCode.OK


def parse_shapes(text: str) -> dict[str, list[int]]:
    """Parse ``tokens:9x4,lengths:4``.

    Raises:
        UsageError: The text is of another form.
    """
    shapes: dict[str, list[int]] = {}
    for part in text.split(","):
        name, separator, dims = part.strip().rpartition(":")
        if not separator or not name or not all(dim.isdecimal() and len(dim) < 19 for dim in dims.split("x")):
            raise UsageError(f"--shapes {part!r} is not of the form NAME:AxB")
        shapes[name] = [int(dim) for dim in dims.split("x")]
    return shapes


def _require_engine() -> None:
    try:
        from slipway import _engine  # noqa: F401
    except ImportError as error:
        raise UnavailableError(f"the engine is not built ({error}); build it with: pip install .") from error


def _engine_facts() -> object:
    try:
        from slipway import _engine
    except ImportError as error:
        return f"not built: {error}"
    return {"version": _engine.__version__, "operators": len(_engine.operators()), "kernels": _engine.isas()}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _devices() -> Mapping[str, str]:
    import torch

    if not torch.cuda.is_available():
        built = f"torch is built for CUDA {torch.version.cuda}" if torch.version.cuda else "torch is built without CUDA"
        return {"cuda": f"none ({built})"}
    return {f"cuda:{i}": torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())}


def _data() -> Mapping[str, str]:
    from slipway.data._root import cache_folder

    return {"SLIPWAY_DATA": os.environ.get("SLIPWAY_DATA", "not set"), "cache": str(cache_folder())}


def _short(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_short(item)}" for key, item in value.items())
    return " ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
