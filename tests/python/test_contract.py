"""The faces that scripts rely on: every flag of the commands, and what each exit code means."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.main import get_command

from slipway.cli import run_command, slipway_app, train_and_export_app
from slipway.errors import ExitCode

Say = Callable[..., tuple[int, str, str]]

pytest.importorskip("slipway._engine", reason="the engine is not built")

_TRAINING = "--out --data --epochs --batch-size --lr --seed --device --resume --preset --set --json --quiet"
_EXPORT = "--out --formats --opset --force --json"
_MODULE = "--inputs --example --weights --labels --name"
FLAGS = {
    "train": _TRAINING,
    "export": f"{_EXPORT} {_MODULE}",
    "verify": "--runtimes --atol --rtol --recipe --json",
    "run": "--input --text --image --csv --random --seed --shapes --runtime --device --threads --json --output-dir",
    "bench": "--runtimes --batch --threads --duration --json --html",
    "inspect": "--stage --shapes",
    "selftest": "--json",
    "doctor": "--json",
    "ops": "--json",
}
INFER = """
--input --image --text --csv --random --seed --engine --ort-library --device --threads --shapes --top --json --output
--output-dir --selftest --iterations --warmup --version
"""


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLIPWAY_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("artifacts")
    options = f"--out {out} --preset smoke --formats onnx --data embedded --quiet --json {out}/report.json"
    assert run_command(train_and_export_app, "train-and-export", ["hello-rnn", *options.split()]) == ExitCode.OK
    return out / "hello-rnn"


def options_of(command: object) -> set[str]:
    return {flag for parameter in command.params for flag in parameter.opts}  # type: ignore[attr-defined]  # typer's own


@pytest.mark.parametrize("verb", FLAGS)
def test_every_verb_has_its_flags(verb: str) -> None:
    command = get_command(slipway_app).commands[verb]  # type: ignore[attr-defined]  # a group, which the type does not say
    assert set(FLAGS[verb].split()) <= options_of(command)


def test_train_and_export_has_its_flags() -> None:
    wanted = set(f"{_TRAINING} {_EXPORT} --list --all".split())
    assert wanted <= options_of(get_command(train_and_export_app))


@pytest.mark.skipif(shutil.which("slipway-infer") is None, reason="slipway-infer is not installed")
def test_slipway_infer_has_its_flags() -> None:
    text = subprocess.run(["slipway-infer", "--help"], capture_output=True, text=True, check=True).stdout
    assert [flag for flag in INFER.split() if f"  {flag} " not in text] == []


def test_success_is_0_and_its_json_has_the_promised_keys(bundle: Path, slipway: Say) -> None:
    report = json.loads((bundle.parent / "report.json").read_text())
    assert set(report) == {"recipe", "bundle", "data", "score", "seconds", "verify"}
    assert set(report["score"]) == {"name", "value"}
    assert {"source", "rows"} <= set(report["data"])
    code, out, err = slipway(*f"run {bundle} --text hello --json".split())
    assert (code, err) == (ExitCode.OK, "")
    assert set(json.loads(out)) == {"input", "outputs", "label", "top"}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("run none --text x", ExitCode.ERROR),
        ("run {bundle} --text ?", ExitCode.ERROR),
        ("run {bundle} --text hello --output-dir /dev/null/x", ExitCode.ERROR),
        ("run {bundle} --nonsense", ExitCode.USAGE),
        ("run {bundle} --text hello --threads 0", ExitCode.USAGE),
        ("run {bundle} --text hello --device tpu", ExitCode.USAGE),
        ("run {bundle} --text hello --device cuda:1", ExitCode.USAGE),
        ("run {bundle} --text hello --recipe x.py:R", ExitCode.USAGE),
        ("run {bundle} --text hello --device cuda:0", ExitCode.UNAVAILABLE),
        ("run {bundle} --text hello --runtime torchscript", ExitCode.UNAVAILABLE),
        ("run {damaged} --text hello", ExitCode.DAMAGED),
        ("export {damaged}/broken.pt", ExitCode.DAMAGED),
        ("export nope", ExitCode.USAGE),
        ("export hello-rnn", ExitCode.USAGE),
        ("export hello-rnn --opset 17", ExitCode.USAGE),
        ("train", ExitCode.USAGE),
        ("train hello-rnn --device cuda:77", ExitCode.UNAVAILABLE),
        ("train names-gru --data none", ExitCode.ERROR),
        ("train hello-rnn --epochs 1 --out /dev/null/x", ExitCode.ERROR),
    ],
)
def test_what_fails_says_so_with_its_code_in_one_line(
    bundle: Path, slipway: Say, tmp_path: Path, line: str, code: ExitCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    damaged = tmp_path / "damaged"
    shutil.copytree(bundle, damaged)
    (damaged / "model.onnx").write_bytes(b"")
    (damaged / "broken.pt").write_bytes(b"")
    got, out, err = slipway(*line.format(bundle=bundle, damaged=damaged).split())
    lines = [text for text in err.splitlines() if text.startswith("error: ")]
    assert (got, out, len(lines)) == (code, "", 1)
    assert "fault of slipway" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["damaged"]


def test_want_of_memory_is_told_as_that(bundle: Path, slipway: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object) -> None:
        raise MemoryError("Unable to allocate 2.92 GiB")

    monkeypatch.setattr("slipway.cli._random.random_arrays", no_memory)
    code, out, err = slipway("run", bundle, "--random")
    assert (code, out) == (ExitCode.ERROR, "")
    assert err.startswith("error: there is not enough memory: Unable to allocate 2.92 GiB; ")


def test_a_difference_is_3(bundle: Path, slipway: Say) -> None:
    code, out, _ = slipway(*f"verify {bundle} --runtimes onnxruntime-cpu --atol 0 --rtol 0 --json -".split())
    assert (code, json.loads(out)["ok"]) == (ExitCode.MISMATCH, False)


def test_the_answer_to_arrays_is_that_to_texts(bundle: Path, slipway: Say, tmp_path: Path) -> None:
    _, of_text, _ = slipway(*f"run {bundle} --text hello --json".split())
    x = np.load(bundle / "goldens" / "batch_1" / "x.npy")
    np.save(tmp_path / "x.npy", x)
    code, of_array, _ = slipway(*f"run {bundle} --input x=x.npy --json --threads 2".split())
    assert code == ExitCode.OK
    assert json.loads(of_array)["outputs"] == json.loads(of_text)["outputs"]
