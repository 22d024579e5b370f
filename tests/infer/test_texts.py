"""A model that takes two texts: options, lines with tabs, JSON, and the replay of its goldens."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from slipway._metadata import signature_to_metadata
from slipway.bundle import Bundle
from slipway.preprocess import encode
from slipway.signature import ClassOutput, InputPort, LengthInput, OutputPort, Signature, TextInput
from slipway_export.goldens import read_raw, write_goldens

from .conftest import Run, port_info, save_model, seal

WORDS = TextInput(unit="word", vocabulary=("?", "a", "b"), limit=3, unknown=0)
SIGNATURE = Signature(
    inputs=(
        InputPort("premise", "int64", ("T_premise", "N"), WORDS),
        InputPort("hypothesis", "int64", ("T_hypothesis", "N"), WORDS),
        InputPort("premise_lengths", "int64", ("N",), LengthInput(of="premise")),
        InputPort("hypothesis_lengths", "int64", ("N",), LengthInput(of="hypothesis")),
    ),
    outputs=(OutputPort("y", ("N", 2), ClassOutput()),),
    labels=("first", "second"),
)
PAIRS = [["a b a", "b"], ["a", "b b"], ["c d", "a"]]


class Sums:
    """What the ONNX file computes: the sum of each text's words times ten, plus its length."""

    module = None
    signature = SIGNATURE

    def run(self, inputs: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
        columns = [
            inputs[name].astype(np.float32).sum(axis=0) * 10 + inputs[f"{name}_lengths"].astype(np.float32)
            for name in ("premise", "hypothesis")
        ]
        return {"y": np.stack(columns, axis=1).astype(np.float32)}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Make a sealed bundle whose scores tell the two texts apart."""
    nodes = []
    for name in ("premise", "hypothesis"):
        nodes += [
            helper.make_node("Cast", [name], [f"{name}_words"], to=TensorProto.FLOAT),
            helper.make_node("ReduceSum", [f"{name}_words", "axis"], [f"{name}_sum"], keepdims=0),
            helper.make_node("Mul", [f"{name}_sum", "ten"], [f"{name}_tens"]),
            helper.make_node("Cast", [f"{name}_lengths"], [f"{name}_count"], to=TensorProto.FLOAT),
            helper.make_node("Add", [f"{name}_tens", f"{name}_count"], [f"{name}_score"]),
            helper.make_node("Unsqueeze", [f"{name}_score", "last"], [f"{name}_column"]),
        ]
    nodes.append(helper.make_node("Concat", ["premise_column", "hypothesis_column"], ["y"], axis=1))
    folder = tmp_path / "bundle"
    (folder / "goldens").mkdir(parents=True)
    constants: dict[str, NDArray[np.generic]] = {
        "axis": np.array([0], np.int64),
        "last": np.array([1], np.int64),
        "ten": np.array(10, np.float32),
    }
    ports = [port_info(port) for port in SIGNATURE.inputs], [port_info(port) for port in SIGNATURE.outputs]
    save_model(folder / "model.onnx", nodes, *ports, constants, signature_to_metadata(SIGNATURE))
    raws = [{"premise": premise, "hypothesis": hypothesis} for premise, hypothesis in PAIRS]
    write_goldens(folder / "goldens", SIGNATURE, raws, Sums())
    (folder / "report.json").write_text("{}")
    seal(folder)
    return folder


def scores(pairs: Sequence[Sequence[str]]) -> list[list[float]]:
    raws = [{"premise": premise, "hypothesis": hypothesis} for premise, hypothesis in pairs]
    return [list(map(float, row)) for row in Sums().run(encode(SIGNATURE, raws))["y"]]


def test_texts_are_taken_two_at_a_time_in_the_inputs_order(infer: Run, bundle: Path) -> None:
    texts = [text for pair in PAIRS for text in pair]
    lines = [json.loads(line) for line in infer(bundle, "--text", *texts, "--json").stdout.splitlines()]
    assert [line["input"] for line in lines] == PAIRS
    assert [line["outputs"]["y"] for line in lines] == scores(PAIRS)
    assert [line["label"] for line in lines] == ["first", "second", "second"]


def test_a_line_holds_two_texts_with_a_tab_between(infer: Run, bundle: Path) -> None:
    typed = "".join("\t".join(pair) + "\n" for pair in PAIRS)
    lines = [json.loads(line) for line in infer(bundle, "--json", stdin=typed).stdout.splitlines()]
    assert [line["input"] for line in lines] == PAIRS
    assert [line["outputs"]["y"] for line in lines] == scores(PAIRS)
    assert infer(bundle, stdin="a b a\tb\n").stdout.startswith("a b a | b\tfirst\t")


def test_a_number_of_texts_that_is_no_multiple_is_a_usage_error(infer: Run, bundle: Path) -> None:
    done = infer(bundle, "--text", "a", "b", "a", code=2)
    assert "got 3 texts, the model takes 2 at a time" in done.stderr
    assert '"premise"' in done.stderr


@pytest.mark.parametrize("line", ["a", "a\tb\ta", "a\tb\ta\tb"])
def test_a_line_with_another_number_of_texts_is_named(infer: Run, bundle: Path, line: str) -> None:
    done = infer(bundle, stdin=f"a\tb\n{line}\n", code=1)
    assert "line 2: got" in done.stderr
    assert "expected 2 with tabs between them" in done.stderr


def test_an_empty_second_text_is_named_with_its_line_and_input(infer: Run, bundle: Path) -> None:
    assert "line 1" in infer(bundle, stdin="a\t\n", code=1).stderr


@pytest.mark.parametrize("wrong", ["", "a", "a\t\xff"])
def test_lines_before_one_that_cannot_be_read_are_answered(infer: Run, bundle: Path, wrong: str) -> None:
    """As in ``slipway run``, and whatever of them was in the pipe at once."""
    typed = f"a b a\tb\na\tb b\n{wrong}\na\ta\n".encode("latin-1")
    done = infer(bundle, stdin=typed, code=1)
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["a b a | b", "a | b b"]
    assert "line 3" in done.stderr


def test_an_array_stands_in_for_one_of_the_texts(infer: Run, bundle: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.array([[1], [2], [1]], np.int64))
    np.save(tmp_path / "n.npy", np.array([3], np.int64))
    arrays = ["--input", f"premise={tmp_path / 'p.npy'}", f"premise_lengths={tmp_path / 'n.npy'}"]
    [line] = infer(bundle, *arrays, "--text", "b", "--json").stdout.splitlines()
    assert json.loads(line)["outputs"]["y"] == scores([["a b a", "b"]])[0]


def test_the_goldens_hold_the_texts_and_are_replayed(infer: Run, bundle: Path) -> None:
    index = json.loads((bundle / "goldens" / "index.json").read_bytes())
    assert index["cases"][1]["raw"] == {"texts": PAIRS}
    report = json.loads(infer(bundle, "--selftest", "--json").stdout)
    assert report["ok"]
    assert {row["output"] for row in report["rows"]} == {"encode", "y", "labels"}


def test_python_reads_the_goldens_texts_back(bundle: Path) -> None:
    opened = Bundle.open(bundle)
    raws = read_raw(opened, opened.goldens[1])
    assert raws == [{"premise": premise, "hypothesis": hypothesis} for premise, hypothesis in PAIRS]


@pytest.mark.parametrize("texts", [[["a"]], [["a", "b", "a"]], ["a", "b"], [[1, 2]]])
def test_goldens_with_another_number_of_texts_are_damage(infer: Run, bundle: Path, texts: object) -> None:
    path = bundle / "goldens" / "index.json"
    index = json.loads(path.read_bytes())
    index["cases"][0]["raw"] = {"texts": texts}
    path.write_text(json.dumps(index))
    seal(bundle)
    infer(bundle, "--selftest", code=6)


def test_changed_texts_differ(infer: Run, bundle: Path) -> None:
    path = bundle / "goldens" / "index.json"
    index = json.loads(path.read_bytes())
    index["cases"][0]["raw"] = {"texts": [["a b", "b"]]}
    path.write_text(json.dumps(index))
    seal(bundle)
    infer(bundle, "--selftest", code=3)


def test_random_input_fits_both_texts(infer: Run, bundle: Path) -> None:
    assert "{" in infer(bundle, "--random", "--json").stdout
    infer(bundle, "--random", "--shapes", "premise:12x3,hypothesis:9x3,premise_lengths:3,hypothesis_lengths:3")
