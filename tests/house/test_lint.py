"""Formatters, linters and type checkers, run as tests with the settings of pyproject.toml."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def run(root: Path, *command: str) -> None:
    """Run a tool of this environment in the tree; its output is the test's message."""
    program = shutil.which(command[0], path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert program is not None, f"{command[0]} is not installed: pip install '.[test]'"
    environment = os.environ | {"PYTHONPATH": f"{root / 'python'}{os.pathsep}{root / 'export'}", "NO_COLOR": "1"}
    done = subprocess.run(
        [program, *command[1:]], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_python_obeys_the_linter(root: Path) -> None:
    run(root, "ruff", "check", ".")


def test_python_is_formatted(root: Path) -> None:
    run(root, "ruff", "format", "--check", ".")


def test_python_is_typed(root: Path) -> None:
    run(root, "mypy")


def test_the_extensions_stub_is_true(root: Path) -> None:
    allowed = "tests/house/stubtest_allowed.txt"
    run(root, "stubtest", "slipway._engine", "--mypy-config-file", "pyproject.toml", "--allowlist", allowed)


def test_rooms_of_python_import_only_what_they_may(root: Path) -> None:
    run(root, "lint-imports")


def test_cpp_is_formatted(root: Path, tracked: list[Path]) -> None:
    files = [str(path.relative_to(root)) for path in tracked if path.suffix in {".c", ".cc", ".h", ".cu"}]
    run(root, "clang-format", "--dry-run", "--Werror", *files)


@pytest.mark.parametrize("name", ["python/slipway/py.typed", "python/slipway/_engine.pyi"])
def test_types_are_shipped(root: Path, name: str) -> None:
    assert (root / name).is_file()
