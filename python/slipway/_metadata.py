"""A signature as the metadata of an ONNX file, and back; the keys are those of ``docs/bundle-format.md``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from slipway.errors import BundleError
from slipway.signature import (
    BinaryOutput,
    ClassOutput,
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


def signature_from_metadata(metadata: Mapping[str, str], inputs: Sequence[str], outputs: Sequence[str]) -> Signature:
    """Rebuild the signature of an ONNX file.

    Args:
        metadata: The file's metadata.
        inputs: Names of the graph's inputs, in order.
        outputs: Names of the graph's outputs, in order.

    Raises:
        BundleError: A key is missing or malformed, or the format is newer than this program.
    """
    version = metadata_value(metadata, "slipway.format")
    if version != FORMAT:
        raise BundleError(f"model.onnx has format {version}, this program reads {FORMAT}; upgrade slipway")
    labels = metadata_value(metadata, "slipway.labels")
    return Signature(
        inputs=tuple(InputPort(name, *_port(metadata, "input", name, _INPUT_KINDS)) for name in inputs),
        outputs=tuple(_output(metadata, name) for name in outputs),
        labels=tuple(labels),
    )


def metadata_value(metadata: Mapping[str, str], key: str) -> Any:
    """Return the decoded JSON of one key.

    Raises:
        BundleError: The key is absent or is not JSON.
    """
    if key not in metadata:
        raise BundleError(f'model.onnx has no metadata "{key}"; it was not made by slipway')
    try:
        return json.loads(metadata[key])
    except ValueError as error:
        raise BundleError(f'metadata "{key}" of model.onnx is not JSON: {error}') from error


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
    known = {field.name for field in dataclasses.fields(spec)}
    try:
        dtype, dims = entry["dtype"], tuple(entry["dims"])
        return dtype, dims, spec(**{k: _frozen(v) for k, v in entry.items() if k in known - {"kind"}})
    except (KeyError, TypeError) as error:
        raise BundleError(f'metadata "{key}" of model.onnx is incomplete: {error}') from error


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
