"""Both self-tests, slipway-infer's and slipway's, judge a bundle alike: one exit code for every kind of damage."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from slipway._metadata import signature_to_metadata
from slipway.cli import run_command, slipway_app
from slipway.signature import InputPort, OutputPort, Signature, TensorInput, TensorOutput

from .conftest import port_info, save_model, seal
from .test_selftest import (
    change_input,
    change_label,
    change_output,
    change_weights,
    golden_bundle,
    read_index,
    write_index,
)

Change = Callable[[Path], None]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return golden_bundle(tmp_path / "bundle", "table")


def exit_codes(infer_program: Path, bundle: Path) -> tuple[int, int]:
    """Return the exit codes of slipway-infer and of slipway."""
    done = subprocess.run(
        [os.fspath(infer_program), bundle, "--selftest"], capture_output=True, check=False, timeout=60
    )
    return done.returncode, run_command(slipway_app, "slipway", ["selftest", str(bundle)])


def flipped(name: str) -> Change:
    def change(bundle: Path) -> None:
        content = bytearray((bundle / name).read_bytes())
        content[len(content) // 2] ^= 1
        (bundle / name).write_bytes(content)

    return change


def missing(name: str) -> Change:
    return lambda bundle: (bundle / name).unlink()


def replaced(name: str, content: bytes) -> Change:
    return lambda bundle: (bundle / name).write_bytes(content) and None


def extra_file(bundle: Path) -> None:
    (bundle / "notes.txt").write_text("mine", encoding="utf-8")


def linked(bundle: Path) -> None:
    (bundle / "report.json").rename(bundle / "copy.json")
    (bundle / "report.json").symlink_to("copy.json")


def edited_sums(edit: Callable[[str], str]) -> Change:
    def change(bundle: Path) -> None:
        sums = bundle / "SHA256SUMS"
        sums.write_bytes(edit(sums.read_text(encoding="utf-8")).encode())

    return change


def without(name: str) -> Change:
    def edit(text: str) -> str:
        return "".join(line for line in text.splitlines(keepends=True) if not line.endswith(f"{name}\n"))

    return edited_sums(edit)


def also_listed(name: bytes) -> Change:
    """List a file, which is there, under this name too."""

    def change(bundle: Path) -> None:
        file = bundle / os.fsdecode(name)
        if not file.exists():
            file.write_bytes((bundle / "report.json").read_bytes())
        digest = hashlib.sha256((bundle / "report.json").read_bytes()).hexdigest().encode()
        sums = bundle / "SHA256SUMS"
        sums.write_bytes(sums.read_bytes() + digest + b"  " + name + b"\n")

    return change


DAMAGES: dict[str, tuple[Change, int]] = {
    "nothing": (lambda bundle: None, 0),
    "an extra file": (extra_file, 0),
    "a link": (linked, 6),
    **{f"a flipped byte in {name}": (flipped(name), 6) for name in ("model.onnx", "goldens/one/y.npy", "SHA256SUMS")},
    **{
        f"no {name}": (missing(name), 6)
        for name in ("model.onnx", "report.json", "SHA256SUMS", "goldens/index.json", "goldens/one/x.npy")
    },
    **{
        f"{name} not listed": (without(name), 6)
        for name in ("model.onnx", "report.json", "index.json", "x.npy", "y.npy", "rows.csv")
    },
    "a name with a backslash": (also_listed(b"a\\b"), 6),
    "a name that is not UTF-8": (also_listed(b"\xe9"), 6),
    "a name that ends as a folder's": (also_listed(b"report.json/"), 6),
    "empty sums": (edited_sums(lambda text: ""), 6),
    "a file listed twice": (edited_sums(lambda text: text + text.splitlines(keepends=True)[0]), 6),
    "a name that leads out": (edited_sums(lambda text: text + "0" * 64 + "  ../x\n"), 6),
    "a sum of half the digits": (edited_sums(lambda text: text[32:]), 6),
    "sums with ends of lines of Windows": (edited_sums(lambda text: text.replace("\n", "\r\n")), 6),
    "sums of binary mode": (edited_sums(lambda text: text.replace("  ", " *")), 6),
}


def index_with(**values: object) -> Change:
    def change(bundle: Path) -> None:
        write_index(bundle, {**read_index(bundle), **values})

    return change


def case_without(key: str) -> Change:
    def change(bundle: Path) -> None:
        index = read_index(bundle)
        index["cases"][0][key] = {}
        write_index(bundle, index)

    return change


def case_with(key: str, **files: str) -> Change:
    def change(bundle: Path) -> None:
        index = read_index(bundle)
        index["cases"][0][key] = files
        write_index(bundle, index)

    return change


def saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def unfit_input(bundle: Path) -> None:
    np.save(bundle / "goldens" / "one" / "x.npy", np.float32([1.5, 2.5]))
    index = read_index(bundle)
    index["cases"][0]["raw"] = None
    write_index(bundle, index)


def other_dtype(bundle: Path) -> None:
    path = bundle / "goldens" / "one" / "y.npy"
    np.save(path, np.load(path).astype(np.float64))


def other_rows(bundle: Path) -> None:
    (bundle / "goldens" / "one" / "rows.csv").write_text("1.5,2.5\n3.0,4.5\n", encoding="utf-8")


def unknown_operator(bundle: Path) -> None:
    model = onnx.load(bundle / "model.onnx")
    model.graph.node[0].op_type = "Nothing"
    onnx.save(model, bundle / "model.onnx")


def broken_rule(bundle: Path) -> None:
    model = onnx.load(bundle / "model.onnx")
    model.graph.node[-1].input[0] = "nowhere"
    onnx.save(model, bundle / "model.onnx")


def tolerant_of_a_difference(bundle: Path) -> None:
    change_output(bundle)
    index_with(scale_tolerance=0.01)(bundle)


# Sealed again after the change, so that only the replay can find it.
RESEALED: dict[str, tuple[Change, int]] = {
    "an output": (change_output, 3),
    "an output within the bundle's own tolerance": (tolerant_of_a_difference, 0),
    "an output's type": (other_dtype, 3),
    "an input": (change_input, 3),
    "raw input": (other_rows, 3),
    "a label": (change_label, 3),
    "weights": (change_weights, 3),
    "an array that is none": (replaced("goldens/one/y.npy", b"none"), 6),
    "a model that is none": (replaced("model.onnx", b"\xff\xff none"), 6),
    "a model that breaks a rule": (broken_rule, 6),
    "a model with an unknown operator": (unknown_operator, 1),
    "an index that is none": (replaced("goldens/index.json", b"[1"), 6),
    "an index that is a list": (replaced("goldens/index.json", b"[1]"), 6),
    "an index of a later format": (index_with(format=2), 6),
    "no cases": (index_with(cases=[]), 6),
    "a case that is no object": (index_with(cases=[1]), 6),
    "a tolerance that is no number": (index_with(scale_tolerance="1"), 6),
    "a case without inputs": (case_without("inputs"), 6),
    "a case without outputs": (case_without("outputs"), 6),
    "a format that is true": (index_with(format=True), 6),
    "an array of a port that the model has not": (case_with("inputs", x="one/x.npy", z="one/x.npy"), 6),
    "an output that the model has not": (case_with("outputs", y="one/y.npy", z="one/y.npy"), 6),
    "an input of another rank": (replaced("goldens/one/x.npy", saved(np.float32([1.5, 2.5]))), 3),
    "an input of another rank without raw input": (unfit_input, 6),
    "a table without rows": (replaced("goldens/one/rows.csv", b""), 6),
    "a table of another width": (replaced("goldens/one/rows.csv", b"1,2,3\n"), 6),
    "a table that is none": (replaced("goldens/one/rows.csv", b'"1,2\n'), 6),
    "a file that is not in the bundle": (
        lambda bundle: replaced(
            "goldens/index.json", json.dumps(read_index(bundle)).replace("one/x.npy", "one/z.npy").encode()
        )(bundle),
        6,
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_of_a_sealed_bundle_has_one_exit_code(infer_program: Path, bundle: Path, damage: str) -> None:
    change, code = DAMAGES[damage]
    change(bundle)
    assert exit_codes(infer_program, bundle) == (code, code)


@pytest.mark.parametrize("damage", RESEALED)
def test_a_change_before_sealing_has_one_exit_code(infer_program: Path, bundle: Path, damage: str) -> None:
    change, code = RESEALED[damage]
    change(bundle)
    seal(bundle)
    assert exit_codes(infer_program, bundle) == (code, code)


def test_what_is_no_folder_has_one_exit_code(infer_program: Path, bundle: Path) -> None:
    assert exit_codes(infer_program, bundle / "model.onnx") == (2, 2)
    assert exit_codes(infer_program, bundle / "nowhere") == (1, 1)


def test_whole_numbers_that_are_one_as_doubles_differ(infer_program: Path, tmp_path: Path) -> None:
    x, y = InputPort("x", "int64", ("N",), TensorInput()), OutputPort("y", ("N",), TensorOutput(), "int64")
    golden = tmp_path / "goldens" / "one"
    golden.mkdir(parents=True)
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    metadata = signature_to_metadata(Signature((x,), (y,)))
    save_model(tmp_path / "model.onnx", [node], [port_info(x)], [port_info(y)], metadata=metadata)
    files = {"inputs": {"x": "one/x.npy"}, "outputs": {"y": "one/y.npy"}}
    case = {"name": "one", "raw": None, "labels": [], **files}
    write_index(tmp_path, {"format": 1, "scale_tolerance": 1e-5, "cases": [case]})
    (tmp_path / "report.json").write_text("{}", encoding="utf-8")
    np.save(golden / "x.npy", np.int64([2**53]))
    for number, code in ((2**53, 0), (2**53 + 1, 3)):
        np.save(golden / "y.npy", np.int64([number]))
        seal(tmp_path)
        assert exit_codes(infer_program, tmp_path) == (code, code)
