"""A loop over time whose step is any module, in a form that can also be exported.

``cell_loop`` is for torch's recurrent cells, which ONNX has as operators. :class:`TimeLoop` is for everything else: a
step with a memory of its own, such as a stack. Eager PyTorch and TorchScript run the Python loop as it stands here;
the export stage replaces it by ``while_loop``, which becomes an ONNX Loop, so the number of steps stays dynamic, and
may even follow from the data.
"""

from __future__ import annotations

from torch import Tensor, nn


class TimeLoop(nn.Module):
    """Runs ``state = step(x[t], state, fixed)`` for t = 0, 1, ..., steps - 1.

    The step is a module whose ``forward`` takes a tensor and two lists of tensors, ``state`` and ``fixed``, and returns
    the new state: new tensors of the same number, shapes and types, in memory of their own. What it decides by values
    it decides by ``where``: a Python ``if`` on a tensor has no exported form.

    Args:
        step: The step; its parameters keep their names under ``step.``.

    Example:
        >>> class RunningSum(nn.Module):
        ...     def forward(self, x: Tensor, state: list[Tensor], fixed: list[Tensor]) -> list[Tensor]:
        ...         return [state[0] + fixed[0] * x]
        >>> loop = TimeLoop(RunningSum())
        >>> loop(torch.ones(5, 2), torch.tensor(3), [torch.zeros(2)], [torch.tensor(10.0)])
        [tensor([30., 30.])]
    """

    def __init__(self, step: nn.Module) -> None:
        super().__init__()
        self.step = step

    def forward(self, x: Tensor, steps: Tensor, state: list[Tensor], fixed: list[Tensor]) -> list[Tensor]:
        """Return the state after the last step.

        Args:
            x: What each step reads, any type, [T, ...].
            steps: The number of steps, int64 [], 0 to T.
            state: The state before the first step.
            fixed: What every step reads.
        """
        for t in range(int(steps)):
            state = self.step(x[t], state, fixed)
        return state
