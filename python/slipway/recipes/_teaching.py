"""The notes' convolution and max pooling, written as loops: for reading, and thousands of times slower than torch's.

Both compute what :class:`torch.nn.Conv2d` and :class:`torch.nn.MaxPool2d` compute, with the same parameter names, so
a state dict fits either. They are not exported: every turn of the loops would become a node of the graph.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Conv(nn.Module):
    """A convolution with stride 1: each output is the dot product of a window with a kernel, plus the kernel's bias."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, padding: int = 0) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.padding = padding
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)  # the notes leave the weight uninitialised; this is Conv2d's

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, C, H, W] to [N, out, H + 2 padding - kernel + 1, W + 2 padding - kernel + 1]."""
        size = self.kernel_size
        padded = F.pad(x, (self.padding,) * 4)
        batch, _, height, width = padded.shape
        out = x.new_zeros(batch, len(self.weight), height - size + 1, width - size + 1)
        for k, kernel in enumerate(self.weight):
            for h in range(out.shape[2]):
                for w in range(out.shape[3]):
                    window = padded[:, :, h : h + size, w : w + size]
                    out[:, k, h, w] = window.reshape(batch, -1) @ kernel.reshape(-1) + self.bias[k]
        return out


class MaxPool(nn.Module):
    """The largest value of each window; windows stand side by side, and what is left over at the end is dropped.

    The notes' excerpt moves its window by one pixel although its output is ``kernel_size`` times smaller, and so looks
    at one corner of the picture only; here it moves by ``kernel_size``, as the text says.
    """

    def __init__(self, kernel_size: int) -> None:
        super().__init__()
        self.kernel_size = kernel_size

    def forward(self, x: Tensor) -> Tensor:
        """Map [N, C, H, W] to [N, C, H // kernel, W // kernel]."""
        size = self.kernel_size
        batch, depth, height, width = x.shape
        out = x.new_zeros(batch, depth, height // size, width // size)
        for h in range(out.shape[2]):
            for w in range(out.shape[3]):
                for d in range(depth):
                    window = x[:, d, h * size : (h + 1) * size, w * size : (w + 1) * size]
                    out[:, d, h, w] = window.max(2)[0].max(1)[0]
        return out
