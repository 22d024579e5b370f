"""From a trained module to an exported program, a raw ONNX model, TorchScript and ``.pt2``.

Works on an eval-mode CPU copy under ``no_grad``; the module that was given stays as it is. The ONNX model that comes
out still has the exporter's names and unfolded weights: ``clean.py`` is next.
"""

from __future__ import annotations

import copy
import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import onnx_ir as ir
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.fx.experimental.symbolic_shapes import is_concrete_int

from slipway.bundle import DEFAULT_OPSET, NEWEST_OPSET, OLDEST_OPSET
from slipway.errors import ExportError
from slipway.runtime.eager import plain_attention
from slipway.signature import Signature, is_time
from slipway_export.edges import Edge, dynamic_sizes, edges_of
from slipway_export.explain import explain
from slipway_export.fold import quiet_optimizer
from slipway_export.packed import packed_sequences
from slipway_export.translate import TRANSLATION_TABLE
from slipway_export.transposed import wanted_sizes

Format = Literal["onnx", "torchscript", "pt2"]
Arrays = Mapping[str, NDArray[np.generic]]

#: Floating-point types that the engine does not have.
_OTHER_TYPES = frozenset({torch.float16, torch.bfloat16})

_aten = torch.ops.aten
_ZEROS = (_aten.zeros.default, _aten.zeros_like.default, _aten.new_zeros.default)
_KEEPS_ZEROS = (
    _aten.to.device, _aten.to.dtype, _aten.to.dtype_layout, _aten.to.other, _aten.clone.default, _aten.expand.default,
    _aten.contiguous.default, _aten.view.default, _aten.reshape.default, _aten.index_select.default,
    _aten.unsqueeze.default, _aten.squeeze.dim, _aten.detach.default, _aten.stack.default, _aten.cat.default,
)  # fmt: skip


@dataclass(frozen=True)
class Captured:
    """What capture found; ``missing`` says for each absent format why it is absent."""

    onnx: ir.Model
    torchscript: bytes | None
    pt2: bytes | None
    missing: Mapping[Format, str] = field(default_factory=dict)
    #: Sizes that the program was not captured for, where eager PyTorch may answer all the same.
    edges: tuple[Edge, ...] = ()


def capture(
    module: nn.Module,
    signature: Signature,
    example: Arrays,
    probe: Arrays,
    *,
    opset: int = DEFAULT_OPSET,
    formats: Sequence[Format] = ("onnx", "torchscript", "pt2"),
) -> Captured:
    """Export a module in every asked form.

    Args:
        module: Any module whose ``forward`` takes the signature's inputs in order.
        signature: The ports; dims that are strings stay dynamic.
        example: One array per input port; at least 2 of every dynamic dimension, all of different sizes.
        probe: The same at other sizes; a TorchScript trace that does not hold there is not kept.
        opset: ONNX opset of the result, 18 to 24.
        formats: What to make; ONNX is always made.

    Raises:
        ExportError: The module cannot be exported, froze a dimension that the signature calls dynamic, or answers the
            same inputs otherwise each time.
    """
    if not OLDEST_OPSET <= opset <= NEWEST_OPSET:
        raise ExportError(f"opset {opset}: the exporter writes {OLDEST_OPSET} to {NEWEST_OPSET}")
    model = copy.deepcopy(module).cpu().eval()
    tensors, others = _tensors(signature, example), _tensors(signature, probe)
    with torch.no_grad(), _quiet(), plain_attention():
        program = export_program(model, signature, tensors)
        _check_repeatable(model, tensors)
        raw = _to_onnx(program, opset)
        missing: dict[Format, str] = {}
        script = pt2 = None
        if "torchscript" in formats:
            script = _to_torchscript(model, tensors, others, missing)
        if "pt2" in formats:
            pt2 = _to_pt2(program)
        for unwanted in {"torchscript", "pt2"} - set(formats):
            missing[unwanted] = "not asked for"  # type: ignore[index]  # set difference loses the literal type
    return Captured(raw, script, pt2, missing, edges_of(program, signature, example))


def export_program(model: nn.Module, signature: Signature, tensors: tuple[Tensor, ...]) -> ExportedProgram:
    """Run ``torch.export`` with the signature's dynamic dims; recurrent layers become ``slipway`` operators."""
    shapes = tuple(
        {axis: _dim(name) for axis, name in enumerate(port.dims) if isinstance(name, str)} for port in signature.inputs
    )
    try:
        with packed_sequences(), wanted_sizes(model):
            program = torch.export.export(model, tensors, dynamic_shapes=shapes, strict=False)
    except ExportError:
        raise
    except Exception as error:  # torch.export raises many types; all of them mean that this model has no program
        cause = _own_error(error)
        if cause is not None:
            raise cause from error
        raise ExportError(explain(error, model)) from error
    _check_dynamic(program, signature)
    _check_types(program, model)
    _drop_zero_states(program)
    _drop_stack_traces(program)
    return program


def _dim(name: str) -> Any:
    """N and T may be 1 and more; the bounds of other sizes follow from the model, and are verified."""
    return Dim(name, min=1) if name == "N" or is_time(name) else Dim.AUTO


def _own_error(error: BaseException) -> ExportError | None:
    """Find a refusal of ours that torch.export wrapped in an error of its own."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ExportError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def _check_dynamic(program: ExportedProgram, signature: Signature) -> None:
    """Refuse a program that froze a dimension of an input."""
    frozen = [
        f'{name} of input "{port.name}" was frozen to {size}'
        for port, name, size in dynamic_sizes(program, signature)
        if is_concrete_int(size)
    ]
    if frozen:
        raise ExportError("; ".join(frozen) + ": the model computes with the example's size as a Python number")


def _check_types(program: ExportedProgram, model: nn.Module) -> None:
    """Refuse a program that computes in a type that no runtime here has."""
    for node in program.graph.nodes:
        value = node.meta.get("val")
        if isinstance(value, Tensor) and value.dtype in _OTHER_TYPES:
            name = str(value.dtype).removeprefix("torch.")
            raise ExportError(
                f'{type(model).__name__} computes in {name} (first in "{node.name}"), expected float32 or float64; '
                "call model.float(), and leave casts to it out of forward"
            )


def _check_repeatable(model: nn.Module, tensors: tuple[Tensor, ...]) -> None:
    """Refuse a module that answers the same inputs otherwise each time: nothing could be compared with it."""
    try:  # on copies: forward may write its inputs
        first, second = (model(*(tensor.clone() for tensor in tensors)) for _ in range(2))
    except Exception:  # packed.py traces some of what eager refuses, and says itself what it does not
        return
    try:
        torch.testing.assert_close(first, second, equal_nan=True)
    except AssertionError as error:
        raise ExportError(
            f"{type(model).__name__} gives other outputs for the same inputs the second time: its forward draws random "
            "numbers or keeps a state; draw them only where self.training is true (F.dropout(x, p, self.training)), or "
            "make them, and the state, an input"
        ) from error


def _drop_zero_states(program: ExportedProgram) -> None:
    """Give recurrent operators None for an initial state of zeros: ONNX then needs no input for it."""
    for node in program.graph.nodes:
        if node.target is torch.ops.slipway.recurrent.default:
            states: tuple[int, ...] = (2,)
        elif node.target is torch.ops.slipway.lstm.default and _is_zeros(node.args[2]) and _is_zeros(node.args[3]):
            states = (2, 3)
        else:
            continue
        for index in states:
            if _is_zeros(node.args[index]):
                node.update_arg(index, None)
    program.graph.eliminate_dead_code()
    program.graph_module.recompile()


def _is_zeros(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_zeros(v) for v in value)
    if not isinstance(value, torch.fx.Node) or _is_written(value):
        return False
    if value.target in _KEEPS_ZEROS:
        return _is_zeros(value.args[0])
    return value.target in _ZEROS or (value.target is _aten.full.default and value.args[1] in (0, 0.0, False))


def _is_written(node: torch.fx.Node) -> bool:
    """Say whether an operator changes a tensor, or a view of it, in place: ``h[0] = x``."""
    return any(
        effect.is_write or _is_written(user)
        for user in node.users
        for value, effect in _effects(user)
        if value is node or (isinstance(value, (list, tuple)) and node in value)
    )


def _effects(node: torch.fx.Node) -> Iterator[tuple[Any, Any]]:
    """Yield the arguments that a node writes, or that it gives back or a view of; ``is_write`` tells which."""
    if not isinstance(node.target, torch._ops.OpOverload):  # an item of several views
        yield from ((value, SimpleNamespace(is_write=False)) for value in node.args)
        return
    for place, argument in enumerate(node.target._schema.arguments):
        value = node.args[place] if place < len(node.args) else node.kwargs.get(argument.name)
        if argument.alias_info is not None:
            yield value, argument.alias_info


def _drop_stack_traces(program: ExportedProgram) -> None:
    """Remove the traces, which hold paths of the exporting machine."""
    for module in program.graph_module.modules():
        if isinstance(module, torch.fx.GraphModule):
            for node in module.graph.nodes:
                node.meta.pop("stack_trace", None)


def _to_onnx(program: ExportedProgram, opset: int) -> ir.Model:
    try:
        exported = torch.onnx.export(
            program, dynamo=True, opset_version=opset, custom_translation_table=TRANSLATION_TABLE, verbose=False
        )
    except Exception as error:  # torch.onnx wraps whatever its translations raise
        raise ExportError(f"the program has no ONNX form: {_untranslated(error)}") from error
    assert exported is not None
    model = exported.model
    written = model.opset_imports.get("", 0)
    if written != opset:
        raise ExportError(
            f"asked for opset {opset}, torch's exporter could only write {written}; use --opset {written}"
        )
    return model


def _untranslated(error: BaseException) -> str:
    """Name the operator that has no translation; torch's own message holds it, and its last line does not."""
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    told = "\n".join(str(cause) for cause in reversed(causes))
    operator = re.search(r"No ONNX function found for <OpOverload\(op='([\w.]+)'", told)
    node = re.search(r"Error when translating node %(\w+)", told)
    place = f' (node "{node[1]}")' if node is not None else ""
    if operator is None:
        return f"{type(causes[-1]).__name__}: {_first_line(causes[-1])}{place}"
    return f"torch's exporter does not translate {operator[1]}{place}; compute it by other operators"


def _to_torchscript(
    model: nn.Module, tensors: tuple[Tensor, ...], others: tuple[Tensor, ...], missing: dict[Format, str]
) -> bytes | None:
    """Script the module; trace it where scripting fails and the trace holds at other sizes."""
    _leave_fast_path(model)
    try:
        return _saved(torch.jit.script(model))
    except Exception as error:  # the TorchScript compiler raises many types, also when it saves what it has compiled
        traced, reason = _trace(model, tensors, others)
        if reason is not None:
            missing["torchscript"] = f"scripting fails ({_first_line(error)}), and {reason}"
            return None
        return _saved(traced)


def _leave_fast_path(model: nn.Module) -> None:
    """Keep scripts off the fast path of attention, which a script cannot ask torch to leave."""
    for module in model.modules():
        if isinstance(module, nn.TransformerEncoder):
            module.use_nested_tensor = False
        elif isinstance(module, nn.TransformerEncoderLayer):
            module.activation_relu_or_gelu = 0


def _saved(script: Any) -> bytes:
    file = io.BytesIO()
    torch.jit.save(script, file)
    return _without_debug_files(file)


def _without_debug_files(archive: io.BytesIO) -> bytes:
    """Leave out the map from TorchScript back to Python source, which holds paths of the exporting machine."""
    result = io.BytesIO()
    with zipfile.ZipFile(archive) as before, zipfile.ZipFile(result, "w") as after:
        for entry in before.infolist():
            if not entry.filename.endswith(".debug_pkl"):
                after.writestr(entry, before.read(entry))
    return result.getvalue()


def _trace(model: nn.Module, tensors: tuple[Tensor, ...], others: tuple[Tensor, ...]) -> tuple[Any, str | None]:
    """Return a trace, and why it cannot be used if it cannot."""
    try:
        traced = torch.jit.trace(model, tensors, check_trace=False)  # type: ignore[no-untyped-call]
    except Exception as error:  # tracing runs the user's code
        return None, f"tracing fails ({_first_line(error)})"
    try:
        torch.testing.assert_close(traced(*others), model(*others))
    except (RuntimeError, AssertionError):
        return None, "a trace freezes the example's sizes"
    return traced, None


def _to_pt2(program: ExportedProgram) -> bytes:
    file = io.BytesIO()
    torch.export.save(program, file)
    return file.getvalue()


def _tensors(signature: Signature, arrays: Arrays) -> tuple[Tensor, ...]:
    return tuple(torch.from_numpy(np.array(arrays[port.name])) for port in signature.inputs)


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back warnings that we know and have answered; the user could do nothing about them."""
    with warnings.catch_warnings(), quiet_optimizer():
        for message in (
            r"The tensor attributes? self\..*_flat_weights",  # RNNs refresh that list on every call
            r".*torch\.jit\.(script|trace|save|load|trace_method|script_method)",  # deprecated, and part of the bundle
            # What tracing freezes is found by probing the trace.
            r"Converting a tensor to a Python|Iterating over a tensor|torch\.tensor results|.*list of sequence lengths",
            r".*(isinstance|copyreg|TreeSpec|LeafSpec).*deprecated",  # inside torch.export itself
        ):
            warnings.filterwarnings("ignore", message=message)
        yield
