"""Rules that hold for every file: length, paths, version, declared dependencies."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
from pathlib import Path

import slipway
from slipway import _engine

LONGEST = 400

# Files over the limit, each with its reason.
LONGER: dict[str, str] = {}

# Import names whose distribution has another name.
DISTRIBUTIONS = {"ignite": "pytorch-ignite", "sklearn": "scikit-learn", "PIL": "pillow", "onnx_ir": "onnx-ir"}


def test_no_source_file_is_longer_than_its_limit(root: Path, tracked: list[Path]) -> None:
    long = {}
    for path in tracked:
        name = str(path.relative_to(root))
        lines = len(path.read_bytes().splitlines())
        if path.suffix in {".py", ".cc", ".h", ".cu", ".pyi"} and lines > LONGEST and name not in LONGER:
            long[name] = lines
    assert not long, f"over {LONGEST} lines: cut, or give a reason in LONGER: {long}"


def test_the_version_is_the_same_everywhere() -> None:
    assert slipway.__version__ == _engine.__version__ == importlib.metadata.version("slipway")


def test_no_file_holds_a_path_of_a_machine(root: Path, tracked: list[Path]) -> None:
    folders = ["home", "Users", "root", "work", "farm"]
    pattern = re.compile(r"(?<![\w.~$})-])/(?:" + "|".join(folders) + r")/\w|" + re.escape(str(root)) + r"\b")
    faults = []
    for path in tracked:
        if path.suffix in {".md", ".py", ".pyi", ".cc", ".h", ".cu", ".txt", ".cmake", ".toml", ".json", ".yaml", ""}:
            text = path.read_text(encoding="utf-8", errors="replace")
            faults += [f"{path.relative_to(root)}: {match.group()}" for match in pattern.finditer(text)]
    assert not faults, "\n".join(faults)


def test_every_import_is_a_declared_dependency(root: Path) -> None:
    declared = {
        re.split(r"[ <>=!;\[(]", line, maxsplit=1)[0].lower()
        for line in importlib.metadata.requires("slipway") or []
        if "extra ==" not in line
    }
    ours = {"slipway", "slipway_export"}
    undeclared = set()
    for room in ("python/slipway", "export/slipway_export"):
        for path in (root / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                    names = [node.module]
                for name in names:
                    top = name.partition(".")[0]
                    if top in sys.stdlib_module_names or top in ours:
                        continue
                    if DISTRIBUTIONS.get(top, top).lower() not in declared:
                        undeclared.add(f"{path.relative_to(root)} imports {top}")
    assert not undeclared, sorted(undeclared)
