"""What the tests of promises share: how much work a run does, and the figures that docs/security.md quotes.

``SLIPWAY_HARDEN=long`` asks for the long form. ``SLIPWAY_FIGURES=FILE`` collects a line of JSON per figure.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # lets the tests of this folder write ``from small_models import ...``


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
