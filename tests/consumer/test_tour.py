"""The program of docs/tour.md, built against the installed slipway, says of the page's own model what Python says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import slipway

from .conftest import ROOT, run

pytestmark = pytest.mark.slow

INPUTS = ("--inputs", "x:float32[T,N,1]", "--inputs", "lengths:int64[N]<=T")


@pytest.fixture
def tour(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The files that the page shows, in a folder that is also the current one, and the page's model as a bundle."""
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
    for name, text in re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        Path(name).write_text(text, encoding="utf-8")
    Path("labels.txt").write_text("falls\nstays\nrises\n", encoding="utf-8")
    run(sys.executable, "model.py")
    slipway_command = Path(sys.executable).with_name("slipway")
    options = ("--name", "trend", "--labels", "labels.txt", "--formats", "onnx", *INPUTS)
    run(slipway_command, "export", "model.py:make", *options)
    return tmp_path


def test_the_program_of_the_tour_says_what_python_says(tour: Path, prefix: Path) -> None:
    config = next(prefix.rglob("slipwayConfig.cmake")).parent
    run("cmake", "-S", tour, "-B", "build", f"-Dslipway_DIR={config}", "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror")
    run("cmake", "--build", "build")
    session = slipway.Session("artifacts/trend")
    for numbers, label in (((3, 4, 2, 7, 8), "rises"), ((8, 7, 4, 1, 0), "falls"), ((1, 1, 1, 1), "stays")):
        *scores, told = run("build/trend", "artifacts/trend/model.onnx", *map(str, numbers)).stdout.split()
        x = np.array(numbers, np.float32).reshape(-1, 1, 1)
        [expected] = session.run({"x": x, "lengths": np.array([len(numbers)])})["output"]
        assert told == label
        np.testing.assert_allclose(np.array(scores, float), expected, rtol=1e-5)  # it prints six digits
    assert 'cannot read "nowhere"' in run("build/trend", "nowhere", "1", code=1).stderr
