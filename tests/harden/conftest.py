"""What the tests of promises share: how much work a run does, and the figures that docs/security.md quotes.

``SLIPWAY_HARDEN=long`` asks for the long form. ``SLIPWAY_FIGURES=FILE`` collects a line of JSON per figure.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # lets the tests of this folder write ``from small_models import ...``

from commands import Commands, Program, build_shim
from scenarios import SCENARIOS, Scenario


@dataclass(frozen=True)
class Effort:
    """Which form of the tests runs: ``effort(short=100, long=10_000)`` picks a number of rounds."""

    is_long: bool

    def __call__(self, *, short: int, long: int) -> int:
        return long if self.is_long else short


@pytest.fixture(scope="session")
def effort() -> Effort:
    return Effort(os.environ.get("SLIPWAY_HARDEN") == "long")


@pytest.fixture
def figure(request: pytest.FixtureRequest, effort: Effort) -> Callable[[str, float | str], None]:
    """Note what a test did: ``figure("runs with the same bits", 640_000)``."""

    def note(what: str, value: float | str) -> None:
        request.node.user_properties.append((what, value))
        if "SLIPWAY_FIGURES" in os.environ:
            form = "long" if effort.is_long else "short"
            row = {"test": request.node.nodeid, "form": form, "figure": what, "value": value}
            with Path(os.environ["SLIPWAY_FIGURES"]).open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")

    return note


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library of ``faults.c``."""
    built = build_shim(tmp_path_factory.mktemp("shim"))
    if built is None:
        pytest.skip("there is no C compiler (cc) to build faults.c with")
    return built


@pytest.fixture(scope="session")
def commands(shim: Path) -> Iterator[Commands]:
    """The commands of slipway, started from a process that has loaded everything."""
    started = Commands(shim, "hello-rnn --preset smoke --data embedded --formats onnx --quiet")
    yield started
    started.close()


@pytest.fixture(scope="session")
def infer(shim: Path) -> Program:
    """The program slipway-infer, to be put under faults."""
    return Program(shim)


@pytest.fixture(scope="session", params=SCENARIOS, ids=lambda kind: kind.__name__.lower())
def scenario(
    request: pytest.FixtureRequest, commands: Commands, infer: Program, tmp_path_factory: pytest.TempPathFactory
) -> Scenario:
    """Each command that writes files."""
    made: Scenario = request.param(commands, infer, tmp_path_factory.mktemp("shared"))
    return made


@pytest.fixture(scope="session")
def bundle(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small bundle; tests must not change it."""
    out = tmp_path_factory.mktemp("bundles")
    arguments = "hello-rnn --preset smoke --data embedded --formats onnx --quiet"
    assert commands("train-and-export", *arguments.split(), "--out", out).code == 0
    return out / "hello-rnn"
