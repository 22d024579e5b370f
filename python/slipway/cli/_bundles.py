"""Bundles that a command line names, often by ``artifacts/*``, where other files lie beside them."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from slipway.cli._console import notice
from slipway.errors import UsageError

#: What train-and-export leaves beside a bundle.
_BESIDE = ("*.checkpoint.pt", "*.profile.json", "*.profile.txt")


def bundle_folders(paths: Sequence[Path]) -> list[Path]:
    """Return the paths without those that training leaves beside bundles; what is left out is told.

    Raises:
        UsageError: Nothing else is named.
    """
    beside = [path for path in paths if path.is_file() and any(fnmatch(path.name, form) for form in _BESIDE)]
    if beside and len(beside) == len(paths):
        raise UsageError(
            f"expected bundle folders, got {', '.join(map(str, beside))}, which training leaves beside them"
        )
    for path in beside:
        notice(f"{path} is left out: it is no bundle, but what training leaves beside one")
    return [path for path in paths if path not in beside]
