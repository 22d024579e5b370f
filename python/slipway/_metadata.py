"""A signature as the metadata of an ONNX file, and back; the keys are those of ``docs/bundle-format.md``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from slipway._json import read_json
from slipway._spec_faults import fault_of_field, fault_of_input, fault_of_output
from slipway.errors import BundleError
from slipway.signature import (
    BinaryOutput,
    ClassOutput,
    DTypeName,
    ImageInput,
    InputPort,
    InputSpec,
    LengthInput,
    OutputPort,
    OutputSpec,
    SegmentationOutput,
    Signature,
    TableInput,
    TensorInput,
    TensorOutput,
    TextInput,
)

#: Version of the metadata and of the bundle's files.
FORMAT = 1

_INPUT_KINDS: Mapping[str, type[InputSpec]] = {
    "tensor": TensorInput,
    "text": TextInput,
    "length": LengthInput,
    "image": ImageInput,
    "table": TableInput,
}
#: Lengths of arrays come from the caller, as the arrays do; only lengths of texts are counted.
_GIVEN = "tensor"
_OUTPUT_KINDS: Mapping[str, type[OutputSpec]] = {
    "class": ClassOutput,
    "binary": BinaryOutput,
    "segmentation": SegmentationOutput,
    "tensor": TensorOutput,
}


def signature_to_metadata(signature: Signature) -> dict[str, str]:
    """Return ``slipway.format``, ``slipway.labels`` and one key per port; every value is a JSON text."""
    arrays = {port.name for port in signature.inputs if isinstance(port.spec, TensorInput)}
    values: dict[str, object] = {"slipway.format": FORMAT, "slipway.labels": list(signature.labels)}
    for way, ports in (("input", signature.inputs), ("output", signature.outputs)):
        for port in ports:
            entry = {"dtype": port.dtype, "dims": list(port.dims), **dataclasses.asdict(port.spec)}
            if isinstance(port.spec, LengthInput) and port.spec.of in arrays:
                entry["kind"] = _GIVEN
            values[f"slipway.{way}.{port.name}"] = entry
    return {key: json.dumps(value, ensure_ascii=False, sort_keys=True) for key, value in values.items()}


def signature_from_metadata(metadata: Mapping[str, str], inputs: Sequence[Any], outputs: Sequence[Any]) -> Signature:
    """Rebuild the signature of an ONNX file.

    Args:
        metadata: The file's metadata.
        inputs: The graph's inputs (ValueInfoProto), in order.
        outputs: The graph's outputs, in order.

    Raises:
        BundleError: A key is missing, malformed or of another type and rank than the graph says, or the format is newer
            than this program.
    """
    if is_of_another_format(metadata):
        version = metadata_value(metadata, "slipway.format")
        raise BundleError(f"model.onnx has format {version}, this program reads {FORMAT}; upgrade slipway")
    labels = metadata_value(metadata, "slipway.labels")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise BundleError('metadata "slipway.labels" of model.onnx is not a list of texts')
    signature = Signature(
        inputs=tuple(InputPort(v.name, *_port(metadata, "input", v.name, _INPUT_KINDS)) for v in inputs),
        outputs=tuple(_output(metadata, v.name) for v in outputs),
        labels=tuple(labels),
    )
    faults = [(f"slipway.input.{port.name}", fault_of_input(signature, port)) for port in signature.inputs]
    faults += [(f"slipway.output.{port.name}", fault_of_output(port)) for port in signature.outputs]
    faults += [(f"slipway.input.{p.name}", _graph_fault(p, v)) for p, v in zip(signature.inputs, inputs, strict=True)]
    faults += [
        (f"slipway.output.{p.name}", _graph_fault(p, v)) for p, v in zip(signature.outputs, outputs, strict=True)
    ]
    for key, fault in faults:
        if fault is not None:
            raise BundleError(f'metadata "{key}" of model.onnx makes no sense: {fault}')
    return signature


def is_of_another_format(metadata: Mapping[str, str]) -> bool:
    """Say whether metadata are of another version of the format than this program reads.

    Raises:
        BundleError: There is no version, or it is no number.
    """
    version = metadata_value(metadata, "slipway.format")
    if type(version) not in (int, float):
        raise BundleError(f'metadata "slipway.format" of model.onnx is {version!r:.80}, expected a number')
    return bool(version != FORMAT)


def metadata_value(metadata: Mapping[str, str], key: str) -> Any:
    """Return the decoded JSON of one key.

    Raises:
        BundleError: The key is absent or is not JSON.
    """
    if key not in metadata:
        raise BundleError(f'model.onnx has no metadata "{key}"; it was not made by slipway')
    try:
        return read_json(metadata[key])
    except ValueError as error:
        raise BundleError(f'metadata "{key}" of model.onnx is not JSON: {error}') from error


def _graph_fault(port: InputPort | OutputPort, value: Any) -> str | None:
    """Say why a port is not the one of the graph, as far as that says what it is, or None."""
    from onnx.helper import tensor_dtype_to_np_dtype

    tensor = value.type.tensor_type
    if tensor.elem_type and tensor_dtype_to_np_dtype(tensor.elem_type).name != port.dtype:
        return f"dtype is {port.dtype}, in the model {tensor_dtype_to_np_dtype(tensor.elem_type).name}"
    if tensor.HasField("shape") and len(tensor.shape.dim) != len(port.dims):
        return f"dims are {list(port.dims)}, the model has {len(tensor.shape.dim)} of them"
    sizes = [dim.dim_value for dim in tensor.shape.dim]  # 0 where the graph does not know it
    if any(size and isinstance(dim, int) and dim != size for dim, size in zip(port.dims, sizes, strict=False)):
        return f"dims are {list(port.dims)}, the model has sizes {sizes}"
    return None


def _output(metadata: Mapping[str, str], name: str) -> OutputPort:
    dtype, dims, spec = _port(metadata, "output", name, _OUTPUT_KINDS)
    return OutputPort(name, dims, spec, dtype)


def _port(
    metadata: Mapping[str, str], way: str, name: str, kinds: Mapping[str, type[Any]]
) -> tuple[Any, tuple[int | str, ...], Any]:
    key = f"slipway.{way}.{name}"
    entry = metadata_value(metadata, key)
    if not isinstance(entry, dict) or entry.get("kind") not in kinds:
        raise BundleError(f'metadata "{key}" of model.onnx has no known kind; known are {", ".join(kinds)}')
    spec = LengthInput if entry["kind"] == _GIVEN and "of" in entry else kinds[entry["kind"]]
    known = {field.name for field in dataclasses.fields(spec)} - {"kind"}
    given = {name: value for name, value in entry.items() if name in known}
    try:
        dtype, dims = entry["dtype"], entry["dims"]
        made = spec(**{name: _frozen(value) for name, value in given.items()})
    except (KeyError, TypeError) as error:
        raise BundleError(f'metadata "{key}" of model.onnx is incomplete: {error}') from error
    faults = [fault for name in given if (fault := fault_of_field(made, name))]
    if not isinstance(dims, list) or not all(type(dim) in (int, str) for dim in dims):
        faults.append(f"dims is {dims!r:.80}, expected numbers and names")
    if dtype not in get_args(DTypeName):
        faults.append(f"dtype is {dtype!r:.80}, expected one of {', '.join(get_args(DTypeName))}")
    if faults:
        raise BundleError(f'metadata "{key}" of model.onnx makes no sense: {"; ".join(faults)}')
    return dtype, tuple(dims), made


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
