"""Network: random networks against onnxruntime, and the same bits for a sample whatever is beside it.

No file holds the operator: the passes make it, so whole models are run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from graphs import Array, by_onnxruntime, only_output
from onnx import TensorProto, helper, numpy_helper

import slipway

OP = "Network"
DOMAIN = "slipway"

#: One sample, part of a vector of samples on every instruction set, a whole one, and some with a rest.
BATCHES = (1, 3, 16, 37)


class Constants:
    """The constants of a model, drawn at random."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.constants: list[onnx.TensorProto] = []

    def constant(self, array: Array) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def normal(self, *shape: int) -> str:
        scale = 1 / np.sqrt(max(1, np.prod(shape[1:])))
        return self.constant((self.rng.normal(size=shape) * scale).astype(np.float32))

    def file_of(self, nodes: list[onnx.NodeProto], x: list[Any], outputs: dict[str, list[Any]]) -> bytes:
        """The model of these nodes, whose input is "x", with the shapes of its ports."""
        ports = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name, dims in outputs.items()}
        given = helper.make_tensor_value_info("x", TensorProto.FLOAT, x)
        graph = helper.make_graph(nodes, "network", [given], list(ports.values()), self.constants)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        onnx.checker.check_model(made)
        data: bytes = made.SerializeToString()
        return data


class Writer(Constants):
    """Writes a random network, layer by layer, keeping the shape of what the last one made."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.value = "x"
        self.shape: tuple[int, ...] = (
            int(self.rng.choice([1, 3, 17])),
            int(self.rng.integers(7, 15)),
            int(self.rng.integers(7, 15)),
        )
        self.first_shape = self.shape

    def add(self, op: str, *more: str, value: str | None = None, **attributes: Any) -> str:
        made = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, [value or self.value, *more], [made], **attributes))
        self.value = made
        return made

    def convolve(self, channels: int, kernel: tuple[int, int], **attributes: Any) -> None:
        weights = [self.normal(channels, self.shape[0], *kernel)]
        if self.rng.random() < 0.7:
            weights.append(self.normal(channels))
        self.add("Conv", *weights, **attributes)
        strides = attributes.get("strides", [1, 1])
        pads = attributes.get("pads", [0, 0, 0, 0])
        dilations = attributes.get("dilations", [1, 1])
        sizes = [
            (self.shape[1 + a] + pads[a] + pads[2 + a] - (kernel[a] - 1) * dilations[a] - 1) // strides[a] + 1
            for a in (0, 1)
        ]
        self.shape = (channels, sizes[0], sizes[1])

    def layer(self) -> None:
        channels = int(self.rng.choice([1, 5, 8, 10, 16, 20, 24, 33, 70]))
        kinds = [
            "conv",
            "strided",
            "act",
            "pool",
            "mean",
            "add",
            "concat",
            "apart",
            "depthwise",
            "excite",
            "gate",
            "spread",
            "norm",
            "resize",
        ]
        match str(self.rng.choice(kinds)):
            case "conv":
                size = int(self.rng.choice([1, 3, 5]))
                self.convolve(channels, (size, size), pads=[size // 2] * 4)
            case "strided" if min(self.shape[1:]) > 5:
                self.convolve(channels, (3, 2), pads=[0, 1, 2, 0], strides=[2, 1], dilations=[1, 2])
            case "act":
                self.activate()
            case "pool" if min(self.shape[1:]) > 3:
                self.pool()
            case "mean":
                inside = int(self.rng.integers(2))
                self.add("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=inside)
            case "add":
                before, kept = self.value, self.shape
                self.convolve(kept[0], (3, 3), pads=[1, 1, 1, 1])
                self.add("Add", before, value=self.value)
            case "concat":
                self.concatenate(channels)
            case "depthwise":
                self.depthwise()
            case "excite":
                self.excite()
            case "spread" if max(self.shape[1:]) < 30:
                self.spread(channels)
            case "resize" if max(self.shape[1:]) < 30:
                self.resize()
            case "norm":
                self.normalize()
            case "gate":
                self.add("Mul", self.value, value=self.add("Sigmoid"))
            case _:
                self.add("Add", self.value, value=self.add("Relu"))

    def activate(self) -> None:
        match str(self.rng.choice(["Relu", "Sigmoid", "Tanh", "LeakyRelu", "HardSwish", "Clip"])):
            case "Clip":
                self.add("Clip", *(self.constant(np.array(bound, np.float32)) for bound in (0, 6)))
            case op:
                self.add(op)

    def depthwise(self) -> None:
        rows = int(self.rng.choice([1, 3, 5]))
        channels, *size = self.shape
        stride = 2 if min(size) > 3 and self.rng.random() < 0.5 else 1
        weights = [self.normal(channels, 1, rows, 3), *([self.normal(channels)] if self.rng.random() < 0.7 else [])]
        self.add("Conv", *weights, group=channels, pads=[rows // 2, 1] * 2, strides=[stride, stride])
        self.shape = (channels, (size[0] - 1) // stride + 1, (size[1] - 1) // stride + 1)
        if self.rng.random() < 0.5:
            self.activate()

    def resize(self) -> None:
        """Twice the size, or one and a half of it."""
        mode, factor = [("nearest", 2.0), ("linear", 2.0), ("linear", 1.5), ("cubic", 2.0)][int(self.rng.integers(4))]
        how = {"mode": mode, "coordinate_transformation_mode": "asymmetric" if mode == "nearest" else "half_pixel"}
        if mode == "nearest":
            how["nearest_mode"] = "floor"
        scales = self.constant(np.array([1, 1, factor, factor], np.float32))
        self.add("Resize", "", scales, **how)
        self.shape = (self.shape[0], int(self.shape[1] * factor), int(self.shape[2] * factor))

    def normalize(self) -> None:
        """A BatchNormalization that no convolution can take up: Relu is between."""
        self.add("Relu")
        statistics = [self.normal(self.shape[0]) for _ in range(3)]
        self.add("BatchNormalization", *statistics, self.constant(self.rng.random(self.shape[0], np.float32) + 0.5))
        self.activate()

    def spread(self, channels: int) -> None:
        """Transposed convolutions, of phases without taps and of taps that miss the input too."""
        kernel, stride, pad, more, dilation = [(4, 2, 1, 0, 1), (3, 2, 1, 1, 1), (1, 2, 0, 0, 1), (2, 1, 0, 0, 3)][
            int(self.rng.integers(4))
        ]
        if min(self.shape[1:]) == 1 and kernel == 1:
            return
        weights = [self.normal(self.shape[0], channels, kernel, kernel)]
        if self.rng.random() < 0.7:
            weights.append(self.normal(channels))
        attributes: dict[str, Any] = {"strides": [stride] * 2, "pads": [pad] * 4, "dilations": [dilation] * 2}
        self.add("ConvTranspose", *weights, output_padding=[more] * 2, **attributes)
        rows, columns = ((size - 1) * stride + more + (kernel - 1) * dilation + 1 - 2 * pad for size in self.shape[1:])
        self.shape = (channels, rows, columns)
        if self.rng.random() < 0.5:
            self.activate()

    def excite(self) -> None:
        """Squeeze and excitation: each channel times a number that all its pixels have made."""
        before, channels = self.value, self.shape[0]
        self.add("GlobalAveragePool")
        self.add("Conv", self.normal(5, channels, 1, 1))
        self.add("Relu")
        self.add("Conv", self.normal(channels, 5, 1, 1))
        factors = [before, self.add("Sigmoid")]
        self.rng.shuffle(factors)
        self.add("Mul", factors[1], value=factors[0])

    def pool(self) -> None:
        if self.rng.random() < 0.6:
            self.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
            self.shape = (self.shape[0], self.shape[1] // 2, self.shape[2] // 2)
        else:
            self.add("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
            self.shape = (self.shape[0], (self.shape[1] + 1) // 2, (self.shape[2] + 1) // 2)

    def concatenate(self, channels: int) -> None:
        before, kept = self.value, self.shape
        self.convolve(channels, (1, 1))
        left = self.value
        self.value, self.shape = before, kept
        self.convolve(7, (3, 3), pads=[1, 1, 1, 1])
        parts = [left, self.value, *([before] if self.rng.random() < 0.5 else [])]
        self.add("Concat", *parts[1:], value=parts[0], axis=1)
        self.shape = (channels + 7 + (kept[0] if len(parts) == 3 else 0), *self.shape[1:])

    def head(self) -> None:
        match str(self.rng.choice(["flatten", "reshape", "mean", "largest", "none"])):
            case "flatten":
                self.add("Flatten")
                features = int(np.prod(self.shape))
            case "reshape":
                features = int(np.prod(self.shape))
                self.add("Reshape", self.constant(np.array([-1, features], np.int64)))
            case "mean":
                features = self.shape[0]
                self.add("ReduceMean", self.constant(np.array([2, 3], np.int64)), keepdims=0)
            case "largest":
                features = self.shape[0]
                self.add("GlobalMaxPool")
                self.add("Flatten")
            case _:
                self.convolve(6, (1, 1))
                return
        self.add("Gemm", self.normal(21, features), self.normal(21), transB=1)
        self.add("Relu")
        self.add("Gemm", self.normal(21, 3))
        self.shape = (3,)

    def finish(self) -> bytes:
        return self.file_of(self.nodes, ["N", *self.first_shape], {self.value: [None] * (1 + len(self.shape))})


def random_model(seed: int) -> tuple[bytes, tuple[int, ...]]:
    writer = Writer(seed)
    writer.convolve(12, (3, 3), pads=[1, 1, 1, 1])
    for _ in range(int(writer.rng.integers(1, 7))):
        writer.layer()
    writer.head()
    return writer.finish(), writer.first_shape


def session_of(model: bytes, isa: str, threads: int = 1) -> slipway.Session:
    """Open a session on the processor, or, for the column ``cuda``, on the device."""
    if isa == "cuda":
        return slipway.Session(model, "cuda", threads)
    return slipway.Session(model, threads=threads, isa=isa)


def check_batches(model: bytes, isa: str, x: Array, batches: tuple[int, ...]) -> None:
    """A model of one output agrees with onnxruntime, and the first sample has the same bits in every batch."""
    session = session_of(model, isa)
    (expected,) = by_onnxruntime(model, {"x": x})
    alone = only_output(session, x[:1]).tobytes()
    for batch in batches:
        got = only_output(session, x[:batch])
        assert got[:1].tobytes() == alone
        np.testing.assert_allclose(got, expected[:batch], rtol=2e-5, atol=2e-5 * float(np.abs(expected).max()))


@pytest.mark.parametrize("seed", range(24))
def test_a_random_network_agrees_with_onnxruntime(seed: int, isa: str) -> None:
    model, shape = random_model(seed)
    session = session_of(model, isa)
    assert "became a network" in session.stage_text("passes")
    rng = np.random.default_rng(seed)
    for batch in BATCHES:
        x = rng.normal(size=(batch, *shape)).astype(np.float32)
        got = only_output(session, x)
        (expected,) = by_onnxruntime(model, {"x": x})
        assert got.shape == expected.shape
        np.testing.assert_allclose(got, expected, rtol=2e-5, atol=2e-5 * max(1.0, float(np.abs(expected).max())))


@pytest.mark.parametrize("seed", range(100, 112))
def test_a_sample_gives_the_same_bits_whatever_is_beside_it(seed: int, isa: str) -> None:
    model, shape = random_model(seed)
    session = session_of(model, isa)
    threaded = session_of(model, isa, threads=3)
    x = np.random.default_rng(seed).normal(size=(37, *shape)).astype(np.float32)
    whole = only_output(session, x)
    assert only_output(threaded, x).tobytes() == whole.tobytes()
    for begin, end in ((0, 1), (3, 20), (36, 37)):
        assert only_output(session, x[begin:end]).tobytes() == whole[begin:end].tobytes()
    assert only_output(threaded, x[:1]).tobytes() == whole[:1].tobytes()


@pytest.mark.parametrize("seed", range(200, 212))
def test_the_width_of_the_units_changes_no_bit(seed: int, vectors: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, shape = random_model(seed)
    x = np.random.default_rng(seed).normal(size=(37, *shape)).astype(np.float32)
    results = []
    for is_wide in ("0", "1"):
        monkeypatch.setenv("SLIPWAY_WIDE_UNITS", is_wide)
        session = session_of(model, vectors)
        results.append([only_output(session, part).tobytes() for part in (x, x[:1], x[:12])])
    assert results[0] == results[1]


def test_nan_and_infinity_reach_the_output(isa: str) -> None:
    text_model, shape = random_model(3)
    session = session_of(text_model, isa)
    x = np.full((17, *shape), np.nan, np.float32)
    assert np.isnan(only_output(session, x)).all()


def test_the_plan_tells_the_layout() -> None:
    model, shape = random_model(1)
    session = slipway.Session(model)
    text = session.stage_text("plan", {"x": (1, *shape)})
    assert "lanes are" in text


def test_images_of_few_channels_run_node_by_node(vectors: str) -> None:
    writer = Writer(0)
    writer.shape = writer.first_shape = (3, 40, 40)
    writer.convolve(16, (3, 3), pads=[1, 1, 1, 1])
    writer.convolve(1, (3, 3), pads=[1, 1, 1, 1])
    model = writer.finish()
    plan = session_of(model, vectors).stage_text("plan", {"x": (2, 3, 40, 40)})
    assert "lanes are" not in plan


def test_statistics_of_unequal_sizes_are_refused() -> None:
    writer = Writer(0)
    writer.add("Relu")
    statistics = [writer.normal(3), writer.normal(3), writer.normal(3), writer.constant(np.ones(7, np.float32))]
    writer.add("BatchNormalization", *statistics)
    writer.convolve(4, (1, 1))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", "C", "H", "W"])
    y = helper.make_tensor_value_info(writer.value, TensorProto.FLOAT, [None] * 4)
    graph = helper.make_graph(writer.nodes, "unequal", [x], [y], writer.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    session = slipway.Session(model.SerializeToString())
    with pytest.raises(slipway.ModelError, match="input 4 has 7 entries, expected 3 channels"):
        session.run({"x": np.ones((1, 3, 4, 4), np.float32)})
