"""Bisection: planted faults are named with their node and module, cut out and written down; none is invented."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from bisect_faults import (
    NATIVE,
    ORT,
    LastOfSequence,
    Unsteady,
    WrongFusion,
    WrongWhenWatched,
    branches,
    ceil_sizes,
    changed,
    drop_bias,
    first,
    sequences,
    shift_padding,
    swap_gates,
)
from export_models import export, tensors, trained_names
from torch import nn

from slipway.bundle import ONNX, Bundle
from slipway.cli._bisect import sentences
from slipway.errors import FileError, InputError, MismatchError, ModelError, UnavailableError, UsageError
from slipway.runtime import find_onnx_runtime
from slipway.runtime.protocol import OnnxRuntime, RunArrays
from slipway_export import repro
from slipway_export.bisect import Difference, Side, Trial, bisect, draw_cases, make_sides
from slipway_export.cases import Case, Pool, verification_cases
from slipway_export.repro import bisection_json, is_repro, read_repro, replay, write_repro

pytest.importorskip("slipway._engine", reason="the engine is not built")

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


def test_a_fault_that_only_fusing_makes_is_found_and_said(pictures: bytes) -> None:
    trial = bisect(Side(ORT, pictures), Side(WrongFusion(), pictures), picture_cases())
    assert trial.fault is not None
    assert trial.fault.fused
    nodes = onnx.load_model_from_string(pictures).graph.node
    assert [nodes[i].op_type for i in trial.fault.nodes] == ["Gemm", "Relu"]
    assert any("a plan that fuses them is at fault" in line for line in sentences(trial, None))
    assert node_at(trial)[:2] == ("Relu", "3")


def test_a_difference_that_no_part_shows_alone_is_said(pictures: bytes) -> None:
    trial = bisect(Side(ORT, pictures), Side(WrongWhenWatched(), pictures), picture_cases())
    assert node_at(trial)[0] == "Conv"
    assert trial.fault is not None
    assert trial.fault.alone.ok
    assert any("No part of the model shows it alone" in line for line in sentences(trial, None))


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


def test_a_value_that_cannot_be_fed_is_made_inside_the_cut() -> None:
    cases = [Case("one", {"x": np.arange(1, 9, dtype=np.float32).reshape(2, 4)})]
    reference = Side(find_onnx_runtime("onnx-reference"), sequences(2))
    assert bisect(reference, Side(ORT, sequences(2)), cases).ok
    trial = bisect(reference, Side(LastOfSequence(), sequences(2)), cases)
    assert node_at(trial)[0] == "SequenceAt"
    assert trial.fault is not None
    assert trial.fault.nodes == (1, 2)


def test_given_bounds_replace_the_tolerance(pictures: bytes) -> None:
    sides = Side(ORT, pictures), Side(NATIVE, changed(pictures, drop_bias))
    assert bisect(*sides, picture_cases(), bounds=(10.0, 0.0)).ok
    exact = bisect(Side(ORT, pictures), Side(NATIVE, pictures), picture_cases(), bounds=(0.0, 0.0))
    assert exact.fault is not None
    assert exact.fault.seen.difference.allowed is None


def test_beyond_tolerance_is_worse_than_larger_within() -> None:
    small, large = Difference(1e-3, None, ok=False), Difference(1.0, None, ok=True)
    assert small.badness > large.badness


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
    assert len(found) == len(set(found)) == 3 + 2 * 12


def test_damaged_evidence_is_refused(pictures: bytes, tmp_path: Path) -> None:
    trial = bisect(Side(ORT, pictures), Side(NATIVE, changed(pictures, drop_bias)), picture_cases())
    write_repro(tmp_path, trial)
    whole = (tmp_path / "repro.onnx").read_bytes()
    (tmp_path / "repro.onnx").write_bytes(pictures)
    with pytest.raises(ModelError, match=r'no metadata "slipway\.repro"'):
        read_repro(tmp_path)
    (tmp_path / "repro.onnx").write_bytes(whole)
    arrays = (tmp_path / "repro.npz").read_bytes()
    for damaged in (b"PK", arrays[:100]):
        (tmp_path / "repro.npz").write_bytes(damaged)
        with pytest.raises(FileError, match="cannot be read"):
            read_repro(tmp_path)


def test_evidence_that_is_replaced_is_whole_or_none(
    pictures: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model of one fault is never left beside the arrays of another."""
    trial = bisect(Side(ORT, pictures), Side(NATIVE, changed(pictures, drop_bias)), picture_cases())
    write_repro(tmp_path, trial)
    assert is_repro(tmp_path)

    def stopped(path: Path, content: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(repro, "write_atomically", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_repro(tmp_path, trial)
    assert not is_repro(tmp_path)


def test_evidence_of_a_runtime_that_is_not_here_is_not_called_a_difference(pictures: bytes, tmp_path: Path) -> None:
    class Absent(Unsteady):
        def open(self, content: bytes, threads: int = 1) -> RunArrays:
            raise UnavailableError("native-cpu: it is Sunday")

    write_repro(tmp_path, bisect(Side(ORT, pictures), Side(NATIVE, changed(pictures, drop_bias)), picture_cases()))
    with pytest.raises(UnavailableError, match="Sunday"):
        replay(read_repro(tmp_path), lambda name: Absent())


def test_a_runtime_that_fails_on_a_case_is_named_with_its_error(pictures: bytes, tmp_path: Path) -> None:
    trial = bisect(Side(ORT, pictures), Side(Unsteady(), pictures), picture_cases())
    assert trial.fault is not None
    assert trial.fault.seen.case.startswith("batch_17")
    assert trial.fault.alone.error == "RuntimeError: only small batches"
    assert node_at(trial)[:2] == ("Conv", "0.conv")
    write_repro(tmp_path, trial)
    assert not (tmp_path / "repro.reference.onnx").exists()
