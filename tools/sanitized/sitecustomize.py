"""On PYTHONPATH, lets every interpreter import the extension that SLIPWAY_ENGINE names in place of the installed one.

For `make harden-asan`: the same Python files and tests, with an engine that a sanitizer watches.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType


class Finder:
    """Finds slipway._engine, and nothing else, where SLIPWAY_ENGINE says."""

    def find_spec(self, name: str, _: Sequence[str] | None, __: ModuleType | None = None) -> ModuleSpec | None:
        """Return where the extension is, None for any other module."""
        if name != "slipway._engine":
            return None
        return importlib.util.spec_from_file_location(name, os.environ["SLIPWAY_ENGINE"])


if "SLIPWAY_ENGINE" in os.environ:
    sys.meta_path.insert(0, Finder())
