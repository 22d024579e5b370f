"""Kernels compiled for one instruction set share no code with the rest.

A template or inline function that two object files hold is kept once by the linker, perhaps as compiled with AVX-512;
an older machine then crashes in code that never asked for it (numpy issue 25274). So every weak symbol that such a
file defines must belong to the namespace of its own instruction set.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

# Not code: a pointer that the unwinder reads.
HARMLESS = {"DW.ref.__gxx_personality_v0"}


def object_files(root: Path) -> list[Path]:
    """Return the objects of the newest optimised build, or of SLIPWAY_BUILD_DIR."""
    if "SLIPWAY_BUILD_DIR" in os.environ:
        builds = [Path(os.environ["SLIPWAY_BUILD_DIR"])]
    else:
        builds = [path for path in (root / "build").glob("*") if path.name not in {"asan", "fuzz", "tsan", "tidy"}]
    builds = [build for build in builds if any(build.rglob("*_simd.cc.o"))]
    if not builds:
        return []
    newest = max(builds, key=lambda build: max(path.stat().st_mtime for path in build.rglob("*_simd.cc.o")))
    return sorted(newest.rglob("*_simd.cc.o"))


def weak_symbols(path: Path) -> list[str]:
    """Return the demangled weak symbols that an object file defines."""
    listing = subprocess.run(["nm", "-C", "--defined-only", str(path)], capture_output=True, text=True, check=True)
    symbols = []
    for line in listing.stdout.splitlines():
        _, kind, name = line.split(" ", 2)
        if kind in "WwVvu":
            symbols.append(name)
    return symbols


@pytest.mark.skipif(shutil.which("nm") is None, reason="nm is not installed")
def test_kernels_define_no_foreign_weak_symbol(root: Path) -> None:
    objects = object_files(root)
    if not objects:
        pytest.skip("no object files: the package was not built in this tree (SLIPWAY_BUILD_DIR names another build)")
    faults = []
    for path in objects:
        isa = (
            next(part for part in path.parts if part.startswith("slipway_"))
            .removeprefix("slipway_")
            .removesuffix(".dir")
        )
        foreign = [name for name in weak_symbols(path) if f"slipway::{isa}::" not in name and name not in HARMLESS]
        faults += [f"{isa}/{path.name}: {name}" for name in foreign]
    assert not faults, "\n".join(faults)
