"""Bundles to measure, and the scripts of benchmarks/ as modules."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from slipway.bundle import Bundle
from slipway.cli import run_command, train_and_export_app
from slipway.errors import ExitCode

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with bundles of names-gru and breast-cancer, trained for a moment."""
    out = tmp_path_factory.mktemp("zoo")
    options = f"--preset smoke --out {out} --formats onnx,torchscript --quiet"
    arguments = ["names-gru", "breast-cancer", *options.split()]
    assert run_command(train_and_export_app, "train-and-export", arguments) == ExitCode.OK
    return out


@pytest.fixture(scope="session")
def names_gru(zoo: Path) -> Bundle:
    return Bundle.open(zoo / "names-gru")


@pytest.fixture(scope="session")
def breast_cancer(zoo: Path) -> Bundle:
    return Bundle.open(zoo / "breast-cancer")


@pytest.fixture(scope="session")
def script() -> Callable[[str], ModuleType]:
    """Import a script of benchmarks/ by its name."""

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)  # where dataclasses look for it
        spec.loader.exec_module(module)
        return module

    return load
