"""What the fuzz targets (``tests/fuzz``) have found, for ``corpus.py``: each finding cut down to a few nodes."""

from __future__ import annotations

from collections.abc import Iterator

import onnx
from control import model_of


def pads(mode: str) -> onnx.ModelProto:
    """A Pad to 2^44 places, of which the plan once kept a list."""
    return model_of(
        f"""pads (float[2,3] x) => (float[A,B] y) {{
          p = Constant <value_ints = [{2**44}, 0, 0, {2**44}]> ()
          y = Pad <mode = "{mode}"> (x, p)
        }}"""
    )


def logarithms() -> onnx.ModelProto:
    """Logarithms of what has none: the bits of -0 once overflowed a subtraction."""
    return model_of(
        """logarithms (float[2,3] x) => (float[2,3] y) {
          m = Neg (x)
          y = Log (m)
        }"""
    )


def repetitions() -> onnx.ModelProto:
    """A Tile of nothing, whose repetitions multiplied beyond 64 bits."""
    return model_of(
        f"""repetitions (float[0,3] x) => (float[A,B] y) {{
          r = Constant <value_ints = [{2**62}, {2**31}]> ()
          y = Tile (x, r)
        }}"""
    )


def found_models() -> Iterator[tuple[str, onnx.ModelProto, str | None]]:
    """Name, model, and the words of its refusal, None where it must load."""
    for mode in ("constant", "edge", "reflect"):
        yield f"pads_beyond_all_memory_{mode}", pads(mode), None
    yield "repetitions_of_nothing", repetitions(), None
    yield "logarithms_of_zero_below_zero", logarithms(), None
