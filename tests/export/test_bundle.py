"""Bundles: what opening one checks, and what it gives."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from export_models import NAMES, TEXTS, names_data

from slipway.bundle import ONNX, PT2, SUMS, TORCHSCRIPT, WEIGHTS, Bundle
from slipway.errors import BundleError, InputError, UnavailableError
from slipway.preprocess import encode
from slipway.runtime.checked import SCALE_TOLERANCE


def test_a_bundle_gives_everything_it_holds(sealed: Path) -> None:
    bundle = Bundle.open(sealed)
    assert bundle.recipe == "tiny-names"
    assert bundle.signature == NAMES.signature(NAMES.config, names_data())
    assert bundle.provenance["config"] == {"hidden": 8, "layers": 2}
    assert bundle.provenance["facts"] == {"unused": [1.0, 2.0]}
    assert bundle.report["score"] == {"name": "accuracy", "value": 0.5}
    assert bundle.report["verify"]["ok"]
    assert bundle.report["missing"] == {}
    assert {ONNX, PT2, TORCHSCRIPT, WEIGHTS, "report.html"} <= set(bundle.sums)


def test_the_goldens_follow_the_format(sealed: Path) -> None:
    index = json.loads((sealed / "goldens" / "index.json").read_text())
    assert (index["format"], index["scale_tolerance"]) == (1, SCALE_TOLERANCE)
    bundle = Bundle.open(sealed)
    assert [golden.name for golden in bundle.goldens] == ["batch_1", "batch_3", "batch_8"]
    for golden in bundle.goldens:
        assert golden.raw is not None
        assert set(golden.raw["texts"]) <= set(TEXTS)
        assert len(golden.labels) == len(golden.raw["texts"])
        for name, array in encode(bundle.signature, golden.raw["texts"]).items():
            np.testing.assert_array_equal(golden.inputs[name], array)


def test_every_fault_of_a_bundle_is_told_at_once(copied: Path) -> None:
    (copied / WEIGHTS).unlink()
    (copied / ONNX).write_bytes(b"other")
    (copied / TORCHSCRIPT).unlink()
    (copied / TORCHSCRIPT).symlink_to(copied / PT2)
    with pytest.raises(BundleError) as caught:
        Bundle.open(copied)
    message = str(caught.value)
    assert f"{WEIGHTS}: missing" in message
    assert f"{ONNX}: its SHA-256 differs" in message
    assert f"{TORCHSCRIPT}: a link" in message


@pytest.mark.parametrize(
    "line", ["0" * 64 + "  ../x", "0" * 64 + "  /etc/passwd", "abc  x", "0" * 64 + " x", "0" * 64 + "  a\\b"]
)
def test_a_hostile_line_of_the_sums_is_refused(copied: Path, line: str) -> None:
    with (copied / SUMS).open("a") as file:
        file.write(line + "\n")
    with pytest.raises(BundleError, match="line"):
        Bundle.open(copied)


def test_what_is_read_is_what_was_sealed(copied: Path) -> None:
    bundle = Bundle.open(copied)
    (copied / TORCHSCRIPT).write_bytes(b"changed after opening")
    with pytest.raises(BundleError, match="differs"):
        bundle.read(TORCHSCRIPT)


def test_a_file_that_is_not_listed_does_not_exist(copied: Path) -> None:
    sums = [line for line in (copied / SUMS).read_text().splitlines() if not line.endswith(PT2)]
    (copied / SUMS).write_text("\n".join(sums) + "\n")
    with pytest.raises(UnavailableError, match=PT2):
        Bundle.open(copied).read(PT2)


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no bundle"):
        Bundle.open(tmp_path / "nowhere")
    with pytest.raises(BundleError, match=SUMS):
        Bundle.open(tmp_path)
    (tmp_path / SUMS).write_text("")
    with pytest.raises(BundleError, match=f"{ONNX}: not listed"):
        Bundle.open(tmp_path)


def test_importing_the_reader_loads_neither_torch_nor_onnx() -> None:
    heavy = "{'torch', 'onnx', 'onnxruntime'}"
    code = f"import slipway.bundle, slipway.runtime, sys; sys.exit(bool({heavy} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)
