"""Lets the operators' tests write ``from harness import ...`` and gives them the parameter ``isa``.

A test that takes ``isa`` runs once per column of kernels that this machine has and that the operator fills in; its
module names the operator as ``OP = "Conv"``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Fill in ``isa`` from the table of operators."""
    if "isa" not in metafunc.fixturenames:
        return
    from harness import columns_of

    op = getattr(metafunc.module, "OP", "")
    metafunc.parametrize("isa", columns_of(op, getattr(metafunc.module, "DOMAIN", "")))


@pytest.fixture
def vectors(isa: str) -> str:
    """The instruction sets that have programs of networks."""
    if isa in ("scalar", "cuda"):
        pytest.skip("runs nodes, or stages")
    return isa
