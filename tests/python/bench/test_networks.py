"""benchmarks/networks.py times networks as torch exports them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from slipway.bench import beside
from slipway.bench.protocol import Settings

#: One of each kind: the others take minutes to export.
SMALL = ("dcgan", "mobile-silu-excite", "temporal", "unet-upsampled")


@pytest.fixture(scope="module")
def networks(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("networks")


@pytest.mark.parametrize("name", SMALL)
def test_a_network_has_one_answer_in_both_engines(networks: ModuleType, name: str) -> None:
    once = Settings(rounds=1, turn_seconds=0, sample_seconds=0, rest_seconds=0)
    row = networks.run_network(name, 2, settings=once)
    assert row["case"] == f"{name}, batch 2"
    assert row["ratio"] == pytest.approx(row["onnxruntime"] / row["native"])


def test_unknown_networks_are_named(networks: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert networks.main(["--only", "dcgan,unett"]) == 2
    assert "'unett', expected some of autoencoder, bigru-attention" in capsys.readouterr().err


def test_the_page_has_the_figures_of_the_last_run(networks: ModuleType) -> None:
    root = Path(__file__).parents[3]
    page = " ".join((root / "docs/benchmarks.md").read_text(encoding="utf-8").split())
    rows = json.loads((root / "benchmarks/results/networks.json").read_text(encoding="utf-8"))["rows"]
    assert list(beside.lines_of(rows, "network"))[-1] in page
    assert {row["case"].split(",")[0] for row in rows} == set(networks.NETWORKS)
    for row in sorted(rows, key=lambda row: float(row["ratio"]))[:5]:
        assert f"{row['case']} ({row['ratio']:.2f}x)" in page
