"""The pictures of every run: loss and score by epoch, and the confusion matrix of the test split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slipway._figures import new_figure, png

#: History column -> what the legend calls it.
_LINES = {"": "training", "validation_": "validation"}


def draw_curves(title: str, score_name: str, history: Sequence[Mapping[str, float]]) -> bytes:
    """Draw loss and score by epoch, and return the picture as PNG."""
    figure, grid = new_figure(1, 2)
    figure.suptitle(title, parse_math=False)
    for axes, column, name in zip(grid[0], ("loss", "score"), ("loss", score_name), strict=True):
        for prefix, label in _LINES.items():
            points = [(row["epoch"], row[prefix + column]) for row in history if prefix + column in row]
            if points:
                axes.plot(*zip(*points, strict=True), label=label, marker="." if len(points) < 60 else None)
        axes.set_xlabel("epoch")
        axes.set_ylabel(name, parse_math=False)
        axes.grid(alpha=0.3)
        axes.legend()
    return png(figure)


def draw_confusion(title: str, confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> bytes:
    """Draw a confusion matrix, true classes down and predicted ones across; a cell's shade is its share of its row.

    Args:
        title: Stands above the picture.
        confusion: Counts, [K][K].
        labels: Names of the K classes.
    """
    k = len(labels)
    side = min(14.0, 3.0 + 0.45 * k)
    figure, grid = new_figure(size=(side + 1.0, side))
    axes = grid[0, 0]
    shares = [[count / max(1, sum(row)) for count in row] for row in confusion]
    axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    axes.set_xticks(range(k), labels, rotation=90 if k > 4 else 0, parse_math=False)
    axes.set_yticks(range(k), labels, parse_math=False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(title, fontsize=9, parse_math=False)
    if k <= 20:
        for i, row in enumerate(confusion):
            for j, count in enumerate(row):
                if count:
                    colour = "white" if shares[i][j] > 0.5 else "black"
                    axes.text(j, i, str(count), ha="center", va="center", fontsize=7, color=colour)
    return png(figure)
