"""The commands: exit codes, what goes where, and the shapes of their JSON."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slipway import __version__
from slipway.bundle import Bundle
from slipway.cli import run_command, train_and_export_app
from slipway.cli._console import one_line
from slipway.cli._progress import TrainingProgress
from slipway.errors import ExitCode, UsageError
from slipway.recipes import recipe_names
from slipway.train import loop

Say = Callable[..., tuple[int, str, str]]

pytest.importorskip("slipway._engine", reason="the engine is not built")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_OFFLINE", "1")
    monkeypatch.delenv("SLIPWAY_DATA", raising=False)


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundles of hello-rnn and breast-cancer, and report.json of the run that made them."""
    out = tmp_path_factory.mktemp("artifacts")
    report = out / "report.json"
    options = f"--out {out} --json {report} --formats onnx,torchscript"
    arguments = ["hello-rnn", "breast-cancer", *options.split()]
    assert run_command(train_and_export_app, "train-and-export", arguments) == ExitCode.OK
    return out


# --- train-and-export -----------------------------------------------------------------------------------------------


def test_several_recipes_give_a_list_of_objects_and_whole_bundles(artifacts: Path) -> None:
    report = json.loads((artifacts / "report.json").read_text())
    assert [entry["recipe"] for entry in report] == ["hello-rnn", "breast-cancer"]
    for entry, score in zip(report, (1.0, 0.95), strict=True):
        assert set(entry) == {"recipe", "bundle", "data", "score", "seconds", "verify"}
        assert entry["data"]["source"] == "embedded"
        assert set(entry["data"]["rows"]) == {"train", "test"}
        assert entry["score"]["value"] >= score
        assert {"train", "export", "verify"} <= set(entry["seconds"])
        assert entry["verify"]["ok"] is True
        ran = {row["runtime"] for row in entry["verify"]["rows"] if not row["skipped"]}
        assert {"eager", "torchscript", "onnxruntime-cpu", "native-cpu"} <= ran
        assert Bundle.open(Path(entry["bundle"])).recipe == entry["recipe"]


def test_one_recipe_gives_one_object_on_stdout_and_the_data_on_stderr(train_and_export: Say, tmp_path: Path) -> None:
    code, out, err = train_and_export(
        "hello-rnncell", "--preset", "smoke", "--out", tmp_path, "--json", "-", "--formats", "onnx"
    )
    assert code == ExitCode.OK
    assert json.loads(out)["recipe"] == "hello-rnncell"
    assert "data: the notes' word (embedded" in err
    assert (tmp_path / "hello-rnncell" / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_taken_place_is_refused_before_training_and_replaced_by_force(
    train_and_export: Say, artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = train_and_export("hello-rnn", "--out", artifacts)
    assert (code, out) == (ExitCode.USAGE, "")
    assert "--force" in err
    again = ("hello-rnn", "--out", artifacts, "--force", "--resume", "--quiet", "--formats", "onnx,torchscript")
    code, _, err = train_and_export(*again)
    assert (code, err) == (ExitCode.OK, "")


def test_the_list_has_every_recipe(train_and_export: Say) -> None:
    code, out, _ = train_and_export("--list", "--json", "-")
    entries = json.loads(out)
    assert (code, [entry["name"] for entry in entries]) == (ExitCode.OK, recipe_names())
    assert {"task", "notes", "datasets", "expected"} <= set(entries[0])
    code, out, _ = train_and_export("--list")
    assert all(name in out for name in recipe_names())


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nope"], ExitCode.USAGE, "there is no recipe 'nope'; there are bottleneck"),
        (["hello-rnn", "--device", "cuda:77"], ExitCode.UNAVAILABLE, "device cuda:77 was asked for"),
        (["hello-rnn", "--device", "tpu"], ExitCode.USAGE, "none of auto, cpu, cuda"),
        (["hello-rnn", "--preset", "best"], ExitCode.USAGE, "has no preset"),
        (["hello-rnn", "--set", "layers"], ExitCode.USAGE, "KEY=VALUE"),
        (["hello-rnn", "--set", "epochs=1e3"], ExitCode.USAGE, "epochs='1e3' does not fit: expected a whole number"),
        (["hello-rnn", "--set", "layer=2"], ExitCode.USAGE, "has no setting 'layer'"),
        (["hello-rnn", "--epochs", "0"], ExitCode.USAGE, "epochs is 0"),
        (["hello-rnn", "--epochs", "x"], ExitCode.USAGE, "--epochs"),
        (["hello-rnn", "--opset", "17"], ExitCode.USAGE, "--opset"),
        (["hello-rnn", "hello-rnn"], ExitCode.USAGE, "named more than once"),
        (["hello-rnn", "--formats", "onnx,tflite"], ExitCode.USAGE, "tflite"),
        (["hello-rnn", "--nonsense"], ExitCode.USAGE, "--nonsense"),
        (["names-gru", "--data", "/nowhere"], ExitCode.ERROR, "there is no folder /nowhere"),
        (["hello-rnn", "--seed", str(1 << 40)], ExitCode.USAGE, "--seed"),
        (["--list", "--json", "/dev/null/x.json"], ExitCode.ERROR, "/dev/null"),
        (["--quiet"], ExitCode.USAGE, "name at least one recipe"),
        (["/nowhere/x.py:RECIPE"], ExitCode.USAGE, "there is no file"),
    ],
)
def test_what_is_wrong_is_one_line_on_stderr(
    train_and_export: Say, tmp_path: Path, arguments: list[str], code: ExitCode, message: str
) -> None:
    got, out, err = train_and_export(*arguments, "--out", tmp_path)
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert (got, out) == (code, "")
    assert len(lines) == 1
    assert message in lines[0]
    assert "Traceback" not in err
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_a_recipe_that_fails_does_not_stop_the_next(train_and_export: Say, tmp_path: Path) -> None:
    code, out, err = train_and_export(
        "names-gru", "hello-rnn", "--data", "/nowhere", "--out", tmp_path, "--json", "-", "--formats", "onnx",
        "--preset", "smoke",
    )  # fmt: skip
    failed, done = json.loads(out)
    assert code == ExitCode.ERROR
    assert (failed["recipe"], failed["exit_code"]) == ("names-gru", 1)
    assert "no folder" in failed["error"]
    assert done["verify"]["ok"]
    assert "error: names-gru: " in err


OWN = """
from dataclasses import replace
from slipway.recipes.hello_rnn import RECIPE
MINE = replace(RECIPE, name="my-hello", title="mine")
"""


def test_a_users_own_recipe_gets_the_same_treatment(slipway: Say, train_and_export: Say, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    own = f"{tmp_path}/mine.py:MINE"
    code, out, _ = train_and_export(own, "--out", tmp_path, "--json", "-", "--formats", "onnx", "--preset", "smoke")
    assert (code, json.loads(out)["bundle"]) == (ExitCode.OK, str(tmp_path / "my-hello"))
    code, _, err = slipway("verify", tmp_path / "my-hello", "--runtimes", "native-cpu")
    assert (code, "mine.py" in err) == (ExitCode.UNAVAILABLE, True)
    assert slipway("verify", tmp_path / "my-hello", "--runtimes", "native-cpu", "--recipe", own)[0] == ExitCode.OK
    bench = ("bench", tmp_path / "my-hello", "--runtimes", "native-cpu", "--batch", "2", "--duration", "0.01")
    assert slipway(*bench)[0] == ExitCode.OK


def test_an_interrupted_run_keeps_its_checkpoint_and_resume_continues(
    slipway: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: TrainingProgress, row: dict[str, float]) -> None:
        if row["epoch"] == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    arguments = ("train", "hello-rnn", "--out", tmp_path, "--epochs", "5")
    with monkeypatch.context() as patch:
        patch.setattr(TrainingProgress, "epoch_done", interrupt)
        code, out, err = slipway(*arguments)
    assert (code, out) == (ExitCode.INTERRUPTED, "")
    assert "--resume continues from" in err
    assert "Traceback" not in err
    code, _, err = slipway(*arguments, "--resume")
    assert (code, "continues after epoch 3 of 5" in err) == (ExitCode.OK, True)


def test_an_interrupted_run_does_not_take_an_earlier_ones_checkpoint_for_its_own(
    slipway: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: TrainingProgress, row: dict[str, float]) -> None:
        raise KeyboardInterrupt

    arguments = ("train", "hello-rnn", "--out", tmp_path, "--epochs")
    assert slipway(*arguments, "5")[0] == ExitCode.OK
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 600.0)
    monkeypatch.setattr(TrainingProgress, "epoch_done", interrupt)
    code, _, err = slipway(*arguments, "6")
    assert (code, "--resume" in err) == (ExitCode.INTERRUPTED, False)


@pytest.mark.slow
def test_ctrl_c_exits_130_and_leaves_nothing_but_the_checkpoint(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from slipway.cli import train_and_export_main as m; m()"]
    settings = "--data embedded --set hidden=8 --set limit=200 --epochs 5000"
    arguments = ["names-gru", "--out", str(tmp_path), *settings.split()]
    process = subprocess.Popen([*command, *arguments], stderr=subprocess.PIPE, text=True)
    checkpoint = tmp_path / "names-gru.checkpoint.pt"
    deadline = time.monotonic() + 90
    while not checkpoint.is_file() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED
    assert "--resume continues from" in err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.name]


# --- the verbs ------------------------------------------------------------------------------------------------------


def test_train_and_export_apart_do_the_same(slipway: Say, tmp_path: Path) -> None:
    code, out, _ = slipway("train", "hello-rnn", "--preset", "smoke", "--out", tmp_path, "--json", "-")
    assert code == ExitCode.OK
    assert set(json.loads(out)) == {"recipe", "data", "score", "checkpoint", "seconds"}
    code, out, _ = slipway("export", "hello-rnn", "--out", tmp_path, "--json", "-", "--formats", "onnx")
    assert (code, json.loads(out)["verify"]["ok"]) == (ExitCode.OK, True)
    assert slipway("export", tmp_path / "none.pt", "--out", tmp_path)[0] == ExitCode.USAGE


def test_verify_prints_the_rows_of_the_contract(slipway: Say, artifacts: Path) -> None:
    code, out, _ = slipway("verify", artifacts / "hello-rnn", "--json", "-")
    result = json.loads(out)
    assert (code, result["ok"], result["bundle"]) == (ExitCode.OK, True, "hello-rnn")
    fields = {"runtime", "case", "output", "max_abs", "max_rel", "fp64_ratio", "argmax_agreement", "ok", "skipped"}
    assert all(fields <= set(row) for row in result["rows"])
    code, out, _ = slipway("verify", artifacts / "hello-rnn")
    assert (code, "native-cpu" in out) == (ExitCode.OK, True)


def test_verify_says_with_its_exit_code_what_is_wrong(slipway: Say, artifacts: Path, tmp_path: Path) -> None:
    bundle = artifacts / "hello-rnn"
    assert slipway("verify", bundle, "--runtimes", "onnxruntime-cpu", "--atol", "0")[0] == ExitCode.MISMATCH
    assert slipway("verify", bundle, "--runtimes", "nope")[0] == ExitCode.USAGE
    assert slipway("verify", tmp_path)[0] == ExitCode.DAMAGED
    assert slipway("verify", tmp_path / "none")[0] == ExitCode.ERROR


def test_run_answers_texts_tables_and_arrays(slipway: Say, artifacts: Path, tmp_path: Path) -> None:
    code, out, _ = slipway("run", artifacts / "hello-rnn", "--text", "hello", "--text", "hell")
    assert code == ExitCode.OK
    assert [line.split()[:2] for line in out.splitlines()[2:]] == [["hello", "ohlol"], ["hell", out.split()[-2]]]
    table = artifacts / "breast-cancer" / "goldens" / "batch_3" / "rows.csv"
    code, out, _ = slipway("run", artifacts / "breast-cancer", "--csv", table, "--json", "--top", "2")
    lines = [json.loads(line) for line in out.splitlines()]
    golden = Bundle.open(artifacts / "breast-cancer").goldens[1]
    assert [line["label"] for line in lines] == list(golden.labels)
    assert set(lines[0]) == {"input", "outputs", "label", "top"}
    assert lines[0]["top"][0]["label"] == lines[0]["label"]
    assert sum(best["probability"] for best in lines[0]["top"]) == pytest.approx(1)
    np.save(tmp_path / "x.npy", golden.inputs["x"])
    code, _, _ = slipway(
        "run", artifacts / "breast-cancer", "--input", f"x={tmp_path}/x.npy", "--output-dir", tmp_path / "out"
    )
    assert code == ExitCode.OK
    np.testing.assert_allclose(np.load(tmp_path / "out" / "probability.npy"), golden.outputs["probability"], atol=1e-5)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--output-dir", "out"], ExitCode.USAGE, "give one of --input"),
        (["--text", "hello", "--csv", "x"], ExitCode.USAGE, "got --text and --csv"),
        (["--image", "x.png"], ExitCode.USAGE, "its inputs are x (text)"),
        (["--text", "bye"], ExitCode.ERROR, "'b' (U+0062) at place 1"),
        (["--text", "hello", "--device", "cuda"], ExitCode.UNAVAILABLE, "native-cuda"),
        (["--text", "hello", "--runtime", "tflite"], ExitCode.USAGE, "there is no runtime"),
        (["--input", "x"], ExitCode.USAGE, "NAME=FILE.npy"),
        (["--input", "x=/nowhere.npy"], ExitCode.ERROR, "cannot read array"),
    ],
)
def test_run_refuses_what_does_not_fit(
    slipway: Say, artifacts: Path, options: list[str], code: ExitCode, message: str
) -> None:
    got, out, err = slipway("run", artifacts / "hello-rnn", *options)
    assert (got, out) == (code, "")
    assert message in err
    assert err.count("\n") == 1


def test_an_object_array_is_never_unpickled(slipway: Say, artifacts: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{}], dtype=object), allow_pickle=True)
    code, _, err = slipway("run", artifacts / "hello-rnn", "--input", f"x={tmp_path}/x.npy")
    assert (code, "cannot read array" in err) == (ExitCode.ERROR, True)


@pytest.mark.parametrize("stage", ["onnx", "graph", "passes", "plan"])
def test_inspect_prints_every_stage(slipway: Say, artifacts: Path, stage: str) -> None:
    code, out, _ = slipway("inspect", artifacts / "hello-rnn", "--stage", stage)
    assert code == ExitCode.OK
    assert out.strip()


def test_selftest_replays_bundles_and_finds_damage(slipway: Say, artifacts: Path, tmp_path: Path) -> None:
    code, out, _ = slipway("selftest", artifacts / "hello-rnn", artifacts / "breast-cancer", "--json", "-")
    result = json.loads(out)
    assert (code, result["ok"], len(result["bundles"])) == (ExitCode.OK, True, 2)
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", artifacts / "hello-rnn", copy], check=True)
    with (copy / "model.onnx").open("ab") as file:
        file.write(b"\0")
    code, _, err = slipway("selftest", copy)
    assert (code, "model.onnx" in err) == (ExitCode.DAMAGED, True)


def test_bench_prints_the_rows_of_the_contract(slipway: Say, artifacts: Path, tmp_path: Path) -> None:
    page = tmp_path / "bench.html"
    code, out, _ = slipway(
        "bench", artifacts / "hello-rnn", "--runtimes", "native-cpu,onnxruntime-cpu", "--batch", "1,3",
        "--duration", "0.02", "--json", "-", "--html", page,
    )  # fmt: skip
    result = json.loads(out)
    assert code == ExitCode.OK
    assert [(row["runtime"], row["batch"]) for row in result["rows"]] == [
        (runtime, batch) for batch in (1, 3) for runtime in ("native-cpu", "onnxruntime-cpu")
    ]
    assert set(result["rows"][0]) == {
        "bundle", "runtime", "device", "batch", "threads", "p50_us", "p90_us", "p99_us", "mean_us", "samples",
        "throughput_per_s", "transfers_included", "calls_per_sample", "round_p50_us", "error", "p999_us", "load_us",
        "cold_us", "idle_us", "resident_bytes",
    }  # fmt: skip
    assert all(0 < row["p50_us"] <= row["p90_us"] <= row["p99_us"] for row in result["rows"])
    assert "processor" in result["machine"]
    assert page.read_text().startswith("<!doctype html>")
    assert slipway("bench", artifacts / "hello-rnn", "--batch", "x")[0] == ExitCode.USAGE


def test_doctor_and_ops_say_what_there_is(slipway: Say) -> None:
    code, out, _ = slipway("doctor", "--json", "-")
    found: dict[str, Any] = json.loads(out)
    assert code == ExitCode.OK
    assert found["runtimes"]["eager"] == "available"
    assert "native-cpu" in found["runtimes"]
    code, out, _ = slipway("ops", "--json", "-")
    assert (code, "GRU" in {row["onnx"] for row in json.loads(out)}) == (ExitCode.OK, True)


def test_help_shows_examples(slipway: Say, train_and_export: Say) -> None:
    for say in (slipway, train_and_export):
        code, out, _ = say("--help")
        assert code == ExitCode.OK
        assert out
    assert "train-and-export names-gru" in out
    for verb in ("train", "export", "verify", "run", "images", "bench", "inspect", "selftest", "doctor", "ops"):
        shown = slipway(verb, "--help")[1]
        assert "Example" in shown
        assert "\\" not in shown, f"{verb}: what escapes markup in an example is shown and gets copied"


def test_both_commands_say_their_version(slipway: Say, train_and_export: Say) -> None:
    assert slipway("--version") == (ExitCode.OK, f"slipway {__version__}\n", "")
    assert train_and_export("--version") == (ExitCode.OK, f"train-and-export {__version__}\n", "")


def test_a_usage_error_names_the_help_of_its_verb(slipway: Say) -> None:
    code, _, err = slipway("run", "somewhere", "--text", "Satoshi", "Giulia")
    assert (code, "(slipway run --help shows how)" in err) == (ExitCode.USAGE, True)
    code, _, err = slipway("walk")
    assert (code, "(slipway --help shows how)" in err) == (ExitCode.USAGE, True)


def test_debug_shows_where_an_error_comes_from(slipway: Say, tmp_path: Path) -> None:
    assert "Traceback" in slipway("verify", tmp_path, "--debug")[2]
    assert "Traceback" not in slipway("verify", tmp_path)[2]


def test_messages_cannot_steer_the_terminal() -> None:
    assert one_line("a\x1b[2Jb\nc\r\u202e") == "a\\x1b[2Jb c\\r\\u202e"


def test_every_error_has_an_exit_code() -> None:
    assert UsageError("x").exit_code == 2
    assert [code.value for code in ExitCode] == [0, 1, 2, 3, 4, 5, 6, 130]
    assert dataclasses.is_dataclass(Bundle)
