"""Activations and positional encodings of notebooks: each exports as its own operator, and every runtime agrees."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import onnx
from export_models import OPERATORS

from slipway.bundle import ONNX
from slipway.runtime import find_runtimes
from slipway_export import export_bundle
from slipway_export.clean import Operator
from slipway_export.module import trained_module
from slipway_export.ports import parse_inputs

MODELS = """
import torch
from torch import nn


class Pictures(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.Hardswish(), nn.Conv2d(8, 6, 3, padding=1), nn.PReLU(6, init=0.2),
            nn.Conv2d(6, 4, 3, padding=1), nn.PReLU(), nn.Conv2d(4, 4, 1), nn.Mish(), nn.PixelShuffle(2),
        )

    def forward(self, x):
        return self.layers(x).mean((2, 3))


class Positions(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(12, 3)

    def forward(self, x):
        angles = x * 100.0 / torch.tensor([1.0, 10.0, 100.0, 1000.0])
        return self.linear(torch.cat([torch.sin(angles), torch.cos(angles), nn.functional.celu(x, 0.5)], -1))
"""
_NAMES = ("Celu", "Cos", "DepthToSpace", "HardSwish", "Mish", "PRelu", "Sin")
MORE = (*OPERATORS, *(Operator(name, "", 13, 24) for name in _NAMES))


def export_and_verify(name: str, inputs: str, tmp_path: Path) -> set[str]:
    """Seal a bundle of one of MODELS; returns the operators of its model."""
    (tmp_path / "models.py").write_text(MODELS)
    trained = trained_module(f"{tmp_path}/models.py:{name}", parse_inputs([inputs]), name=name.lower())
    names = "eager,onnxruntime-cpu" + (",native-cpu" if find_spec("slipway._engine") else "")
    bundle = export_bundle(trained, tmp_path / "b", formats=("onnx",), operators=MORE, runtimes=find_runtimes(names))
    rows = bundle.report["verify"]["rows"]
    assert {row["runtime"] for row in rows} >= set(names.split(",")) - {"eager"}
    assert all(row["ok"] for row in rows)
    return {node.op_type for node in onnx.load_model(bundle.file(ONNX)).graph.node}


def test_activations_of_pictures_are_operators_of_their_own(tmp_path: Path) -> None:
    assert {"DepthToSpace", "HardSwish", "Mish", "PRelu"} <= export_and_verify(
        "Pictures", "x:float32[N,3,H,W]", tmp_path
    )


def test_positional_encodings_are_sines_and_cosines(tmp_path: Path) -> None:
    assert {"Celu", "Cos", "Sin"} <= export_and_verify("Positions", "x:float32[N,T,4]", tmp_path)
