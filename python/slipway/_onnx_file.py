"""A plain ONNX file from anywhere, and the ports that it has; neither torch nor the engine is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from slipway._files import read_file
from slipway._metadata import is_of_another_format, signature_from_metadata
from slipway.errors import BundleError, InputError, ModelError
from slipway.signature import InputPort, OutputPort, Signature, TensorInput, TensorOutput


@dataclass(frozen=True)
class OnnxFile:
    """An ONNX file that is there; make one with :meth:`open`."""

    path: Path

    @staticmethod
    def open(path: Path) -> OnnxFile:
        """Take a file; it is read when it is asked for something.

        Raises:
            InputError: There is no such file.
        """
        if not path.is_file():
            raise InputError(f"there is no file {path}: expected an ONNX file or a bundle folder")
        return OnnxFile(path)

    @cached_property
    def metadata(self) -> Mapping[str, str]:
        """The file's metadata."""
        return {entry.key: entry.value for entry in self._model.metadata_props}

    @cached_property
    def signature(self) -> Signature:
        """The ports: what slipway's metadata says of them, else plain tensors of the file's types and shapes.

        Raises:
            ModelError: The file is no ONNX model, or a port has no type and shape of a tensor.
        """
        graph = self._model.graph
        constants = {tensor.name for tensor in graph.initializer}
        inputs = [value for value in graph.input if value.name not in constants]  # before IR 4 both are listed
        if "slipway.format" in self.metadata:
            return self._signature(inputs)
        return Signature(
            inputs=tuple(InputPort(v.name, self._dtype(v), self._dims(v), TensorInput()) for v in inputs),
            outputs=tuple(OutputPort(v.name, self._dims(v), TensorOutput(), self._dtype(v)) for v in graph.output),
        )

    def _signature(self, inputs: list[Any]) -> Signature:
        """Follow slipway's metadata; in a file alone it is the model that is wrong, unless it is of another version."""
        is_other = False
        try:
            is_other = is_of_another_format(self.metadata)
            return signature_from_metadata(self.metadata, inputs, self._model.graph.output)
        except BundleError as error:
            if is_other:
                raise
            raise ModelError(f"{self.path}: {error}") from error

    @cached_property
    def _model(self) -> Any:
        import onnx

        try:
            return onnx.load_model_from_string(read_file(self.path))
        except Exception as error:  # protobuf's own error types differ between its implementations
            raise ModelError(f"{self.path} cannot be parsed as an ONNX file: {error}") from error

    def _dtype(self, value: Any) -> Any:
        """Return the name that numpy has for a port's type."""
        from onnx.helper import tensor_dtype_to_np_dtype

        kind = value.type.tensor_type
        if not value.type.HasField("tensor_type") or kind.elem_type == 0:
            raise ModelError(f'{self.path}: "{value.name}" is not a tensor; slipway runs models of tensors')
        return tensor_dtype_to_np_dtype(kind.elem_type).name

    def _dims(self, value: Any) -> tuple[int | str, ...]:
        """Return sizes and names; a size that the file says nothing about has the port's name and its place."""
        kind = value.type.tensor_type
        if not kind.HasField("shape") and value in self._model.graph.input:
            raise ModelError(f'{self.path}: input "{value.name}" has no shape; expected at least its number of axes')
        return tuple(
            dim.dim_value or dim.dim_param or f"{value.name}_{axis}"  # 0 is how some exporters write "any size"
            for axis, dim in enumerate(kind.shape.dim)
        )
