"""Pictures as PNG bytes, drawn without a display; the same numbers give the same bytes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray


def new_figure(rows: int = 1, columns: int = 1, *, size: tuple[float, float] = (9, 3.6)) -> tuple[Figure, NDArray[Any]]:
    """Return a figure of ``size`` inches and its axes, [rows, columns]."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False)


def png(figure: Figure) -> bytes:
    """Return the figure as PNG."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120, metadata={"Software": None})
    return picture.getvalue()
