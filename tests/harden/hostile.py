"""What the tests of hostile users share: both programs, small models, and bad places for files."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np
import onnx
from onnx import helper

from slipway._metadata import signature_to_metadata
from slipway.cli import run_command, slipway_app, train_and_export_app
from slipway.signature import (
    ClassOutput,
    ImageInput,
    InputPort,
    LengthInput,
    OutputPort,
    Signature,
    TableInput,
    TensorInput,
    TensorOutput,
    TextInput,
)

#: Control characters, and those that turn the direction of the text around them.
STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
#: A program that answers later than this hangs.
SECONDS = 60


class Answer(NamedTuple):
    """What a command ended with."""

    code: int
    out: str
    err: str


def slipway(*arguments: object, stdin: bytes = b"") -> Answer:
    """Run ``slipway`` in this process."""
    return _in_process(slipway_app, "slipway", arguments, stdin)


def train_and_export(*arguments: object) -> Answer:
    """Run ``train-and-export`` in this process."""
    return _in_process(train_and_export_app, "train-and-export", arguments, b"")


def _in_process(app: object, name: str, arguments: tuple[object, ...], stdin: bytes) -> Answer:
    out, err = io.StringIO(), io.StringIO()
    typed = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), mock.patch.object(sys, "stdin", typed):
        code = run_command(app, name, [str(argument) for argument in arguments])  # type: ignore[arg-type]
    return Answer(code, out.getvalue(), err.getvalue())


def process(*command: object, stdin: bytes = b"", **options: object) -> Answer:
    """Run a program of its own."""
    done = subprocess.run(
        [os.fsencode(str(part)) if not isinstance(part, bytes) else part for part in command],
        input=stdin,
        capture_output=True,
        timeout=SECONDS,
        check=False,
        **options,  # type: ignore[call-overload]
    )
    return Answer(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode("utf-8"))


def check_refusal(answer: Answer, *codes: int) -> None:
    """Fail unless the answer is one clear sentence on stderr, nothing on stdout, and one of the exit codes."""
    lines = answer.err.splitlines()
    assert answer.code in codes, f"exit code {answer.code}, expected {codes}: {answer.err[-2000:]}"
    assert len(lines) == 1, answer.err
    assert lines[0].startswith(("error: ", "slipway-infer: ")), lines[0]
    assert "a fault of slipway" not in lines[0], lines[0]
    assert "Traceback" not in lines[0], lines[0]
    assert 25 < len(lines[0]) < 3000, lines[0]
    assert not STEERING.search(lines[0]), ascii(lines[0])
    assert not answer.out, answer.out


# --- models ---------------------------------------------------------------------------------------------------------

LABELS = ("no", "yes")

PROVENANCE = json.dumps(
    {"config": {}, "data": {"kind": "embedded", "name": "n", "where": "w", "licence": "l", "rows": {}}}
)

#: Kind of input -> the signature of a model whose output is its encoded input.
SIGNATURES: Mapping[str, Signature] = {
    "array": Signature(
        (InputPort("x", "float32", ("N", 2), TensorInput()),), (OutputPort("y", ("N", 2), TensorOutput()),)
    ),
    "table": Signature(
        (InputPort("x", "float32", ("N", 2), TableInput(("a", "b"))),),
        (OutputPort("y", ("N", 2), ClassOutput()),),
        LABELS,
    ),
    "image": Signature(
        (InputPort("x", "float32", ("N", 3, 2, 2), ImageInput(3, 2, 2, (0.0,) * 3, (1.0,) * 3)),),
        (OutputPort("y", ("N", 3, 2, 2), TensorOutput()),),
    ),
    "text": Signature(
        (
            InputPort("x", "float32", ("T", "N", 128), TextInput(one_hot=True)),
            InputPort("lengths", "int64", ("N",), LengthInput("x")),
        ),
        (OutputPort("y", ("T", "N", 128), TensorOutput()), OutputPort("n", ("N",), TensorOutput(), "int64")),
    ),
}


def model_of(kind: str, path: Path, metadata: Mapping[str, str] | None = None) -> Path:
    """Write a model that gives back what it gets; ``metadata`` replaces entries, "" removes one."""
    signature = SIGNATURES[kind]
    pairs = zip(signature.inputs, signature.outputs, strict=True)
    nodes = [helper.make_node("Identity", [source.name], [target.name]) for source, target in pairs]
    graph = helper.make_graph(
        nodes, "echo", [_info(p) for p in signature.inputs], [_info(p) for p in signature.outputs]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    entries = signature_to_metadata(signature) | {"slipway.recipe": '"hello-rnn"', "slipway.provenance": PROVENANCE}
    for key, value in (entries | dict(metadata or {})).items():
        if value:
            model.metadata_props.add(key=key, value=value)
    onnx.save(model, path)
    return path


def _info(port: InputPort | OutputPort) -> onnx.ValueInfoProto:
    import numpy as np

    return helper.make_tensor_value_info(
        port.name, helper.np_dtype_to_tensor_dtype(np.dtype(port.dtype)), list(port.dims)
    )


def bundle_of_table(folder: Path, metadata: Mapping[str, str] | None = None) -> Path:
    """Write a sealed bundle of the table model with one golden; ``metadata`` as in :func:`model_of`."""
    golden = folder / "goldens" / "one"
    golden.mkdir(parents=True)
    model_of("table", folder / "model.onnx", metadata)
    array = np.array([[1.5, 2.5]], np.float32)
    for name in ("x", "y"):
        np.save(golden / f"{name}.npy", array)
    (golden / "rows.csv").write_text("1.5,2.5\n")
    case = {
        "name": "one",
        "raw": {"csv": "one/rows.csv"},
        "inputs": {"x": "one/x.npy"},
        "outputs": {"y": "one/y.npy"},
        "labels": ["yes"],
    }
    index = {"format": 1, "scale_tolerance": 1e-5, "cases": [case]}
    (folder / "goldens" / "index.json").write_text(json.dumps(index))
    (folder / "report.json").write_text("{}")
    seal(folder)
    return folder


def seal(bundle: Path) -> None:
    """Write the sums of a bundle as a stranger would: over whatever is in it."""
    names = sorted(path.relative_to(bundle) for path in bundle.rglob("*") if path.is_file())
    lines = [
        f"{hashlib.sha256((bundle / name).read_bytes()).hexdigest()}  {name}\n"
        for name in names
        if str(name) != "SHA256SUMS"
    ]
    (bundle / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def copy_of(bundle: Path, target: Path) -> Path:
    """Copy a bundle, so that it can be changed."""
    shutil.copytree(bundle, target)
    return target


# --- places ---------------------------------------------------------------------------------------------------------


def _socket(path: Path) -> None:
    # A path of a socket has at most 108 bytes: it is bound from its own folder.
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


#: What stands where a file is expected. Permissions are left out: who is root may read everything.
PLACES: Mapping[str, Callable[[Path], None]] = {
    "nothing": lambda path: None,
    "folder": lambda path: path.mkdir(),
    "pipe": lambda path: os.mkfifo(path),
    "socket": _socket,
    "endless device": lambda path: path.symlink_to("/dev/zero"),
    "empty device": lambda path: path.symlink_to("/dev/null"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "link to nowhere": lambda path: path.symlink_to("nowhere"),
    "empty file": lambda path: path.touch(),
}
