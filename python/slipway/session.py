"""A loaded model: its ports, and running it. The engine behind it is ``slipway._engine``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import index
from typing import TYPE_CHECKING, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from slipway import _engine, _on_cuda
from slipway._arrays import SupportsDLPack, as_kind, contiguous, library_of, view
from slipway._limits import MOST_THREADS
from slipway.errors import InputError, UnavailableError, UsageError

if TYPE_CHECKING:
    from slipway._engine import BoundCall, BoundDeviceCall

Arrays = Mapping[str, SupportsDLPack]
T = TypeVar("T", bound=SupportsDLPack)


@dataclass(frozen=True)
class Port:
    """An input or output of a model.

    Args:
        name: Its name in the ONNX file.
        dtype: Element type.
        shape: Per dimension a number, the name of a dimension that may vary from run to run, or None (unknown).
    """

    name: str
    dtype: np.dtype[np.generic]
    shape: tuple[int | str | None, ...]


class Session:
    """A model that can be run, from many threads at once if wanted, and by the children of a fork (on one thread each).

        session = slipway.Session("artifacts/names-gru")
        logits = session.run({"tokens": tokens, "lengths": lengths})["logits"]

    Args:
        model: An ONNX file, a bundle folder, or the bytes of an ONNX file.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``; one that is not there is refused, never replaced.
        threads: How many threads one run on the CPU may use, 1 to 256. Results do not depend on it.
        precision: ``"fp32"``, or weights of fewer bytes and less exact results: ``"bf16"`` rounds them to 8 significant
            bits, ``"int8"`` to whole numbers of at most 127 times a scale per output channel. Activations and sums
            stay float32. The report of a bundle says how far each is off. ``"tf32"``, of a CUDA device: convolutions
            and products on tensor cores round what they multiply to 11 significant bits.
        max_memory: Bytes that the session may hold at once: constants, prepared weights and the values of all runs
            under way, not the results. None: as many as the machine has.
        max_steps: Steps that a Loop may take in one run. None: as many as the model says, which may be without end.
        optimize: False runs the graph as it stands in the file, without any pass.
        isa: Kernels to use (``slipway._engine.isas()``); empty is the best of this machine.

    Raises:
        FileError: The file cannot be read.
        ModelError: It is malformed, or breaks a rule of ONNX.
        UnsupportedError: It asks for an operator, attribute or type that the engine does not have.
        LimitError: It is above a limit of the engine, or of ``max_memory``; so are runs.
        UnavailableError: The device or instruction set is not there.
        UsageError: An argument is out of its range.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes,
        device: str = "cpu",
        threads: int = 1,
        *,
        precision: str = "fp32",
        max_memory: int | None = None,
        max_steps: int | None = None,
        optimize: bool = True,
        isa: str = "",
    ) -> None:
        for name, value in (("device", device), ("precision", precision), ("isa", isa)):
            if not isinstance(value, str):
                raise UsageError(f"{name}: got {value!r}, expected a text")
        if not isinstance(optimize, bool | np.bool_):
            raise UsageError(f"optimize: got {optimize!r}, expected True or False")
        options: _engine.SessionOptions = {
            "device": device,
            "threads": _whole("threads", threads, 1, MOST_THREADS),
            "precision": precision,
            "optimize": bool(optimize),
            "isa": isa,
        }
        if max_memory is not None:
            options["max_memory"] = _whole("max_memory", max_memory, 1, 2**63 - 1)
        if max_steps is not None:
            options["max_steps"] = _whole("max_steps", max_steps, 0, 2**63 - 1)
        if isinstance(model, bytes):
            self._engine = _engine.Session.read(model, **options)
        else:
            self._engine = _engine.Session.open(os.fspath(model), **options)
        number = self._engine.cuda_device()
        self._cuda = number if number >= 0 else None
        self._inputs = tuple(Port(name, np.dtype(dtype), shape) for name, dtype, shape in self._engine.inputs())
        self._outputs = tuple(Port(name, np.dtype(dtype), shape) for name, dtype, shape in self._engine.outputs())

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The model's inputs, in the order of the file."""
        return self._inputs

    @property
    def outputs(self) -> tuple[Port, ...]:
        """The model's outputs, in the order of the file."""
        return self._outputs

    @property
    def metadata(self) -> dict[str, str]:
        """A copy of the model's metadata (``docs/bundle-format.md``)."""
        return self._engine.metadata()

    @overload
    def run(
        self,
        inputs: Mapping[str, NDArray[np.generic]],
        outputs: Mapping[str, NDArray[np.generic]] | None = None,
        *,
        stream: int | None = None,
    ) -> dict[str, NDArray[np.generic]]: ...

    @overload
    def run(
        self, inputs: Mapping[str, T], outputs: Mapping[str, T] | None = None, *, stream: int | None = None
    ) -> dict[str, T]: ...

    @_engine.plain_first  # answers itself where `inputs` is a dict of arrays that fit, and there are no outputs
    def run(
        self, inputs: Arrays, outputs: Arrays | None = None, *, stream: int | None = None
    ) -> Mapping[str, SupportsDLPack]:
        """Run once; what takes more than a few microseconds runs without the GIL.

        On a CUDA device arrays lie either all in the host's memory, then they go there and the results come back, or
        all on the device: then nothing is copied, and the work is given to a stream, as torch's is.

        Args:
            inputs: An array for each input port, of its type and shape; NumPy arrays or arrays that speak DLPack
                (torch tensors). C-contiguous ones are read where they lie, others are copied first. What another
                thread writes to them meanwhile leaves the outputs open, or is refused; it harms nothing else.
            outputs: Buffers for some or all outputs: C-contiguous, writable, of the right type and shape, sharing
                memory with nothing else. The result is written there.
            stream: Of arrays on a CUDA device: the ``cudaStream_t`` to work on, as a number. The default is the
                current stream of the arrays' library (torch, CuPy), else the default stream.

        Returns:
            Every output by name: the given buffer, else a new array (torch tensors in: torch tensors out) over the
            memory that the engine wrote, without a copy.

        Raises:
            InputError: A name is missing or unknown, or an array does not fit its port.
            RuntimeFault: A value is one that an operator forbids, for example an index out of range.
            UnavailableError: An array lies on another device.
        """
        self._check_names("input", self._inputs, inputs)
        self._check_known_outputs({} if outputs is None else outputs)
        buffers = {} if outputs is None else dict(outputs)
        if self._cuda is not None and any(_on_cuda.is_on_cuda(array) for array in inputs.values()):
            return self._run_on_cuda(self._cuda, inputs, buffers, stream)
        arrays = self._input_arrays(inputs)
        library = library_of(list(inputs.values()))
        into = self._output_buffers(buffers)
        results = self._engine.run(arrays, into) if buffers else self._engine.run(arrays)
        return {
            port.name: buffers[port.name] if port.name in buffers else as_kind(result, library)
            for port, result in zip(self._outputs, results, strict=True)
        }

    def _run_on_cuda(
        self, number: int, inputs: Arrays, buffers: dict[str, SupportsDLPack], stream: int | None
    ) -> Mapping[str, SupportsDLPack]:
        library = library_of(list(inputs.values())[:1])
        stream = _on_cuda.current_stream(library, number) if stream is None else stream
        arrays, into = self._capsules(number, inputs, buffers, stream)
        results = self._engine.run_on(stream, arrays, into if buffers else [])
        return {
            port.name: buffers[port.name] if result is None else as_kind(result, library)
            for port, result in zip(self._outputs, results, strict=True)
        }

    def _capsules(
        self, number: int, inputs: Arrays, buffers: Arrays, stream: int
    ) -> tuple[list[object], list[object | None]]:
        arrays = [
            _on_cuda.capsule(_on_cuda.contiguous(inputs[port.name]), f'input "{port.name}"', number, stream)
            for port in self._inputs
        ]
        into = [
            _on_cuda.capsule(
                buffers[port.name], f'the buffer for output "{port.name}"', number, stream, is_written=True
            )
            if port.name in buffers
            else None
            for port in self._outputs
        ]
        return arrays, into

    def bind_on_cuda(self, inputs: Arrays, outputs: Arrays) -> BoundDeviceCall:
        """Fix arrays on the session's CUDA device; the cheapest way to run repeatedly.

        A call of the result, ``call(stream)``, gives the work to the stream and returns; from the third one on it is
        one recorded CUDA graph, or a single kernel. ``call.finish(stream)`` waits. A forbidden value (an index out of
        range) is reported as RuntimeFault by the next call, or by ``finish``.

        Args:
            inputs: C-contiguous arrays on the device, which speak DLPack (torch) or have CUDA's array interface.
            outputs: An array on the device for every output.

        Raises:
            InputError: As ``run``; an output without a buffer.
            UnavailableError: An array lies elsewhere, or the session runs on the CPU.
        """
        if self._cuda is None:
            raise UnavailableError("the session runs on the CPU; open it with device='cuda'")
        self._check_names("input", self._inputs, inputs)
        self._check_every_output(outputs)
        arrays, into = self._capsules(self._cuda, inputs, outputs, 0)
        return self._engine.bind_on(arrays, into)

    def bind(self, inputs: Arrays, outputs: Arrays) -> BoundCall:
        """Fix the memory of inputs and outputs; each call of the result runs once and returns None.

        The cheapest way to run repeatedly: arrays are checked here and kept alive; between calls their contents may
        change. One bound call belongs to one thread at a time: while one thread is in the middle of it, a call from
        another one raises UsageError.

        Args:
            inputs: As for ``run``, but all must be C-contiguous: a copy would not see later changes.
            outputs: A buffer for every output, as for ``run``.

        Raises:
            InputError: As ``run``; an array that is not contiguous, or an output without a buffer.
        """
        if self._cuda is not None:
            raise UnavailableError("the session runs on CUDA; bind arrays there with bind_on_cuda")
        self._check_names("input", self._inputs, inputs)
        self._check_every_output(outputs)
        for name, array in inputs.items():
            numpy_view = view(array, f'input "{name}"')
            if not (numpy_view.flags.c_contiguous and numpy_view.flags.aligned):
                raise InputError(f'input "{name}" is not C-contiguous: a bound call reads the memory as it lies')
        return self._engine.bind(self._input_arrays(inputs), self._output_buffers(outputs))

    def stage_text(self, stage: str, shapes: Mapping[str, Sequence[int]] | None = None) -> str:
        """Return the stable text of a stage of the engine.

        Args:
            stage: ``onnx`` (as read), ``graph`` (with facts), ``passes`` (after the passes, with what each did) or
                ``plan`` (steps, kernels, memory).
            shapes: For ``plan``: the shape of each input.

        Raises:
            UsageError: The stage is unknown, ``plan`` was asked for without shapes, or a size is no whole number of 0
                or more.
            InputError: The shapes' names are not the inputs' names, or a shape does not fit its input.
        """
        if not isinstance(stage, str):
            raise UsageError(f"stage: got {stage!r}, expected onnx, graph, passes or plan")
        if shapes is None:
            return self._engine.text(stage)
        self._check_names("input", self._inputs, shapes)
        sizes = [
            [_whole(f'shapes: a size of input "{port.name}"', size, 0, 2**63 - 1) for size in shapes[port.name]]
            for port in self._inputs
        ]
        return self._engine.text(stage, sizes)

    def __repr__(self) -> str:
        inputs = ", ".join(port.name for port in self._inputs)
        outputs = ", ".join(port.name for port in self._outputs)
        return f"<slipway.Session ({inputs}) -> ({outputs})>"

    def _input_arrays(self, inputs: Arrays) -> list[NDArray[np.generic]]:
        arrays = []
        for port in self._inputs:
            what = f'input "{port.name}"'
            array = view(inputs[port.name], what)
            _check_dtype(what, array, port)
            arrays.append(contiguous(array))
        return arrays

    def _check_every_output(self, outputs: Arrays) -> None:
        self._check_known_outputs(outputs)
        missing = [port.name for port in self._outputs if port.name not in outputs]
        if missing:
            raise InputError(f"a bound call needs a buffer for every output; missing: {', '.join(missing)}")

    def _check_known_outputs(self, outputs: Arrays) -> None:
        if not isinstance(outputs, Mapping):
            raise InputError(_names_message("output", self._outputs, f"got {type(outputs).__name__}, expected a dict"))
        unknown = [name for name in outputs if all(name != port.name for port in self._outputs)]
        if unknown:
            raise InputError(_names_message("output", self._outputs, f"unknown: {_shown(unknown)}"))

    def _output_buffers(self, outputs: Arrays) -> list[NDArray[np.generic] | None]:
        buffers: list[NDArray[np.generic] | None] = []
        for port in self._outputs:
            if port.name not in outputs:
                buffers.append(None)
                continue
            what = f'the buffer for output "{port.name}"'
            array = view(outputs[port.name], what)
            _check_dtype(what, array, port)
            if not (array.flags.c_contiguous and array.flags.aligned):
                raise InputError(f"{what} is not C-contiguous")
            buffers.append(array)
        return buffers

    @staticmethod
    def _check_names(kind: str, ports: tuple[Port, ...], given: Mapping[str, object]) -> None:
        if not isinstance(given, Mapping):
            raise InputError(_names_message(kind, ports, f"got {type(given).__name__}, expected a dict"))
        missing = [port.name for port in ports if port.name not in given]
        unknown = [name for name in given if all(name != port.name for port in ports)]
        faults = [f"missing: {', '.join(missing)}"] if missing else []
        faults += [f"unknown: {_shown(unknown)}"] if unknown else []
        if faults:
            raise InputError(_names_message(kind, ports, "; ".join(faults)))


def _whole(name: str, value: object, least: int, most: int) -> int:
    """Return an argument that is a whole number of some type, in its range."""
    try:
        number = index(value)  # type: ignore[arg-type]  # what has no __index__ raises
    except TypeError:
        number = least - 1
    if not least <= number <= most:
        range_ = f"{least} to {'2^63 - 1' if most == 2**63 - 1 else most}"
        raise UsageError(f"{name}: got {value!r}, expected a whole number from {range_}")
    return number


def _shown(names: Sequence[object]) -> str:
    """The first names as text, whatever they are, and how many more there are."""
    most = 8
    shown = [_name_text(name) for name in names[:most]]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")


def _name_text(name: object) -> str:
    if type(name) is int:
        return str(name)
    if not isinstance(name, str):
        return f"a key of type {type(name).__name__}"
    text = str.__str__(name)
    return text if text.isprintable() and len(text) <= 80 else ascii(text[:80])


def _names_message(kind: str, ports: tuple[Port, ...], fault: str) -> str:
    return f"{kind}s {fault} (the model has {', '.join(port.name for port in ports) or 'none'})"


def _check_dtype(what: str, array: NDArray[np.generic], port: Port) -> None:
    if array.dtype != port.dtype:
        raise InputError(f"{what} has type {array.dtype}, expected {port.dtype}; nothing is converted silently")
