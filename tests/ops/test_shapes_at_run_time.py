"""Chains of operators whose shapes are open when the model is loaded, through a whole session.

Each graph runs at several sizes in one session, against the onnx package's evaluator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from harness import Array
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import slipway
from slipway.errors import SlipwayError

LAST = 2**63 - 1


@dataclass(frozen=True)
class Chain:
    """A graph from ports ``x`` (float32 [N, T]) and ``n`` (int64 scalar) to ``y``; ``constants`` are initializers."""

    name: str
    nodes: Sequence[onnx.NodeProto]
    constants: dict[str, Array]
    ports: tuple[str, ...] = ("x",)


def node(op: str, inputs: str, output: str, **attributes: Any) -> onnx.NodeProto:
    """A node with inputs named in one string; "-" stands for an absent one."""
    return helper.make_node(op, [name.strip("-") for name in inputs.split()], [output], **attributes)


def i64(*values: int) -> Array:
    """An int64 list."""
    return np.array(values, np.int64)


CHAINS = [
    Chain(
        "reshape_by_computed_shape",
        [
            node("Shape", "x", "s"),
            node("Gather", "s zero", "rows"),
            node("Unsqueeze", "rows first", "list"),
            node("Concat", "list open", "shape", axis=0),
            node("Reshape", "x shape", "y"),
        ],
        {"zero": np.array(0), "first": i64(0), "open": i64(-1, 1)},
    ),
    Chain(
        "slice_of_symbolic_axis",
        [node("Slice", "x a b c d", "y")],
        {"a": i64(-1), "b": i64(-LAST), "c": i64(1), "d": i64(-1)},
    ),
    Chain(
        "slice_to_given_end",
        [node("Unsqueeze", "n first", "end"), node("Slice", "x first end first", "y")],
        {"first": i64(0)},
        ("x", "n"),
    ),
    Chain(
        "range_of_given_length",
        [node("Range", "zero n one", "r"), node("Cast", "r", "y", to=1)],
        {"zero": np.array(0), "one": np.array(1)},
        ("n",),
    ),
    Chain(
        "float_range",
        [node("Cast", "n", "f", to=1), node("Range", "zero f half", "y")],
        {"zero": np.array(0, np.float32), "half": np.array(0.5, np.float32)},
        ("n",),
    ),
    Chain(
        "mask_by_length",
        [
            node("Shape", "x", "t", start=1),
            node("Squeeze", "t", "time"),
            node("Range", "zero time one", "steps"),
            node("Less", "steps n", "mask"),
            node("Where", "mask x none", "y"),
        ],
        {"zero": np.array(0), "one": np.array(1), "none": np.array(-1, np.float32)},
        ("x", "n"),
    ),
    Chain(
        "expand_to_shape_of_other",
        [node("Shape", "x", "s"), node("Expand", "v s", "y")],
        {"v": np.ones((1, 1), np.float32)},
    ),
    Chain(
        "constant_of_shape", [node("Shape", "x", "s"), node("ConstantOfShape", "s", "z"), node("Add", "x z", "y")], {}
    ),
    Chain(
        "tile_by_given_count",
        [node("Unsqueeze", "n first", "c"), node("Concat", "c one", "r", axis=0), node("Tile", "x r", "y")],
        {"first": i64(0), "one": i64(2)},
        ("x", "n"),
    ),
    Chain(
        "one_hot_of_given_depth",
        [node("OneHot", "places n values", "y")],
        {"places": i64(0, 2, -1), "values": np.array([0, 1], np.float32)},
        ("n",),
    ),
    Chain(
        "top_k_of_given_count",
        [node("Unsqueeze", "n first", "k"), helper.make_node("TopK", ["x", "k"], ["y", "i"], axis=0)],
        {"first": i64(0)},
        ("x", "n"),
    ),
    Chain(
        "reduce_given_axis",
        [node("Sub", "n n", "axis"), node("Unsqueeze", "axis axis", "axes"), node("ReduceSum", "x axes", "y")],
        {},
        ("x", "n"),
    ),
    Chain(
        "pad_by_given_width",
        [node("Unsqueeze", "n first", "w"), node("Concat", "w zero w zero", "p", axis=0), node("Pad", "x p", "y")],
        {"first": i64(0), "zero": i64(0)},
        ("x", "n"),
    ),
    Chain(
        "split_symbolic_axis", [helper.make_node("Split", ["x"], ["a", "b"], num_outputs=2), node("Neg", "b", "y")], {}
    ),
    Chain(
        "flatten_and_back",
        [node("Flatten", "x", "f", axis=0), node("Shape", "x", "s"), node("Reshape", "f s", "y")],
        {},
    ),
    Chain(
        "transpose_squeeze",
        [node("Unsqueeze", "x last", "u"), node("Transpose", "u", "t"), node("Squeeze", "t first", "y")],
        {"last": i64(2), "first": i64(0)},
    ),
]


def model_of(chain: Chain) -> onnx.ModelProto:
    """The chain as a model of opset 18."""
    ports = {
        "x": helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", "T"]),
        "n": helper.make_tensor_value_info("n", TensorProto.INT64, []),
    }
    graph = helper.make_graph(
        list(chain.nodes),
        chain.name,
        [ports[name] for name in chain.ports],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in chain.constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def session_of(chain: Chain, folder: Path) -> slipway.Session:
    """The chain, loaded by the engine."""
    path = folder / "model.onnx"
    path.write_bytes(model_of(chain).SerializeToString())
    return slipway.Session(path)


@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: chain.name)
def test_a_session_follows_shapes_from_run_to_run(chain: Chain, tmp_path: Path) -> None:
    session = session_of(chain, tmp_path)
    reference = ReferenceEvaluator(model_of(chain))
    rng = np.random.default_rng(0)
    for rows, steps, count in ((4, 3, 3), (2, 5, 1), (4, 3, 3), (7, 1, 2), (4, 6, 4)):
        values: dict[str, Array] = {
            "x": rng.normal(size=(rows, steps)).astype(np.float32),
            "n": np.array(count, np.int64),
        }
        feeds = {name: values[name] for name in chain.ports}
        expected = np.asarray(next(iter(reference.run(None, feeds))))
        actual: Array = session.run(feeds)["y"]
        assert actual.dtype == expected.dtype
        np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "count"),
    [("top_k_of_given_count", 99), ("one_hot_of_given_depth", 0), ("tile_by_given_count", -1)],
)
def test_a_given_size_that_does_not_fit_is_refused_at_run_time(name: str, count: int, tmp_path: Path) -> None:
    chain = next(each for each in CHAINS if each.name == name)
    session = session_of(chain, tmp_path)
    feeds: dict[str, Array] = {"x": np.ones((3, 2), np.float32), "n": np.array(count, np.int64)}
    with pytest.raises(SlipwayError):
        session.run({port: feeds[port] for port in chain.ports})
