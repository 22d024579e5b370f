"""Network: several samples at once where weights are large; no bit depends on how many."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from graphs import Array, by_onnxruntime, only_output
from onnx import TensorProto, helper, numpy_helper
from test_network import session_of

OP = "Network"
DOMAIN = "slipway"

BATCHES = (2, 3, 8, 11)
#: Where the words of the plan say that samples are taken at once.
AT_ONCE = "all samples of a block at once"


class Writer:
    """A network whose images shrink and whose channels grow, drawn at random."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.value, self.channels, self.size = "x", 3, 36 + int(self.rng.integers(6))
        self.shape = (3, self.size, self.size)

    def weights(self, *shape: int) -> str:
        name = f"w{len(self.constants)}"
        scale = 1 / np.sqrt(max(1, np.prod(shape[1:])))
        array = (self.rng.normal(size=shape) * scale).astype(np.float32)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def add(self, op: str, *more: str, value: str | None = None, **attributes: Any) -> str:
        self.value = f"v{len(self.nodes)}"
        inputs = [value or f"v{len(self.nodes) - 1}", *more] if self.nodes else ["x", *more]
        self.nodes.append(helper.make_node(op, inputs, [self.value], **attributes))
        return self.value

    def convolve(self, channels: int, kernel: int, stride: int = 1, group: int = 1) -> str:
        pads = [kernel // 2] * 4
        weights = self.weights(channels, self.channels // group, kernel, kernel)
        made = self.add("Conv", weights, self.weights(channels), pads=pads, strides=[stride, stride], group=group)
        self.channels, self.size = channels, (self.size - 1) // stride + 1
        return made

    def stage(self, channels: int) -> None:
        """Half the size, and some of what networks have."""
        self.convolve(channels, 3, 2)
        before = self.add(str(self.rng.choice(["Relu", "HardSwish"])))
        for kind in self.rng.permutation(["depthwise", "tiles", "add", "excite", "concat", "spread", "pool"])[:3]:
            getattr(self, f"add_{kind}")(before)
            before = self.value

    def add_depthwise(self, before: str) -> None:
        self.convolve(self.channels, 5, group=self.channels)

    def add_tiles(self, before: str) -> None:
        self.convolve(self.channels, 3)
        self.add("Relu")

    def add_add(self, before: str) -> None:
        self.convolve(self.channels, 1)
        self.add("Add", before)

    def add_excite(self, before: str) -> None:
        channels, size = self.channels, self.size
        self.add("GlobalAveragePool")
        self.size = 1
        self.convolve(9, 1)
        self.add("Relu")
        self.convolve(channels, 1)
        factor = self.add("Sigmoid")
        self.add("Mul", factor, value=before)
        self.size = size

    def add_concat(self, before: str) -> None:
        channels = self.channels
        self.convolve(13, 1)
        self.add("Concat", before, axis=1)
        self.channels = channels + 13

    def add_spread(self, before: str) -> None:
        weights = self.weights(self.channels, self.channels, 3, 3)
        self.add("ConvTranspose", weights, pads=[1, 1, 1, 1])

    def add_pool(self, before: str) -> None:
        self.add("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1])

    def finish(self) -> bytes:
        self.add("GlobalMaxPool")
        self.add("Flatten")
        self.add("Gemm", self.weights(self.channels, 10))
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *self.shape])
        y = helper.make_tensor_value_info(self.value, TensorProto.FLOAT, ["N", 10])
        graph = helper.make_graph(self.nodes, "shrinking", [x], [y], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        onnx.checker.check_model(model)
        data: bytes = model.SerializeToString()
        return data


def shrinking_model(seed: int) -> tuple[bytes, Array]:
    writer = Writer(seed)
    for channels in (24, 40, 72, 130):
        writer.stage(channels)
    x = writer.rng.normal(size=(max(BATCHES), *writer.shape)).astype(np.float32)
    return writer.finish(), x


@pytest.mark.parametrize("seed", range(6))
def test_several_samples_at_once_give_the_bits_of_each_alone(seed: int, isa: str) -> None:
    model, x = shrinking_model(seed)
    session = session_of(model, isa)
    alone = [only_output(session, x[i : i + 1]).tobytes() for i in range(len(x))]
    (expected,) = by_onnxruntime(model, {"x": x})
    for threads in (1, 3):
        shared = session_of(model, isa, threads)
        for batch in BATCHES:
            got = only_output(shared, x[:batch])
            assert [row.tobytes() for row in got] == alone[:batch]
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4 * float(np.abs(expected).max()))


def wide_model(channels: int, size: int) -> tuple[bytes, Array]:
    """Steps from pixel to pixel, or from channel to channel, that would lead to the same set of a cache."""
    writer = Writer(0)
    writer.channels, writer.size = channels, size
    writer.shape = (channels, size, size)
    for made, kernel in ((channels, 1), (16, 3)):
        writer.convolve(made, kernel)
        writer.add("Relu")
    x = writer.rng.normal(size=(16, *writer.shape)).astype(np.float32)
    return writer.finish(), x


@pytest.mark.parametrize(("channels", "size", "lanes"), [(10, 16, "samples"), (1024, 4, "channels")])
def test_values_that_are_kept_apart_have_the_bits_of_each_sample_alone(
    channels: int, size: int, lanes: str, vectors: str
) -> None:
    model, x = wide_model(channels, size)
    session = session_of(model, vectors)
    alone = [only_output(session, row[np.newaxis]).tobytes() for row in x]
    batches = (2, 8, 16) if lanes == "samples" else (1, 2)
    for batch in batches:
        got = only_output(session, x[:batch])
        assert [row.tobytes() for row in got] == alone[:batch]
    assert f"lanes are {lanes}" in session.stage_text("plan", {"x": x[: batches[-1]].shape})
    (expected,) = by_onnxruntime(model, {"x": x[: batches[-1]]})
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4 * float(np.abs(expected).max()))


def test_the_plan_says_where_samples_come_together(vectors: str) -> None:
    model, x = shrinking_model(0)
    session = session_of(model, vectors)
    assert AT_ONCE not in session.stage_text("plan", {"x": x[:1].shape})
    plan = session.stage_text("plan", {"x": x[:8].shape})
    assert AT_ONCE in plan or "lanes are samples" in plan
