from collections.abc import Callable, Sequence
from typing import TypeAlias, TypedDict, TypeVar, Unpack, final, type_check_only

import numpy as np
from numpy.typing import NDArray

_Array: TypeAlias = NDArray[np.generic]
_Attribute: TypeAlias = int | float | str | Sequence[int] | Sequence[float] | Sequence[str] | _Array

_Method = TypeVar("_Method", bound=Callable[..., object])

__version__: str

@type_check_only
class OperatorRow(TypedDict):
    id: str
    onnx: str
    domain: str
    min_opset: int
    max_opset: int
    tolerance: str
    kind: str  # kernel, elementwise, view or control
    has_simd: bool
    has_cuda: bool

@type_check_only
class SessionOptions(TypedDict, total=False):
    device: str
    threads: int
    precision: str
    optimize: bool
    isa: str
    max_memory: int
    max_steps: int

@final
class BoundCall:
    def __call__(self) -> None: ...

@final
class BoundDeviceCall:
    def __call__(self, stream: int = 0) -> None: ...
    def finish(self, stream: int = 0) -> None: ...

@final
class DeviceArray:
    def __dlpack__(self, *, stream: object = None, **more: object) -> object: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...
    def numpy(self) -> _Array: ...
    @property
    def __cuda_array_interface__(self) -> dict[str, object]: ...
    @property
    def shape(self) -> tuple[int, ...]: ...

@final
class Session:
    @staticmethod
    def open(path: str, **options: Unpack[SessionOptions]) -> Session: ...
    @staticmethod
    def read(model: bytes, **options: Unpack[SessionOptions]) -> Session: ...
    def inputs(self) -> list[tuple[str, str, tuple[int | str | None, ...]]]: ...
    def outputs(self) -> list[tuple[str, str, tuple[int | str | None, ...]]]: ...
    def metadata(self) -> dict[str, str]: ...
    def run(self, inputs: Sequence[_Array], into: Sequence[_Array | None] = ...) -> list[_Array]: ...
    def cuda_device(self) -> int: ...
    def run_on(
        self, stream: int, inputs: Sequence[object], into: Sequence[object | None] = ...
    ) -> list[DeviceArray | None]: ...
    def bind_on(self, inputs: Sequence[object], outputs: Sequence[object]) -> BoundDeviceCall: ...
    def bind(self, inputs: Sequence[_Array], outputs: Sequence[_Array | None]) -> BoundCall: ...
    def text(self, stage: str, shapes: Sequence[Sequence[int]] = ...) -> str: ...

def plain_first(run: _Method) -> _Method: ...
def run_op(
    op: str,
    inputs: Sequence[_Array | None],
    attributes: dict[str, _Attribute] = ...,
    outputs: int = 1,
    opset: int = 20,
    domain: str = "",
    isa: str = "",
    all_constant: bool = False,
) -> list[_Array]: ...
def run_op_on(
    device: int,
    stream: int,
    op: str,
    inputs: Sequence[object | None],
    attributes: dict[str, _Attribute] = ...,
    outputs: int = 1,
    opset: int = 20,
    domain: str = "",
) -> list[DeviceArray]: ...
def to_device(array: _Array, device: int = 0) -> DeviceArray: ...
def interface_device(entries: dict[str, object]) -> int: ...
def interface_capsule(entries: dict[str, object], owner: object, stream: int) -> object: ...
def devices() -> tuple[list[str], str]: ...
def operators() -> list[OperatorRow]: ...
def isas() -> list[str]: ...
def measure_peak(what: str, bytes: int, seconds: float, threads: int) -> float: ...
