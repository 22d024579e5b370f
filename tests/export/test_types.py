"""Types of numbers: what is right in several is exported and verified, and what no runtime has is refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from export_models import OPERATORS

from slipway.errors import ExportError
from slipway.runtime import find_runtimes
from slipway_export import export_bundle
from slipway_export.clean import Operator
from slipway_export.module import trained_module
from slipway_export.ports import parse_inputs

MODELS = """
import numpy as np
import torch
from torch import nn

EVERYWHERE = torch.full((4, 3), 0.3)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(4, 3)


class Attribute(Net):
    def __init__(self):
        super().__init__()
        self.table = [torch.randn(4, 3), {"bias": torch.randn(3)}]

    def forward(self, x):
        return torch.addmm(self.table[1]["bias"], x, self.table[0]) + self.linear(x)


class Constants(Net):
    def forward(self, x):
        y = torch.zeros(x.size(0), 3)
        y += torch.FloatTensor([1, 2, 3])
        y[:, 1] = x[:, 1]
        return self.linear(x) + x @ EVERYWHERE + y


class DoubleScale(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.scale = nn.Parameter(torch.ones((), dtype=torch.float64) / 3)
        self.linear = nn.Linear(4, 3)

    def forward(self, x):
        return self.linear(x) * self.scale.float()


class DoubleInside(Net):
    def __init__(self):
        super().__init__()
        self.linear.double()

    def forward(self, x):
        return self.linear(x.double()).float()


class GivesItsWeight(Net):
    def forward(self, x):
        return self.linear(x), self.linear.weight


class HalfInside(Net):
    def forward(self, x):
        return self.linear(x).half().float()


class BrainWeights(Net):
    def __init__(self):
        super().__init__()
        self.linear.bfloat16()

    def forward(self, x):
        return self.linear(x.bfloat16()).float()


class BrainOut(Net):
    def forward(self, x):
        return self.linear(x).bfloat16()


class FailsOnMany(Net):
    def forward(self, x):
        if torch.jit.is_scripting() or not torch.compiler.is_exporting():
            assert x.size(0) < 17, "too many"
        return self.linear(x)


class Roots(Net):
    def forward(self, x):
        return self.linear(x).sqrt()


class Squeezes(Net):
    def forward(self, x):
        return self.linear(x).mean(1, keepdim=True).squeeze()


class FailsOnOne(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(4, track_running_stats=False)

    def forward(self, x):
        return self.norm(x)
"""
INPUTS = parse_inputs(["x:float32[N,4]"])
MORE = (*OPERATORS, *(Operator(name, "", 13, 24) for name in ("BatchNormalization", "Sqrt")))


@pytest.fixture
def models(tmp_path: Path) -> str:
    (tmp_path / "type_models.py").write_text(MODELS)
    return f"{tmp_path}/type_models.py"


@pytest.mark.parametrize("name", ["Attribute", "Constants", "DoubleScale", "DoubleInside", "GivesItsWeight"])
def test_a_module_of_several_types_is_sealed(models: str, tmp_path: Path, name: str) -> None:
    trained = trained_module(f"{models}:{name}", INPUTS, name="types")
    runtimes = find_runtimes("eager,torchscript,onnxruntime-cpu")
    bundle = export_bundle(trained, tmp_path / "b", operators=OPERATORS, runtimes=runtimes)
    assert all(array.dtype == np.float32 for array in bundle.goldens[0].outputs.values())


def test_answers_that_are_not_a_number_agree_and_numbers_beside_them_are_judged(models: str, tmp_path: Path) -> None:
    trained = trained_module(f"{models}:Roots", INPUTS, name="types")
    runtimes = find_runtimes("onnxruntime-cpu")
    bundle = export_bundle(trained, tmp_path / "b", formats=("onnx",), operators=MORE, runtimes=runtimes)
    ratios = [row["fp64_ratio"] for row in bundle.report["verify"]["rows"] if not row["skipped"]]
    assert np.isnan(bundle.goldens[2].outputs["output"]).any()
    assert 0 < max(ratios) < 8


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("HalfInside", 'HalfInside computes in float16 .first in "to"., expected float32 or float64'),
        ("BrainWeights", "BrainWeights computes in bfloat16"),
        ("BrainOut", "output 0 has type bfloat16, expected one of float32, int64, int32, bool"),
        (
            "Squeezes",
            r'"output" of shape \[\] on case golden_batch_1 \(x \[1, 4\]\), expected \[\'N\'\], .* squeeze\(1\)',
        ),
        (
            "FailsOnOne",
            r"FailsOnOne fails in eager PyTorch on case golden_batch_1 \(x \[1, 4\]\): .*ValueError: .*more than 1",
        ),
        ("FailsOnMany", r"FailsOnMany fails in eager PyTorch on case batch_17 \(x \[17, 4\]\): .*too many"),
    ],
)
def test_what_cannot_be_verified_is_refused_in_a_sentence(models: str, tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(ExportError, match=message):
        export_bundle(trained_module(f"{models}:{name}", INPUTS, name="types"), tmp_path / "b", operators=MORE)
