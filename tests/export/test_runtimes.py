"""Runtimes: found by name, honest about what is not there, and careful with inputs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from export_models import NAMES, tensors
from torch import Tensor, nn

from slipway.bundle import TORCHSCRIPT, Bundle
from slipway.errors import BundleError, InputError, MismatchError, UnavailableError, UsageError
from slipway.runtime import RUNTIMES, Checked, Eager, find_runtime, find_runtimes
from slipway.runtime.checked import largest_difference, tolerance
from slipway.runtime.eager import EagerModel
from slipway_export.pack import write_sums

NAMES_IN_ORDER = ["eager", "torchscript", "onnxruntime-cpu", "onnxruntime-cuda", "native-cpu", "native-cuda"]


def inputs(**changes: Any) -> dict[str, Any]:
    return {"tokens": np.full((4, 2), 65), "lengths": np.array([4, 2])} | changes


def test_runtimes_are_found_by_name_and_device() -> None:
    assert [runtime.name for runtime in RUNTIMES] == NAMES_IN_ORDER
    assert find_runtime("onnxruntime", "cuda:0").name == "onnxruntime-cuda"
    assert find_runtime("native").name == "native-cpu"
    assert find_runtime("checked:native:eager").name == "checked:native-cpu:eager"
    assert [runtime.name for runtime in find_runtimes("eager, native-cpu")] == ["eager", "native-cpu"]
    with pytest.raises(UsageError, match="onnxruntime-cpu"):
        find_runtimes("eager,tensorrt")


def test_cuda_is_refused_and_never_replaced_where_there_is_none(sealed: Path) -> None:
    runtime = find_runtime("onnxruntime-cuda")
    if runtime.unavailable() is None:
        pytest.skip("this machine has CUDA")
    with pytest.raises(UnavailableError, match="CUDA"):
        runtime.load(Bundle.open(sealed))


@pytest.mark.parametrize("name", ["eager", "torchscript", "onnxruntime-cpu"])
def test_every_runtime_gives_the_golden_outputs(sealed: Path, name: str) -> None:
    bundle = Bundle.open(sealed)
    model = (Eager(NAMES) if name == "eager" else find_runtime(name)).load(bundle)
    for golden in bundle.goldens:
        outputs = model.run(golden.inputs)
        assert set(outputs) == {"logits"}
        np.testing.assert_allclose(outputs["logits"], golden.outputs["logits"], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lengths": np.array([4, 0])}, r"holds 0 at place \[1\], expected 1 to 4"),
        ({"lengths": np.array([5, 1])}, r"holds 5 at place \[0\], expected 1 to 4"),
        ({"lengths": np.array([4, 2, 1])}, r'N is 2 in input "tokens" and 3 in "lengths"'),
        ({"tokens": np.zeros((0, 2), np.int64)}, "empty"),
        ({"tokens": np.zeros((4, 2), np.int32)}, "is int32, expected int64"),
        ({"tokens": np.zeros(4, np.int64)}, r"shape \[4\]"),
        ({"words": np.zeros(1)}, 'unknown input "words"'),
    ],
)
@pytest.mark.parametrize("name", ["torchscript", "onnxruntime-cpu"])
def test_wrong_inputs_are_refused_before_the_runtime_sees_them(
    sealed: Path, name: str, changes: dict[str, Any], message: str
) -> None:
    model = find_runtime(name).load(Bundle.open(sealed))
    with pytest.raises(InputError, match=message):
        model.run(inputs(**changes))
    with pytest.raises(InputError, match='"lengths" is missing'):
        model.run({"tokens": np.zeros((4, 2), np.int64)})


def test_torchscript_is_not_loaded_from_a_changed_file(copied: Path) -> None:
    (copied / TORCHSCRIPT).write_bytes(b"hostile")
    with pytest.raises(BundleError, match=TORCHSCRIPT):
        find_runtime("torchscript").load(Bundle.open(copied, check=False))


def test_a_bundle_does_not_choose_the_code_that_eager_runs(sealed: Path) -> None:
    with pytest.raises(UnavailableError, match="not built in"):
        Eager().load(Bundle.open(sealed))


def test_the_double_model_is_double_throughout() -> None:
    class Casting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, x0: Tensor) -> Tensor:
            mask = (x0 > 0).float() + (x0 > 1).to(torch.float32) + torch.zeros(3, dtype=torch.float32)
            return self.layer(x0 * mask + torch.full_like(x0, 1 / 3))  # type: ignore[no-any-return]

    model = EagerModel.of(Casting(), tensors(("N", 3), outputs=[("N", 2)]))
    given = {"x0": np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)}
    single, double = model.run(given)["y0"], model.double().run(given)["y0"]
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    assert 0 < np.abs(single - double).max() < 1e-6
    assert not np.array_equal(double, double.astype(np.float32))


def test_checked_fails_where_two_models_differ(sealed: Path, copied: Path, tmp_path: Path) -> None:
    bundle = Bundle.open(sealed)
    pair = Checked(find_runtime("onnxruntime-cpu"), Eager(NAMES))
    assert pair.name == "checked:onnxruntime-cpu:eager"
    assert pair.load(bundle).run(inputs())["logits"].shape == (2, 3)

    class Wrong:
        def run(self, given: Any) -> dict[str, Any]:
            return {"logits": np.full((2, 3), np.nan, np.float32)}

    model = pair.load(bundle)
    object.__setattr__(model, "first", Wrong())
    with pytest.raises(MismatchError, match='output "logits": onnxruntime-cpu and eager differ by inf'):
        model.run(inputs())


def test_the_difference_of_arrays_knows_nan_infinity_and_shape() -> None:
    a = np.array([1.0, np.nan, np.inf], np.float32)
    assert largest_difference(a, a) == 0.0
    assert largest_difference(a, np.array([1.5, np.nan, np.inf], np.float32)) == 0.5
    assert largest_difference(a, np.array([1.0, 0.0, np.inf], np.float32)) == np.inf
    assert largest_difference(a, np.array([1.0, np.nan, -np.inf], np.float32)) == np.inf
    assert largest_difference(a, a[:2]) == np.inf
    assert largest_difference(a[:0], a[:0]) == 0.0
    assert tolerance(np.array([3, 4])) == 0.0
    assert tolerance(np.array([0.5, np.inf], np.float32)) == 1e-5
    assert tolerance(np.array([-200.0], np.float32)) == pytest.approx(2e-3)


def test_a_missing_form_says_why(copied: Path) -> None:
    (copied / TORCHSCRIPT).unlink()
    report = (
        (copied / "report.json").read_text().replace('"missing": {}', '"missing": {"model.ts.pt": "scripting fails"}')
    )
    (copied / "report.json").write_text(report)
    write_sums(copied)
    with pytest.raises(UnavailableError, match="scripting fails"):
        find_runtime("torchscript").load(Bundle.open(copied))
    shutil.rmtree(copied)
