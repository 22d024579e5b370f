"""Bisection: planted faults are named with their node and module, cut out and written down; none is invented."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from export_models import Array, export, tensors, trained_names
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from slipway.bundle import ONNX, Bundle
from slipway.cli._bisect import sentences
from slipway.errors import FileError, InputError, MismatchError, ModelError, UsageError
from slipway.runtime import find_onnx_runtime
from slipway.runtime.protocol import Arrays, OnnxRuntime, RunArrays
from slipway_export.bisect import Side, Trial, bisect, draw_cases, make_sides
from slipway_export.cases import Case, Pool, verification_cases
from slipway_export.repro import bisection_json, read_repro, replay, write_repro

pytest.importorskip("slipway._engine", reason="the engine is not built")

ORT, NATIVE = find_onnx_runtime("onnxruntime-cpu"), find_onnx_runtime("native-cpu")
PICTURES = tensors(("N", 2, 10, 10), outputs=[("N", 3)])


class Block(nn.Module):
    """A convolution and a pooling, as the notes have them inside larger networks."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pooled: torch.Tensor = self.pool(torch.tanh(self.conv(x)))
        return pooled


def pictures_model() -> bytes:
    torch.manual_seed(1)
    return export(nn.Sequential(Block(), nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 3)), PICTURES)


@pytest.fixture(scope="module")
def pictures() -> bytes:
    return pictures_model()


@pytest.fixture(scope="module")
def names(sealed: Path) -> bytes:
    return Bundle.open(sealed).read(ONNX)


def picture_cases() -> list[Case]:
    return verification_cases(Pool.of(PICTURES))


def name_cases() -> list[Case]:
    trained = trained_names()
    return verification_cases(Pool.of(trained.signature, trained.dataset.test.raws))


def first(model: onnx.ModelProto, op: str) -> onnx.NodeProto:
    return next(node for node in model.graph.node if node.op_type == op)


def rewrite_weight(model: onnx.ModelProto, name: str, change: Callable[[Array], Array]) -> None:
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == name)
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(change(numpy_helper.to_array(tensor))), name))


def swap_gates(model: onnx.ModelProto) -> None:
    gru = first(model, "GRU")
    for place, gates in ((1, 3), (2, 3), (3, 6)):

        def swapped(weight: Array, gates: int = gates) -> Array:
            parts = np.split(weight, gates, axis=1)
            order = [1, 0, 2, 4, 3, 5][:gates]
            return np.concatenate([parts[i] for i in order], axis=1)

        rewrite_weight(model, gru.input[place], swapped)


def drop_bias(model: onnx.ModelProto) -> None:
    del first(model, "Gemm").input[2:]


def shift_padding(model: onnx.ModelProto) -> None:
    pads = next(a for a in first(model, "MaxPool").attribute if a.name == "pads")
    pads.ints[:] = [0, 0, 2, 2]


def ceil_sizes(model: onnx.ModelProto) -> None:
    """One more row and column than wanted: what follows cannot even run."""
    next(a for a in first(model, "MaxPool").attribute if a.name == "ceil_mode").i = 1


def changed(content: bytes, change: Callable[[onnx.ModelProto], None]) -> bytes:
    model = onnx.load_model_from_string(content)
    change(model)
    return model.SerializeToString()


def node_at(trial: Trial) -> tuple[str, str | None, str | None]:
    assert trial.fault is not None
    part = trial.fault.seen.part
    return part.op, part.module, part.module_class


FAULTS: dict[str, tuple[Callable[[onnx.ModelProto], None], str, tuple[str, str, str]]] = {
    "gates_in_the_wrong_order": (swap_gates, "names", ("GRU", "gru", "torch.nn.modules.rnn.GRU")),
    "bias_dropped": (drop_bias, "pictures", ("Gemm", "2", "torch.nn.modules.linear.Linear")),
    "padding_shifted": (shift_padding, "pictures", ("MaxPool", "0.pool", "torch.nn.modules.pooling.MaxPool2d")),
    "sizes_rounded_up": (ceil_sizes, "pictures", ("MaxPool", "0.pool", "torch.nn.modules.pooling.MaxPool2d")),
}


@pytest.mark.parametrize("faulty", [NATIVE, ORT], ids=lambda runtime: runtime.name)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named_cut_out_and_shown_again(
    fault: str, faulty: OnnxRuntime, names: bytes, pictures: bytes, tmp_path: Path
) -> None:
    change, which, expected = FAULTS[fault]
    content, cases = (names, name_cases()) if which == "names" else (pictures, picture_cases())
    right, wrong = Side(ORT if faulty is NATIVE else NATIVE, content), Side(faulty, changed(content, change))
    trial = bisect(right, wrong, cases)
    assert node_at(trial) == expected
    assert trial.fault is not None
    node = first(onnx.load_model_from_string(content), expected[0])
    assert trial.fault.seen.part.node == node.name
    assert len(trial.fault.nodes) == 1
    assert not trial.fault.fused
    assert [seen.difference.ok for seen in trial.seen] == [True] * (len(trial.seen) - 1) + [False]

    write_repro(tmp_path, trial)
    again = replay(read_repro(tmp_path), find_onnx_runtime)
    assert {row.runtime: row.ok for row in again.rows} == {right.name: True, wrong.name: False}
    arrays = np.load(tmp_path / "repro.npz")
    inputs = {name.removeprefix("input."): arrays[name] for name in arrays.files if name.startswith("input.")}
    for runtime in (ORT, NATIVE):  # the file alone shows it, whoever runs it
        ((name, output),) = runtime.open((tmp_path / "repro.onnx").read_bytes())(inputs).items()
        np.testing.assert_allclose(output, arrays[f"got.{name}"], atol=1e-5)
        assert output.shape != arrays[f"expected.{name}"].shape or not np.allclose(output, arrays[f"expected.{name}"])


@pytest.mark.parametrize("pair", [(ORT, NATIVE), (NATIVE, ORT), (find_onnx_runtime("onnx-reference"), NATIVE)])
def test_right_runtimes_agree_at_every_value(pair: tuple[OnnxRuntime, OnnxRuntime], pictures: bytes) -> None:
    trial = bisect(Side(pair[0], pictures), Side(pair[1], pictures), picture_cases())
    assert trial.ok
    graph = onnx.load_model_from_string(pictures).graph
    assert [seen.part.output for seen in trial.seen] == [name for node in graph.node for name in node.output]
    assert bisection_json(trial)["fault"] is None


def test_the_referee_says_who_is_right_or_why_it_cannot(names: bytes, pictures: bytes) -> None:
    fault = bisect(Side(ORT, pictures), Side(NATIVE, changed(pictures, drop_bias)), picture_cases()).fault
    assert fault is not None
    assert fault.referee is not None
    assert fault.referee["onnxruntime-cpu"] < 1e-5 < fault.referee["native-cpu"]
    fault = bisect(Side(ORT, names), Side(NATIVE, changed(names, swap_gates)), name_cases()).fault
    assert fault is not None
    assert "ignores sequence_lens" in (fault.no_referee or "")


@dataclass(frozen=True)
class WrongFusion:
    """A runtime that forgets the Relu behind a Gemm whose value nobody sees."""

    name: str = "native-cpu"

    def unavailable(self) -> str | None:
        return None

    def open(self, content: bytes, threads: int = 1) -> RunArrays:
        model = onnx.load_model_from_string(content)
        seen = {output.name for output in model.graph.output}
        hidden = {node.output[0] for node in model.graph.node if node.op_type == "Gemm"} - seen
        for node in model.graph.node:
            if node.op_type == "Relu" and node.input[0] in hidden:
                node.op_type = "Identity"
        return NATIVE.open(model.SerializeToString())


def test_a_fault_that_only_fusing_makes_is_found_and_said(pictures: bytes) -> None:
    trial = bisect(Side(ORT, pictures), Side(WrongFusion(), pictures), picture_cases())
    assert trial.fault is not None
    assert trial.fault.fused
    nodes = onnx.load_model_from_string(pictures).graph.node
    assert [nodes[i].op_type for i in trial.fault.nodes] == ["Gemm", "Relu"]
    assert any("a plan that fuses them is at fault" in line for line in sentences(trial, None))
    assert node_at(trial)[:2] == ("Relu", "3")


@dataclass(frozen=True)
class WrongWhenWatched:
    """A runtime whose first convolution is wrong as soon as there are several outputs."""

    name: str = "native-cpu"

    def unavailable(self) -> str | None:
        return None

    def open(self, content: bytes, threads: int = 1) -> RunArrays:
        run = NATIVE.open(content)

        def shifted(inputs: Arrays) -> dict[str, Array]:
            outputs = run(inputs)
            return {name: array + len(outputs) // 2 for name, array in outputs.items()}

        return shifted


def test_a_difference_that_no_part_shows_alone_is_said(pictures: bytes) -> None:
    trial = bisect(Side(ORT, pictures), Side(WrongWhenWatched(), pictures), picture_cases())
    assert node_at(trial)[0] == "Conv"
    assert trial.fault is not None
    assert trial.fault.alone.ok
    assert any("No part of the model shows it alone" in line for line in sentences(trial, None))


def branches(bias: float) -> bytes:
    """``y = if true: x + b (a value of the graph around it); else x``, then a Neg."""
    body = helper.make_graph(
        [helper.make_node("Add", ["twice", "b"], ["then"], name="inner")],
        "then",
        [],
        [helper.make_tensor_value_info("then", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.float32(bias), "b")],
    )
    other = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["else"])],
        "else",
        [],
        [helper.make_tensor_value_info("else", TensorProto.FLOAT, None)],
    )
    graph = helper.make_graph(
        [
            helper.make_node("Add", ["x", "x"], ["twice"], name="double"),
            helper.make_node("If", ["yes"], ["chosen"], name="choice", then_branch=body, else_branch=other),
            helper.make_node("Neg", ["chosen"], ["y"], name="negative"),
        ],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])],
        [numpy_helper.from_array(np.bool_(True), "yes")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10).SerializeToString()


def test_a_node_with_bodies_is_one_node_and_its_captures_are_inputs(tmp_path: Path) -> None:
    cases = [Case("one", {"x": np.arange(8, dtype=np.float32).reshape(2, 4)})]
    assert bisect(Side(ORT, branches(1)), Side(NATIVE, branches(1)), cases).ok
    trial = bisect(Side(ORT, branches(1)), Side(NATIVE, branches(2)), cases)
    assert node_at(trial) == ("If", None, None)
    assert trial.fault is not None
    assert set(trial.fault.inputs) == {"twice", "x"}
    assert trial.fault.seen.difference.max_abs == 1.0
    write_repro(tmp_path, trial)
    assert not replay(read_repro(tmp_path), find_onnx_runtime).ok


def test_given_bounds_replace_the_tolerance(pictures: bytes) -> None:
    sides = Side(ORT, pictures), Side(NATIVE, changed(pictures, drop_bias))
    assert bisect(*sides, picture_cases(), bounds=(10.0, 0.0)).ok
    exact = bisect(Side(ORT, pictures), Side(NATIVE, pictures), picture_cases(), bounds=(0.0, 0.0))
    assert exact.fault is not None
    assert exact.fault.seen.difference.allowed is None


def test_a_reference_that_cannot_run_a_case_is_refused(pictures: bytes) -> None:
    broken = Side(ORT, changed(pictures, ceil_sizes))
    with pytest.raises(MismatchError, match="onnxruntime-cpu, the reference, cannot run case batch_1"):
        bisect(broken, Side(NATIVE, pictures), picture_cases())


def test_a_file_with_other_values_is_refused_at_the_door(sealed: Path, pictures: bytes) -> None:
    bundle = Bundle.open(sealed)
    with pytest.raises(InputError, match="do not compute the same values"):
        make_sides(bundle, [ORT, NATIVE], {"native-cpu": pictures})
    with pytest.raises(ModelError, match="cannot be parsed"):
        make_sides(bundle, [ORT, NATIVE], {"native-cpu": b"no model"})
    with pytest.raises(UsageError, match="onnx-reference"):
        find_onnx_runtime("torchscript")


def test_cases_are_the_goldens_and_several_draws(sealed: Path) -> None:
    bundle = Bundle.open(sealed)
    found = [case.name for case in draw_cases(bundle, draws=2)]
    assert found[:4] == ["golden_batch_1", "golden_batch_3", "golden_batch_8", "batch_1#0"]
    assert len(found) == len(set(found)) == 3 + 2 * 11


def test_damaged_evidence_is_refused(pictures: bytes, tmp_path: Path) -> None:
    trial = bisect(Side(ORT, pictures), Side(NATIVE, changed(pictures, drop_bias)), picture_cases())
    write_repro(tmp_path, trial)
    whole = (tmp_path / "repro.onnx").read_bytes()
    (tmp_path / "repro.onnx").write_bytes(pictures)
    with pytest.raises(ModelError, match=r'no metadata "slipway\.repro"'):
        read_repro(tmp_path)
    (tmp_path / "repro.onnx").write_bytes(whole)
    (tmp_path / "repro.npz").write_bytes(b"PK")
    with pytest.raises(FileError, match="cannot be read"):
        read_repro(tmp_path)


class Unsteady:
    """A runtime that fails on batches of 17."""

    name = "native-cpu"

    def unavailable(self) -> str | None:
        return None

    def open(self, content: bytes, threads: int = 1) -> RunArrays:
        run = NATIVE.open(content)

        def refusing(inputs: Arrays) -> dict[str, Array]:
            if any(array.shape[:1] == (17,) for array in inputs.values()):
                raise RuntimeError("only small batches")
            return run(inputs)

        return refusing


def test_a_runtime_that_fails_on_a_case_is_named_with_its_error(pictures: bytes, tmp_path: Path) -> None:
    trial = bisect(Side(ORT, pictures), Side(Unsteady(), pictures), picture_cases())
    assert trial.fault is not None
    assert trial.fault.seen.case.startswith("batch_17")
    assert trial.fault.alone.error == "RuntimeError: only small batches"
    assert node_at(trial)[:2] == ("Conv", "0.conv")
    write_repro(tmp_path, trial)
    assert not (tmp_path / "repro.reference.onnx").exists()
