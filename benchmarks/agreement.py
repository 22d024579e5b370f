"""Label by label: do eager PyTorch, the engine in Python and ``slipway-infer`` agree on every item of a test set?

    python benchmarks/agreement.py artifacts/names-gru artifacts/mnist-cnn --data DIR

``slipway-infer`` starts from what a person has (texts, PNG files written for the purpose, CSV rows) on its standard
input; the others start from the arrays that Python encodes. Prints one JSON object per bundle; exit code 3 where a
label differs. Not a benchmark of speed: it is the check that runs before the clock, over everything at hand.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slipway.bundle import Bundle
from slipway.errors import ExitCode, InputError
from slipway.preprocess import decode, encode, text_inputs
from slipway.recipes import load_recipe
from slipway.runtime import find_runtime
from slipway.runtime.eager import config_of
from slipway.signature import ImageInput, Signature

BATCH = 256


def main() -> int:
    """Compare every bundle on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="+", type=Path, metavar="BUNDLE")
    parser.add_argument("--data", default="auto", help="auto, embedded or a data folder")
    parser.add_argument("--slipway-infer", default=shutil.which("slipway-infer"), help="the program to compare")
    arguments = parser.parse_args()
    if arguments.slipway_infer is None:
        parser.error("slipway-infer is not on the PATH; name it by --slipway-infer")
    ok = True
    for path in arguments.bundles:
        result = compare(Bundle.open(path), arguments.data, arguments.slipway_infer)
        print(json.dumps(result), flush=True)  # noqa: T201  (a program's result)
        ok = ok and not result["differing_labels"]["native"] and not result["differing_labels"]["slipway-infer"]
    return ExitCode.OK if ok else ExitCode.MISMATCH


def compare(bundle: Bundle, data: str, program: str) -> dict[str, Any]:
    """Run the recipe's test set of a bundle three ways.

    Returns:
        Number of items, labels that differ from eager's, and the largest difference of any output.
    """
    recipe = load_recipe(str(bundle.report["recipe"]))
    raws = recipe.data(data, config_of(bundle, recipe)).test.raws
    signature = bundle.signature
    eager_labels, eager = run_runtime("eager", bundle, raws)
    native_labels, native = run_runtime("native-cpu", bundle, raws)
    infer_labels, infer = run_program(program, bundle, raws)
    names = [port.name for port in signature.outputs]
    return {
        "bundle": bundle.name,
        "items": len(raws),
        "differing_labels": {
            "native": sum(a != b for a, b in zip(eager_labels, native_labels, strict=True)),
            "slipway-infer": sum(a != b for a, b in zip(eager_labels, infer_labels, strict=True)),
        },
        "largest_difference": {
            "native": max(largest(eager[name], native[name]) for name in names),
            "slipway-infer": max(largest(eager[name], infer[name]) for name in names),
        },
        "largest_output": max(float(np.abs(row).max()) for name in names for row in eager[name]),
    }


def largest(a: Sequence[NDArray[Any]], b: Sequence[NDArray[Any]]) -> float:
    """Return the largest absolute difference between two lists of rows."""
    return max(float(np.abs(x.astype(np.float64) - y).max()) for x, y in zip(a, b, strict=True))


def run_runtime(name: str, bundle: Bundle, raws: Sequence[Any]) -> tuple[list[str], dict[str, list[NDArray[Any]]]]:
    """Return the labels and, by output, one row per item."""
    runnable = find_runtime(name).load(bundle)
    labels: list[str] = []
    rows: dict[str, list[NDArray[Any]]] = {port.name: [] for port in bundle.signature.outputs}
    for start in range(0, len(raws), BATCH):
        outputs = runnable.run(encode(bundle.signature, raws[start : start + BATCH]))
        labels += decode(bundle.signature, outputs)
        for port in bundle.signature.outputs:
            rows[port.name] += list(np.moveaxis(outputs[port.name], port.dims.index("N"), 0))
    return labels, rows


def run_program(program: str, bundle: Bundle, raws: Sequence[Any]) -> tuple[list[str], dict[str, list[NDArray[Any]]]]:
    """Give the raw items to ``slipway-infer`` on its standard input, one per line."""
    labels: list[str] = []
    rows: dict[str, list[NDArray[Any]]] = {port.name: [] for port in bundle.signature.outputs}
    with tempfile.TemporaryDirectory() as folder:
        lines = "".join(f"{line}\n" for line in raw_lines(bundle.signature, raws, Path(folder)))
        command = [program, str(bundle.path), "--json"]
        done = subprocess.run(command, input=lines.encode(), stdout=subprocess.PIPE, check=True)
    for line in done.stdout.decode().splitlines():
        answer = json.loads(line)
        labels.append(answer["label"])
        for name, values in answer["outputs"].items():
            rows[name].append(np.asarray(values))
    if len(labels) != len(raws):
        raise InputError(f"{program} answered {len(labels)} of {len(raws)} inputs")
    return labels, rows


def raw_lines(signature: Signature, raws: Sequence[Any], folder: Path) -> Iterator[str]:
    """Yield the line that stands for each item: its texts, an image file's path, or the row's numbers."""
    texts = text_inputs(signature)
    specs = [port.spec for port in signature.inputs]
    for index, raw in enumerate(raws):
        if texts:
            yield raw if isinstance(raw, str) else "\t".join(raw[port.name] for port in texts)
        elif any(isinstance(spec, ImageInput) for spec in specs):
            from PIL import Image

            file = folder / f"{index}.png"
            Image.fromarray(np.asarray(raw)).save(file)
            yield str(file)
        else:
            yield ",".join(repr(float(value)) for value in raw)


if __name__ == "__main__":
    sys.exit(main())
