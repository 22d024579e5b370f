"""``slipway ops`` and ``doctor``: what the engine and this machine have."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slipway.cli._bundles import bundle_folders
from slipway.cli._console import JsonOption, require_engine, table, write_result
from slipway.errors import ExitCode, UnavailableError

if TYPE_CHECKING:
    from slipway.runtime import Runtime

DOCTOR_EXAMPLES = """[b]Examples[/b]

slipway doctor

slipway doctor artifacts/* --json -
"""

_PACKAGES = (
    "torch", "torchvision", "onnx", "onnxscript", "onnxruntime-gpu", "onnxruntime", "numpy", "pytorch-ignite",
    "scikit-learn", "Faker", "matplotlib", "typer", "rich",
)  # fmt: skip


def ops_verb(json: JsonOption = None) -> int:
    """List the operators that the engine has."""
    require_engine()
    from slipway import _engine

    rows: list[dict[str, Any]] = [dict(row) for row in _engine.operators()]
    columns = list(rows[0]) if rows else []
    write_result(rows, json, table(columns, [list(row.values()) for row in rows]))
    return ExitCode.OK


def doctor_verb(
    bundles: Annotated[
        list[Path] | None, typer.Argument(metavar="[BUNDLE]...", help="Bundles to load in onnxruntime and the engine.")
    ] = None,
    json: JsonOption = None,
) -> int:
    """Say what this machine has, and what is wrong with it and the bundles, each finding with its cure.

    Exit code 1: something is broken. Warnings and notes alone leave it at 0.
    """
    from slipway.bench.machine import processor
    from slipway.look.findings import find_all
    from slipway.look.machine_facts import gather, installed
    from slipway.runtime import RUNTIMES

    packages = installed(_PACKAGES)
    runtimes = {runtime.name: _unavailable(runtime) for runtime in RUNTIMES}
    findings = find_all(gather(packages, bundle_folders(bundles or ())))
    found: dict[str, Mapping[str, object]] = {
        "slipway": {"version": installed(["slipway"]).get("slipway", "not installed"), "engine": _engine_facts()},
        "machine": {
            "system": platform.platform(),
            "processor": processor(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "packages": packages,
        "runtimes": {name: reason or "available" for name, reason in runtimes.items()},
        "devices": _devices(),
        "data": _data(),
    }
    rows = [(room, name, _short(value)) for room, facts in found.items() for name, value in facts.items()]
    rows += [(f.severity, f.subject, f"{f.what}; cure: {f.cure}") for f in findings]
    result = {**found, "findings": [asdict(finding) for finding in findings]}
    write_result(result, json, table(("", "", ""), rows))
    return ExitCode.ERROR if any(finding.severity == "broken" for finding in findings) else ExitCode.OK


def _engine_facts() -> object:
    try:
        from slipway import _engine
    except ImportError as error:
        return f"not built: {error}"
    return {"version": _engine.__version__, "operators": len(_engine.operators()), "kernels": _engine.isas()}


def _unavailable(runtime: Runtime) -> str | None:
    try:
        return runtime.unavailable()
    except Exception as error:  # what a package raises that is there and broken
        return str(error)


def _devices() -> Mapping[str, str]:
    from slipway.look.machine_facts import load_torch

    try:
        torch = load_torch()
    except UnavailableError as error:
        return {"cuda": f"unknown ({error})"}
    if not torch.cuda.is_available():
        built = f"torch is built for CUDA {torch.version.cuda}" if torch.version.cuda else "torch is built without CUDA"
        return {"cuda": f"none ({built})"}
    return {f"cuda:{i}": torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())}


def _data() -> Mapping[str, str]:
    from slipway.look.machine_facts import cache_facts

    return {"SLIPWAY_DATA": os.environ.get("SLIPWAY_DATA", "not set"), "cache": cache_facts()[0]}


def _short(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_short(item)}" for key, item in value.items())
    return " ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
