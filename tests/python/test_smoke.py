"""Every recipe goes the whole way with the preset smoke: trained, exported, verified, sealed, replayed in C++."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from slipway.bundle import Bundle
from slipway.cli import run_command, train_and_export_app
from slipway.errors import ExitCode
from slipway.recipes import recipe_names

#: What agrees with eager in every bundle; TorchScript and .pt2 too, unless the report says why they cannot exist.
ALWAYS = {"eager", "onnxruntime-cpu", "native-cpu"}
FILES = {"torchscript": "model.ts.pt", "pt2": "model.pt2"}


@pytest.mark.slow
@pytest.mark.parametrize("name", recipe_names())
def test_the_smoke_preset_ends_in_a_sealed_bundle(name: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = f"{name} --preset smoke --data embedded --out {tmp_path} --quiet --json {report}"
    assert run_command(train_and_export_app, "train-and-export", options.split()) == ExitCode.OK
    entry = json.loads(report.read_text())
    bundle = Bundle.open(tmp_path / name)
    missing = bundle.report["missing"]
    agreed = {row["runtime"] for row in entry["verify"]["rows"] if not row["skipped"]}
    assert entry["verify"]["ok"] is True
    assert agreed >= ALWAYS | {runtime for runtime, file in FILES.items() if file not in missing}
    assert all(len(missing[file]) > 20 for file in FILES.values() if file in missing)
    assert entry["data"]["source"] == "embedded"
    program = shutil.which("slipway-infer")
    assert program is not None
    replay = subprocess.run([program, str(bundle.path), "--selftest"], capture_output=True, text=True, check=False)
    assert replay.returncode == ExitCode.OK, replay.stderr
