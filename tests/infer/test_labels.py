"""Scores become labels and probabilities as in slipway.preprocess; tables and JSON show them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from slipway._metadata import signature_to_metadata
from slipway.cli import run_command, slipway_app
from slipway.preprocess import decode
from slipway.signature import (
    BinaryOutput,
    ClassOutput,
    InputPort,
    LengthInput,
    OutputPort,
    OutputSpec,
    Signature,
    TableInput,
    TensorInput,
    TextInput,
)

from .conftest import Run, port_info, save_model

LABELS = ("eins", "zwei", 'dr"ei\n')


def scores_model(folder: Path, dims: tuple[Any, ...], spec: OutputSpec) -> tuple[Path, Signature]:
    """Make a model whose output is its input, with meaning."""
    signature = Signature(
        (InputPort("x", "float32", dims, TensorInput()),), (OutputPort("scores", dims, spec),), LABELS
    )
    path = save_model(
        folder / "scores.onnx",
        [helper.make_node("Identity", ["x"], ["scores"])],
        [port_info(signature.inputs[0])],
        [port_info(signature.outputs[0])],
        metadata=signature_to_metadata(signature),
    )
    return path, signature


def predictions(infer: Run, model: Path, scores: np.ndarray, *arguments: object) -> list[dict[str, Any]]:
    np.save(model.with_name("x.npy"), scores)
    lines = infer(model, "--input", model.with_name("x.npy"), "--json", *arguments).stdout.splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("scores", ["logits", "log_probabilities", "probabilities"])
def test_classes_are_labelled_as_in_python(infer: Run, tmp_path: Path, scores: Any) -> None:
    model, signature = scores_model(tmp_path, ("N", 3), ClassOutput(scores))
    values = np.float32(
        [[1, 3, 2], [5, 5, 1], [np.nan, 7, 1], [1, np.nan, np.nan], [-np.inf, -np.inf, -1], [900, 901, 0]]
    )
    rows = predictions(infer, model, values, "--top", 3)
    assert [row["label"] for row in rows] == decode(signature, {"scores": values})
    assert all(row["label"] == row["top"][0]["label"] for row in rows)
    np.testing.assert_array_equal(rows[0]["outputs"]["scores"], values[0])
    if scores == "logits":
        expected = np.exp([1, 3, 2]) / np.exp([1, 3, 2]).sum()
        found = {choice["label"]: choice["probability"] for choice in rows[0]["top"]}
        np.testing.assert_allclose([found[label] for label in LABELS], expected, rtol=1e-12)
        assert rows[5]["top"][0]["probability"] == pytest.approx(1 / (1 + np.exp(-1)))


@pytest.mark.parametrize("scores", ["logits", "probabilities"])
def test_two_classes_go_by_the_threshold(infer: Run, tmp_path: Path, scores: Any) -> None:
    model, signature = scores_model(tmp_path, ("N", 1), BinaryOutput(scores, 0.7))
    values = np.float32([[0.1], [0.7], [0.71], [0.9], [-1000], [np.nan]])
    rows = predictions(infer, model, values)
    assert [row["label"] for row in rows] == decode(signature, {"scores": values})


def test_steps_are_joined(infer: Run, tmp_path: Path) -> None:
    model, signature = scores_model(tmp_path, ("T", "N", 3), ClassOutput(per_step=True, join="-"))
    values = np.random.default_rng(3).normal(size=(4, 2, 3)).astype(np.float32)
    rows = predictions(infer, model, values)
    assert [row["label"] for row in rows] == decode(signature, {"scores": values})
    assert [len(row["top"]) for row in rows] == [4, 4]
    np.testing.assert_array_equal(np.float32(rows[1]["outputs"]["scores"]), values[:, 1])


def test_scores_of_a_wrong_shape_are_refused(infer: Run, tmp_path: Path) -> None:
    model, _ = scores_model(tmp_path, ("N", "M", 3), ClassOutput())
    np.save(tmp_path / "x.npy", np.zeros((2, 2, 3), np.float32))
    infer(model, "--input", tmp_path / "x.npy", code=1)


@pytest.fixture
def sums(tmp_path: Path) -> Path:
    """Make a text model whose class scores are the mean of its characters' rows of a table."""
    weights = np.random.default_rng(0).normal(size=(128, 3)).astype(np.float32)
    weights[0] = 0
    signature = Signature(
        (
            InputPort("tokens", "int64", ("T", "N"), TextInput()),
            InputPort("lengths", "int64", ("N",), LengthInput("tokens")),
        ),
        (OutputPort("logits", ("N", 3), ClassOutput()),),
        LABELS,
    )
    nodes = [
        helper.make_node("Gather", ["table", "tokens"], ["rows"]),
        helper.make_node("ReduceSum", ["rows", "first"], ["sum"], keepdims=0),
        helper.make_node("Cast", ["lengths"], ["real"], to=1),
        helper.make_node("Unsqueeze", ["real", "last"], ["column"]),
        helper.make_node("Div", ["sum", "column"], ["logits"]),
    ]
    constants = {"table": weights, "first": np.int64([0]), "last": np.int64([1])}
    return save_model(
        tmp_path / "sums.onnx",
        nodes,
        [port_info(port) for port in signature.inputs],
        [port_info(port) for port in signature.outputs],
        constants,
        signature_to_metadata(signature),
    )


def test_every_way_in_gives_the_same_answers_in_order(infer: Run, sums: Path) -> None:
    texts = [chr(97 + i % 26) * (1 + i % 5) + chr(65 + i % 23) for i in range(600)]
    streamed = infer(sums, "--json", stdin="\n".join(texts)).stdout
    assert [json.loads(line)["input"] for line in streamed.splitlines()] == texts
    assert infer(sums, "--json", "--text", *texts).stdout == streamed
    alone = [infer(sums, "--json", f"--text={text}").stdout for text in texts[:5]]
    assert "".join(alone) == "".join(streamed.splitlines(keepends=True)[:5])


def test_a_pipe_gets_tabs_and_top_several_lines(infer: Run, sums: Path) -> None:
    lines = [line.split("\t") for line in infer(sums, "--text", "ab\tc", "--top", 2).stdout.splitlines()]
    assert len(lines) == 2
    assert lines[0][0] == "ab\\x09c"
    assert "\n" not in lines[0][1]
    assert 1 >= float(lines[0][2]) >= float(lines[1][2]) > 0


def test_texts_and_rows_together_must_be_as_many(infer: Run, tmp_path: Path) -> None:
    signature = Signature(
        (
            InputPort("a", "int64", ("N", "T"), TextInput()),
            InputPort("b", "int64", ("N", "T"), TextInput()),
            InputPort("rows", "float32", ("N", 2), TableInput()),
        ),
        (OutputPort("y", ("N", "T"), ClassOutput()),),
    )
    nodes = [
        helper.make_node("Cast", ["rows"], ["whole"], to=7),
        helper.make_node("Add", ["a", "b"], ["ab"]),
        helper.make_node("Add", ["ab", "whole"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["y"], to=1),
    ]
    outputs = [helper.make_tensor_value_info("y", 1, ["N", "T"])]
    model = save_model(
        tmp_path / "m.onnx",
        nodes,
        [port_info(port) for port in signature.inputs],
        outputs,
        metadata=signature_to_metadata(signature),
    )
    (tmp_path / "rows.csv").write_text("1,2\n", encoding="utf-8")
    line = infer(model, "--text", "bc", "\x01\x02", "--csv", tmp_path / "rows.csv", "--json").stdout
    assert json.loads(line)["outputs"]["y"] == [98 + 1 + 1, 99 + 2 + 2]
    infer(model, "--text", "bc", "de", code=2)
    infer(model, "--text", "bc", "--csv", tmp_path / "rows.csv", code=2)
    infer(model, "--text", "bc", "de", "fg", "hi", "--csv", tmp_path / "rows.csv", code=2)
    infer(model, stdin="a\n", code=2)


def described(entry: str, value: str) -> str:
    """Give a port's new entry the type and dims of the old one, where it has none of its own."""
    if not value.startswith('{"kind"'):
        return value
    old = {name: json.loads(entry)[name] for name in ("dtype", "dims") if f'"{name}"' not in value}
    return json.dumps(old)[:-1] + ", " + value[1:]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("slipway.format", "2"),
        ("slipway.format", '"x"'),
        ("slipway.labels", "[1]"),
        ("slipway.labels", "[" * 100_000),
        ("slipway.labels", '["\\ud800"]'),
        ("slipway.labels", '["a"] x'),
        ("slipway.input.tokens", "{}"),
        ("slipway.input.tokens", '{"kind": "sound"}'),
        ("slipway.input.tokens", '{"kind": "text", "kind": "text"}'),
        ("slipway.input.tokens", '{"kind": "image", "mean": [0], "std": [1]}'),
        ("slipway.input.tokens", '{"kind": "text", "limit": 1e300}'),
        ("slipway.input.tokens", '{"kind": "text", "limit": 0}'),
        ("slipway.input.tokens", '{"kind": "text", "dims": ["T"]}'),
        ("slipway.input.tokens", '{"kind": "text", "fold": {"ab": "c"}}'),
        ("slipway.input.tokens", '{"kind": "text", "dtype": "float32"}'),
        ("slipway.input.lengths", '{"kind": "length", "of": "lengths"}'),
        ("slipway.input.lengths", '{"kind": "length", "of": "nobody"}'),
        ("slipway.output.logits", '{"kind": "class", "scores": "points"}'),
        ("slipway.output.logits", "nan"),
    ],
)
def test_metadata_that_makes_no_sense_is_refused(infer: Run, sums: Path, key: str, value: str) -> None:
    import onnx

    model = onnx.load(sums)
    for entry in model.metadata_props:
        if entry.key == key:
            entry.value = described(entry.value, value)
    onnx.save(model, sums)
    code = 6 if (key, value) == ("slipway.format", "2") else 1
    infer(sums, "--text", "a", code=code)


@pytest.mark.parametrize(
    ("spec", "rows"),
    [
        (ClassOutput(), [[0, 1e-20, -1], [0, -801, -800], [1, np.nan, 2], [np.inf, 1, np.inf], [2, 2, 3]]),
        (ClassOutput("log_probabilities"), [[-1e-20, 0, -5], [-np.inf, -1000, -900]]),
        (BinaryOutput("probabilities", threshold=0.9), [[0.95], [0.7], [0.1], [np.nan]]),
        (BinaryOutput("logits", threshold=0.2), [[-1], [-3]]),
    ],
    ids=["class", "log", "above", "below"],
)
def test_slipway_run_ranks_labels_alike(
    infer: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], spec: OutputSpec, rows: list[list[float]]
) -> None:
    """The label that it shows to people is the first of them."""
    model, _ = scores_model(tmp_path, ("N", len(rows[0])), spec)
    found = predictions(infer, model, np.float32(rows), "--top", 3)
    command = ["run", str(model), "--input", f"x={tmp_path / 'x.npy'}", "--json", "--top", "3"]
    assert run_command(slipway_app, "slipway", command) == 0
    own = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [[best["label"] for best in row["top"]] for row in own] == [
        [best["label"] for best in row["top"]] for row in found
    ]
    assert [row["label"] for row in own] == [row["label"] for row in found] == [row["top"][0]["label"] for row in own]
