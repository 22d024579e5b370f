"""--selftest: checksums first, then the goldens, without Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper
from PIL import Image

from slipway._metadata import signature_to_metadata
from slipway.preprocess import decode, encode
from slipway.signature import (
    ClassOutput,
    ImageInput,
    InputPort,
    InputSpec,
    OutputPort,
    Signature,
    TableInput,
    TextInput,
)

from .conftest import Run, port_info, save_model, seal


def golden_bundle(folder: Path, kind: str) -> Path:
    """Make a sealed bundle whose scores are its encoded input, summed to [N, 2] in one matrix product."""
    pixels = np.random.default_rng(2).integers(0, 256, (5, 7), dtype=np.uint8)
    specs: dict[str, tuple[str, tuple[int | str, ...], InputSpec, list[object], object]] = {
        "text": ("float32", ("N", "T", 128), TextInput(one_hot=True), ["ab", "xyz"], {"texts": ["ab", "xyz"]}),
        "image": ("float32", ("N", 1, 4, 4), ImageInput(1, 4, 4), [pixels], {"images": ["one/0.png"]}),
        "table": ("float32", ("N", 2), TableInput(), [[1.5, 2.5], [3.0, 4.0]], {"csv": "one/rows.csv"}),
    }
    dtype, dims, spec, raws, raw = specs[kind]
    signature = Signature(
        (InputPort("x", dtype, dims, spec),),  # type: ignore[arg-type] # one of the above
        (OutputPort("y", ("N", 2), ClassOutput()),),
        ("low", "high"),
    )
    inputs = encode(signature, raws)
    sums = inputs["x"].reshape(len(raws), -1).astype(np.float64).sum(axis=1, keepdims=True)
    outputs = {"y": np.concatenate([sums, -sums], axis=1).astype(np.float32)}
    golden = folder / "goldens" / "one"
    golden.mkdir(parents=True)
    Image.fromarray(pixels).save(golden / "0.png")
    (golden / "rows.csv").write_text("1.5,2.5\n3.0,4.0\n", encoding="utf-8")
    np.save(golden / "x.npy", inputs["x"])
    np.save(golden / "y.npy", outputs["y"])
    case = {
        "name": "one",
        "raw": raw,
        "inputs": {"x": "one/x.npy"},
        "outputs": {"y": "one/y.npy"},
        "labels": decode(signature, outputs),
    }
    write_index(folder, {"format": 1, "scale_tolerance": 1e-5, "cases": [case]})
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("ReduceSum", ["flat", "axis"], ["sum"]),
        helper.make_node("MatMul", ["sum", "signs"], ["y"]),
    ]
    constants = {"axis": np.int64([1]), "signs": np.float32([[1, -1]])}
    ports = [port_info(signature.inputs[0])], [port_info(signature.outputs[0])]
    save_model(folder / "model.onnx", nodes, *ports, constants, signature_to_metadata(signature))
    (folder / "report.json").write_text("{}\n", encoding="utf-8")
    seal(folder)
    return folder


def write_index(bundle: Path, index: object) -> None:
    (bundle / "goldens" / "index.json").write_text(json.dumps(index), encoding="utf-8")


def read_index(bundle: Path) -> dict[str, list[dict[str, object]]]:
    index: dict[str, list[dict[str, object]]] = json.loads((bundle / "goldens" / "index.json").read_bytes())
    return index


@pytest.fixture(params=["text", "image", "table"])
def bundle(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return golden_bundle(tmp_path / "bundle", request.param)


def test_a_whole_bundle_passes(infer: Run, bundle: Path) -> None:
    assert "selftest ok" in infer(bundle, "--selftest").stdout
    report = json.loads(infer(bundle, "--selftest", "--json").stdout)
    assert report["ok"]
    assert report["files"] == 7
    assert [row["output"] for row in report["rows"]] == ["encode", "y", "labels"]


def change_output(bundle: Path) -> None:
    values = np.load(bundle / "goldens" / "one" / "y.npy")
    np.save(bundle / "goldens" / "one" / "y.npy", values * np.float32(1.001))


def change_input(bundle: Path) -> None:
    values = np.load(bundle / "goldens" / "one" / "x.npy")
    values.flat[0] = np.nextafter(values.flat[0], np.float32(9))
    np.save(bundle / "goldens" / "one" / "x.npy", values)


def change_label(bundle: Path) -> None:
    index = read_index(bundle)
    index["cases"][0]["labels"] = ["?"]
    write_index(bundle, index)


def change_weights(bundle: Path) -> None:
    model = onnx.load(bundle / "model.onnx")
    signs = next(tensor for tensor in model.graph.initializer if tensor.name == "signs")
    signs.CopyFrom(onnx.numpy_helper.from_array(np.float32([[1, 1]]), "signs"))
    onnx.save(model, bundle / "model.onnx")


@pytest.mark.parametrize("change", [change_output, change_input, change_label, change_weights])
def test_a_difference_ends_with_3(infer: Run, bundle: Path, change: Callable[[Path], None]) -> None:
    change(bundle)
    assert "checksum" in infer(bundle, "--selftest", code=6).stderr
    seal(bundle)
    assert "DIFFERS" in infer(bundle, "--selftest", code=3).stdout
    assert not json.loads(infer(bundle, "--selftest", "--json", code=3).stdout)["ok"]


@pytest.fixture
def table_bundle(tmp_path: Path) -> Path:
    return golden_bundle(tmp_path / "bundle", "table")


def test_every_fault_of_the_sums_is_named_at_once(infer: Run, table_bundle: Path) -> None:
    (table_bundle / "goldens" / "one" / "y.npy").write_bytes(b"x")
    (table_bundle / "goldens" / "one" / "x.npy").unlink()
    message = infer(table_bundle, "--selftest", code=6).stderr
    assert "x.npy" in message
    assert "y.npy" in message


@pytest.mark.parametrize(
    "line",
    ["", "x", "0" * 64 + "  ../outside", "0" * 64 + "  /etc/passwd", "0" * 64 + "  link", "Z" * 64 + "  model.onnx"],
)
def test_sums_that_are_broken_or_lead_out_are_refused(infer: Run, table_bundle: Path, line: str) -> None:
    (table_bundle.parent / "outside").write_bytes(b"secret")
    (table_bundle / "link").symlink_to(table_bundle.parent / "outside")
    (table_bundle / "SHA256SUMS").write_text(line, encoding="utf-8")
    infer(table_bundle, "--selftest", code=6)


def test_missing_or_unlisted_pieces_are_damage(infer: Run, table_bundle: Path) -> None:
    sums = (table_bundle / "SHA256SUMS").read_text(encoding="utf-8").splitlines(keepends=True)
    for name in ("model.onnx", "index.json", "x.npy", "y.npy", "rows.csv"):
        kept = [line for line in sums if not line.rstrip().endswith(name)]
        (table_bundle / "SHA256SUMS").write_text("".join(kept), encoding="utf-8")
        assert name in infer(table_bundle, "--selftest", code=6).stderr
    (table_bundle / "SHA256SUMS").unlink()
    infer(table_bundle, "--selftest", code=6)


@pytest.mark.parametrize("index", [{}, {"scale_tolerance": 1e-5, "cases": []}, {"scale_tolerance": 1, "cases": [{}]}])
def test_an_index_that_says_too_little_is_damage(infer: Run, table_bundle: Path, index: object) -> None:
    write_index(table_bundle, index)
    seal(table_bundle)
    infer(table_bundle, "--selftest", code=6)


def test_an_index_of_wrong_types_is_damage(infer: Run, table_bundle: Path) -> None:
    (table_bundle / "goldens" / "index.json").write_text("[1", encoding="utf-8")
    seal(table_bundle)
    infer(table_bundle, "--selftest", code=6)
