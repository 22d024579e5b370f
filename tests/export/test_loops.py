"""TimeLoop: a step of any kind, exported as one ONNX Loop whose body is cleaned like the rest of the model."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from slipway.errors import ExportError
from slipway.loops import TimeLoop
from slipway.signature import InputPort, OutputPort, Signature, TensorInput, TensorOutput
from slipway_export.capture import Captured, capture
from slipway_export.clean import Operator, clean
from slipway_export.origin import MODULE_NOTES


def every_operator(model: Any) -> list[Operator]:
    nodes = ir.traversal.RecursiveGraphIterator(model.graph)
    return [Operator(name, "", 1, 99) for name in {node.op_type for node in nodes}]


def graphs(model: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    """The main graph and every body in it."""
    waiting = [model.graph]
    while waiting:
        graph = waiting.pop()
        yield graph
        waiting += [a.g for node in graph.node for a in node.attribute if a.type == onnx.AttributeProto.GRAPH]


class Leaky(nn.Module):
    """A step with weights, of a memory that fades: state = 0.5 * state + linear(x) * gain."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x: Tensor, state: list[Tensor], fixed: list[Tensor]) -> list[Tensor]:
        return [0.5 * state[0] + self.linear(x) * fixed[0]]


class Fading(nn.Module):
    """Runs ``Leaky`` over x [T, N, 3], as many steps as ``steps`` says."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = TimeLoop(Leaky())
        self.gain = nn.Parameter(torch.tensor([2.0, 3.0]))

    def forward(self, x: Tensor, steps: Tensor) -> Tensor:
        state: list[Tensor] = self.loop(x, steps.max(), [x.new_zeros(x.size(1), 2)], [self.gain])
        return state[0]


FADING = Signature(
    inputs=(
        InputPort("x", "float32", ("T", "N", 3), TensorInput()),
        InputPort("steps", "int64", (1,), TensorInput()),
    ),
    outputs=(OutputPort("state", ("N", 2), TensorOutput()),),
)


def inputs_of(t: int, n: int, steps: int) -> dict[str, Any]:
    x = np.random.default_rng(t).standard_normal((t, n, 3)).astype(np.float32)
    return {"x": x, "steps": np.array([steps], dtype=np.int64)}


@pytest.fixture(scope="module")
def fading() -> tuple[nn.Module, Captured]:
    torch.manual_seed(0)
    module = Fading().eval()
    return module, capture(module, FADING, inputs_of(5, 3, 4), inputs_of(7, 2, 6))


@pytest.mark.filterwarnings("ignore:.*torch.jit.load")
def test_a_users_own_step_is_exported_with_as_many_steps_as_the_data_say(fading: tuple[nn.Module, Captured]) -> None:
    module, captured = fading
    assert captured.torchscript is not None
    assert captured.pt2 is not None
    content = clean(captured.onnx, FADING, name="fading", operators=every_operator(captured.onnx), metadata={})
    session = onnxruntime.InferenceSession(content)
    script = torch.jit.load(io.BytesIO(captured.torchscript))  # type: ignore[no-untyped-call]
    program = torch.export.load(io.BytesIO(captured.pt2)).module()
    outputs = set()
    for t, n, steps in [(1, 1, 1), (5, 3, 0), (9, 4, 3), (30, 2, 30)]:
        arrays = inputs_of(t, n, steps)
        tensors = [torch.from_numpy(arrays[name]) for name in ("x", "steps")]
        with torch.no_grad():
            want = module(*tensors)
            for got in (script(*tensors), program(*tensors), torch.from_numpy(session.run(None, arrays)[0])):
                torch.testing.assert_close(got, want, rtol=0, atol=1e-6)
        outputs.add(float(want[0, 0]))
    assert len(outputs) == 4


def test_a_loop_body_is_folded_named_and_without_notes_and_its_weights_stand_in_the_one_file(
    fading: tuple[nn.Module, Captured],
) -> None:
    _, captured = fading
    content = clean(captured.onnx, FADING, name="fading", operators=every_operator(captured.onnx), metadata={})
    model = onnx.load_from_string(content)
    every = list(graphs(model))
    assert len(every) == 2
    kept = {tensor.name for graph in every for tensor in graph.initializer}
    assert {"gain", "loop.step.linear.weight", "loop.step.linear.bias"} <= kept
    assert all(t.data_location != onnx.TensorProto.EXTERNAL for graph in every for t in graph.initializer)
    assert not [node.op_type for node in every[1].node if node.op_type in ("Transpose", "Identity")]
    for graph in every:
        assert not graph.doc_string
        assert not graph.metadata_props
        assert not any(node.doc_string for node in graph.node)
        assert {entry.key for node in graph.node for entry in node.metadata_props} <= set(MODULE_NOTES)
        assert not any(v.doc_string or v.metadata_props for v in (*graph.input, *graph.value_info))
    assert b"site-packages" not in content
    assert b".py" not in content
    assert {"T", "N"} & {dim.dim_param for value in every[1].input for dim in value.type.tensor_type.shape.dim}


def test_a_step_that_changes_the_shape_of_its_state_is_refused() -> None:
    class Growing(nn.Module):
        def forward(self, x: Tensor, state: list[Tensor], fixed: list[Tensor]) -> list[Tensor]:
            return [torch.cat((state[0], x[:1, :2]))]

    module = Fading()
    module.loop = TimeLoop(Growing())
    with pytest.raises(ExportError, match="Fading cannot be exported"):
        capture(module.eval(), FADING, inputs_of(5, 3, 4), inputs_of(7, 2, 6))
