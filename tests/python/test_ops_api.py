"""slipway.ops: single kernels on NumPy arrays and torch tensors, against torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import slipway
from slipway import _engine, ops


def tensor(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def close(got: object, want: torch.Tensor) -> None:
    assert isinstance(got, torch.Tensor)
    torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("arguments", [{}, {"stride": 2, "padding": (1, 2)}, {"dilation": 2, "groups": 2}])
def test_conv2d_agrees_with_torch(arguments: dict[str, object]) -> None:
    x, bias = tensor(2, 4, 9, 8), tensor(6, seed=2)
    weight = tensor(6, 4 // int(str(arguments.get("groups", 1))), 3, 3, seed=1)
    close(ops.conv2d(x, weight, bias, **arguments), F.conv2d(x, weight, bias, **arguments))
    close(ops.conv2d(x, weight, **arguments), F.conv2d(x, weight, **arguments))


def test_conv_transpose2d_agrees_with_torch() -> None:
    x, weight, bias = tensor(2, 4, 5, 6), tensor(4, 3, 3, 3, seed=1), tensor(3, seed=2)
    arguments = {"stride": 2, "padding": 1, "output_padding": 1}
    close(ops.conv_transpose2d(x, weight, bias, **arguments), F.conv_transpose2d(x, weight, bias, **arguments))


def test_pools_agree_with_torch() -> None:
    x = tensor(2, 3, 9, 8)
    close(ops.max_pool2d(x, 3, stride=2, padding=1), F.max_pool2d(x, 3, stride=2, padding=1))
    close(ops.max_pool2d(x, (2, 3)), F.max_pool2d(x, (2, 3)))
    close(ops.avg_pool2d(x, 3, padding=1), F.avg_pool2d(x, 3, padding=1))
    arguments = {"padding": 1, "count_include_pad": False}
    close(ops.avg_pool2d(x, 3, **arguments), F.avg_pool2d(x, 3, **arguments))


def test_elementwise_and_products_agree_with_torch() -> None:
    x, weight, bias = tensor(4, 5), tensor(3, 5, seed=1), tensor(3, seed=2)
    close(ops.relu(x), x.relu())
    close(ops.sigmoid(x), x.sigmoid())
    close(ops.tanh(x), x.tanh())
    close(ops.softmax(x, 0), x.softmax(0))
    close(ops.log_softmax(x), x.log_softmax(-1))
    close(ops.matmul(x, weight.T), x @ weight.T)
    close(ops.linear(x, weight, bias), F.linear(x, weight, bias))
    close(ops.linear(x, weight), F.linear(x, weight))
    mean, variance, shift = tensor(5, seed=3), tensor(5, seed=4).abs() + 0.1, tensor(5, seed=5)
    want = F.batch_norm(x, mean, variance, weight[0], shift)
    close(ops.batch_norm(x, weight[0], shift, mean, variance), want)


def onnx_order(weights: torch.Tensor, gates: list[int]) -> torch.Tensor:
    """Reorder torch's gates, stacked along the first axis."""
    parts = weights.chunk(len(gates))
    return torch.cat([parts[gate] for gate in gates])


def weights_of(module: nn.RNNBase, gates: list[int]) -> list[torch.Tensor]:
    suffixes = ["", "_reverse"] if module.bidirectional else [""]
    names = [[f"{part}_l0{suffix}" for suffix in suffixes] for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    w, r, b_w, b_r = (torch.stack([onnx_order(getattr(module, n).detach(), gates) for n in row]) for row in names)
    return [w, r, torch.cat([b_w, b_r], dim=1)]


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(
    ("kind", "gates", "op"), [(nn.GRU, [1, 0, 2], ops.gru), (nn.LSTM, [0, 3, 1, 2], ops.lstm), (nn.RNN, [0], ops.rnn)]
)
def test_recurrent_layers_agree_with_torch(kind: type, gates: list[int], op: object, bidirectional: bool) -> None:
    torch.manual_seed(0)
    module = kind(4, 5, bidirectional=bidirectional)
    x = tensor(7, 3, 4)
    want, state = module(x)
    direction = "bidirectional" if bidirectional else "forward"
    y, *states = op(x, *weights_of(module, gates), direction=direction)  # type: ignore[operator]
    close(y.transpose(1, 2).flatten(2), want.detach())
    for got, expected in zip(states, state if isinstance(state, tuple) else (state,), strict=True):
        close(got, expected.detach())


def test_a_gru_stops_each_row_at_its_length() -> None:
    torch.manual_seed(0)
    module = nn.GRU(4, 5)
    x, lengths = tensor(6, 3, 4), torch.tensor([6, 1, 4], dtype=torch.int32)
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths.cpu().long(), enforce_sorted=False)
    _, want = module(packed)
    w, r, b = weights_of(module, [1, 0, 2])
    _, state = ops.gru(x, w, r, b, lengths)
    close(state, want.detach())


def test_numpy_in_gives_numpy_out_and_a_mix_gives_the_other_library() -> None:
    x = np.array([[-1.0, 2.0]], np.float32)
    assert isinstance(ops.relu(x), np.ndarray)
    assert isinstance(ops.matmul(x, torch.ones(2, 1)), torch.Tensor)
    np.testing.assert_array_equal(ops.relu(np.arange(-4, 4, dtype=np.float32)[::2]), [0, 0, 0, 2])
    assert float(ops.relu(np.float32(3))) == 3


@pytest.mark.parametrize("isa", _engine.isas())
def test_call_reaches_every_operator_and_kernel(isa: str) -> None:
    (y,) = ops.call("Relu", [np.array([-1.0, 1.0], np.float32)], isa=isa)
    np.testing.assert_array_equal(y, [0, 1])


def test_attributes_may_be_numbers_of_numpy() -> None:
    x, weight = np.ones((1, 1, 5, 5), np.float32), np.ones((1, 1, 3, 3), np.float32)
    one, two = np.int64(1), np.int32(2)
    np.testing.assert_array_equal(ops.softmax(x, one), ops.softmax(x, 1))
    got = ops.conv2d(x, weight, padding=one, stride=(two, 1), groups=one)  # type: ignore[arg-type]
    np.testing.assert_array_equal(got, ops.conv2d(x, weight, padding=1, stride=(2, 1)))
    [got] = ops.call("Conv", [x, weight], {"pads": np.int64([1, 1, 1, 1])})  # type: ignore[dict-item]
    np.testing.assert_array_equal(got, ops.conv2d(x, weight, padding=1))
    np.testing.assert_array_equal(ops.call("LeakyRelu", [-x], {"alpha": np.float32(0.5)})[0], -0.5 * x)  # type: ignore[dict-item]
    with pytest.raises(slipway.UsageError, match="Softmax: attribute axis is 1180591620717411303424"):
        ops.softmax(x, 2**70)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(slipway.UnsupportedError, match="Nonsense"):
        ops.call("Nonsense", [np.zeros(2, np.float32)])
    with pytest.raises(slipway.SlipwayError, match=r"channels|does not|expect"):
        ops.conv2d(tensor(1, 3, 5, 5), tensor(2, 4, 3, 3))
    with pytest.raises(slipway.InputError, match="got list"):
        ops.relu([1.0])  # type: ignore[type-var]
    with pytest.raises(slipway.InputError, match="float16"):
        ops.relu(np.zeros(2, np.float16))
    with pytest.raises(slipway.UsageError, match="sse9"):
        ops.call("Relu", [np.zeros(2, np.float32)], isa="sse9")
