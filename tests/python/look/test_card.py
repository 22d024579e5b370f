"""The card of a model, and the engine's stage texts read back."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from slipway.errors import FileError, InputError, ModelError
from slipway.look.card import Model, make_card
from slipway.session import Session
from slipway.stages import read_groups, read_passes, read_plan

pytest.importorskip("slipway._engine", reason="the engine is not built")


def saved(model: onnx.ModelProto, folder: Path) -> Model:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return Model.open(path)


def test_a_card_counts_what_can_be_counted_by_hand(residual: onnx.ModelProto, tmp_path: Path) -> None:
    card = make_card(saved(residual, tmp_path), {"x": [2, 2, 5, 5]})
    assert (card["ir_version"], card["opsets"], card["producer"]) == (10, {"": 20}, "us")
    assert card["inputs"] == [{"name": "x", "dtype": "float32", "shape": ["N", 2, 5, 5]}]
    assert card["outputs"] == [{"name": "y", "dtype": "float32", "shape": ["N", 75]}]
    assert card["parameters"] == {"tensors": 3, "count": 6 + 3 + 81, "bytes": 4 * 90}
    assert card["flops"]["engine"] >= 2 * 2 * 25 * (3 * 2 + 3 * 27)
    assert card["flops"]["engine"] < 2 * 2 * 25 * (3 * 2 + 3 * 27) + 2 * 25 * 3 * 10
    assert (card["operators"][0]["operator"], card["operators"][0]["count"]) == ("Conv", 2)
    assert all(row["known"] and row["devices"][0] == "cpu" for row in card["operators"])
    assert (card["nodes"], card["metadata"], card["bundle"]) == (5, {"note": "n"}, None)
    assert card["nodes_after_passes"] < 5
    assert card["plan"][0]["steps"]


def test_open_sizes_leave_the_plan_out_and_fixed_ones_need_no_shapes(residual: onnx.ModelProto, tmp_path: Path) -> None:
    card = make_card(saved(residual, tmp_path))
    assert card["plan"] is card["flops"] is None
    assert card["passes"]
    residual.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 4
    assert make_card(saved(residual, tmp_path))["flops"]["shapes"] == {"x": [4, 2, 5, 5]}


def test_a_model_that_the_engine_refuses_still_has_a_card(residual: onnx.ModelProto, tmp_path: Path) -> None:
    residual.graph.node[2].op_type = "Einsum"
    card = make_card(saved(residual, tmp_path))
    row = next(row for row in card["operators"] if row["operator"] == "Einsum")
    assert (row["known"], row["devices"]) == (False, [])
    assert "Einsum" in card["engine"]
    assert card["passes"] is card["plan"] is card["groups"] is None


def test_a_model_of_an_unknown_domain_still_has_a_card(residual: onnx.ModelProto, tmp_path: Path) -> None:
    residual.graph.node[2].domain = "their.domain"
    card = make_card(saved(residual, tmp_path))
    assert {"operator": "Relu", "domain": "their.domain", "count": 1, "known": False, "devices": []} in card[
        "operators"
    ]


def test_an_operator_outside_its_opsets_is_not_known(residual: onnx.ModelProto, tmp_path: Path) -> None:
    residual.opset_import[0].version = 12
    assert not any(row["known"] for row in make_card(saved(residual, tmp_path))["operators"])


def test_what_is_no_model_is_refused_with_its_name(residual: onnx.ModelProto, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"none\.onnx cannot be read"):
        Model.open(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ModelError, match=r"text\.onnx: the file cannot be parsed"):
        make_card(Model.open(tmp_path / "text.onnx"))
    (tmp_path / "empty.onnx").touch()
    with pytest.raises(ModelError, match=r"empty\.onnx: .*no graph"):
        make_card(Model.open(tmp_path / "empty.onnx"))
    with pytest.raises(InputError, match=r'shape \[2, 2, 5\] does not fit input "x"'):
        make_card(saved(residual, tmp_path), {"x": [2, 2, 5]})
    with pytest.raises(InputError, match="unknown: z"):
        make_card(saved(residual, tmp_path), {"z": [1]})


def test_groups_are_what_the_passes_joined(residual: onnx.ModelProto, tmp_path: Path) -> None:
    (group,) = make_card(saved(residual, tmp_path))["groups"]
    assert {"inner", "relu"} <= set(group)
    text = 'round 1: p\n  Relu "a \\"q\\"" went into Conv "b"\n  Conv "b" went into Conv "c"\nnodes\n'
    assert read_groups(text) == [('a \\"q\\"', "b", "c")]
    assert read_groups("no pass found anything to do\nnodes\n") == []


def test_stage_texts_are_read_as_they_are_written(residual: onnx.ModelProto) -> None:
    session = Session(residual.SerializeToString())
    passes = read_passes(session.stage_text("passes"))
    assert passes
    assert all(record.notes and record.round > 0 for record in passes)
    (segment,) = read_plan(session.stage_text("plan", {"x": [1, 2, 5, 5]}))
    assert not segment.later
    text = session.stage_text("plan", {"x": [1, 2, 5, 5]})
    assert f"{len(segment.steps)} steps" in text
    assert f"arena {segment.arena_bytes} bytes, scratch {segment.scratch_bytes} bytes" in text
    assert all(f'{step.op} "{step.node}" [{step.kernel}]' in text for step in segment.steps)


def test_a_plan_that_waits_for_a_value_says_so() -> None:
    text = (
        "segment 0: 1 steps, arena 8 bytes, scratch 0 bytes\n"
        '  0 Neg "a" [avx2] x -> y  5 flops\n'
        "  then reads x and plans 2 nodes\n"
    )
    (segment,) = read_plan(text)
    assert (segment.later, segment.steps[0].flops, segment.arena_bytes) == (True, 5, 8)
