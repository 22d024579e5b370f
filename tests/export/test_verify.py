"""Verification: passes what is right, and catches every planted fault."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from export_models import NAMES, OPERATORS, TEXTS, names_signature, tensors, trained_names

from slipway.bundle import ONNX, Bundle
from slipway.errors import ExitCode, MismatchError, UnavailableError, UsageError
from slipway.runtime import Eager, find_runtimes
from slipway.runtime.protocol import Arrays
from slipway.signature import ImageInput, InputPort, Signature
from slipway_export import export_bundle
from slipway_export.cases import Case, Pool, example_inputs, far_inputs, probe_inputs, verification_cases
from slipway_export.pack import write_sums
from slipway_export.ports import parse_inputs
from slipway_export.verify import RATIO_LIMIT, Row, Verification, verify

ONNXRUNTIME = find_runtimes("onnxruntime-cpu")


def check(path: Path, **options: Any) -> Verification:
    bundle = Bundle.open(path)
    return verify(bundle, ONNXRUNTIME, reference=Eager(NAMES).load(bundle), **options)


def rewrite(path: Path, change: Any) -> None:
    """Change the weights of ``model.onnx`` by name of their role in the first GRU, and seal the bundle again."""
    model = onnx.load_model(path / ONNX)
    gru = next(node for node in model.graph.node if node.op_type == "GRU")
    roles = dict(zip(("W", "R", "B"), gru.input[1:4], strict=True))
    for tensor in model.graph.initializer:
        for role, name in roles.items():
            if tensor.name == name:
                changed = change(role, onnx.numpy_helper.to_array(tensor).copy())
                tensor.CopyFrom(onnx.numpy_helper.from_array(changed, name))
    (path / ONNX).write_bytes(model.SerializeToString())
    write_sums(path)


def test_a_right_bundle_passes_with_errors_like_eagers_own(sealed: Path) -> None:
    result = check(sealed)
    assert result.ok
    result.require()
    assert {row.runtime for row in result.rows} == {"onnxruntime-cpu"}
    assert all(row.fp64_ratio is not None and row.fp64_ratio < RATIO_LIMIT / 2 for row in result.rows)


def test_the_cases_are_those_that_were_asked_for(sealed: Path) -> None:
    names = [row.case for row in check(sealed).rows]
    assert names == [
        "golden_batch_1", "golden_batch_3", "golden_batch_8", "batch_1", "batch_2", "batch_3", "batch_17",
        "lengths_all_one", "lengths_all_longest", "lengths_rising", "lengths_equal", "lengths_longer_than_seen",
        "time_beyond_the_longest", "batch_17_permuted", "batch_3_repeated",
    ]  # fmt: skip


def swap_gates(role: str, weight: np.ndarray) -> np.ndarray:
    hidden = weight.shape[1] // (6 if role == "B" else 3)
    order = np.arange(weight.shape[1]).reshape(-1, hidden)
    order[[0, 1]] = order[[1, 0]]
    return np.ascontiguousarray(weight[:, order.ravel()])


FAULTS = {
    "gates_in_the_wrong_order": swap_gates,
    "recurrent_bias_dropped": lambda role, w: np.hstack([w[:, :24], 0 * w[:, 24:]]) if role == "B" else w,
    "one_weight_off_by_a_thousandth": lambda role, w: w + (np.arange(w.size).reshape(w.shape) == 70) * np.float32(1e-3),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(copied: Path, fault: str) -> None:
    rewrite(copied, FAULTS[fault])
    result = check(copied)
    assert not result.ok
    with pytest.raises(
        MismatchError, match=r"onnxruntime-cpu, case .*, output logits: .* times eager's own error"
    ) as caught:
        result.require()
    assert caught.value.exit_code == ExitCode.MISMATCH == 3


class Frozen:
    """A runtime that ignores the lengths, as one that was traced with them as a list would."""

    name = "frozen"

    def unavailable(self) -> str | None:
        return None

    def load(self, bundle: Bundle, threads: int = 1) -> Frozen:
        self.model = ONNXRUNTIME[0].load(bundle)
        return self

    def run(self, inputs: Arrays) -> dict[str, Any]:
        steps = inputs["tokens"].shape[0]
        return self.model.run({**inputs, "lengths": np.full_like(inputs["lengths"], steps)})


def test_a_runtime_that_ignores_lengths_leaves_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(MismatchError, match="frozen"):
        export_bundle(trained_names(), tmp_path / "b", operators=OPERATORS, runtimes=[Frozen()], formats=["onnx"])
    assert list(tmp_path.iterdir()) == []


def test_a_runtime_that_fails_on_a_case_is_a_difference(sealed: Path) -> None:
    class Failing(Frozen):
        name = "failing"

        def run(self, inputs: Arrays) -> dict[str, Any]:
            if inputs["tokens"].shape[1] == 17:
                raise RuntimeError("only small batches\nand a long story")
            return self.model.run(inputs)

    bundle = Bundle.open(sealed)
    result = verify(bundle, [Failing()], reference=Eager(NAMES).load(bundle))
    assert {row.case for row in result.rows if not row.ok} == {"batch_17", "batch_17_permuted"}
    with pytest.raises(
        MismatchError, match=r"failing, case batch_17, output logits: RuntimeError: only small batches$"
    ):
        result.require()


def test_an_output_of_another_shape_is_a_difference_and_still_json(sealed: Path) -> None:
    class Short(Frozen):
        name = "short"

        def run(self, inputs: Arrays) -> dict[str, Any]:
            return {"logits": self.model.run(inputs)["logits"][:, :1]}

    bundle = Bundle.open(sealed)
    result = verify(bundle, [Short()], reference=Eager(NAMES).load(bundle))
    assert not any(row.ok for row in result.rows)
    assert json.loads(json.dumps(result.as_json(), allow_nan=False))["rows"][0]["max_abs"] is None


def test_a_taken_place_or_an_unknown_format_is_refused_before_any_work(sealed: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--force"):
        export_bundle(trained_names(), sealed, operators=OPERATORS)
    with pytest.raises(UsageError, match="torchscript"):
        export_bundle(trained_names(), tmp_path / "b", formats=["tflite"])  # type: ignore[list-item]


def test_a_runtime_that_is_not_there_is_skipped_with_its_reason_or_required(sealed: Path) -> None:
    class Absent(Frozen):
        name = "absent"

        def unavailable(self) -> str | None:
            return "it is Sunday"

    bundle = Bundle.open(sealed)
    reference = Eager(NAMES).load(bundle)
    row = verify(bundle, [Absent()], reference=reference).rows[0]
    assert (row.ok, row.skipped) == (True, "it is Sunday")
    with pytest.raises(UnavailableError, match="Sunday"):
        verify(bundle, [Absent()], reference=reference, required=True)


def test_given_tolerances_replace_the_bounds(copied: Path) -> None:
    rewrite(copied, FAULTS["one_weight_off_by_a_thousandth"])
    assert check(copied, atol=1e-2).ok
    assert not check(copied, atol=0.0, rtol=1e-7).ok


def test_a_raw_golden_that_encodes_differently_is_caught(copied: Path) -> None:
    index = copied / "goldens" / "index.json"
    cases = json.loads(index.read_text())
    cases["cases"][0]["raw"]["texts"] = ["Eve"]
    index.write_text(json.dumps(cases))
    write_sums(copied)
    with pytest.raises(MismatchError, match="golden batch_1"):
        check(copied)


def test_the_json_has_the_agreed_fields(sealed: Path) -> None:
    result = json.loads(json.dumps(check(sealed).as_json()))
    assert set(result) == {"ok", "bundle", "rows"}
    fields = {
        "runtime",
        "case",
        "output",
        "max_abs",
        "max_rel",
        "fp64_ratio",
        "argmax_agreement",
        "ok",
        "skipped",
        "error",
    }
    assert set(result["rows"][0]) == fields
    assert result["rows"][0]["argmax_agreement"] == 1.0


def test_the_worst_row_of_each_runtime_is_told() -> None:
    rows = [Row("a", c, "y", e, e, e, None, ok=False) for c, e in (("small", 1.0), ("large", 3.0), ("middle", 2.0))]
    with pytest.raises(MismatchError, match="case large") as caught:
        Verification("b", tuple(rows)).require()
    assert "small" not in str(caught.value)


def test_another_type_or_shape_is_told_as_such(tmp_path: Path) -> None:
    class Other(Frozen):
        def run(self, inputs: Arrays) -> dict[str, Any]:
            logits = self.model.run(inputs)["logits"]
            return {"logits": logits.astype(np.float64) if len(logits) == 3 else logits}

    message = (
        r"bundle named differs from eager PyTorch: frozen, case \w+, output logits: type float64, expected float32$"
    )
    with pytest.raises(MismatchError, match=message):
        export_bundle(trained_names(), tmp_path / "named", operators=OPERATORS, runtimes=[Other()], formats=["onnx"])


def test_the_criterion_that_failed_is_the_one_that_is_told() -> None:
    row = Row("a", "far", "y", 0.5, 1e-3, 2.0, None, ok=False)
    rows = (row, replace(row, case="wrong", max_abs=0.1, max_rel=1e-9, fp64_ratio=800.0))
    with pytest.raises(MismatchError, match=r"case far, output y: 0\.5 off, 0\.001 of the largest value$"):
        Verification("b", rows[:1]).require()
    with pytest.raises(MismatchError, match="case far"):
        Verification("b", rows).require()
    shaped = replace(row, case="shaped", max_abs=float("inf"), error="shape [2], expected [2, 1]")
    with pytest.raises(MismatchError, match=r"case shaped, output y: shape \[2\], expected \[2, 1\]$"):
        Verification("b", (*rows, shaped)).require()


def test_cases_hold_real_tokens_with_lengths_in_range() -> None:
    dataset = trained_names().dataset
    pool = Pool.of(names_signature(NAMES.config, dataset), TEXTS)
    assert pool.longest == len("Grace Hopper")
    cases = {case.name: case for case in verification_cases(pool)}
    for case in cases.values():
        tokens, lengths = case.inputs["tokens"], case.inputs["lengths"]
        assert tokens.shape[1] == len(lengths)
        assert lengths.min() >= 1
        assert lengths.max() <= tokens.shape[0]
        assert set(np.unique(tokens)) <= {0, *map(ord, "".join(TEXTS))}
    assert cases["lengths_longer_than_seen"].inputs["lengths"].max() == 2 * 12 + 3
    assert (np.diff(cases["lengths_rising"].inputs["lengths"]) > 0).all()
    again = {case.name: case for case in verification_cases(pool)}
    np.testing.assert_array_equal(cases["batch_17"].inputs["tokens"], again["batch_17"].inputs["tokens"])


def test_sequences_are_as_long_as_each_other_by_chance_only() -> None:
    texts = [(f"{side}:float32[T_{side},N,3]", f"{side}_lengths:int64[N]<=T_{side}") for side in ("left", "right")]
    ports = parse_inputs([*texts[0], *texts[1], "mask:float32[N,T_left,T_right,H]"])
    pool = Pool.of(Signature(ports, ()))
    drawn = [example_inputs(pool), probe_inputs(pool), far_inputs(pool)]
    for axis, sizes in enumerate(zip(*(inputs["mask"].shape for inputs in drawn), strict=True)):
        assert len(set(sizes)) == 3, f"axis {axis} of the mask has sizes {sizes}"
    assert all(len(set(inputs["mask"].shape)) == 4 for inputs in drawn)
    longer = set()
    for case in verification_cases(pool):
        steps = [case.inputs[f"{side}_lengths"].max() for side in ("left", "right")]
        assert case.inputs["mask"].shape[1:3] == (case.inputs["left"].shape[0], case.inputs["right"].shape[0])
        longer.add(np.sign(steps[0] - steps[1]))
    assert longer == {-1, 0, 1}


def test_cases_follow_heights_widths_and_fixed_sizes() -> None:
    image = InputPort("image", "float32", ("N", 1, "H", "W"), ImageInput(1, None, None))
    raws = [np.zeros((6, 8), np.uint8)] * 3
    shapes = {c.name: c.inputs["image"].shape for c in verification_cases(Pool.of(Signature((image,), ()), raws))}
    assert shapes["batch_3"] == (3, 1, 6, 8)
    assert shapes["size_taller"] == (2, 1, 22, 8)
    assert shapes["size_wider"] == (2, 1, 6, 32)
    fixed = tensors(("N", 4), outputs=[("N", 4)])
    assert [c.name for c in verification_cases(Pool.of(fixed))] == [
        "batch_1", "batch_2", "batch_3", "batch_17", "batch_17_permuted", "batch_3_repeated",
    ]  # fmt: skip


def test_a_permuted_case_is_the_same_batch_in_another_order() -> None:
    case: Case = verification_cases(Pool.of(tensors(("N", 4), outputs=[("N", 4)])))[-2]
    base = verification_cases(Pool.of(tensors(("N", 4), outputs=[("N", 4)])))[3]
    assert case.items is not None
    np.testing.assert_array_equal(case.inputs["x0"], base.inputs["x0"][case.items])


@pytest.mark.parametrize("way", ["permuted", "repeated"])
def test_a_model_whose_items_influence_each_other_is_caught(tmp_path: Path, way: str) -> None:
    class Mixing(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.names = trained_names().module

        def forward(self, tokens: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
            logits: torch.Tensor = self.names(tokens, lengths)
            return logits + (logits[0] if way == "permuted" else logits.mean(0))

    trained = replace(trained_names(), module=Mixing())
    with pytest.raises(MismatchError, match=rf"items of a batch influence each other \(.*{way}.*over the axis N"):
        export_bundle(trained, tmp_path / "b", operators=OPERATORS, runtimes=ONNXRUNTIME, formats=["onnx"])
