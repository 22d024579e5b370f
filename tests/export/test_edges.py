"""Sizes at the edge: a question that Python asks of a size is found, and one that only a kernel asks is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from export_models import OPERATORS

from slipway.errors import ExportError
from slipway.runtime import find_runtimes
from slipway.signature import Signature
from slipway_export import export_bundle
from slipway_export.capture import capture
from slipway_export.cases import Pool, example_inputs, probe_inputs, sized_inputs
from slipway_export.clean import Operator
from slipway_export.edges import Edge
from slipway_export.module import trained_module
from slipway_export.ports import parse_inputs

MODELS = """
import torch
from torch import nn
from torch.nn import functional as F


class Pictures(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.linear = nn.Linear(4, 2)

    def small(self, y):
        return self.linear(y.mean((2, 3)))


class PoolsLarge(Pictures):
    def forward(self, x):
        y = self.conv(x)
        return self.small(F.max_pool2d(y, 2) if x.size(2) >= 24 else y)


class SumsHuge(Pictures):
    def forward(self, x):
        y = self.small(self.conv(x))
        return y if x.size(3) <= 100 else y * 2


class AsksIfEven(Pictures):
    def forward(self, x):
        y = self.small(self.conv(x))
        return y if x.size(2) % 2 == 0 else y * 2


class AsksIfWide(Pictures):
    def forward(self, x):
        y = self.small(self.conv(x))
        return y if x.size(2) < x.size(3) else y * 2


class AsksIfOne(Pictures):
    def forward(self, x):
        y = self.small(self.conv(x))
        return y * 2 if x.size(2) == 1 else y


class RefusesSmall(Pictures):
    def forward(self, x):
        if x.size(2) < 24:
            raise ValueError("made for 24 rows and more")
        return self.small(F.max_pool2d(self.conv(x), 2))


class Rows(nn.Module):
    def forward(self, x):
        return x.sum(-1) if x.size(-1) < 16 else x[..., :16].mean(-1)


class Deep(Pictures):
    def __init__(self):
        super().__init__()
        self.more = nn.Conv2d(4, 4, 5, 2)

    def forward(self, x):
        y = F.max_pool2d(F.relu(self.conv(x)), 2)
        return self.small(F.max_pool2d(F.relu(self.more(y)), 2))
"""
PICTURES = ["x:float32[N,3,H,W]"]
RUNTIMES = find_runtimes("onnxruntime-cpu")


@pytest.fixture
def models(tmp_path: Path) -> str:
    (tmp_path / "edge_models.py").write_text(MODELS)
    return f"{tmp_path}/edge_models.py"


def exported(models: str, name: str, inputs: list[str], out: Path) -> Path:
    trained = trained_module(f"{models}:{name}", parse_inputs(inputs), name="edges")
    return export_bundle(trained, out, formats=("onnx",), operators=OPERATORS, runtimes=RUNTIMES).path


@pytest.mark.parametrize(
    ("name", "inputs", "rule", "taken"),
    [
        ("PoolsLarge", PICTURES, "H >= 24", "H=23"),
        ("SumsHuge", PICTURES, "W <= 100", "W=101"),
        ("AsksIfEven", PICTURES, r"\(H % 2\) == 0", "H=31"),
        ("AsksIfWide", PICTURES, "H < W", "H=40"),
        ("AsksIfOne", PICTURES, "H >= 2", "H=1"),
        ("Rows", ["x:float32[N,L]"], "L >= 16", "L=15"),
    ],
)
def test_an_answer_that_python_gave_for_one_size_is_refused(
    models: str, tmp_path: Path, name: str, inputs: list[str], rule: str, taken: str
) -> None:
    with pytest.raises(ExportError, match=f"{name}: its exported forms are right only where {rule}, .* takes {taken}"):
        exported(models, name, inputs, tmp_path / "b")
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(("name", "least"), [("Deep", 14), ("RefusesSmall", 24)])
def test_sizes_that_eager_refuses_too_are_nobodys_loss(models: str, tmp_path: Path, name: str, least: int) -> None:
    operators = (*OPERATORS, *(Operator(o, "", 13, 24) for o in ("Max", "Floor")))
    trained = trained_module(f"{models}:{name}", parse_inputs(PICTURES), name="edges")
    bundle = export_bundle(trained, tmp_path / "b", operators=operators, runtimes=RUNTIMES)
    cases = {row["case"] for row in bundle.report["verify"]["rows"] if row["runtime"] == "onnxruntime-cpu"}
    heights = {int(case.removeprefix("H=")) for case in cases if case.startswith("H=") and "," not in case}
    assert min(heights) == least


def test_edges_stand_on_both_sides_of_a_bound() -> None:
    class Kernel(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.conv1d(x, torch.ones(1, 3, 7))

    signature = Signature(parse_inputs(["x:float32[N,3,L]"]), ())
    pool = Pool.of(signature)
    edges = capture(Kernel(), signature, example_inputs(pool), probe_inputs(pool), formats=("onnx",)).edges
    by_name = {edge.name: edge for edge in edges}
    assert {"L=6", "L=7", "L=1", "N=1"} <= set(by_name)
    assert by_name["L=6"] == Edge("L >= 7", {"N": 4, "L": 6}, {"L": 6})


def test_inputs_have_exactly_the_sizes_that_were_asked_for() -> None:
    ports = ["a:float32[T,N,3]", "n:int64[N]<=T", "b:float32[T2,N,D]", "mask:float32[N,T2,T]"]
    inputs = sized_inputs(Pool.of(Signature(parse_inputs(ports), ())), {"N": 3, "T": 5, "T2": 2, "D": 40})
    shapes = {name: array.shape for name, array in inputs.items()}
    assert shapes == {"a": (5, 3, 3), "n": (3,), "b": (2, 3, 40), "mask": (3, 2, 5)}
    assert inputs["n"].tolist() == [5, 4, 3]


def test_a_size_that_the_example_froze_is_refused_by_its_name() -> None:
    class Pooled(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.max_pool1d(x, 7)

    signature = Signature(parse_inputs(["x:float32[N,3,L]"]), ())
    pool = Pool.of(signature)
    with pytest.raises(ExportError, match='L of input "x" was frozen to 35'):
        capture(Pooled(), signature, example_inputs(pool), probe_inputs(pool), formats=("onnx",))
