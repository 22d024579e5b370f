"""Capture: what is refused and how, cell loops, TorchScript and ``.pt2``."""

from __future__ import annotations

import io
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from export_models import FEATURES, HIDDEN, Sequences, assert_agrees, export, op_types, sequence_signature, tensors
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from slipway.cell_loop import CellLoop, LSTMCellLoop
from slipway.errors import ExportError
from slipway.runtime.eager import EagerModel
from slipway.signature import Signature
from slipway_export.capture import Captured, capture
from slipway_export.cases import Pool, example_inputs, probe_inputs, verification_cases

TIME_FIRST = tensors(("T", "N", FEATURES), outputs=[("T", "N", HIDDEN), ("N", HIDDEN)])


def captured(module: nn.Module, signature: Signature) -> Captured:
    pool = Pool.of(signature)
    return capture(module, signature, example_inputs(pool), probe_inputs(pool))


@pytest.mark.parametrize(
    "cell",
    [
        nn.RNNCell(FEATURES, HIDDEN),
        nn.RNNCell(FEATURES, HIDDEN, nonlinearity="relu"),
        nn.GRUCell(FEATURES, HIDDEN, bias=False),
    ],
    ids=["tanh", "relu", "gru"],
)
def test_a_cell_loop_becomes_one_recurrent_node(cell: nn.RNNCell | nn.GRUCell) -> None:
    model = CellLoop(cell)
    content = export(model, TIME_FIRST)
    assert_agrees(model, TIME_FIRST, content)
    assert {"RNN", "GRU"}.intersection(op_types(content))
    assert len(op_types(content)) <= 3


def test_a_cell_loop_with_a_first_state_agrees() -> None:
    class WithState(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.loop = LSTMCellLoop(nn.LSTMCell(FEATURES, HIDDEN))

        def forward(self, x0: Tensor, x1: Tensor) -> tuple[Tensor, Tensor]:
            y, (hidden, memory) = self.loop(x0, (x1, -x1))
            return y, hidden + memory

    signature = tensors(("T", "N", FEATURES), ("N", HIDDEN), outputs=[("T", "N", HIDDEN), ("N", HIDDEN)])
    model = WithState()
    content = export(model, signature)
    assert "LSTM" in op_types(content)
    assert_agrees(model, signature, content)


@pytest.mark.parametrize("way", ["row", "whole", "view", "untouched"])
def test_a_first_state_that_is_written_in_place_is_no_state_of_zeros(way: str) -> None:
    class Written(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.GRU(FEATURES, HIDDEN, 2)
            self.linear = nn.Linear(HIDDEN, HIDDEN)

        def forward(self, x0: Tensor, x1: Tensor) -> Tensor:
            state = torch.zeros(2, x0.size(1), HIDDEN)
            if way == "row":
                state[0] = self.linear(x1)
            elif way == "whole":
                state += self.linear(x1)
            elif way == "view":
                state.transpose(1, 2)[1].add_(self.linear(x1).transpose(0, 1))
            y: Tensor = self.layer(x0, state)[1][-1] + x1
            return y

    signature = tensors(("T", "N", FEATURES), ("N", HIDDEN), outputs=[("N", HIDDEN)])
    torch.manual_seed(0)
    model = Written()
    content = export(model, signature)
    assert_agrees(model, signature, content)
    layer = next(node for node in onnx.load_from_string(content).graph.node if node.op_type == "GRU")
    assert (len(layer.input) > 5) == (way != "untouched")


@pytest.mark.parametrize("loop", ["iterate", "range"])
def test_a_plain_loop_over_time_is_refused_with_the_way_out(loop: str) -> None:
    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.RNNCell(FEATURES, HIDDEN)

        def forward(self, x0: Tensor) -> tuple[Tensor, Tensor]:
            hidden = torch.zeros(x0.size(1), HIDDEN)
            steps = list(x0) if loop == "iterate" else [x0[t] for t in range(x0.size(0))]
            outputs = []
            for step in steps:
                hidden = self.cell(step, hidden)
                outputs.append(hidden)
            return torch.stack(outputs), hidden

    with pytest.raises(ExportError, match=r"Python loop over time is written with slipway\.cell_loop\.CellLoop"):
        export(Plain(), TIME_FIRST)


def test_a_batch_size_stored_in_the_module_is_refused() -> None:
    class Stored(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.RNN(FEATURES, HIDDEN)

        def forward(self, x0: Tensor) -> tuple[Tensor, Tensor]:
            y, last = self.layer(x0, torch.zeros(1, 4, HIDDEN))
            return y, last[0]

    with pytest.raises(ExportError, match=r"N was frozen to 4, the example's, .*: no stored size"):
        export(Stored(), TIME_FIRST)


def test_adaptive_pooling_with_dynamic_sizes_is_refused_or_right() -> None:
    class Pooling(nn.Module):
        def forward(self, x0: Tensor) -> Tensor:
            return nn.functional.adaptive_avg_pool2d(x0, 2)

    signature = tensors(("N", 3, "H", "W"), outputs=[("N", 3, 2, 2)])
    try:
        content = export(Pooling(), signature)
    except ExportError:
        return
    assert_agrees(Pooling(), signature, content)


@pytest.mark.parametrize(("name", "operator"), [("bessel_j0", "bessel_j0"), ("svdvals", "_linalg_svd")])
def test_an_operator_without_an_onnx_form_is_refused_by_its_name(name: str, operator: str) -> None:
    class Rare(nn.Module):
        def forward(self, x0: Tensor) -> Tensor:
            y: Tensor = getattr(torch.special, name, getattr(torch.linalg, name, None))(x0)
            return y

    message = rf"does not translate \w+\.{operator} \(node \"{operator}\"\)"
    signature = tensors(("N", 4, 3), outputs=[("N", 4, 3)])
    with pytest.raises(ExportError, match=message):
        export(Rare(), signature)


def test_a_bound_of_a_size_is_told_with_the_way_out() -> None:
    class Positions(nn.Module):
        def __init__(self, indexed: bool) -> None:
            super().__init__()
            self.register_buffer("table", torch.randn(512, 8))
            self.indexed = indexed

        def forward(self, x0: Tensor) -> Tensor:
            table: Tensor = self.table  # type: ignore[assignment]  # a buffer
            return x0 + (table[torch.arange(x0.size(1))] if self.indexed else table[: x0.size(1)])

    class AsksForSteps(nn.Module):
        def forward(self, x0: Tensor) -> Tensor:
            return x0 * 2 if x0.size(1) < 5 else x0

    signature = tensors(("N", "T", 8), outputs=[("N", "T", 8)])
    with pytest.raises(ExportError, match=r"right only where T <= 512 \(T, axis 1 of x0\); .*torch\.arange"):
        export(Positions(indexed=False), signature)
    with pytest.raises(ExportError, match=r"right only where 5 <= T \(T, axis 1 of x0\); the model asks for the size"):
        export(AsksForSteps(), signature)
    model = Positions(indexed=True)
    assert_agrees(model, signature, export(model, signature))


@pytest.mark.parametrize("way", ["if", "assert", "size"])
def test_a_question_about_values_is_told_with_the_way_out(way: str) -> None:
    class Asks(nn.Module):
        def forward(self, x0: Tensor) -> Tensor:
            if way == "size":
                return nn.functional.one_hot(x0.long().clamp(0, 9)).float()
            if way == "assert":
                assert not x0.isnan().any()
            return x0 * 2 if way == "if" and x0.sum() > 0 else x0

    with pytest.raises(ExportError, match=r"^Asks asks in Python what values a tensor holds: .*torch\.where"):
        export(Asks(), tensors(("N", 3), outputs=[("N", 3)]))


@pytest.mark.parametrize("way", ["dropout", "noise", "state"])
def test_a_module_that_answers_otherwise_each_time_is_refused_with_the_way_out(way: str) -> None:
    class Restless(nn.Module):
        last: Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("last", torch.zeros(3))

        def forward(self, x0: Tensor) -> Tensor:
            if way == "dropout":
                return nn.functional.dropout(x0)
            if way == "noise":
                return x0 + torch.randn_like(x0)
            self.last += 1
            return x0 + self.last

    with pytest.raises(ExportError, match=r"Restless gives other outputs .* second time: .*self\.training"):
        captured(Restless(), tensors(("N", 3), outputs=[("N", 3)]))


def test_an_opset_that_the_exporter_cannot_write_is_refused() -> None:
    pool = Pool.of(TIME_FIRST)
    with pytest.raises(ExportError, match="opset 17"):
        capture(nn.Identity(), TIME_FIRST, example_inputs(pool), probe_inputs(pool), opset=17)


def test_the_trained_module_stays_as_it_was() -> None:
    model = Sequences().train()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    captured(model, sequence_signature(model))
    assert model.training
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def test_packed_models_are_scripted_and_hold_at_other_shapes() -> None:
    class LastState(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.GRU(FEATURES, HIDDEN)

        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            return self.layer(pack_padded_sequence(x, lengths, enforce_sorted=False))[1]  # type: ignore[no-any-return]

    base = sequence_signature(Sequences())
    signature = Signature(base.inputs, base.outputs[1:])
    model = LastState()
    script = captured(model, signature).torchscript
    assert script is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        loaded = torch.jit.load(io.BytesIO(script))
    eager = EagerModel.of(model, signature)
    for case in verification_cases(Pool.of(signature)):
        got = loaded(*(torch.from_numpy(array) for array in case.inputs.values()))
        np.testing.assert_allclose(got.detach().numpy(), eager.run(case.inputs)["last0"], rtol=0, atol=1e-6)


def test_a_trace_that_froze_a_size_is_not_kept_and_the_reason_is() -> None:
    class Unscriptable(nn.Module):
        def forward(self, x0: Tensor) -> Tensor:
            names = {f"{n}": n for n in range(2)}  # TorchScript has no f-strings of this kind
            return x0 * float(int(x0.size(0)) + len(set(names)))

    pool = Pool.of(signature := tensors(("N", 3), outputs=[("N", 3)]))
    from slipway_export.capture import _quiet, _tensors, _to_torchscript

    missing: dict[object, str] = {}
    with _quiet(), torch.no_grad():
        args = _tensors(signature, example_inputs(pool)), _tensors(signature, probe_inputs(pool))
        assert _to_torchscript(Unscriptable(), *args, missing) is None  # type: ignore[arg-type]
    assert "freezes" in missing["torchscript"]


@pytest.mark.slow
def test_a_program_loads_in_a_fresh_process_that_imports_the_operators(tmp_path: Path) -> None:
    model = Sequences()
    program = captured(model, sequence_signature(model)).pt2
    assert program is not None
    assert str(Path(__file__).parent).encode() not in program
    (tmp_path / "model.pt2").write_bytes(program)
    code = (
        "import sys, torch, slipway_export.recurrent\n"
        "module = torch.export.load(sys.argv[1]).module()\n"
        "y, last = module(torch.zeros(9, 1, 5), torch.tensor([3]))\n"
        "assert y.shape == (3, 1, 6), y.shape\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "model.pt2")], check=True)
