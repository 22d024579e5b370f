"""GRU, LSTM and RNN inside a session: several threads, and outputs that nobody reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from harness import Array, Case, run
from onnx import TensorProto, helper, numpy_helper
from recurrent_cases import make
from recurrent_oracle import INITIAL_H, LENGTHS, OUTPUTS, R, X

from slipway import Session

OPS = ("GRU", "LSTM", "RNN")


def model_of(op: str, inputs: list[Array | None], attributes: dict[str, Any], outputs: list[str]) -> bytes:
    """One node whose X and sequence_lens are inputs and whose weights are constants; "" is an output not wanted."""
    names = ["" if x is None else f"x{i}" for i, x in enumerate(inputs)]
    free = [(i, x) for i, x in enumerate(inputs) if i in (X, LENGTHS) and x is not None]
    constants = [(i, x) for i, x in enumerate(inputs) if i not in (X, LENGTHS) and x is not None]
    graph = helper.make_graph(
        [helper.make_node(op, names, outputs, **attributes)],
        op,
        [helper.make_tensor_value_info(f"x{i}", helper.np_dtype_to_tensor_dtype(x.dtype), x.shape) for i, x in free],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs if name],
        [numpy_helper.from_array(x, f"x{i}") for i, x in constants],
    )
    model = helper.make_model(graph, opset_imports=[onnx.OperatorSetIdProto(domain="", version=20)])
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("direction", ["forward", "bidirectional"])
@pytest.mark.parametrize("batch", [1, 33])
def test_threads_do_not_change_a_bit(op: str, direction: str, batch: int) -> None:
    lengths = [1 + (5 * n) % 13 for n in range(batch)]
    case = make(op, "threads", time=13, batch=batch, features=96, hidden=80, lengths=lengths, direction=direction)
    names = ["y", "h", "c"][: OUTPUTS[op]]
    model = model_of(op, list(case.inputs), dict(case.attributes), names)
    feeds = {f"x{i}": np.asarray(case.inputs[i]) for i in (X, LENGTHS)}
    expected = run(op, case, "", all_constant=True)
    for threads in (1, 2, 3, 7):
        results = Session(model, threads=threads).run(feeds)
        for name, wanted in zip(names, expected, strict=True):
            assert np.asarray(results[name]).tobytes() == wanted.tobytes()


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("column", ["scalar", ""])
def test_outputs_that_nobody_reads_may_be_absent(op: str, column: str) -> None:
    case = make(op, "absent", lengths=[2, 4, 0], direction="bidirectional", layout=1)
    expected = run(op, case, column, all_constant=True)
    names = ["y", "h", "c"][: OUTPUTS[op]]
    feeds = {f"x{i}": np.asarray(case.inputs[i]) for i in (X, LENGTHS)}
    for i, name in enumerate(names):
        outputs = [""] * i + [name]
        session = Session(model_of(op, list(case.inputs), dict(case.attributes), outputs), isa=column)
        result = np.asarray(session.run(feeds)[name])
        assert result.tobytes() == expected[i].tobytes()


@pytest.mark.parametrize("op", OPS)
def test_batch_and_time_may_vary_from_run_to_run(op: str) -> None:
    case = make(op, "dynamic", time=5, batch=4, lengths=[5, 2, 1, 4])
    inputs = list(case.inputs[:INITIAL_H])
    data = onnx.load_from_string(model_of(op, inputs, dict(case.attributes), ["y", "h"]))
    for port, dims in zip(data.graph.input, (("T", "N", 5), ("N",)), strict=True):
        port.CopyFrom(helper.make_tensor_value_info(port.name, port.type.tensor_type.elem_type, dims))
    session = Session(data.SerializeToString())
    hidden = np.asarray(case.inputs[R]).shape[2]
    for time, batch in ((5, 4), (1, 1), (7, 2), (2, 17)):
        fresh = make(op, "fresh", time=time, batch=batch, lengths=[1 + n % time for n in range(batch)], seed=3)
        inputs = [fresh.inputs[X], *case.inputs[1:LENGTHS], fresh.inputs[LENGTHS]]
        results = session.run({f"x{i}": np.asarray(inputs[i]) for i in (X, LENGTHS)})
        other = Case("other", inputs, case.attributes, 2)
        assert np.asarray(results["y"]).shape == (time, 1, batch, hidden)
        for name, wanted in zip(("y", "h"), run(op, other, "", all_constant=True), strict=True):
            assert np.asarray(results[name]).tobytes() == wanted.tobytes()
