"""``slipway ops`` and ``doctor``: what the engine and this machine have."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from slipway.cli._console import JsonOption, require_engine, table, write_result
from slipway.errors import ExitCode

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
