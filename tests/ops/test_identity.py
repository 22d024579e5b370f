"""Identity gives its input, of any type."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, check_refused
from moving_cases import DTYPES, counted

OP = "Identity"


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: np.dtype(dtype).name)
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)], ids=str)
def test_identity_gives_its_input(shape: tuple[int, ...], dtype: type) -> None:
    check(OP, Case("identity", [counted(shape, dtype)]), oracle=lambda x: x)


def test_identity_has_no_attributes() -> None:
    check_refused(OP, Case("attribute", [counted((1,))], {"axis": 0}), "axis")
