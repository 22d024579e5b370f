"""Dropout in inference is the identity."""

from __future__ import annotations

import numpy as np
import pytest
from harness import Case, check, check_refused, run
from moving_cases import counted

from slipway.errors import SlipwayError

OP = "Dropout"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dropout_gives_its_input(dtype: type) -> None:
    for shape in ((), (0,), (2, 3)):
        check(OP, Case("plain", [counted(shape, dtype)]), oracle=lambda x: x)
    ratio = np.array(0.5, np.float32)
    check(OP, Case("ratio", [counted((2, 3), dtype), ratio], {"seed": 3}), oracle=lambda x, ratio, seed: x)


def test_dropout_refuses_training_and_the_mask() -> None:
    x = counted((2,))
    check_refused(OP, Case("mask", [x], outputs=2), "mask")
    check_refused(OP, Case("unknown", [x, None, np.array(False)]), "training_mode is not a constant")
    training = Case("training", [x, None, np.array(True)])
    with pytest.raises(SlipwayError, match="training_mode is true"):
        run(OP, training, all_constant=True)
    assert run(OP, Case("inference", [x, None, np.array(False)]), all_constant=True)[0].tolist() == x.tolist()
