"""EmbeddedGRU against the formulas of GRU on gathered rows."""

from __future__ import annotations

import numpy as np
import pytest
from embedded import DOMAIN, TABLE, cases, check_embedded, embed
from harness import Case, check_refused, name_of

OP = "EmbeddedGRU"


@pytest.mark.parametrize("case", cases("GRU"), ids=name_of)
def test_embedded_gru_follows_the_formulas_of_gru(case: Case, isa: str) -> None:
    check_embedded("GRU", case, isa)


@pytest.mark.parametrize("index", [11, -12, 2**40])
def test_embedded_gru_reports_a_row_outside_the_table(index: int, isa: str) -> None:
    case = embed("GRU", "outside", lengths=[4, 1, 2])
    numbers = np.asarray(case.inputs[0])
    numbers[3, 1] = index  # in the padding, where Gather would find it too
    check_refused(OP, case, rf"index is {index}, allowed are -11 to 10", isa, domain=DOMAIN)


def test_embedded_gru_refuses_a_missing_table_and_one_of_another_width() -> None:
    case = embed("GRU", "table")
    table = np.asarray(case.inputs[TABLE])
    for wrong, message in ((None, "input 8 is missing"), (np.hstack([table, table]), "shape"), (table[0], "rank")):
        broken = Case("broken", [*case.inputs[:TABLE], wrong], case.attributes, case.outputs)
        check_refused(OP, broken, message, domain=DOMAIN)
