"""Training progress on a terminal; in a pipe there is none."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from slipway.cli._console import notice
from slipway.recipes._recipe import Dataset, Recipe, Source


class TrainingProgress:
    """Shows one bar per run; use as a context, so that the terminal is put back whatever happens."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: Progress | None = None
        self._epochs = 0

    def __enter__(self) -> Self:
        """Start the display, if there is a terminal to show it on."""
        if not self._quiet and sys.stderr.isatty():
            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[row]}"))
            self._bar = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the display away."""
        if self._bar is not None:
            self._bar.stop()

    def started(self, recipe: Recipe, dataset: Dataset, epochs: int, batches: int, done: int) -> None:
        """Say which data is used, and show an empty bar."""
        if not self._quiet:
            notice(f"{recipe.name}: {describe(dataset.source)}")
            if done:
                notice(f"{recipe.name}: continues after epoch {done} of {epochs}")
        self._epochs = epochs
        if self._bar is not None:
            for task in self._bar.task_ids:
                self._bar.remove_task(task)
            self._bar.add_task(recipe.name, total=epochs * batches, completed=done * batches, row="")

    def batch_done(self) -> None:
        """Move the bar by one step."""
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0])

    def epoch_done(self, row: dict[str, float]) -> None:
        """Show the epoch's numbers."""
        if self._bar is not None:
            shown = {"loss": row["loss"], "score": row.get("validation_score", row["score"])}
            text = f"epoch {row['epoch']:.0f}/{self._epochs}  " + "  ".join(f"{k} {v:.4f}" for k, v in shown.items())
            self._bar.update(self._bar.task_ids[0], row=text)


def describe(source: Source) -> str:
    """Say in one line which data a run uses, and why."""
    rows = ", ".join(f"{count:,} {name}" for name, count in source.rows.items())
    reason = f"; {source.reason}" if source.reason else ""
    return f"data: {source.name} ({source.kind}, {source.where}; {rows}{reason})"
