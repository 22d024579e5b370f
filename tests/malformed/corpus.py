"""Broken, truncated and hostile ONNX files, each made here from a small right one, with the words of its refusal.

``python tests/malformed/corpus.py FOLDER`` writes them out, as seeds for a fuzzer.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from control import control_models, scan
from found import found_models
from onnx import TensorProto, helper, numpy_helper


@dataclass(frozen=True)
class Case:
    """One file and what the engine's refusal must say; None where it must load."""

    name: str
    model: bytes
    refusal: str | None


def small_models() -> dict[str, onnx.ModelProto]:
    """Right models that together hold every kind of field the reader knows."""
    rng = np.random.default_rng(0)

    def weights(name: str, *shape: int) -> TensorProto:
        return numpy_helper.from_array(rng.normal(size=shape).astype(np.float32), name)

    conv = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], "stem", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("LeakyRelu", ["c"], ["r"], "act", alpha=0.1),
        helper.make_node("MaxPool", ["r"], ["p"], "pool", kernel_shape=[2, 2], strides=[2, 2], auto_pad="VALID"),
        helper.make_node("Constant", [], ["shape"], value_ints=[0, -1]),
        helper.make_node("Reshape", ["p", "shape"], ["f"]),
        helper.make_node("Gemm", ["f", "fc"], ["y"], "head", transB=1),
    ]
    recurrent = [
        helper.make_node("GRU", ["t", "gw", "gr", "", "lengths"], ["", "h"], "gru", hidden_size=4),
        helper.make_node("Constant", [], ["axes"], value=numpy_helper.from_array(np.array([0]))),
        helper.make_node("Squeeze", ["h", "axes"], ["s"]),
        helper.make_node("Softmax", ["s"], ["z"], axis=-1),
    ]
    value = helper.make_tensor_value_info
    cnn = helper.make_graph(
        conv,
        "cnn",
        [value("x", TensorProto.FLOAT, ["N", 1, 8, 8])],
        [value("y", TensorProto.FLOAT, ["N", 3])],
        [weights("w", 2, 1, 3, 3), helper.make_tensor("b", TensorProto.FLOAT, [2], [0.5, -0.5]), weights("fc", 3, 32)],
    )
    gru = helper.make_graph(
        recurrent,
        "gru",
        [value("t", TensorProto.FLOAT, ["T", "N", 3]), value("lengths", TensorProto.INT32, ["N"])],
        [value("z", TensorProto.FLOAT, ["N", 4])],
        [weights("gw", 1, 12, 3), weights("gr", 1, 12, 4)],
    )
    models = {}
    for name, graph in {"cnn": cnn, "gru": gru}.items():
        models[name] = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 20)])
    models["scan"] = scan()
    for name, model in models.items():
        helper.set_model_props(model, {"slipway.recipe": f'"{name}"'})
        onnx.checker.check_model(model)
    return models


def changed(change: Callable[[onnx.ModelProto], object]) -> bytes:
    """The CNN after one change."""
    model = small_models()["cnn"]
    change(model)
    return model.SerializeToString()


def hostile_attributes() -> Iterator[Case]:
    """Numbers that overflow, divide by zero or ask for endless memory, in every integer attribute."""
    for number in (0, -1, 2**31, 2**32, 2**62, 2**63 - 1):
        for node, name in ((0, "kernel_shape"), (0, "pads"), (2, "kernel_shape"), (2, "strides")):

            def change(model: onnx.ModelProto, node: int = node, name: str = name, number: int = number) -> None:
                for attribute in model.graph.node[node].attribute:
                    if attribute.name == name:
                        attribute.ints[0] = number

            yield Case(f"attribute_{name}_of_node_{node}_is_{number}", changed(change), None)
        for name in ("group", "dilations", "strides"):

            def add(model: onnx.ModelProto, name: str = name, number: int = number) -> None:
                value = number if name == "group" else [number, 1]
                model.graph.node[0].attribute.append(helper.make_attribute(name, value))

            yield Case(f"attribute_{name}_is_{number}", changed(add), None)


def bytes_cases() -> Iterator[Case]:
    """Files that are no ONNX, or broken on the wire."""
    whole = small_models()["cnn"].SerializeToString()
    yield Case("empty_file", b"", "not an ONNX model")
    yield Case("text_file", b"hello, world\n", "model: ")
    yield Case("zeros", bytes(1000), "field tag 0 is not valid")
    yield Case("half_a_file", whole[: len(whole) // 2], "bytes are left|are left")
    yield Case("endless_varint", b"\x08" + b"\xff" * 64, "longer than 64 bits")
    yield Case("length_of_gigabytes", b"\x3a\xff\xff\xff\xff\x7f" + whole, "are left")
    yield Case("length_of_exabytes", b"\x3a" + b"\xff" * 9 + b"\x01" + whole, "are left")
    yield Case("group_wire_type", b"\x0b" + whole, "wire type 3")
    yield Case("graph_is_a_number", b"\x38\x01" + whole, "wire type 0")
    yield Case("two_graphs", whole + whole, "two graphs|imported twice")
    yield Case("unknown_fields", whole + b"\xf8\x7f\x01" + b"\xfa\x7f\x03abc", None)


def kind_cases() -> Iterator[Case]:
    """Values of kinds that ONNX knows beside tensors, and words that only functions have."""
    kinds = {"sequence": "a sequence", "map": "a map", "opaque": "an opaque value", "sparse_tensor": "a sparse tensor"}
    kinds["optional"] = "an optional"
    for kind, words in kinds.items():

        def declare(model: onnx.ModelProto, kind: str = kind) -> None:
            declared = model.graph.input[0].type
            if kind == "opaque":  # of onnx-ml only: field 7
                declared.CopyFrom(onnx.TypeProto.FromString(b"\x3a\x00"))
            else:
                getattr(declared, f"{kind}_type").SetInParent()

        yield Case(f"input_is_{kind}", changed(declare), words)

    def refer(model: onnx.ModelProto) -> None:
        model.graph.node[1].attribute[0].ref_attr_name = "slope"

    def overload(model: onnx.ModelProto) -> None:
        model.graph.node[0].overload = "second"

    def add_floats(model: onnx.ModelProto) -> None:
        model.graph.node.insert(0, helper.make_node("Constant", [], ["k"], value_floats=[0.5, 1.5]))

    yield Case("attribute_of_a_function", changed(refer), "refers to an attribute of a function")
    yield Case("overloaded_function", changed(overload), "calls an overloaded function")
    yield Case("constant_of_floats", changed(add_floats), None)


def model_cases() -> Iterator[Case]:
    """Well-formed messages that say something wrong."""
    initializer = 0

    def case(name: str, refusal: str | None, change: Callable[[onnx.ModelProto], object]) -> Case:
        return Case(name, changed(change), refusal)

    def set_raw(model: onnx.ModelProto, raw: bytes) -> None:
        model.graph.initializer[initializer].raw_data = raw

    def make_external(model: onnx.ModelProto) -> None:
        tensor = model.graph.initializer[initializer]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../../../etc/passwd")

    def add_function(model: onnx.ModelProto) -> None:
        model.functions.add(name="f", domain="local")

    def add_subgraph(model: onnx.ModelProto) -> None:
        model.graph.node[0].attribute.append(helper.make_attribute("body", small_models()["cnn"].graph))

    def add_sparse(model: onnx.ModelProto) -> None:
        values = helper.make_tensor("sp", TensorProto.FLOAT, [1], [1.0])
        indices = helper.make_tensor("", TensorProto.INT64, [1], [0])
        model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4]))

    yield case("opset_of_the_future", "opset 99 is not supported", lambda m: setattr(m.opset_import[0], "version", 99))
    yield case("opset_cut_to_32_bits", "is not supported", lambda m: setattr(m.opset_import[0], "version", 2**32 + 20))
    yield case("no_opset", "not among the opsets", lambda m: m.ClearField("opset_import"))
    yield case("domain_twice", "imported twice", lambda m: m.opset_import.append(helper.make_opsetid("ai.onnx", 20)))
    yield case("ir_of_the_future", "IR version 99", lambda m: setattr(m, "ir_version", 99))
    yield case("no_graph", "has no graph", lambda m: m.ClearField("graph"))
    yield case("data_too_short", "holds 4 bytes", lambda m: set_raw(m, b"1234"))
    yield case("data_too_long", "holds 80 bytes", lambda m: set_raw(m, bytes(80)))
    yield case("negative_size", "is negative", lambda m: m.graph.initializer[0].dims.append(-1))
    yield case("sizes_overflow", r"2\^48", lambda m: m.graph.initializer[0].dims.extend([2**32, 2**32]))
    yield case("sizes_overflow_behind_zero", r"2\^48", lambda m: m.graph.initializer[0].dims.extend([0, 2**62, 8]))
    yield case("rank_nine", "more than 8 dimensions", lambda m: m.graph.initializer[0].dims.extend([1] * 9))
    yield case("type_of_the_future", "has type number 77", lambda m: setattr(m.graph.initializer[0], "data_type", 77))
    yield case("half_precision", "has type float16", lambda m: setattr(m.graph.initializer[0], "data_type", 10))
    yield case("external_data", "save it as one file", make_external)
    yield case("local_function", "inline", add_function)
    yield case("graph_in_conv", 'Conv "stem": attribute "body" is not supported', add_subgraph)
    yield case("sparse", "sparse initializer", add_sparse)
    yield case("reads_itself", "no node before it makes", lambda m: m.graph.node[0].input.__setitem__(0, "y"))
    yield case("reads_nothing", "no node before it makes", lambda m: m.graph.node[0].input.__setitem__(0, "nobody"))
    yield case("made_twice", "already there", lambda m: m.graph.node[1].output.__setitem__(0, "c"))
    yield case("makes_an_input", "already there", lambda m: m.graph.node[1].output.__setitem__(0, "x"))
    yield case("unknown_operator", 'operator "Teleport"', lambda m: setattr(m.graph.node[0], "op_type", "Teleport"))
    yield case("operator_with_newline", r"Con\\x0av", lambda m: setattr(m.graph.node[0], "op_type", "Con\nv"))
    yield case("name_with_escape", r"\\x1b", lambda m: setattr(m.graph.node[0], "op_type", "\x1b[2J"))
    yield case("long_name", "limit is 4096", lambda m: setattr(m.graph.node[0], "name", "n" * 10_000))
    yield case("wrong_rank", 'Conv "stem"', lambda m: m.graph.input[0].type.tensor_type.shape.dim.pop())
    yield case(
        "unknown_attribute",
        'attribute "speed"',
        lambda m: m.graph.node[0].attribute.append(helper.make_attribute("speed", 3)),
    )
    yield case(
        "attribute_twice", "stands twice", lambda m: m.graph.node[1].attribute.append(m.graph.node[1].attribute[0])
    )
    yield case(
        "attribute_of_another_kind",
        'LeakyRelu "act"',
        lambda m: m.graph.node[1].attribute[0].CopyFrom(helper.make_attribute("alpha", "steep")),
    )
    yield case(
        "wrong_stated_type",
        "but the model states",
        lambda m: setattr(m.graph.output[0].type.tensor_type, "elem_type", 7),
    )


def cases() -> list[Case]:
    """All of them."""
    more = [*control_models(), *found_models()]
    named = [Case(name, model.SerializeToString(), refusal) for name, model, refusal in more]
    return [*bytes_cases(), *kind_cases(), *model_cases(), *named, *hostile_attributes()]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for case in cases():
        (folder / f"{case.name}.onnx").write_bytes(case.model)
