"""What a shell may offer on Tab: recipes, runtimes, stages and bundles. Nothing here imports torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from slipway.bundle import SUMS


def recipes(incomplete: str) -> list[str]:
    """Return the built-in recipes that begin so."""
    from slipway.recipes import recipe_names

    return [name for name in recipe_names() if name.startswith(incomplete)]


def one_runtime(incomplete: str) -> list[str]:
    """Return the runtimes that begin so, and their short names."""
    names = _runtimes()
    short = dict.fromkeys(name.partition("-")[0] for name in names)
    return [name for name in dict.fromkeys([*short, *names]) if name.startswith(incomplete)]


def some_runtimes(incomplete: str) -> list[str]:
    """Return what a list with commas may go on with: runtimes that it does not name yet, or ``all``."""
    before, comma, last = incomplete.rpartition(",")
    named = before.split(",")
    names = ([] if comma else ["all"]) + [name for name in _runtimes() if name not in named]
    return [f"{before}{comma}{name}" for name in names if name.startswith(last)]


def words(*choices: str) -> Callable[[str], list[str]]:
    """Return a completion that offers the choices that begin so."""

    def complete(incomplete: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(incomplete)]

    return complete


def bundles(incomplete: str) -> list[str]:
    """Return the bundles whose path begins so, at most one folder further down; else the shell offers files."""
    return sorted(_bundles(incomplete))


def models(incomplete: str) -> list[str]:
    """Return bundles, and ONNX files that begin so."""
    folder, name = _split(incomplete)
    files = [
        f"{folder}{file.name}" for file in _listed(folder) if file.suffix == ".onnx" and file.name.startswith(name)
    ]
    return [*bundles(incomplete), *sorted(files)]


def _runtimes() -> list[str]:
    from slipway.runtime import RUNTIMES

    return [runtime.name for runtime in RUNTIMES]


def _bundles(incomplete: str) -> Iterator[str]:
    folder, name = _split(incomplete)
    for place in _listed(folder):
        if not place.name.startswith(name) or (place.name.startswith(".") and not name) or not place.is_dir():
            continue
        if (place / SUMS).is_file():
            yield f"{folder}{place.name}"
        else:
            below = _listed(f"{folder}{place.name}")
            yield from (f"{folder}{place.name}/{inner.name}" for inner in below if (inner / SUMS).is_file())


def _split(incomplete: str) -> tuple[str, str]:
    """Split into the folder with its slash, as it was typed, and the beginning of a name."""
    folder, slash, name = incomplete.rpartition("/")
    return folder + slash, name


def _listed(folder: str) -> list[Path]:
    try:
        return list(Path(folder or ".").expanduser().iterdir())
    except OSError:  # there is no such folder, or it may not be read: nothing to offer
        return []
