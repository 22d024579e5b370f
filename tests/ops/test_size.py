"""Size against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check
from moving_cases import DTYPES, counted

OP = "Size"


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: np.dtype(dtype).name)
@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (2, 3, 4)], ids=str)
def test_size_counts_elements(shape: tuple[int, ...], dtype: type, isa: str) -> None:
    check(OP, Case("size", [counted(shape, dtype)]), isa, oracle=lambda x: np.array(x.size, np.int64))
