"""The generated part of ``docs/operators.md``: ``python -m slipway.operators docs/operators.md`` renews it.

The part stands between two marks; everything else on the page is written by hand.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from slipway import _engine
from slipway._pages import with_part

if TYPE_CHECKING:
    from slipway._engine import OperatorRow

BEGIN = "<!-- made from cpp/ops/ops.def by `make docs`; do not edit -->"
END = "<!-- end of the generated part -->"


def table(rows: Sequence[OperatorRow]) -> str:
    """Return the table of operators in Markdown, sorted by domain and name."""
    lines = ["| operator | opset | tolerance | kernels | file |", "|---|---|---|---|---|"]
    for row in sorted(rows, key=lambda row: (row["domain"], row["onnx"])):
        name = f"{row['domain']}::{row['onnx']}" if row["domain"] else row["onnx"]
        columns = ["scalar", *(["simd"] if row["has_simd"] else []), *(["cuda"] if row["has_cuda"] else [])]
        kernels = ", ".join(columns)
        if row["kind"] == "view":
            kernels = "none: a view"
        if row["kind"] == "control":
            kernels = "none: runs graphs"
        opsets = f"{row['min_opset']} to {row['max_opset']}"
        lines.append(f"| {name} | {opsets} | {row['tolerance']} | {kernels} | `cpp/ops/{row['id']}.cc` |")
    return "\n".join(lines)


def renew(page: str, rows: Sequence[OperatorRow]) -> str:
    """Return the page with a new generated part.

    Raises:
        ValueError: The page lacks a mark.
    """
    return with_part(page, BEGIN, END, f"{len(rows)} rows.\n\n{table(rows)}")


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renew(path.read_text(encoding="utf-8"), _engine.operators()), encoding="utf-8")
