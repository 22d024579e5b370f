"""Packed sequences and recurrent layers: what is exported answers like eager PyTorch, at shapes it has never seen."""

from __future__ import annotations

import io
import itertools
import warnings
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from export_models import FEATURES, HIDDEN, Sequences, assert_agrees, export, op_types, run_onnx, sequence_signature
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from slipway.errors import ExportError
from slipway_export import recurrent  # noqa: F401
from slipway_export.cases import Case, Pool, example_inputs
from slipway_export.packed import packed_sequences

KINDS: dict[str, tuple[type[nn.RNNBase], dict[str, Any]]] = {
    "gru": (nn.GRU, {}),
    "lstm": (nn.LSTM, {}),
    "rnn_tanh": (nn.RNN, {}),
    "rnn_relu": (nn.RNN, {"nonlinearity": "relu"}),
}
FLAGS = ("bidirectional", "batch_first", "enforce_sorted", "explicit_state", "keep_total")


def configurations() -> list[Any]:
    """A part of all 256 combinations in which each pair of choices meets, and as many again, marked slow."""
    cases = []
    for number, (kind, layers, *flags) in enumerate(itertools.product(KINDS, (1, 2), *[(False, True)] * len(FLAGS))):
        quick = number % 11 == 0
        if not quick and number % 7:
            continue
        chosen = dict(zip(FLAGS, flags, strict=True))
        name = "-".join([kind, str(layers), *(flag for flag, on in chosen.items() if on)])
        marks = () if quick else (pytest.mark.slow,)
        cases.append(pytest.param(kind, {"num_layers": layers, **chosen}, id=name, marks=marks))
    return cases


def make(kind: str = "gru", **options: Any) -> Sequences:
    torch.manual_seed(1)
    layer, extra = KINDS[kind]
    return Sequences(layer, **extra, **options).eval()


@pytest.mark.parametrize(("kind", "options"), configurations())
def test_packed_layers_agree_with_eager_at_unseen_shapes(kind: str, options: dict[str, Any]) -> None:
    model = make(kind, **options)
    signature = sequence_signature(model)
    content = export(model, signature)
    assert_agrees(model, signature, content)
    assert op_types(content).count(kind.partition("_")[0].upper()) == options["num_layers"]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_unpacked_layers_agree_with_eager_at_unseen_shapes(kind: str, bias: bool) -> None:
    class Unpacked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            layer, extra = KINDS[kind]
            self.layer = layer(FEATURES, HIDDEN, 2, bias=bias, bidirectional=True, batch_first=True, **extra)

        def forward(self, x0: Tensor) -> Tensor:
            return self.layer(x0)[0]  # type: ignore[no-any-return]

    from export_models import tensors

    torch.manual_seed(2)
    model = Unpacked().eval()
    signature = tensors(("N", "T", FEATURES), outputs=[("N", "T", 2 * HIDDEN)])
    content = export(model, signature)
    assert_agrees(model, signature, content)
    assert kind.partition("_")[0].upper() in op_types(content)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kind", ["rnn_tanh", "rnn_relu"])
def test_an_rnn_names_one_activation_per_direction(kind: str, bidirectional: bool) -> None:
    model = make(kind, bidirectional=bidirectional)
    nodes = onnx.load_model_from_string(export(model, sequence_signature(model))).graph.node
    attributes = {a.name: a for node in nodes if node.op_type == "RNN" for a in node.attribute}
    name = b"Tanh" if kind == "rnn_tanh" else b"Relu"
    assert list(attributes["activations"].strings) == [name] * (2 if bidirectional else 1)


def test_time_beyond_the_longest_sequence_is_cut_off() -> None:
    model = make()
    content = export(model, sequence_signature(model))
    inputs = {"x": np.ones((9, 2, FEATURES), np.float32), "lengths": np.array([2, 4])}
    assert run_onnx(content, inputs)["y"].shape == (4, 2, HIDDEN)
    assert_agrees(model, sequence_signature(model), content, [Case("long", inputs)])


@pytest.mark.parametrize("total", [5, 40])
def test_a_fixed_total_length_cuts_or_extends_time(total: int) -> None:
    class Fixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.GRU(FEATURES, HIDDEN)

        def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
            packed, last = self.layer(pack_padded_sequence(x, lengths, enforce_sorted=False))
            y, _ = pad_packed_sequence(packed, padding_value=3.0, total_length=total)
            return y.flatten(1, 2).unflatten(1, (-1, HIDDEN)), last

    model = Fixed().eval()
    base = sequence_signature(make())
    signature = type(base)(
        base.inputs, (type(base.outputs[0])("y", (total, "N", HIDDEN), base.outputs[0].spec), *base.outputs[1:])
    )
    content = export(model, signature)
    inputs = {"x": np.ones((7, 3, FEATURES), np.float32), "lengths": np.array([2, 5, 1])}
    assert_agrees(model, signature, content, [Case("fixed", inputs)])


def test_the_padding_value_is_written_and_packed_data_may_be_changed() -> None:
    model = make(padding_value=-7.5, between=nn.Sigmoid(), keep_total=True)
    signature = sequence_signature(model)
    content = export(model, signature)
    assert_agrees(model, signature, content)
    inputs = {"x": np.ones((4, 2, FEATURES), np.float32), "lengths": np.array([1, 4])}
    assert (run_onnx(content, inputs)["y"][1:, 0] == -7.5).all()


@pytest.mark.parametrize("kind", ["list", "tolist"])
def test_lengths_as_a_list_are_refused_by_name(kind: str) -> None:
    class Listed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.GRU(FEATURES, HIDDEN)

        def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
            given = lengths.tolist() if kind == "tolist" else [7, 5, 3, 2]
            packed, last = self.layer(pack_padded_sequence(x, given, enforce_sorted=False))
            return pad_packed_sequence(packed)[0], last

    with pytest.raises(ExportError, match=r"lengths.tolist\(\)"):
        export(Listed(), sequence_signature(make()))


def test_an_export_of_enforce_sorted_true_accepts_any_order() -> None:
    strict, lenient = make(enforce_sorted=True), make(enforce_sorted=False)
    content = export(strict, sequence_signature(strict))
    inputs = {"x": np.random.default_rng(0).random((5, 3, FEATURES), np.float32), "lengths": np.array([2, 5, 3])}
    with pytest.raises(RuntimeError, match="enforce_sorted"):
        strict(torch.from_numpy(inputs["x"]), torch.from_numpy(inputs["lengths"]))
    assert_agrees(lenient, sequence_signature(lenient), content, [Case("unsorted", inputs)])


def test_sorting_for_enforce_sorted_false_is_never_emitted() -> None:
    model = make(num_layers=2)
    assert {"TopK", "ScatterElements"}.isdisjoint(op_types(export(model, sequence_signature(model))))


def test_a_sort_by_the_user_stays_and_is_right() -> None:
    class Sorting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.GRU(FEATURES, HIDDEN)

        def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
            ordered, order = torch.sort(lengths, descending=True)
            packed, last = self.layer(pack_padded_sequence(x[:, order], ordered))
            back = torch.zeros_like(order).scatter(0, order, torch.arange(order.numel()))
            return pad_packed_sequence(packed)[0][:, back], last[:, back]

    model = Sorting().eval()
    signature = sequence_signature(make())
    content = export(model, signature)
    assert "TopK" in op_types(content)
    assert_agrees(model, signature, content)


@pytest.mark.parametrize("name", ["batch_sizes", "sorted_indices"])
def test_other_uses_of_a_packed_sequence_are_refused_by_name(name: str) -> None:
    class Peeking(nn.Module):
        def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
            packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
            return x[:, getattr(packed, name)], torch.abs(getattr(packed, name))

    with pytest.raises(ExportError, match=name):
        export(Peeking(), sequence_signature(make()))


def test_a_projection_is_refused_by_name() -> None:
    model = make("lstm", proj_size=3)
    with pytest.raises(ExportError, match="proj_size"):
        export(model, sequence_signature(model))


def test_dropout_between_layers_is_ignored_in_eval_mode() -> None:
    model = make(num_layers=2, dropout=0.9).train()
    signature = sequence_signature(model)
    content = export(model, signature)
    assert model.training
    assert_agrees(model.eval(), signature, content)


def test_train_mode_is_refused_inside_the_context() -> None:
    with packed_sequences(), pytest.raises(ExportError, match="train mode"):
        nn.GRU(FEATURES, HIDDEN)(torch.zeros(3, 2, FEATURES))


@pytest.mark.parametrize("opset", [18, 22])
def test_other_opsets_give_valid_models(opset: int) -> None:
    model = make("lstm", padding_value=1.0)
    signature = sequence_signature(model)
    assert_agrees(model, signature, export(model, signature, opset))


def test_the_context_leaves_torch_as_it_was() -> None:
    before = nn.RNNBase.check_forward_args, nn.LSTM.check_forward_args
    with pytest.raises(ZeroDivisionError), packed_sequences():
        raise ZeroDivisionError
    assert before == (nn.RNNBase.check_forward_args, nn.LSTM.check_forward_args)
    packed = pack_padded_sequence(torch.zeros(3, 2, FEATURES), torch.tensor([1, 3]), enforce_sorted=False)
    assert packed.batch_sizes.tolist() == [2, 1, 1]


@pytest.mark.parametrize("with_lengths", [True, False])
def test_the_operators_are_well_formed_for_torch(with_lengths: bool) -> None:
    layer = nn.GRU(FEATURES, HIDDEN, 2, bidirectional=True)
    weights = [w.detach() for w in layer._flat_weights]
    lengths = torch.tensor([2, 4, 1]) if with_lengths else None
    args = (torch.randn(4, 3, FEATURES), lengths, None, weights, "gru", True, 2, True)
    checks = ("test_schema", "test_faketensor")
    torch.library.opcheck(torch.ops.slipway.recurrent.default, args, test_utils=checks)
    y, _ = torch.ops.slipway.recurrent(*args)
    if with_lengths:
        assert not y[1:, 2].any()


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_the_older_exporter_gives_the_same_answers(kind: str) -> None:
    model = make(kind, num_layers=2, bidirectional=True, enforce_sorted=True)
    signature = sequence_signature(model)
    inputs = example_inputs(Pool.of(signature))
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, and here only as an oracle
        args = tuple(torch.from_numpy(array) for array in inputs.values())
        torch.onnx.export(
            model,
            args,
            file,
            dynamo=False,
            opset_version=17,
            input_names=["x", "lengths"],
            output_names=[p.name for p in signature.outputs],
        )
    ours, theirs = run_onnx(export(model, signature), inputs), run_onnx(file.getvalue(), inputs)
    for name, array in theirs.items():
        np.testing.assert_allclose(ours[name], array, rtol=0, atol=1e-6)
