"""torch's while_loop, exported by torch alone: the engine runs it as eager does, at lengths the export has not seen."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._higher_order_ops import while_loop

import slipway


class Reader(nn.Module):
    """Reads x [N, T, 4] step by step with weights of its own; where ``ids`` is 0 the state stays."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
        def more(step: Tensor, state: Tensor, every: Tensor) -> Tensor:
            return step < ids.shape[1]

        def read(step: Tensor, state: Tensor, every: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            at = step.reshape(1)
            new = torch.tanh(self.linear(torch.index_select(x, 1, at).squeeze(1) + state))
            alive = torch.index_select(ids, 1, at) > 0
            state = torch.where(alive, new, state)
            return step + 1, state, torch.index_copy(every, 1, at, state.unsqueeze(1))

        start = (torch.zeros((), dtype=torch.int64), x.new_zeros(x.shape[0], 4), torch.zeros_like(x))
        _, state, every = while_loop(more, read, start)
        return state, every


def draw(n: int, t: int) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(100 * n + t)
    return torch.randn(n, t, 4, generator=random), torch.randint(0, 2, (n, t), generator=random)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Path]:
    torch.manual_seed(0)
    module = Reader().eval()
    n, t = torch.export.Dim("N"), torch.export.Dim("T")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module, draw(2, 5), dynamo=True, dynamic_shapes=({0: n, 1: t}, {0: n, 1: t}), verbose=False
        )
    assert program is not None
    path = tmp_path_factory.mktemp("while") / "model.onnx"
    program.save(str(path))
    return module, path


@pytest.mark.slow
@pytest.mark.parametrize("optimize", [True, False])
def test_the_engine_runs_a_while_loop_as_eager_does(exported: tuple[nn.Module, Path], optimize: bool) -> None:
    module, path = exported
    session = slipway.Session(path, optimize=optimize)
    for n, t in [(3, 7), (1, 1), (2, 40), (5, 0), (3, 7)]:
        x, ids = draw(n, t)
        with torch.no_grad():
            want = module(x, ids)
        got = session.run({"x": x.numpy(), "ids": ids.numpy()})
        for ours, theirs in zip(got.values(), want, strict=True):
            assert ours.shape == tuple(theirs.shape)
            np.testing.assert_allclose(ours, theirs.numpy(), rtol=0, atol=1e-6)
