"""Writes the goldens: a few real items as a person has them, the arrays they become, and eager's answers."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway._metadata import FORMAT
from slipway.bundle import Bundle, Golden
from slipway.errors import BundleError, ExportError, MismatchError, SlipwayError
from slipway.preprocess import decode, encode, text_inputs, text_items
from slipway.readers import read_csv, read_image
from slipway.recipes._own import place_in_own_file
from slipway.runtime._inputs import batch_axis
from slipway.runtime.checked import SCALE_TOLERANCE
from slipway.runtime.eager import EagerModel
from slipway.signature import ImageInput, LengthInput, OutputPort, Signature, TableInput, TextInput
from slipway_export.cases import Case

_BATCHES = (1, 3, 8)
#: What a golden's raw input may hold, and the kind of port that takes it.
_RAW_KINDS: Mapping[str, type[Any]] = {"images": ImageInput, "csv": TableInput, "texts": TextInput}


def write_goldens(folder: Path, signature: Signature, raws: Sequence[Any], eager: EagerModel) -> None:
    """Record batches of 1, 3 and 8 items, spread over ``raws``, into an existing empty folder.

    Args:
        folder: The bundle's ``goldens`` folder.
        signature: The model's ports.
        raws: At least one raw item; taken again from the start where there are too few.
        eager: The reference model.

    Raises:
        ExportError: It fails on one of the batches.
    """
    cases = []
    for n in _BATCHES:
        items = [raws[i % len(raws)] for i in np.linspace(0, max(len(raws) - 1, n - 1), n).astype(int)]
        cases.append(_write_case(folder, f"batch_{n}", signature, items, eager))
    index = {"format": FORMAT, "scale_tolerance": SCALE_TOLERANCE, "cases": cases}
    (folder / "index.json").write_text(json.dumps(index, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def answer(model: EagerModel, case: Case) -> dict[str, NDArray[np.generic]]:
    """Run eager where it has to answer.

    Raises:
        ExportError: The module raises an error of its own, or gives an output of another shape than its port.
    """
    shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in case.inputs.items())
    name = type(model.module).__name__
    try:
        outputs = model.run(case.inputs)
    except SlipwayError:
        raise
    except Exception as error:  # the user's code may raise anything
        way = "eager PyTorch in double precision, the measure of all runtimes," if model.precise else "eager PyTorch"
        place = place_in_own_file(error)
        raise ExportError(
            f"{name} fails in {way} on case {case.name} ({shapes}): {f'{place}: ' if place else ''}"
            f"{type(error).__name__}: {error}"
        ) from error
    for port in model.signature.outputs:
        shape = outputs[port.name].shape
        if not _fits(port, shape, _batch(model.signature, case)):
            raise ExportError(
                f'{name} gives output "{port.name}" of shape {list(shape)} on case {case.name} ({shapes}), expected '
                f"{list(port.dims)}, as at other sizes; squeeze() also drops a batch of one: name the axis, squeeze(1)"
            )
    return outputs


def _batch(signature: Signature, case: Case) -> int | None:
    axes = ((port.name, batch_axis(port)) for port in signature.inputs)
    return next((case.inputs[name].shape[axis] for name, axis in axes if axis is not None), None)


def _fits(port: OutputPort, shape: Sequence[int], batch: int | None) -> bool:
    """Say whether axes, fixed sizes and the batch are the port's; other sizes may follow from values."""
    wanted = [batch if dim == "N" else dim for dim in port.dims]
    return len(shape) == len(wanted) and all(
        size == dim for size, dim in zip(shape, wanted, strict=True) if isinstance(dim, int)
    )


def check_raw(bundle: Bundle) -> None:
    """Encode each golden's raw input again.

    Raises:
        MismatchError: The arrays are not bit for bit the recorded ones.
    """
    for golden in bundle.goldens:
        if golden.raw is None:
            continue
        arrays = encode(bundle.signature, read_raw(bundle, golden))
        different = [name for name, array in golden.inputs.items() if not _same_bits(array, arrays[name])]
        if different:
            raise MismatchError(
                f"golden {golden.name}: raw input no longer encodes to the recorded {', '.join(different)}"
            )


def read_raw(bundle: Bundle, golden: Golden) -> list[Any]:
    """Return a golden's raw items, read from the bundle's files; none where it has only arrays.

    Raises:
        BundleError: A file that the golden names was not sealed, or the model takes other things.
    """
    raw = golden.raw
    if raw is None:
        return []
    specs = [port.spec for port in bundle.signature.inputs if not isinstance(port.spec, LengthInput)]
    kinds = {kind: [s for s in specs if isinstance(s, of)] for kind, of in _RAW_KINDS.items() if kind in raw}
    if not all(kinds.values()) or not kinds:
        takes = ", ".join(f"{port.name} ({port.spec.kind})" for port in bundle.signature.inputs)
        raise BundleError(f"golden {golden.name} of bundle {bundle.path} has {', '.join(raw)}, the model takes {takes}")
    if "images" in raw:
        return [read_image(bundle.golden_file(name)) for name in raw["images"]]
    if "csv" in raw:
        return list(read_csv(bundle.golden_file(raw["csv"]), kinds["csv"][0].columns))
    items = ([item] if isinstance(item, str) else item for item in raw["texts"])
    return [raw_item for texts in items for raw_item in text_items(bundle.signature, texts)]


def _write_case(
    folder: Path, name: str, signature: Signature, raws: Sequence[Any], eager: EagerModel
) -> dict[str, Any]:
    (folder / name).mkdir()
    inputs = encode(signature, raws)
    outputs = answer(eager, Case(f"golden_{name}", inputs))
    return {
        "name": name,
        "raw": _write_raw(folder, name, signature, raws),
        "inputs": _write_arrays(folder, name, inputs),
        "outputs": _write_arrays(folder, name, outputs),
        "labels": decode(signature, outputs),
    }


def _write_arrays(folder: Path, name: str, arrays: Mapping[str, NDArray[np.generic]]) -> dict[str, str]:
    files = {port: f"{name}/{port}.npy" for port in arrays}
    for port, file in files.items():
        content = io.BytesIO()  # numpy writes to a file through C's buffers, and passes over what their last flush says
        np.save(content, arrays[port], allow_pickle=False)
        (folder / file).write_bytes(content.getvalue())
    return files


def _write_raw(folder: Path, name: str, signature: Signature, raws: Sequence[Any]) -> dict[str, Any] | None:
    """Write raw items of a model that takes one thing, or texts alone; others are recorded as arrays only."""
    texts = text_inputs(signature)
    if len(texts) > 1:
        return {"texts": [[raw[port.name] for port in texts] for raw in raws]}
    specs = [port.spec for port in signature.inputs if not isinstance(port.spec, LengthInput)]
    if len(specs) != 1 or isinstance(raws[0], Mapping):
        return None
    if isinstance(specs[0], TextInput):
        return {"texts": list(raws)}
    if isinstance(specs[0], ImageInput):
        return {"images": [_write_image(folder, f"{name}/{i}.png", raw) for i, raw in enumerate(raws)]}
    if isinstance(specs[0], TableInput):
        lines = [",".join(specs[0].columns)] if specs[0].columns else []
        lines += [",".join(repr(float(value)) for value in row) for row in raws]
        (folder / name / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return {"csv": f"{name}/rows.csv"}
    return None


def _write_image(folder: Path, file: str, pixels: NDArray[np.uint8]) -> str:
    from PIL import Image

    Image.fromarray(np.asarray(pixels)).save(folder / file)
    return file


def _same_bits(a: NDArray[np.generic], b: NDArray[np.generic]) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
