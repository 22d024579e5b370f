"""The picture of a run: loss and score by epoch."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

#: History column -> what the legend calls it.
_LINES = {"": "training", "validation_": "validation"}


def draw_curves(title: str, score_name: str, history: Sequence[Mapping[str, float]]) -> bytes:
    """Draw loss and score by epoch, and return the picture as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    for axes, column, name in zip(figure.subplots(1, 2), ("loss", "score"), ("loss", score_name), strict=True):
        for prefix, label in _LINES.items():
            points = [(row["epoch"], row[prefix + column]) for row in history if prefix + column in row]
            if points:
                axes.plot(*zip(*points, strict=True), label=label, marker="." if len(points) < 60 else None)
        axes.set_xlabel("epoch")
        axes.set_ylabel(name)
        axes.grid(alpha=0.3)
        axes.legend()
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120, metadata={"Software": None})
    return picture.getvalue()
