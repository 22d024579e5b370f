"""slipway as it is installed for C and C++, and a bundle for its programs to ask."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from slipway.cli import run_command, train_and_export_app

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a program that must end with ``code``."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == code, f"{command}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def newest_build() -> Path | None:
    """Return SLIPWAY_BUILD_DIR, else the newest whole build of this tree without sanitizers."""
    if "SLIPWAY_BUILD_DIR" in os.environ:
        return Path(os.environ["SLIPWAY_BUILD_DIR"])
    libraries = [path for path in (ROOT / "build").glob("*/cpp/libslipway.so") if "san" not in path.parts[-3]]
    return max(libraries, key=lambda path: path.stat().st_mtime).parents[1] if libraries else None


@pytest.fixture(scope="session")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install what C and C++ need, then move it: nothing may know where it was installed first."""
    build = newest_build()
    if build is None:
        pytest.skip("the C library was not built in this tree (SLIPWAY_BUILD_DIR names another build)")
    folder = tmp_path_factory.mktemp("installed")
    for component in ("development", "c_library"):
        run("cmake", "--install", build, "--component", component, "--prefix", folder / "first")
    return (folder / "first").rename(folder / "moved")


@pytest.fixture(scope="session")
def library(prefix: Path) -> Path:
    return next(prefix.rglob("libslipway.so"))


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of a small classifier, trained until it says all four labels; tests must not change it."""
    out = tmp_path_factory.mktemp("artifacts")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SLIPWAY_OFFLINE", "1")
        command = f"fizzbuzz --epochs 150 --data embedded --formats onnx --out {out} --quiet"
        assert run_command(train_and_export_app, "train-and-export", command.split()) == 0
    return out / "fizzbuzz"
