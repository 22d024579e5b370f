"""A session takes no more memory than it may, and says with numbers what it would have needed."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import slipway
from slipway.errors import LimitError, UsageError

MIB = 1 << 20


def model_of(nodes: list[onnx.NodeProto], dims: list[str | int], *constants: onnx.TensorProto) -> bytes:
    """One float input x, one output y of unknown shape."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, dims)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        list(constants),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()


def ints(name: str, *values: int) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def sum_of_a_square() -> bytes:
    """Takes n * n floats between two small arrays: [n, 1] + [1, n], then the sum of all."""
    return model_of(
        [
            helper.make_node("Unsqueeze", ["x", "last"], ["column"]),
            helper.make_node("Unsqueeze", ["x", "first"], ["row"]),
            helper.make_node("Add", ["column", "row"], ["square"]),
            helper.make_node("Exp", ["square"], ["grown"]),
            helper.make_node("ReduceSum", ["grown"], ["y"], keepdims=0),
        ],
        ["N"],
        ints("first", 0),
        ints("last", 1),
    )


def loop_body(nodes: list[onnx.NodeProto]) -> onnx.GraphProto:
    """A step that makes a list t of a list s, and goes on."""
    return helper.make_graph(
        [*nodes, helper.make_node("Identity", ["c"], ["d"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
            helper.make_tensor_value_info("s", TensorProto.FLOAT, ["M"]),
        ],
        [
            helper.make_tensor_value_info("d", TensorProto.BOOL, []),
            helper.make_tensor_value_info("t", TensorProto.FLOAT, ["L"]),
        ],
    )


def loop_that_grows(steps: int) -> bytes:
    body = loop_body([helper.make_node("Concat", ["s", "s"], ["t"], axis=0)])
    return model_of(
        [helper.make_node("Loop", ["steps", "", "x"], ["y"], body=body)],
        ["N"],
        numpy_helper.from_array(np.array(steps, np.int64), "steps"),
    )


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_constants_above_the_bound_are_refused_at_load() -> None:
    weights = numpy_helper.from_array(np.ones((512, 1024), np.float32), "w")
    model = model_of([helper.make_node("MatMul", ["x", "w"], ["y"])], ["N", 512], weights)
    with pytest.raises(LimitError, match=rf"needs {2 * MIB} bytes beside the 0 .* max_memory is {MIB}"):
        slipway.Session(model, max_memory=MIB)
    session = slipway.Session(model, max_memory=5 * MIB)  # the weights, and the same once more in panels
    assert session.run({"x": np.ones((1, 512), np.float32)})["y"][0, 0] == 512


def test_a_file_above_the_bound_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "large.onnx"
    with file.open("wb") as out:
        out.truncate(1 << 40)
    with pytest.raises(LimitError, match=f"has {1 << 40} bytes, max_memory is {MIB}"):
        slipway.Session(file, max_memory=MIB)


def test_a_run_above_the_bound_is_refused_and_a_smaller_one_is_not() -> None:
    session = slipway.Session(sum_of_a_square(), max_memory=MIB)
    assert session.run({"x": np.zeros(100, np.float32)})["y"] == 10_000
    with pytest.raises(LimitError, match=r"Add.*needs 4000000 bytes.*max_memory is 1048576"):
        session.run({"x": np.zeros(1000, np.float32)})
    assert session.run({"x": np.zeros(200, np.float32)})["y"] == 40_000


def test_what_is_kept_for_later_makes_room(figure: Callable[[str, float], None]) -> None:
    bound = 24 * MIB
    session = slipway.Session(sum_of_a_square(), max_memory=bound)
    session.run({"x": np.zeros(900, np.float32)})
    before = resident_bytes()
    sizes = range(800, 1000)
    for n in sizes:  # two arrays of 2.5 to 4 MB in the plan of each
        assert session.run({"x": np.zeros(n, np.float32)})["y"] == pytest.approx(n * n, rel=1e-6)
    grown = resident_bytes() - before
    figure("shapes run within 24 MiB", len(sizes))
    assert grown < bound + 16 * MIB


def test_what_is_kept_for_later_makes_room_for_bound_calls() -> None:
    session = slipway.Session(sum_of_a_square(), max_memory=24 * MIB)
    for n in range(800, 1000, 20):
        session.run({"x": np.zeros(n, np.float32)})
        y = np.empty((), np.float32)
        session.bind({"x": np.zeros(n + 1, np.float32)}, {"y": y})()
        assert y == pytest.approx((n + 1) ** 2, rel=1e-6)


def test_plans_of_a_large_graph_count(figure: Callable[[str, float], None]) -> None:
    """Each of them takes megabytes, though the arrays are small."""
    names = ["x", *(f"t{i}" for i in range(2000)), "y"]
    nodes = [helper.make_node("Tanh", [before], [after]) for before, after in itertools.pairwise(names)]
    bound = 16 * MIB
    session = slipway.Session(model_of(nodes, ["N"]), max_memory=bound)
    session.run({"x": np.zeros(1, np.float32)})
    before = resident_bytes()
    for n in range(2, 202):
        session.run({"x": np.zeros(n, np.float32)})
    grown = resident_bytes() - before
    figure("shapes of a graph of 2,001 nodes within 16 MiB", 200)
    assert grown < 2 * bound


def test_the_tables_of_a_resize_count() -> None:
    """32 bytes for each place of the output, which has 4."""
    twice = numpy_helper.from_array(np.array([2], np.float32), "twice")
    bound = 24 * MIB
    session = slipway.Session(
        model_of([helper.make_node("Resize", ["x", "", "twice"], ["y"], mode="linear")], ["N"], twice), max_memory=bound
    )
    with pytest.raises(LimitError, match=r"Resize.*needs 64000000 bytes.*max_memory is 25165824"):
        session.run({"x": np.zeros(1_000_000, np.float32)})
    before = resident_bytes()
    for n in range(100_000, 100_040):
        assert session.run({"x": np.zeros(n, np.float32)})["y"].shape == (2 * n,)
    assert resident_bytes() - before < bound + 16 * MIB


def test_a_run_that_starts_again_leaks_none_of_its_results() -> None:
    body = loop_body(
        [
            helper.make_node("Tanh", ["s"], ["u"]),
            helper.make_node("Sigmoid", ["u"], ["v"]),
            helper.make_node("Add", ["u", "v"], ["t"]),
        ]
    )
    nodes = [helper.make_node("Neg", ["x"], ["first"]), helper.make_node("Loop", ["n", "", "x"], ["y"], body=body)]
    model = onnx.load_from_string(model_of(nodes, ["N"], numpy_helper.from_array(np.array(2, np.int64), "n")))
    model.graph.output.append(helper.make_tensor_value_info("first", TensorProto.FLOAT, ["N"]))
    size = MIB // 4
    session = slipway.Session(model.SerializeToString(), max_memory=int(4 * size * 4.5))
    session.run({"x": np.ones(size, np.float32)})
    tracemalloc.start()
    for k in range(30):  # the plans of the shape before must go in the middle of each run
        session.run({"x": np.ones(size + k % 7, np.float32)})
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 4 * size


def test_a_loop_that_grows_is_stopped() -> None:
    session = slipway.Session(loop_that_grows(60), max_memory=8 * MIB)
    with pytest.raises(LimitError, match=r"Loop .*step 2\d.*max_memory is 8388608"):
        session.run({"x": np.zeros(1, np.float32)})
    assert session.run({"x": np.zeros(0, np.float32)})["y"].shape == (0,)


def test_a_loop_without_end_is_bounded_by_its_steps() -> None:
    session = slipway.Session(loop_that_grows(2**62), max_steps=1000)
    with pytest.raises(LimitError, match="more steps than the limit of 1000"):
        session.run({"x": np.zeros(0, np.float32)})


def test_without_a_bound_the_machine_is_the_bound() -> None:
    expanded = model_of([helper.make_node("Expand", ["x", "to"], ["y"])], [1], ints("to", 1 << 46))
    with pytest.raises(LimitError, match=rf"needs {1 << 48} bytes"):
        slipway.Session(expanded).run({"x": np.zeros(1, np.float32)})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_memory": 0}, "max_memory: got 0, expected a whole number from 1 to"),
        ({"max_memory": 2**63}, "max_memory: got 9223372036854775808"),
        ({"max_steps": -1}, "max_steps: got -1, expected a whole number from 0 to"),
    ],
)
def test_a_bound_out_of_range_is_wrong_usage(options: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        slipway.Session(sum_of_a_square(), **options)  # type: ignore[arg-type]
