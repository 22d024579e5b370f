"""Tensors in files beside a model are read from below the model's folder, and from nowhere else."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import slipway
from slipway.errors import FileError, LimitError, ModelError, SlipwayError, UnsupportedError

WEIGHTS = np.arange(6, dtype=np.float32)
SECRET = "not for strangers"


def model_with(**entries: str) -> onnx.ModelProto:
    """A model that adds six floats, which lie where ``entries`` of external_data say."""
    weights = numpy_helper.from_array(WEIGHTS, "w")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        weights.external_data.add(key=key, value=value)
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [6])],
        [weights],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model's folder with data of all kinds, inside of one that is none of its business."""
    folder = tmp_path / "model"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "w.bin").write_bytes(WEIGHTS.tobytes())
    (folder / "deep" / "er" / "w.bin").write_bytes(b"head" + WEIGHTS.tobytes() + b"tail")
    (tmp_path / "secret").write_text(SECRET * 2)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "w.bin").write_bytes(WEIGHTS.tobytes())
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "inner_link").symlink_to("w.bin")
    (folder / "folder_link").symlink_to(tmp_path / "elsewhere")
    os.link(tmp_path / "elsewhere" / "w.bin", folder / "hard")
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket"))
    with (folder / "sparse").open("wb") as file:
        file.truncate(1 << 42)
    return folder


def load(folder: Path, model: onnx.ModelProto, **options: int) -> slipway.Session:
    file = folder / "model.onnx"
    file.write_bytes(model.SerializeToString())
    return slipway.Session(file, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "entries",
    [
        {"location": "w.bin"},
        {"location": "w.bin", "offset": "0", "length": "24", "checksum": "not looked at"},
        {"location": "deep/er/w.bin", "offset": "4", "length": "24"},
    ],
)
def test_data_beside_the_model_are_read(folder: Path, entries: dict[str, str]) -> None:
    session = load(folder, model_with(**entries))
    np.testing.assert_array_equal(session.run({"x": np.ones(6, np.float32)})["y"], WEIGHTS + 1)


def test_what_onnx_saves_is_read_from_any_folder(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    model = model_with(location="w.bin")
    onnx.load_external_data_for_model(model, str(folder))
    onnx.save(model, folder / "saved.onnx", save_as_external_data=True, location="all.data", size_threshold=0)
    for where, name in ((tmp_path, "model/saved.onnx"), (folder, "saved.onnx")):
        monkeypatch.chdir(where)
        np.testing.assert_array_equal(slipway.Session(name).run({"x": np.zeros(6, np.float32)})["y"], WEIGHTS)


HOSTILE = {
    "absolute": ({"location": "/etc/passwd"}, ModelError, "does not lie beside the model"),
    "parent": ({"location": "../secret"}, ModelError, "does not lie beside the model"),
    "parent_later": ({"location": "deep/../../secret"}, ModelError, "does not lie beside the model"),
    "dot": ({"location": "./w.bin"}, ModelError, "does not lie beside the model"),
    "doubled_slash": ({"location": "deep//er/w.bin"}, ModelError, "does not lie beside the model"),
    "folder": ({"location": "deep"}, ModelError, "is no regular file"),
    "trailing_slash": ({"location": "w.bin/"}, ModelError, "is a link, or lies behind one or behind a file"),
    "link_out": ({"location": "link"}, ModelError, "is a link"),
    "link_inside": ({"location": "inner_link"}, ModelError, "is a link"),
    "behind_a_link": ({"location": "folder_link/w.bin"}, ModelError, "lies behind one"),
    "hard_link": ({"location": "hard"}, ModelError, "1 more names"),
    "pipe": ({"location": "pipe"}, ModelError, "is no regular file"),
    "socket": ({"location": "socket"}, FileError, "cannot read"),
    "missing": ({"location": "w.bon"}, FileError, "No such file"),
    "nameless": ({}, ModelError, "names none"),
    "empty_name": ({"location": ""}, ModelError, "names none"),
    "zero_byte": ({"location": "w.bin\0.txt"}, ModelError, "is no name of a file"),
    "long_name": ({"location": "a/" * 3000 + "w"}, ModelError, "is no name of a file"),
    "long_part": ({"location": "a" * 300}, FileError, "cannot read"),
    "windows": ({"location": "..\\secret"}, FileError, "No such file"),
    "offset_behind_the_end": ({"location": "w.bin", "offset": "25"}, ModelError, "the file has 24 bytes"),
    "offset_at_the_top": ({"location": "w.bin", "offset": str(2**63 - 1), "length": "24"}, ModelError, "end behind"),
    "offset_too_large": ({"location": "w.bin", "offset": str(2**63)}, ModelError, "expected a number of bytes"),
    "negative_offset": ({"location": "w.bin", "offset": "-24"}, ModelError, "expected a number of bytes"),
    "offset_in_hex": ({"location": "w.bin", "offset": "0x0"}, ModelError, "expected a number of bytes"),
    "length_too_long": ({"location": "w.bin", "length": "28"}, ModelError, "end behind"),
    "length_too_short": ({"location": "w.bin", "length": "20"}, ModelError, "has 20 bytes .* its shape needs 24"),
    "sum_overflows": ({"location": "w.bin", "offset": "8", "length": str(2**63 - 1)}, ModelError, "end behind"),
    "all_of_a_sparse_file": ({"location": "sparse"}, ModelError, "its shape needs 24"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_anything_else_is_refused_in_words(name: str, folder: Path, figure: Callable[[str, float], None]) -> None:
    entries, error, message = HOSTILE[name]
    with pytest.raises(SlipwayError, match=f'(?s)tensor "w".*{message}') as raised:
        load(folder, model_with(**entries))
    assert raised.type is error
    assert str(folder / "model.onnx") in str(raised.value)
    assert SECRET not in str(raised.value)
    figure("hostile places of data", 1)


def test_a_tensor_of_a_constant_node_is_held_to_the_same_rules(folder: Path) -> None:
    model = model_with(location="../secret")
    node = helper.make_node("Constant", [], ["w"], value=model.graph.initializer[0])
    model.graph.ClearField("initializer")
    model.graph.node.insert(0, node)
    with pytest.raises(ModelError, match="does not lie beside the model"):
        load(folder, model)


def test_a_shape_of_terabytes_meets_the_bound_before_memory(folder: Path) -> None:
    model = model_with(location="sparse")
    model.graph.initializer[0].dims[:] = [1 << 40]
    with pytest.raises(LimitError, match=rf"needs {1 << 42} bytes .* max_memory is {1 << 30}"):
        load(folder, model, max_memory=1 << 30)


def test_data_in_two_places_are_refused(folder: Path) -> None:
    model = model_with(location="w.bin")
    model.graph.initializer[0].raw_data = WEIGHTS.tobytes()
    with pytest.raises(ModelError, match="in the model and in another file"):
        load(folder, model)


def test_entries_without_the_mark_are_not_followed(folder: Path) -> None:
    model = model_with(location="../secret")
    model.graph.initializer[0].data_location = TensorProto.DEFAULT
    model.graph.initializer[0].raw_data = WEIGHTS.tobytes()
    np.testing.assert_array_equal(load(folder, model).run({"x": np.zeros(6, np.float32)})["y"], WEIGHTS)


def test_an_unknown_mark_is_refused(folder: Path) -> None:
    weights = model_with(location="w.bin").graph.initializer[0].SerializeToString()
    mark = bytes([14 << 3, 1])
    assert weights.count(mark) == 1
    broken = onnx.ModelProto()
    broken.CopyFrom(model_with(location="w.bin"))
    content = broken.SerializeToString().replace(mark, bytes([14 << 3, 2]))
    file = folder / "model.onnx"
    file.write_bytes(content)
    with pytest.raises(ModelError, match="has data location 2, expected 0 or 1"):
        slipway.Session(file)


def test_bytes_lie_beside_no_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(UnsupportedError, match="open the model by its path, or save it as one file"):
        slipway.Session(model_with(location="w.bin").SerializeToString())
