"""Small models in the style of the notes, and the shortest ways to export, run and compare them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import slipway
from slipway.recipes._recipe import Dataset, Recipe, Source, Split, Training
from slipway.runtime.eager import EagerModel
from slipway.signature import (
    ClassOutput,
    InputPort,
    LengthInput,
    OutputPort,
    Signature,
    TensorInput,
    TensorOutput,
    TextInput,
)
from slipway.train._trained import Trained
from slipway_export.capture import capture
from slipway_export.cases import Case, Pool, example_inputs, probe_inputs, verification_cases
from slipway_export.clean import Operator, clean

Array = NDArray[Any]

# What these tests pretend that the engine can run; the engine itself need not be built.
_NAMES = """
    Add Cast Concat Conv Div Expand GRU Gather GatherND Gemm Identity LSTM Less MatMul MaxPool Mul Neg RNN
    Range ReduceMax ReduceMean Relu Reshape Resize ScatterElements Shape Sigmoid Slice Squeeze Sub Tanh TopK Transpose
    Unsqueeze Where
"""
OPERATORS = tuple(Operator(name, "", 13, 24) for name in _NAMES.split())

FEATURES = 5
HIDDEN = 6


class Sequences(nn.Module):
    """Packs, runs a recurrent layer, unpacks: padded outputs, their lengths, and every last state.

    ``between`` is applied to the packed data, as some users do. The first argument chooses the layer.
    """

    def __init__(
        self,
        kind: type[nn.RNNBase] = nn.GRU,
        *,
        batch_first: bool = False,
        enforce_sorted: bool = False,
        padding_value: float = 0.0,
        keep_total: bool = False,
        between: nn.Module | None = None,
        explicit_state: bool = False,
        **options: Any,
    ) -> None:
        super().__init__()
        self.layer = kind(FEATURES, HIDDEN, batch_first=batch_first, **options)
        self.batch_first = batch_first
        self.enforce_sorted = enforce_sorted
        self.padding_value = padding_value
        self.keep_total = keep_total
        self.between = between
        self.explicit_state = explicit_state

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        packed = pack_padded_sequence(x, lengths, batch_first=self.batch_first, enforce_sorted=self.enforce_sorted)
        packed, last = self.layer(packed, self.first_state(x)) if self.explicit_state else self.layer(packed)
        if self.between is not None:
            packed = packed._replace(data=self.between(packed.data))
        total = x.size(1 if self.batch_first else 0) if self.keep_total else None
        y, _ = pad_packed_sequence(packed, self.batch_first, self.padding_value, total)
        return (y, *last) if isinstance(last, tuple) else (y, last)

    def first_state(self, x: Tensor) -> Any:
        """A state that differs for every item of the batch, so that a wrong order shows."""
        layer = self.layer
        items = x.mean(1 if self.batch_first else 0)[:, :1]
        state = items.expand(layer.num_layers * (2 if layer.bidirectional else 1), -1, HIDDEN).contiguous()
        return (state, -state) if isinstance(layer, nn.LSTM) else state


def sequence_signature(model: Sequences) -> Signature:
    layer = model.layer
    dims = ("N", "T") if model.batch_first else ("T", "N")
    directions = 2 if layer.bidirectional else 1
    states = 2 if isinstance(layer, nn.LSTM) else 1
    return Signature(
        (
            InputPort("x", "float32", (*dims, FEATURES), TensorInput()),
            InputPort("lengths", "int64", ("N",), LengthInput("x")),
        ),
        (
            OutputPort("y", (*dims, directions * HIDDEN), TensorOutput()),
            *(
                OutputPort(f"last{i}", (layer.num_layers * directions, "N", HIDDEN), TensorOutput())
                for i in range(states)
            ),
        ),
    )


def tensors(*dims: tuple[int | str, ...], outputs: Sequence[tuple[int | str, ...]]) -> Signature:
    """A signature of float32 tensors ``x0``, ``x1`` ... and outputs ``y0``, ``y1`` ..."""
    return Signature(
        tuple(InputPort(f"x{i}", "float32", d, TensorInput()) for i, d in enumerate(dims)),
        tuple(OutputPort(f"y{i}", d, TensorOutput()) for i, d in enumerate(outputs)),
    )


def export(module: nn.Module, signature: Signature, opset: int = 20) -> bytes:
    """Capture and clean; gives the bytes of ``model.onnx``."""
    pool = Pool.of(signature)
    captured = capture(module, signature, example_inputs(pool), probe_inputs(pool), opset=opset, formats=("onnx",))
    return clean(captured.onnx, signature, name="test", operators=OPERATORS, metadata={})


def run_onnx(content: bytes, inputs: Mapping[str, Array]) -> dict[str, Array]:
    return onnx_runner(content)(inputs)


def onnx_runner(content: bytes) -> Callable[[Mapping[str, Array]], dict[str, Array]]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(names, dict(inputs)), strict=True))


def assert_agrees(module: nn.Module, signature: Signature, content: bytes, cases: Sequence[Case] | None = None) -> None:
    """Compare onnxruntime, and the engine where it is built, with eager at every verification case."""
    eager = EagerModel.of(module, signature)
    runners: list[Callable[[Mapping[str, Array]], Mapping[str, Any]]] = [onnx_runner(content)]
    if find_spec("slipway._engine") is not None:
        runners.append(slipway.Session(content).run)
    for case in verification_cases(Pool.of(signature)) if cases is None else cases:
        expected = eager.run(case.inputs)
        for run in runners:
            got = run(case.inputs)
            for name, array in expected.items():
                np.testing.assert_allclose(got[name], array, rtol=0, atol=1e-6, err_msg=f"{case.name}, {name}, {run}")


def op_types(content: bytes) -> list[str]:
    return [node.op_type for node in onnx.load_model_from_string(content).graph.node]


@dataclass(frozen=True)
class NamesConfig:
    """Sizes of :class:`Names`."""

    hidden: int = 8
    layers: int = 2


class Names(nn.Module):
    """The notes' classifier of names, small."""

    def __init__(self, config: NamesConfig, countries: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(128, config.hidden)
        self.gru = nn.GRU(config.hidden, config.hidden, config.layers, dropout=0.5)
        self.linear = nn.Linear(config.hidden, countries)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Map tokens [T, N] and lengths [N] to logits [N, countries]."""
        _, last = self.gru(pack_padded_sequence(self.embedding(tokens), lengths, enforce_sorted=False))
        return self.linear(last[-1])  # type: ignore[no-any-return]


TEXTS = ("Ada", "Turing", "Grace Hopper", "Knuth", "Li", "Rossi", "Ng", "Dijkstra", "Hamilton", "Z")


def names_signature(config: NamesConfig, dataset: Dataset) -> Signature:
    return Signature(
        (
            InputPort("tokens", "int64", ("T", "N"), TextInput(limit=128, fold={"é": "e"})),
            InputPort("lengths", "int64", ("N",), LengthInput("tokens")),
        ),
        (OutputPort("logits", ("N", len(dataset.labels)), ClassOutput()),),
        dataset.labels,
    )


NAMES = Recipe(
    name="tiny-names",
    title="A few names",
    task="classification",
    notes="none",
    datasets=("names",),
    config=NamesConfig(),
    data=lambda request, config: names_data(),
    signature=names_signature,
    build=lambda config, dataset: Names(config, len(dataset.labels)),
    loss=nn.functional.cross_entropy,
    score=lambda outputs, targets: (0.0, 1.0),
    score_name="accuracy",
    expected={},
    training=Training(epochs=1, batch_size=2, lr=0.1),
)


def names_data() -> Dataset:
    split = Split(TEXTS, torch.zeros(len(TEXTS), dtype=torch.int64))
    source = Source("embedded", "ten names", "in the test", "none needed", {"train": 10, "test": 10})
    return Dataset(split, split, ("English", "Chinese", "Italian"), source, {"unused": (1.0, 2.0)})


def trained_names() -> Trained:
    torch.manual_seed(0)
    dataset = names_data()
    module = NAMES.build(NAMES.config, dataset)
    return Trained(
        recipe=NAMES,
        config=NAMES.config,
        training=NAMES.training,
        dataset=dataset,
        signature=NAMES.signature(NAMES.config, dataset),
        module=module,
        seed=0,
        score=0.5,
        history=[{"epoch": 1, "loss": 1.0}],
        seconds=0.1,
    )
