"""Attention: joined projections are folded, and padding is what eager PyTorch says without its fast path."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NoReturn

import pytest
import torch
from export_models import OPERATORS

from slipway.bundle import Bundle
from slipway.runtime import find_runtimes
from slipway.runtime.protocol import Arrays
from slipway_export import export_bundle
from slipway_export.clean import Operator
from slipway_export.module import trained_module
from slipway_export.ports import parse_inputs
from slipway_export.pt2 import ExportedProgramRuntime

MODELS = """
import torch
from torch import nn


class Cross(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x, y):
        return self.attention(x, y, y)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)

    def forward(self, x, y):
        return self.layer(x, y)


class Padded(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)

    def forward(self, x, lengths):
        padding = torch.arange(x.size(1))[None] >= lengths[:, None]
        return self.encoder(x, src_key_padding_mask=padding)
"""
_NAMES = "And CastLike Equal GreaterOrEqual IsNaN LayerNormalization Not Or Pow ReduceSum Softmax Sqrt"
MORE = (*OPERATORS, *(Operator(name, "", 13, 24) for name in _NAMES.split()))
TWO = ["x:float32[N,T,8]", "y:float32[N,T2,8]"]


OLD = tuple(map(int, torch.__version__.split(".")[:2])) < (2, 12)
PADDED = pytest.param(
    "Padded",
    ["x:float32[N,T,8]", "lengths:int64[N]<=T"],
    marks=pytest.mark.skipif(OLD, reason="torch 2.11 asks whether min(T, 2 T) is T, and refuses"),
)


@pytest.mark.parametrize(("name", "inputs"), [("Cross", TWO), ("Decoder", TWO), PADDED])
def test_attention_is_sealed(tmp_path: Path, name: str, inputs: list[str], caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "attention.py").write_text(MODELS)
    trained = trained_module(f"{tmp_path}/attention.py:{name}", parse_inputs(inputs), name="attention")
    fast, level = torch.backends.mha.get_fastpath_enabled(), logging.getLogger("onnxscript").level
    runtimes = find_runtimes("eager,torchscript,onnxruntime-cpu")
    bundle = export_bundle(trained, tmp_path / "b", operators=MORE, runtimes=runtimes)
    assert torch.backends.mha.get_fastpath_enabled() == fast
    assert logging.getLogger("onnxscript").level == level
    assert "multiple outputs" not in caplog.text
    assert bundle.signature.outputs[0].dims == ("N", "T", 8)
    assert "model.ts.pt" not in bundle.report["missing"]


def test_a_program_whose_guards_refuse_a_size_is_left_out_and_says_so(tmp_path: Path) -> None:
    class Guarded(ExportedProgramRuntime):
        def load(self, bundle: Bundle, threads: int = 1) -> Guarded:  # type: ignore[override]  # a stand-in
            return self

        def run(self, inputs: Arrays) -> NoReturn:
            raise AssertionError("Guard failed: x.size()[1] != 1")

    (tmp_path / "attention.py").write_text(MODELS)
    trained = trained_module(f"{tmp_path}/attention.py:Decoder", parse_inputs(TWO), name="attention")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("slipway_export.pt2.ExportedProgramRuntime", Guarded)
        bundle = export_bundle(trained, tmp_path / "b", operators=MORE, runtimes=find_runtimes("onnxruntime-cpu"))
    assert bundle.report["missing"]["model.pt2"].startswith(
        "torch's own guards refuse sizes that the model takes (case"
    )
    assert not (tmp_path / "b" / "model.pt2").exists()
    (row,) = (row for row in bundle.report["verify"]["rows"] if row["runtime"] == "pt2")
    assert row["skipped"] == bundle.report["missing"]["model.pt2"]
