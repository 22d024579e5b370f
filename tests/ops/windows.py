"""Convolution and pooling as torch computes them, with the padding attributes of ONNX: oracles for several tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

Array = npt.NDArray[Any]


def same_pads(
    sizes: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int], auto_pad: str
) -> list[int]:
    """Pads of ``auto_pad`` by the formulas of ONNX: all begins, then all ends."""
    if auto_pad == "VALID":
        return [0] * (2 * len(sizes))
    begins, ends = [], []
    for size, taps, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True):
        total = max((-(-size // stride) - 1) * stride + (taps - 1) * dilation + 1 - size, 0)
        small, large = total // 2, total - total // 2
        begins.append(small if auto_pad == "SAME_UPPER" else large)
        ends.append(large if auto_pad == "SAME_UPPER" else small)
    return begins + ends


def padded(x: torch.Tensor, pads: Sequence[int], value: float = 0.0) -> torch.Tensor:
    """Pad the spatial axes; ``pads`` holds all begins, then all ends."""
    rank = len(pads) // 2
    flat = [pads[i] for axis in reversed(range(rank)) for i in (axis, rank + axis)]
    return F.pad(x, flat, value=value)


def convolve(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    strides: Sequence[int] | None = None,
    pads: Sequence[int] | None = None,
    dilations: Sequence[int] | None = None,
    group: int = 1,
    auto_pad: str = "NOTSET",
    kernel_shape: Sequence[int] | None = None,
) -> Array:
    """ONNX Conv by torch."""
    rank = x.ndim - 2
    assert kernel_shape is None or list(kernel_shape) == list(w.shape[2:])
    strides, dilations = strides or [1] * rank, dilations or [1] * rank
    if auto_pad != "NOTSET":
        pads = same_pads(x.shape[2:], w.shape[2:], strides, dilations, auto_pad)
    conv: Any = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[rank]
    bias = None if b is None else torch.from_numpy(b)
    image = padded(torch.from_numpy(x), pads or [0] * (2 * rank))
    y: Array = conv(image, torch.from_numpy(w), bias, list(strides), 0, list(dilations), group).numpy()
    return y


def activated(
    y: Array, activation: str, activation_alpha: float | None = None, activation_beta: float = np.inf
) -> Array:
    """The activations of the fused operators; ``activation_alpha`` is a slope, or the lower of two bounds."""
    slope = float(np.float32(0.01 if activation_alpha is None else activation_alpha))
    low = -np.inf if activation_alpha is None else activation_alpha
    x = torch.from_numpy(y)
    functions: dict[str, Any] = {
        "relu": torch.relu,
        "leaky_relu": lambda x: F.leaky_relu(x, slope),
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "hard_swish": F.hardswish,
        "silu": lambda x: x * torch.sigmoid(x),
        "clip": lambda x: torch.clamp(x, low, activation_beta),
    }
    result: Array = functions[activation](x).numpy()
    return result
