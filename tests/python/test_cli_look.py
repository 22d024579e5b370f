"""``slipway inspect`` and ``slipway doctor``: what they print and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.errors import ExitCode

Say = Callable[..., tuple[int, str, str]]

pytest.importorskip("slipway._engine", reason="the engine is not built")


def test_inspect_takes_shapes_and_refuses_other_forms(slipway: Say, hello_rnn: Path) -> None:
    model = hello_rnn / "model.onnx"
    assert slipway("inspect", model, "--stage", "plan", "--shapes", "x:5x2x4")[0] == ExitCode.OK
    assert slipway("inspect", model, "--stage", "plan", "--shapes", "x=5")[0] == ExitCode.USAGE
    assert slipway("inspect", model, "--stage", "nope")[0] == ExitCode.USAGE
    assert slipway("inspect", model, "--stage", "graph", "--shapes", "x:5x2x4")[0] == ExitCode.USAGE
    assert slipway("inspect", model, "--stage", "plan", "--json", "-")[0] == ExitCode.USAGE


def test_inspect_shows_the_card_of_a_bundle(slipway: Say, hello_rnn: Path) -> None:
    code, out, _ = slipway("inspect", hello_rnn)
    assert code == ExitCode.OK
    for wanted in ("float32 [T, N, 4]", "in the engine at", "operator     RNN", "least flops", "hello-rnn", "sum "):
        assert wanted in out
    code, out, _ = slipway("inspect", hello_rnn, "--json", "-")
    card = json.loads(out)
    assert (code, card["bundle"]["recipe"], card["engine"]) == (ExitCode.OK, "hello-rnn", "runs it")
    assert "model.onnx" in card["bundle"]["sums"]
    assert 0 < card["flops"]["eager"] <= card["flops"]["engine"]
    assert card["metadata"]["slipway.recipe"] == '"hello-rnn"'


def test_inspect_shows_the_card_of_a_file_and_how_to_count_its_work(slipway: Say, hello_rnn: Path) -> None:
    code, out, _ = slipway("inspect", hello_rnn / "model.onnx")
    assert (code, "--shapes NAME:AxB,... gives them" in out) == (ExitCode.OK, True)
    code, out, _ = slipway("inspect", hello_rnn / "model.onnx", "--shapes", "x:7x2x4")
    assert (code, "in the engine at x 7x2x4" in out) == (ExitCode.OK, True)


def test_inspect_writes_a_picture_or_nothing(slipway: Say, hello_rnn: Path, tmp_path: Path) -> None:
    code, out, err = slipway("inspect", hello_rnn, "--svg", tmp_path / "graph.svg", "--json", "-")
    assert (code, json.loads(out)["nodes"] > 0, "graph.svg" in err) == (ExitCode.OK, True, True)
    assert (tmp_path / "graph.svg").read_text().startswith("<svg")
    broken = tmp_path / "broken.onnx"
    broken.write_text("no model")
    code, out, err = slipway("inspect", broken, "--svg", tmp_path / "other.svg")
    assert (code, out, "broken.onnx" in err) == (ExitCode.ERROR, "", True)
    assert not (tmp_path / "other.svg").exists()


def test_doctor_names_what_is_broken_with_its_cure_and_exit_code_1(
    slipway: Say, hello_rnn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SLIPWAY_DATA", raising=False)
    code, out, _ = slipway("doctor", hello_rnn, "--json", "-")
    found = json.loads(out)
    assert code == (ExitCode.ERROR if any(f["severity"] == "broken" for f in found["findings"]) else ExitCode.OK)
    assert not [f for f in found["findings"] if f["subject"] == str(hello_rnn)]
    monkeypatch.setenv("SLIPWAY_DATA", str(tmp_path / "none"))
    code, out, _ = slipway("doctor", tmp_path / "no-bundle", "--json", "-")
    found = {f["subject"]: f for f in json.loads(out)["findings"]}
    assert code == ExitCode.ERROR
    assert found["SLIPWAY_DATA"]["severity"] == found[str(tmp_path / "no-bundle")]["severity"] == "broken"
    code, out, _ = slipway("doctor")
    assert (code, "cure: name a folder" in out) == (ExitCode.ERROR, True)
