"""Which room of cpp/ may include which: the house plan of the README, read from the #include lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

# A room may include itself and the rooms named here. "engine" is cpp/*.cc, "slipway" the public header.
BELOW_PLAN = {"base", "simd", "cuda", "graph", "ops"}
ALLOWED = {
    "base": set(),
    "simd": {"base"},
    "cuda": {"base"},
    "graph": {"base"},
    "ops": {"base", "simd", "cuda", "graph"},
    "parse": {"base", "graph", "ops"},
    "passes": {"base", "graph", "ops"},
    "plan": BELOW_PLAN | {"parse", "passes"},
    "exec": BELOW_PLAN | {"parse", "passes", "plan"},
    "slipway": {"base", "graph"},
    "engine": BELOW_PLAN | {"parse", "passes", "plan", "exec", "slipway"},
    "ort": {"base", "graph", "slipway"},
    "infer": {"base", "graph", "slipway", "ort"},
    "c": {"base", "graph", "slipway"},
    "bind": BELOW_PLAN | {"parse", "passes", "plan", "exec", "slipway", "engine"},
}

# What few rooms alone may include from outside.
RESERVED = {
    "pybind11": ("bind",),
    "Python.h": ("bind",),
    "dlfcn.h": ("cuda", "ort"),
    "png.h": ("infer",),
    "jpeglib.h": ("infer",),
}

# Headers without code that the linker could share between instruction sets.
FREESTANDING = {"cfloat", "climits", "cmath", "cstddef", "cstdint", "cstring", "immintrin.h", "arm_neon.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def includes(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield every (file below cpp/, included name)."""
    for path in sorted((root / "cpp").rglob("*")):
        if path.suffix in {".cc", ".h", ".cu", ".cuh"}:
            for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
                yield path.relative_to(root / "cpp"), name


def room_of(path: Path) -> str:
    """Return the room of a file below cpp/."""
    if path.parts[0] == "include":
        return "slipway"
    return path.parts[0] if len(path.parts) > 1 else "engine"


def test_a_room_includes_only_rooms_below_it(root: Path) -> None:
    faults = []
    for path, name in includes(root):
        room, _, rest = name.partition("/")
        if not rest or not ((root / "cpp" / name).is_file() or room == "slipway"):
            continue
        if room not in ALLOWED[room_of(path)] | {room_of(path)}:
            faults.append(f"cpp/{path} includes {name}: {room_of(path)} may not know {room}")
    assert not faults, "\n".join(faults)


def test_every_room_has_a_place_in_the_house_plan(root: Path) -> None:
    rooms = {path.name for path in (root / "cpp").iterdir() if path.is_dir()} - {"include"}
    assert rooms <= set(ALLOWED), f"no rule says what {sorted(rooms - set(ALLOWED))} may include"


@pytest.mark.parametrize("header", RESERVED)
def test_an_outside_library_stays_in_its_room(root: Path, header: str) -> None:
    faults = [f"cpp/{path}" for path, name in includes(root) if name.startswith(header)]
    allowed = tuple(f"cpp/{room}/" for room in RESERVED[header])
    assert all(fault.startswith(allowed) for fault in faults), faults


def test_kernels_compiled_per_instruction_set_include_nothing_shared(root: Path) -> None:
    faults = []
    for path, name in includes(root):
        if not path.stem.endswith("_simd"):
            continue
        own = name.startswith(("simd/", "ops/")) and (root / "cpp" / name).is_file()
        if not own and name not in FREESTANDING:
            faults.append(f"cpp/{path} includes {name}")
        if name in {"ops/op.h", "ops/table.h"}:
            faults.append(f"cpp/{path} includes {name}: kernels know no graph")
    assert not faults, "\n".join(faults)
