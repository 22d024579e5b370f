"""Writes a folder of small ONNX files, which the fuzz targets ``load`` and ``run`` begin with.

``python tests/fuzz/seeds.py FOLDER [MODEL...]``: the hostile corpus and its right models (``tests/malformed``), the
node cases of the onnx package that the engine has (``tests/onnx_backend``), and the models that are named.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
MAX_BYTES = 16 * 1024  # what is larger is changed in its weights, nearly always


def models() -> Iterator[tuple[str, bytes]]:
    """Name and bytes of everything that the tests know."""
    sys.path[:0] = [str(TESTS / "malformed"), str(TESTS / "onnx_backend")]
    from corpus import cases, small_models
    from node_cases import collect

    for name, model in small_models().items():
        yield f"small_{name}", model.SerializeToString()
    for case in cases():
        yield f"hostile_{case.name}", case.model
    taken, _ = collect()
    for node in taken:
        yield f"node_{node.name}", node.model.SerializeToString()


def main(folder: Path, named: list[Path]) -> int:
    """Write them; the number of files."""
    folder.mkdir(parents=True, exist_ok=True)
    found = [*models(), *((f"model_{i}_{path.stem}", path.read_bytes()) for i, path in enumerate(named))]
    small = [(name, model) for name, model in found if len(model) <= MAX_BYTES]
    for name, model in small:
        (folder / f"{name}.onnx").write_bytes(model)
    return len(small)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER [MODEL...]")
    count = main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
    sys.stdout.write(f"{count} seeds in {sys.argv[1]}\n")
