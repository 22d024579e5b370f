"""Bundles of strangers, sealed over whatever is in them: both programs end with the same exit code and one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hostile import PLACES, bundle_of_table, check_refusal, model_of, process, seal, slipway

DEEP = "[" * 100_000
X, Y = "slipway.input.x", "slipway.output.y"


def port(**changes: object) -> str:
    """Return the metadata of the table's input with changes; None leaves a field out."""
    entry = {"kind": "table", "dtype": "float32", "dims": ["N", 2], "columns": ["a", "b"], "mean": [], "std": []}
    return json.dumps({name: value for name, value in (entry | changes).items() if value is not None})


def output(**changes: object) -> str:
    entry = {"kind": "class", "dtype": "float32", "dims": ["N", 2]} | changes
    return json.dumps({name: value for name, value in entry.items() if value is not None})


def text(**changes: object) -> str:
    entry = {"kind": "text", "dtype": "int64", "dims": ["T", "N"], "unit": "character", "limit": 128}
    return json.dumps(entry | changes)


def image(**changes: object) -> str:
    entry = {"kind": "image", "dtype": "float32", "dims": ["N", 1, "H", "W"], "channels": 1, "mean": [0], "std": [1]}
    return json.dumps(entry | changes)


#: Metadata that makes no sense: 6 in a bundle; in a plain file it is an error, but not of a bundle.
METADATA: dict[str, tuple[str, str]] = {
    "a format that is a text": ("slipway.format", '"x"'),
    "a format that is a list": ("slipway.format", "[1]"),
    "labels that are a number": ("slipway.labels", "5"),
    "labels that are a text": ("slipway.labels", '"ab"'),
    "labels of numbers": ("slipway.labels", "[1, 2]"),
    "labels of half a surrogate pair": ("slipway.labels", '["\\ud800"]'),
    "labels of 100,000 levels": ("slipway.labels", DEEP),
    "a port of 100,000 levels": (X, DEEP),
    "a port that is a list": (X, "[]"),
    "a port that is no JSON": (X, "{'kind': 'table'}"),
    "a number that JSON has not": (X, port().replace("[]", "[NaN, NaN]")),
    "a number out of range": (X, port().replace("[]", "[1e999, 1]")),
    "a whole number of 5,000 digits": (X, port().replace("[]", f"[{'9' * 5000}, 1]")),
    "a key twice": (X, '{"kind": "table", "kind": "table", "dtype": "float32", "dims": ["N", 2]}'),
    "a kind that is none": (X, port(kind="smell")),
    "a kind that is a number": (X, port(kind=1)),
    "a type that is none": (X, port(dtype="float33")),
    "a type that is a list": (X, port(dtype=["float32"])),
    **{f"a port without {name}": (X, port(**{name: None})) for name in ("kind", "dtype", "dims")},
    **{f"an output without {name}": (Y, output(**{name: None})) for name in ("kind", "dtype", "dims")},
    "columns that are null": (X, port(columns=0).replace('"columns": 0', '"columns": null')),
    "a type of an output that is another": (Y, output(dtype="int64")),
    "a size that the model has not": (X, port(dims=["N", 3])),
    "a size of an output that the model has not": (Y, output(dims=["N", 3])),
    "dims of numbers that are none": (Y, output(dims=["N", 1.5])),
    "dims that are null": (Y, output(dims=["N", 0]).replace("0]", "null]")),
    "labels of steps that are not there": (Y, output(per_step=True)),
    "a segmentation of a table": (Y, output(kind="segmentation")),
    "a binary output of logarithms": (Y, output(kind="binary", scores="log_probabilities")),
    "dims that are a text": (X, port(dims="N2")),
    "columns that are numbers": (X, port(columns=[1, 2])),
    "means that are texts": (X, port(mean=["0", "0"], std=["1", "1"])),
    "as many means as none": (X, port(mean=[0.0, 0.0, 0.0], std=[1.0, 1.0, 1.0])),
    "means without deviations": (X, port(mean=[0.0, 0.0])),
    "an image of a table": (X, image()),
    "an image of 2 channels": (X, image(channels=2)),
    "an image of 2**40 pixels": (X, image(height=1 << 20, width=1 << 20)),
    "an image without means": (X, image(mean=[])),
    "a text of a table": (X, text()),
    "a text of units that are none": (X, text(unit="sentence")),
    "a text of a limit of 10**300": (X, text(limit=1e300)),
    "a text of a limit of 0": (X, text(limit=0)),
    "a text of a vocabulary of numbers": (X, text(vocabulary=[1])),
    "a text that folds two characters": (X, text(fold={"ab": "c"})),
    "a text that folds to a number": (X, text(fold={"a": 1})),
    "a text that is one-hot as a number": (X, text(one_hot=1)),
    "lengths of nobody": (X, json.dumps({"kind": "length", "dtype": "float32", "dims": ["N", 2], "of": "nobody"})),
    "lengths of themselves": (X, json.dumps({"kind": "length", "dtype": "float32", "dims": ["N", 2], "of": "x"})),
    "an output that is a text": (Y, '"class"'),
    "an output of a kind that is none": (Y, '{"kind": "smell", "dtype": "float32", "dims": ["N", 2]}'),
    "scores that are none": (Y, '{"kind": "class", "dtype": "float32", "dims": ["N", 2], "scores": "points"}'),
    "a joint that is a number": (Y, '{"kind": "class", "dtype": "float32", "dims": ["N", 2], "join": 1}'),
    "a threshold that is a text": (Y, '{"kind": "binary", "dtype": "float32", "dims": ["N", 2], "threshold": "1"}'),
}


@pytest.mark.parametrize("name", METADATA)
def test_metadata_that_makes_no_sense_has_one_answer(infer_program: Path, tmp_path: Path, name: str) -> None:
    key, value = METADATA[name]
    bundle = bundle_of_table(tmp_path / "bundle", {key: value})
    rows = bundle / "goldens" / "one" / "rows.csv"
    for answer in (
        slipway("selftest", bundle),
        process(infer_program, bundle, "--selftest"),
        slipway("run", bundle, "--csv", rows),
        process(infer_program, bundle, "--csv", rows),
    ):
        check_refusal(answer, 6)
    plain = model_of("table", tmp_path / "plain.onnx", {key: value})
    check_refusal(slipway("run", plain, "--csv", rows), 1)
    check_refusal(process(infer_program, plain, "--csv", rows), 1)


@pytest.mark.parametrize("verb", ["inspect", "verify", "bench", "images", "run"])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("slipway.provenance", "[]"),
        ("slipway.provenance", DEEP),
        ("slipway.provenance", '{"config": 5, "data": {}}'),
        ("slipway.provenance", '{"config": {"layers": 1000000000000}, "data": {}}'),
        ("slipway.provenance", '{"config": {}, "data": {"kind": "embedded"}}'),
        ("slipway.provenance", ""),
        ("slipway.recipe", "5"),
        ("slipway.recipe", '"no-such-recipe"'),
        ("slipway.recipe", '"../x"'),
        ("slipway.recipe", ""),
    ],
)
def test_what_only_python_reads_of_the_metadata_is_refused(tmp_path: Path, verb: str, key: str, value: str) -> None:
    bundle = bundle_of_table(tmp_path / "bundle", {key: value})
    (bundle / "weights.safetensors").write_bytes(b"no weights")
    seal(bundle)
    rows = bundle / "goldens" / "one" / "rows.csv"
    more = {
        "run": ("--csv", rows, "--runtime", "eager"),
        "images": ("--out", tmp_path / "out"),
        "bench": ("--runtimes", "eager", "--duration", "0.1"),
    }
    answer = slipway(verb, bundle, *more.get(verb, ()))
    if verb == "inspect" and answer.code == 0:  # the card shows metadata as they are
        return
    check_refusal(answer, 2, 4, 6)


def index_of(**changes: object) -> Callable[[Path], None]:
    """Change the index of the goldens, or its one case by ``case``."""

    def change(bundle: Path) -> None:
        file = bundle / "goldens" / "index.json"
        index: dict[str, Any] = json.loads(file.read_text())
        case = changes.pop("case", None)
        index = index | changes
        if case is not None:
            index["cases"] = [index["cases"][0] | case]  # type: ignore[operator]
        file.write_text(json.dumps(index))

    return change


def content_of(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda bundle: (bundle / name).write_bytes(content) and None


TERABYTES = (
    b"\x93NUMPY\1\0\x60\0"
    + b"{'descr': '<f4', 'fortran_order': False, 'shape': (1<<38, 2)}".replace(b"1<<38", b"274877906944").ljust(95)
    + b"\n"
)

GOLDENS: dict[str, Callable[[Path], None]] = {
    "an index of 100,000 levels": content_of("goldens/index.json", DEEP.encode()),
    "an index that is not UTF-8": content_of("goldens/index.json", b'{"format": "\xff"}'),
    "an index that is empty": content_of("goldens/index.json", b""),
    "an index with a number that JSON has not": content_of(
        "goldens/index.json", b'{"format": 1, "scale_tolerance": NaN, "cases": []}'
    ),
    "a tolerance that is true": index_of(scale_tolerance=True),
    "cases that are a number": index_of(cases=5),
    "a name that is a number": index_of(case={"name": 5}),
    "labels that are a number": index_of(case={"labels": 5}),
    "labels of numbers": index_of(case={"labels": [1]}),
    "raw input that is a list": index_of(case={"raw": [1]}),
    "raw input of a file that is a number": index_of(case={"raw": {"csv": 1}}),
    "raw input of a file outside": index_of(case={"raw": {"csv": "../../../etc/passwd"}}),
    "raw input of a file with NUL": index_of(case={"raw": {"csv": "one/rows.csv\0"}}),
    "an array outside": index_of(case={"inputs": {"x": "../../../etc/passwd"}}),
    "an array whose file is a number": index_of(case={"inputs": {"x": 1}}),
    "an array of terabytes": content_of("goldens/one/x.npy", TERABYTES),
    "an array of a pipe's name": index_of(case={"inputs": {"x": "/dev/zero"}}),
}


@pytest.mark.parametrize("name", GOLDENS)
def test_goldens_that_are_not_laid_out_as_documented_are_damage(infer_program: Path, tmp_path: Path, name: str) -> None:
    bundle = bundle_of_table(tmp_path / "bundle")
    GOLDENS[name](bundle)
    seal(bundle)
    check_refusal(slipway("selftest", bundle), 6)
    check_refusal(process(infer_program, bundle, "--selftest"), 6)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["SHA256SUMS", "model.onnx", "report.json", "goldens/one/x.npy"])
def test_what_stands_in_place_of_a_file_is_damage(infer_program: Path, tmp_path: Path, name: str, place: str) -> None:
    bundle = bundle_of_table(tmp_path / "bundle")
    (bundle / name).unlink()
    PLACES[place](bundle / name)
    check_refusal(slipway("selftest", bundle), 6)
    check_refusal(process(infer_program, bundle, "--selftest"), 6)
    if name == "SHA256SUMS":
        check_refusal(slipway("run", bundle, "--csv", bundle / "goldens" / "one" / "rows.csv"), 6)


@pytest.mark.parametrize(
    "sums",
    [
        b"\xff\xfe",
        b"\0" * 100,
        b"0" * 64 + b"  \0\n",
        b"0" * 64 + b"  " + b"a" * 300 + b"\n",
        b"0" * 64 + b"  " + b"a/" * 5000 + b"\n",
        b"x" * (17 << 20),
    ],
    ids=["not UTF-8", "NUL", "a name of NUL", "a long name", "a long path", "17 MB"],
)
def test_sums_of_strangers_are_damage(infer_program: Path, tmp_path: Path, sums: bytes) -> None:
    bundle = bundle_of_table(tmp_path / "bundle")
    (bundle / "SHA256SUMS").write_bytes(sums)
    check_refusal(slipway("selftest", bundle), 6)
    check_refusal(process(infer_program, bundle, "--selftest"), 6)


@pytest.mark.parametrize(
    "report", [b"", b"[]", b"\xff", DEEP.encode(), b'{"missing": 5}', b'{"score": 5}', b'{"score": {}}']
)
def test_a_report_of_a_stranger_has_a_clear_answer(tmp_path: Path, report: bytes) -> None:
    bundle = bundle_of_table(tmp_path / "bundle")
    (bundle / "report.json").write_bytes(report)
    seal(bundle)
    rows = bundle / "goldens" / "one" / "rows.csv"
    check_refusal(slipway("run", bundle, "--csv", rows, "--runtime", "torchscript"), 4, 6)
    answer = slipway("inspect", bundle)
    assert answer.code == 0 or check_refusal(answer, 6) is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive", b"\x80\x02]"])
def test_a_torchscript_file_that_is_none_is_damage(tmp_path: Path, content: bytes) -> None:
    bundle = bundle_of_table(tmp_path / "bundle")
    (bundle / "model.ts.pt").write_bytes(content)
    seal(bundle)
    rows = bundle / "goldens" / "one" / "rows.csv"
    check_refusal(slipway("run", bundle, "--csv", rows, "--runtime", "torchscript"), 6)


def test_the_bundle_that_is_changed_here_is_whole(infer_program: Path, tmp_path: Path) -> None:
    bundle = bundle_of_table(tmp_path / "bundle")
    assert [slipway("selftest", bundle).code, process(infer_program, bundle, "--selftest").code] == [0, 0]
