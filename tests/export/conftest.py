"""Lets the export tests write ``from export_models import ...``, keeps torch to one thread, and shares one bundle."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle of a small untrained model of names; tests must not change it."""
    from export_models import OPERATORS, trained_names

    from slipway.runtime import find_runtimes
    from slipway_export import export_bundle

    out = tmp_path_factory.mktemp("bundles") / "tiny-names"
    runtimes = find_runtimes("eager,torchscript,onnxruntime-cpu,onnxruntime-cuda")
    return export_bundle(trained_names(), out, operators=OPERATORS, runtimes=runtimes).path


@pytest.fixture
def copied(sealed: Path, tmp_path: Path) -> Path:
    """Return a copy of the bundle that a test may damage."""
    return Path(shutil.copytree(sealed, tmp_path / "copy"))
