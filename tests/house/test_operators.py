"""The one table of operators against the files, the engine, and the page made from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from slipway import _engine, operators

ROW = re.compile(r'^SLIPWAY_OP\((\w+), "(\w+)", "(\w*)", (\d+), (\d+), (\w+), (\w+), (\w+), (\w+)\)', re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """One row of ops.def, as written."""

    id: str
    onnx: str
    domain: str
    min_opset: int
    max_opset: int
    tolerance: str
    kind: str
    simd: str
    cuda: str


@pytest.fixture(scope="module")
def rows(root: Path) -> list[Row]:
    text = (root / "cpp/ops/ops.def").read_text(encoding="utf-8")
    assert len(ROW.findall(text)) == len(re.findall("^SLIPWAY_OP", text, re.MULTILINE))
    return [Row(r[0], r[1], r[2], int(r[3]), int(r[4]), *r[5:]) for r in ROW.findall(text)]


def test_rows_are_sorted_and_unique(rows: list[Row]) -> None:
    ids = [row.id for row in rows]
    assert ids == sorted(set(ids))


def test_the_engine_has_the_rows_of_the_table(rows: list[Row]) -> None:
    written = [(row.id, row.onnx, row.domain, row.min_opset, row.max_opset, row.kind) for row in rows]
    built = [
        (
            row["id"],
            row["onnx"],
            row["domain"],
            row["min_opset"],
            row["max_opset"],
            row["kind"].capitalize(),
        )
        for row in _engine.operators()
    ]
    assert built == written


def test_every_row_has_its_files_and_its_test(root: Path, rows: list[Row]) -> None:
    wanted = [f"cpp/ops/{row.id}.cc" for row in rows]
    wanted += [f"cpp/ops/{row.id}_simd.cc" for row in rows if row.simd == "SIMD"]
    wanted += [f"cpp/ops/{row.id}.cu" for row in rows if row.cuda == "CUDA"]
    wanted += [f"tests/ops/test_{row.id}.py" for row in rows]
    assert [path for path in wanted if not (root / path).is_file()] == []


def test_every_operators_file_has_a_row(root: Path, rows: list[Row]) -> None:
    ids = {row.id for row in rows}
    for path in sorted((root / "cpp/ops").glob("*.cc")):
        header = path.with_suffix(".h")
        is_shared = header.is_file() and f"infer_{path.stem}(" in header.read_text(encoding="utf-8")
        if f"void infer_{path.stem}(" in path.read_text(encoding="utf-8") and not is_shared:
            assert path.stem in ids, f"{path.name} has no row in ops.def"
    simd = {row.id for row in rows if row.simd == "SIMD"}
    assert {path.stem.removesuffix("_simd") for path in (root / "cpp/ops").glob("*_simd.cc")} <= simd


def test_every_operators_file_says_what_it_is(root: Path, rows: list[Row]) -> None:
    for row in rows:
        first = (root / f"cpp/ops/{row.id}.cc").read_text(encoding="utf-8").partition("\n")[0]
        assert first.startswith("// "), f"cpp/ops/{row.id}.cc does not open with the operator's meaning"


def test_the_page_of_operators_is_up_to_date(root: Path) -> None:
    page = (root / "docs/operators.md").read_text(encoding="utf-8")
    assert operators.renew(page, _engine.operators()) == page, "run `make docs`"
