"""Reads a bundle: checks its sums, and gives access to each artefact, the goldens, the report and the signature.

Writing one is the business of ``slipway_export``. Importing this module loads neither torch nor onnx.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from slipway._files import hash_file as hash_file
from slipway._files import read_file
from slipway._json import read_json
from slipway._metadata import FORMAT, metadata_value, signature_from_metadata
from slipway.errors import BundleError, InputError, UnavailableError
from slipway.readers import parse_npy
from slipway.signature import Signature

ONNX = "model.onnx"
TORCHSCRIPT = "model.ts.pt"
PT2 = "model.pt2"
WEIGHTS = "weights.safetensors"
GOLDENS = "goldens/index.json"
REPORT = "report.json"
REPORT_PAGE = "report.html"
SUMS = "SHA256SUMS"

#: Forms of a model besides its weights; ``onnx`` is in every bundle.
FORMATS: tuple[Literal["onnx", "torchscript", "pt2"], ...] = ("onnx", "torchscript", "pt2")
#: Opset of ``model.onnx``: the oldest and newest that is written, and the one that is written if nobody asks.
OLDEST_OPSET, NEWEST_OPSET, DEFAULT_OPSET = 18, 24, 20

_MAX_SUMS_BYTES = 16 << 20


@dataclass(frozen=True)
class Golden:
    """One recorded case: raw inputs, the arrays they become, eager's outputs and labels.

    Args:
        name: Its folder under ``goldens/``.
        raw: ``{"texts": [...]}``, ``{"images": [paths]}`` or ``{"csv": path}``, paths relative to ``goldens/``;
            None where the case has only arrays.
        inputs: Arrays by input port.
        outputs: Arrays by output port.
        labels: One per item, empty where the model has none.
    """

    name: str
    raw: Mapping[str, Any] | None
    inputs: Mapping[str, NDArray[np.generic]]
    outputs: Mapping[str, NDArray[np.generic]]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Bundle:
    """An opened bundle; make one with :meth:`open`."""

    path: Path
    #: Relative name -> SHA-256 in hex, as ``SHA256SUMS`` lists them.
    sums: Mapping[str, str]

    @staticmethod
    def open(path: Path, *, check: bool = True) -> Bundle:
        """Open a bundle and check every file against ``SHA256SUMS``.

        Args:
            path: The folder.
            check: Whether to hash every file now; :meth:`read` checks what it reads in any case.

        Raises:
            InputError: There is no such folder.
            BundleError: It is not a whole bundle; the message lists every fault.
        """
        if not path.is_dir():
            raise InputError(f"there is no bundle {path}: expected a folder with {ONNX} and {SUMS}")
        bundle = Bundle(path, _read_sums(path))
        faults = [f"{name}: not listed in {SUMS}" for name in (ONNX, REPORT, GOLDENS) if name not in bundle.sums]
        if check:
            faults += [fault for name in bundle.sums if (fault := _fault(path, name, bundle.sums[name]))]
        if faults:
            raise BundleError(f"bundle {path} is damaged: " + "; ".join(faults))
        return bundle

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.resolve().name

    def file(self, name: str) -> Path:
        """Return the path of an artefact.

        Raises:
            UnavailableError: The bundle has no such artefact; the message says why, as the report does.
        """
        if name not in self.sums:
            reason = self.report.get("missing", {}).get(name, "it was not made")
            raise UnavailableError(f"bundle {self.path} has no {name}: {reason}")
        return self.path / name

    def read(self, name: str) -> bytes:
        """Return the bytes of an artefact after checking their sum, so that what was checked is what is used.

        Raises:
            UnavailableError: The bundle has no such artefact.
            BundleError: The bytes are not those that were sealed.
        """
        path = self.file(name)
        try:
            content = read_file(path)
        except OSError as error:
            raise BundleError(f"bundle {self.path} is damaged: {name}: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != self.sums[name]:
            raise BundleError(f"bundle {self.path} is damaged: {name}: its SHA-256 differs from {SUMS}")
        return content

    @cached_property
    def metadata(self) -> Mapping[str, str]:
        """The metadata of ``model.onnx``."""
        return {entry.key: entry.value for entry in self._onnx.metadata_props}

    @cached_property
    def signature(self) -> Signature:
        """The ports and labels, from the metadata of ``model.onnx``."""
        return signature_from_metadata(self.metadata, self._onnx.graph.input, self._onnx.graph.output)

    @cached_property
    def recipe(self) -> str:
        """The recipe's name."""
        name = metadata_value(self.metadata, "slipway.recipe")
        if not isinstance(name, str):
            raise BundleError(f'metadata "slipway.recipe" of bundle {self.path} is not a text')
        return name

    @cached_property
    def provenance(self) -> Mapping[str, Any]:
        """Versions, config, seed and data of the run that made this bundle."""
        value = metadata_value(self.metadata, "slipway.provenance")
        if not isinstance(value, dict):
            raise BundleError(f'metadata "slipway.provenance" of bundle {self.path} is not an object')
        return value

    @cached_property
    def report(self) -> Mapping[str, Any]:
        """``report.json``; what is read of it here has the types of a report, the rest is shown as it stands."""
        report = _json(REPORT, self.read(REPORT))
        missing, score = report.get("missing", {}), report.get("score")
        value = score.get("value") if isinstance(score, dict) else None
        whole = isinstance(missing, dict) and all(isinstance(reason, str) for reason in missing.values())
        if not whole or not isinstance(score, dict | None) or not isinstance(value, int | float | None):
            raise BundleError(f"{REPORT} of bundle {self.path} is none: missing or score have other types")
        return report

    @cached_property
    def goldens(self) -> tuple[Golden, ...]:
        """The recorded cases, one at least."""
        try:
            goldens = tuple(self._golden(case) for case in self._index["cases"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BundleError(
                f"{GOLDENS} of bundle {self.path} is not laid out as docs/bundle-format.md says"
            ) from error
        if not goldens:
            raise BundleError(f"{GOLDENS} of bundle {self.path} has no cases")
        return goldens

    @cached_property
    def scale_tolerance(self) -> float:
        """How far an output may be from its golden, as a share of the golden's largest absolute value, or of 1."""
        share = self._index.get("scale_tolerance")
        if not isinstance(share, int | float) or isinstance(share, bool):
            raise BundleError(f"{GOLDENS} of bundle {self.path}: scale_tolerance is {share!r}, expected a number")
        return float(share)

    def golden_file(self, name: str) -> Path:
        """Return the path of a file that a golden names.

        Raises:
            BundleError: It is not among the files that were sealed.
        """
        if f"goldens/{name}" not in self.sums:
            raise BundleError(f"bundle {self.path} is damaged: goldens/{name}: not listed in {SUMS}")
        return self.path / "goldens" / name

    @cached_property
    def _index(self) -> Mapping[str, Any]:
        index = _json(GOLDENS, self.read(GOLDENS))
        if type(index.get("format")) not in (int, float) or index["format"] != FORMAT:
            raise BundleError(f"{GOLDENS} has format {index.get('format')}, this program reads {FORMAT}")
        return index

    def _golden(self, case: Mapping[str, Any]) -> Golden:
        inputs, outputs = self._arrays(case["inputs"]), self._arrays(case["outputs"])
        name, raw, labels = case["name"], case.get("raw"), case["labels"]
        if not isinstance(name, str) or not isinstance(raw, dict | None) or not _are_texts(labels):
            raise TypeError("name, raw and labels are a text, an object and a list of texts")
        for kind in ("images", "texts"):
            if raw and kind in raw and not _are_texts(raw[kind], nested=kind == "texts"):
                raise TypeError(f"{kind} is not a list of texts")
        if raw and not isinstance(raw.get("csv", ""), str):
            raise TypeError("csv is not a text")
        return Golden(name, raw, inputs, outputs, tuple(labels))

    def _arrays(self, files: Mapping[str, str]) -> dict[str, NDArray[np.generic]]:
        return {port: self._array(file) for port, file in files.items()}

    def _array(self, file: str) -> NDArray[np.generic]:
        self.golden_file(file)
        try:
            return parse_npy(self.read(f"goldens/{file}"))
        except ValueError as error:
            raise BundleError(f"goldens/{file} of bundle {self.path} is not an array: {error}") from error

    @cached_property
    def _onnx(self) -> Any:
        import onnx

        try:
            return onnx.load_model_from_string(self.read(ONNX))
        except Exception as error:  # protobuf's own error types differ between its implementations
            raise BundleError(f"{ONNX} of bundle {self.path} cannot be parsed: {error}") from error


def _read_sums(path: Path) -> dict[str, str]:
    """Read ``SHA256SUMS``; only plain relative names are accepted."""
    try:
        text = read_file(path / SUMS, _MAX_SUMS_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"bundle {path} has no readable {SUMS}: {error}") from error
    lines = text.removesuffix("\n").split("\n") if text else []
    sums: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        digest, separator, name = line.partition("  ")
        parts = PurePosixPath(name).parts
        plain = separator and len(digest) == 64 and name and not name.startswith("/") and ".." not in parts
        if not plain or "\\" in name or name.endswith("/") or name in sums:
            raise BundleError(f"bundle {path} is damaged: {SUMS}, line {number}: {line[:100]!r}")
        sums[name] = digest
    return sums


def _fault(path: Path, name: str, expected: str) -> str | None:
    file = path / name
    try:
        if not file.is_file():
            return f"{name:.100}: missing"
        if file.is_symlink() or not file.resolve().is_relative_to(path.resolve()):
            return f"{name:.100}: a link, and a bundle holds none"
        return None if hash_file(file) == expected else f"{name:.100}: its SHA-256 differs"
    except OSError as error:
        return f"{name:.100}: {error.strerror}"


def _are_texts(value: object, *, nested: bool = False) -> bool:
    """Say whether a value is a list of texts or, if ``nested``, one whose items may be such lists."""
    if not isinstance(value, list):
        return False
    return all(isinstance(item, str) or (nested and _are_texts(item)) for item in value)


def _json(name: str, content: bytes) -> dict[str, Any]:
    try:
        value = read_json(content)
    except ValueError as error:
        raise BundleError(f"{name} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BundleError(f"{name} holds {type(value).__name__}, expected an object")
    return value
