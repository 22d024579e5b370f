from collections.abc import Callable, Sequence
from typing import TypeAlias, TypedDict, TypeVar, final, type_check_only

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
    is_view: bool
    is_control: bool
    has_simd: bool

@final
class BoundCall:
    def __call__(self) -> None: ...

@final
class Session:
    @staticmethod
    def open(path: str, device: str, threads: int, optimize: bool, isa: str) -> Session: ...
    @staticmethod
    def read(model: bytes, device: str, threads: int, optimize: bool, isa: str) -> Session: ...
    def inputs(self) -> list[tuple[str, str, tuple[int | str | None, ...]]]: ...
    def outputs(self) -> list[tuple[str, str, tuple[int | str | None, ...]]]: ...
    def metadata(self) -> dict[str, str]: ...
    def run(self, inputs: Sequence[_Array], into: Sequence[_Array | None] = ...) -> list[_Array]: ...
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
def operators() -> list[OperatorRow]: ...
def isas() -> list[str]: ...
def measure_peak(what: str, bytes: int, seconds: float, threads: int) -> float: ...
