"""Lets transposed convolutions with a wanted output size pass through ``torch.export`` where that size varies.

torch turns ``output_size`` into ``output_padding``, 0 to stride - 1 more rows and columns at the end. In ONNX that is
an attribute, a number in the file (https://github.com/onnx/onnx/issues/1772), and so it cannot depend on the height of
an image. Inside :func:`wanted_sizes`, and only there, the convolution pads by stride - 1 and the result is cut to the
wanted size. That is the same tensor: output padding only extends the result, it changes nothing that is there before.

Besides, torch.export asks of every size whether it is 1, to broadcast it or to call the tensor contiguous, and freezes
the answer; the deepest level of an image network would be 1 at 64 pixels and not at 65. Inside, it is told that a size
that varies is never to be taken for 1; the kernels ask again when they run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx.experimental import _config
from torch.nn import functional as F

_KINDS: tuple[tuple[type[nn.Module], Callable[..., Tensor]], ...] = (
    (nn.ConvTranspose1d, F.conv_transpose1d),
    (nn.ConvTranspose2d, F.conv_transpose2d),
    (nn.ConvTranspose3d, F.conv_transpose3d),
)


@contextmanager
def wanted_sizes(model: nn.Module) -> Iterator[None]:
    """Make transposed convolutions with an ``output_size`` exportable at any size until the context ends.

    Nothing changes for a model without transposed convolutions.
    """
    with ExitStack() as stack:
        if not any(isinstance(module, kind) for module in model.modules() for kind, _ in _KINDS):
            yield
            return
        stack.enter_context(_config.patch(backed_size_oblivious=True))  # type: ignore[attr-defined]  # made at run time
        for kind, convolve in _KINDS:
            original = kind.forward
            stack.callback(setattr, kind, "forward", original)
            kind.forward = _forward(original, convolve)
        yield


def _forward(original: Callable[..., Any], convolve: Callable[..., Tensor]) -> Callable[..., Any]:
    def forward(self: Any, x: Tensor, output_size: Sequence[int | torch.SymInt] | None = None) -> Tensor:
        if output_size is None or all(isinstance(size, int) for size in (*output_size, *x.shape[2:])):
            return original(self, x, output_size)  # type: ignore[no-any-return]
        padding = tuple(stride - 1 for stride in self.stride)
        y = convolve(x, self.weight, self.bias, self.stride, self.padding, padding, self.groups, self.dilation)
        for axis, size in zip(range(2, y.dim()), output_size[-(y.dim() - 2) :], strict=True):
            y = y.narrow(axis, 0, size)
        return y

    return forward
