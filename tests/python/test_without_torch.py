"""Where torch is missing or broken: bundles are still checked, shown and run, and doctor names the cure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.errors import ExitCode

pytest.importorskip("slipway._engine", reason="the engine is not built")

#: What stands in torch's place: nothing, one with a missing library, and what an uninstallation left behind.
TORCHES = {
    "missing": "raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')",
    "broken": "raise OSError('libcudart.so.13: cannot open shared object file')",
    "empty": "",
}


def run(torch: str, folder: Path, *arguments: object) -> tuple[int, str, str]:
    """Run ``slipway`` in a process of its own that finds such a torch."""
    (folder / "torch").mkdir()
    (folder / "torch/__init__.py").write_text(TORCHES[torch] + "\n")
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "slipway", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": path}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("torch", TORCHES)
def test_a_bundle_is_checked(torch: str, hello_rnn: Path, tmp_path: Path) -> None:
    code, out, err = run(torch, tmp_path, "selftest", hello_rnn, "--json", "-")
    assert (code, err) == (ExitCode.OK, "")
    assert json.loads(out)["ok"] is True


@pytest.mark.parametrize("torch", TORCHES)
def test_a_bundle_is_inspected_and_what_eager_would_compute_is_not_counted(
    torch: str, hello_rnn: Path, tmp_path: Path
) -> None:
    code, out, err = run(torch, tmp_path, "inspect", hello_rnn, "--svg", tmp_path / "graph.svg", "--json", "-")
    assert (code, "graph.svg" in err) == (ExitCode.OK, True), err
    flops = json.loads(out)["flops"]
    assert flops["engine"] > 0
    assert flops["eager"] is None
    assert flops["no_eager"].startswith("torch cannot be imported: ")


@pytest.mark.parametrize("torch", TORCHES)
def test_doctor_names_torch_and_its_cure(torch: str, hello_rnn: Path, tmp_path: Path) -> None:
    code, out, err = run(torch, tmp_path, "doctor", hello_rnn, "--json", "-")
    assert (code, err) == (ExitCode.ERROR, "")
    found = json.loads(out)
    told = next(finding for finding in found["findings"] if finding["subject"] == "torch")
    assert (told["severity"], told["cure"]) == ("broken", "pip install --force-reinstall torch")
    assert not [finding for finding in found["findings"] if finding["subject"] == str(hello_rnn)]
    assert found["runtimes"]["native-cpu"] == found["runtimes"]["onnxruntime-cpu"] == "available"
    assert "available" not in (found["runtimes"]["eager"], found["devices"]["cuda"])


def test_a_bundle_is_run(hello_rnn: Path, tmp_path: Path) -> None:
    code, out, err = run("missing", tmp_path, "run", hello_rnn, "--random", "--json")
    assert (code, err) == (ExitCode.OK, "")
    assert json.loads(out)


def test_what_needs_torch_says_so_and_is_no_fault_of_slipway(tmp_path: Path) -> None:
    code, out, err = run("missing", tmp_path, "train", "hello-rnn", "--out", tmp_path)
    assert (code, out) == (ExitCode.UNAVAILABLE, "")
    assert err.startswith(
        "error: a package that this needs cannot be imported: No module named 'torch'; slipway doctor"
    )
