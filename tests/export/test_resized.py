"""Layers that resize: exported at free sizes, by a factor and to the size of another tensor."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from export_models import OPERATORS, assert_agrees, export, op_types, tensors
from torch import Tensor, nn
from torch.nn import functional as F

from slipway.runtime import find_runtimes
from slipway_export import export_bundle
from slipway_export.module import trained_module
from slipway_export.ports import parse_inputs

MODELS = """
import torch
from torch import nn
from torch.nn import functional as F


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.down = nn.Conv2d(1, 4, 3, padding=1)
        self.deep = nn.Conv2d(4, 8, 3, padding=1)
        self.up = nn.Upsample(scale_factor=2)
        self.out = nn.Conv2d(12, 1, 3, padding=1)

    def forward(self, x):
        wide = F.relu(self.down(x))
        deep = F.relu(self.deep(F.max_pool2d(wide, 2)))
        return self.out(torch.cat([wide, self.enlarge(deep, wide)], 1))

    def enlarge(self, deep, wide):
        return self.up(deep)


class UNetOfAnySize(UNet):
    def enlarge(self, deep, wide):
        return F.interpolate(deep, size=wide.shape[2:], mode="bilinear", align_corners=False)
"""


class Resizes(nn.Module):
    """A picture of twice the size."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2.0, mode=self.mode)


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_interpolate_exports_at_free_sizes(mode: str) -> None:
    """By two: with other factors torch rounds the places that it reads, by 1e-5 of what lies there."""
    signature = tensors(("N", 2, "H", "W"), outputs=[("N", 2, "H2", "W2")])
    module = Resizes(mode).eval()
    content = export(module, signature)
    assert "Resize" in op_types(content)
    assert_agrees(module, signature, content)


@pytest.mark.parametrize(
    ("name", "inputs"), [("UNet", "x:float32[N,1,32,32]"), ("UNetOfAnySize", "x:float32[N,1,H,W]")]
)
def test_a_u_net_that_upsamples_is_verified(tmp_path: Path, name: str, inputs: str) -> None:
    (tmp_path / "u_nets.py").write_text(MODELS)
    trained = trained_module(f"{tmp_path}/u_nets.py:{name}", parse_inputs([inputs]), name="u-net")
    names = "onnxruntime-cpu,native-cpu" if find_spec("slipway._engine") is not None else "onnxruntime-cpu"
    bundle = export_bundle(
        trained, tmp_path / "b", formats=("onnx",), operators=OPERATORS, runtimes=find_runtimes(names)
    )
    assert {row["runtime"] for row in bundle.report["verify"]["rows"]} >= set(names.split(","))
