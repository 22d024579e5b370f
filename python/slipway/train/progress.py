"""Who wants to know how a run goes on; the commands show it on a terminal."""

from __future__ import annotations

from typing import Protocol

from slipway.recipes._recipe import Dataset, Recipe


class Progress(Protocol):
    """Hears how a run goes on."""

    def started(self, recipe: Recipe, dataset: Dataset, epochs: int, batches: int, done: int) -> None:
        """Training begins, or goes on after ``done`` epochs."""
        ...

    def batch_done(self) -> None:
        """One optimiser step was made."""
        ...

    def epoch_done(self, row: dict[str, float]) -> None:
        """An epoch ended; ``row`` is its line of the history."""
        ...


class Silent:
    """A progress that says nothing."""

    def started(self, recipe: Recipe, dataset: Dataset, epochs: int, batches: int, done: int) -> None:
        """Say nothing."""

    def batch_done(self) -> None:
        """Say nothing."""

    def epoch_done(self, row: dict[str, float]) -> None:
        """Say nothing."""
