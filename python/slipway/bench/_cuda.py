"""Competitors on a CUDA device: the engine with bound arrays, and PyTorch in six ways; JAX is in ``_cuda_jax``.

Three times are taken. ``Prepared.call`` gives ``REPEATS`` runs to the stream one after the other and waits; a sample is
the whole divided by their number. ``waited`` is one run until its result can be read. ``recorded``, where a run can be
recorded, is one CUDA graph of ``REPEATS`` runs: the device's own time, whatever a launch costs the processor. All
arrays lie on the device before the clock starts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from slipway.bench.competitor import Competitor, Job, Prepared, reason_of
from slipway.bench.protocol import Call
from slipway.bundle import ONNX
from slipway.errors import UnavailableError
from slipway.runtime.eager import Eager
from slipway.runtime.native import Native
from slipway.session import Session
from slipway.signature import LengthInput

#: Runs that are given to the stream before it is waited for.
REPEATS = 20
#: Runs before a measurement: memory is allocated, algorithms are chosen, graphs recorded.
_WARM = 4

Way = Literal["eager", "graph", "compile"]


@dataclass(frozen=True)
class CudaPrepared(Prepared):
    """A model on the device.

    Args:
        waited: One run, waited for.
        recorded: A graph of ``REPEATS`` runs, waited for; None where they cannot be recorded.
    """

    waited: Call
    recorded: Call | None = None


@dataclass(frozen=True)
class NativeCuda:
    """The engine: ``session.bind_on_cuda``, on a stream of its own."""

    name: str = "native-cuda"

    def unavailable(self) -> str | None:
        """Say why there is no CUDA device for the engine."""
        return Native("cuda").unavailable()

    def prepare(self, job: Job) -> CudaPrepared:
        """Open a session and bind its memory."""
        import torch

        session = Session(job.bundle.read(ONNX), device="cuda")
        inputs = {name: torch.from_numpy(np.array(array)).cuda() for name, array in job.inputs.items()}
        buffers = {name: torch.empty_like(array) for name, array in session.run(inputs).items()}
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        torch.cuda.synchronize()
        call, number = session.bind_on_cuda(inputs, buffers), stream.cuda_stream

        def run() -> None:
            call(number)

        def outputs() -> dict[str, np.ndarray]:
            call(number)
            call.finish(number)
            return {name: array.cpu().numpy() for name, array in buffers.items()}

        prepared = on_device(run, lambda: call.finish(number), outputs)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            for _ in range(REPEATS):
                call(torch.cuda.current_stream().cuda_stream)
        return dataclasses.replace(prepared, recorded=Call(partial(_replay_and_wait, graph, outputs)))


@dataclass(frozen=True)
class CudaTorch:
    """PyTorch: eager; its kernels as one CUDA graph; or compiled with CUDA graphs.

    Args:
        way: Which of the three.
        tf32: Whether convolutions, recurrent layers and products may round to TF32.
    """

    way: Way = "eager"
    tf32: bool = False

    @property
    def name(self) -> str:
        """For example ``graph-tf32-cuda``."""
        return f"{self.way}{'-tf32' if self.tf32 else ''}-cuda"

    def unavailable(self) -> str | None:
        """Say why torch has no CUDA device."""
        import torch

        return None if torch.cuda.is_available() else "torch finds no CUDA device"

    def prepare(self, job: Job) -> CudaPrepared:
        """Move the module and its inputs; lengths stay with the host, where packed sequences want them."""
        import torch

        try:
            with self._mode():
                return self._prepare(job)
        except (RuntimeError, torch._dynamo.exc.TorchDynamoException) as error:
            torch.cuda.synchronize()
            raise UnavailableError(reason_of(error)) from error

    def _prepare(self, job: Job) -> CudaPrepared:
        import torch

        ports = job.bundle.signature.inputs
        has_lengths = any(isinstance(port.spec, LengthInput) for port in ports)
        if has_lengths and self.way != "eager":
            raise UnavailableError("packed sequences read lengths on the host: they break graphs, recorded or compiled")
        module: Any = Eager().load(job.bundle).module.cuda()
        tensors = [
            torch.from_numpy(np.array(job.inputs[p.name])).to("cpu" if isinstance(p.spec, LengthInput) else "cuda")
            for p in ports
        ]
        if self.way == "compile":
            torch._dynamo.reset()
            module = torch.compile(module, mode="reduce-overhead", dynamic=False)
        found: list[Any] = [None]

        def eager() -> None:
            found[0] = module(*tensors)

        def repeated() -> None:
            for _ in range(REPEATS):
                eager()

        run = self._record(eager) if self.way == "graph" else eager
        recorded_results = found[0]  # those that a replay writes
        many = self._record(repeated) if self.way == "graph" else None

        def outputs() -> dict[str, np.ndarray]:
            with self._mode():
                run()
                torch.cuda.synchronize()
            last = recorded_results if self.way == "graph" else found[0]
            results = last if isinstance(last, tuple | list) else (last,)
            return {name: tensor.cpu().numpy() for name, tensor in zip(job.output_names, results, strict=True)}

        prepared = on_device(run, torch.cuda.synchronize, outputs, self._mode)
        if many is None:
            return prepared
        recorded = Call(partial(_replay_and_wait, *many.args), turn=self._mode)
        return dataclasses.replace(prepared, recorded=recorded)

    @staticmethod
    def _record(run: Callable[[], object]) -> partial[None]:
        import torch

        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(_WARM):
                run()
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            run()
        return partial(_replay, graph, run)

    @contextmanager
    def _mode(self) -> Iterator[None]:
        import torch

        before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = self.tf32
        try:
            with torch.inference_mode():
                yield
        finally:
            torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


def _replay(graph: Any, _: Callable[[], object]) -> None:
    """Replay; what was recorded comes along, because the graph reads and writes its memory."""
    graph.replay()


def _replay_and_wait(graph: Any, _: Callable[[], object]) -> None:
    import torch

    graph.replay()
    torch.cuda.synchronize()


def on_device(
    run: Callable[[], None],
    wait: Callable[[], None],
    outputs: Callable[[], Mapping[str, np.ndarray]],
    turn: Any = None,
) -> CudaPrepared:
    """Warm up and say how the times are taken, of all but a recorded run."""

    def repeated() -> None:
        for _ in range(REPEATS):
            run()
        wait()

    def waited() -> None:
        run()
        wait()

    options = {} if turn is None else {"turn": turn}
    if turn is None:
        for _ in range(_WARM):
            waited()
    else:
        with turn():
            for _ in range(_WARM):
                waited()
    return CudaPrepared(Call(repeated, **options), lambda: dict(outputs()), Call(waited, **options))


def cuda_competitors(names: str = "") -> list[Competitor]:
    """Return who is measured on a CUDA device; ``names`` chooses some, separated by commas."""
    from slipway.bench._cuda_jax import JaxCuda  # which takes the times as this module does

    everyone: list[Competitor] = [NativeCuda()]
    ways: tuple[Way, ...] = ("eager", "graph", "compile")
    everyone += [CudaTorch(way, tf32) for way in ways for tf32 in (False, True)]
    everyone += [JaxCuda(False), JaxCuda(True)]
    chosen = {name for name in names.split(",") if name}
    return [one for one in everyone if not chosen or one.name in chosen]
