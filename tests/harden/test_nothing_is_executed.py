"""Loading data runs nothing: pickles, recipes and programs in every place where a file of a stranger can stand.

Each payload would create a file; ``test_the_payloads_do_what_they_are_feared_for`` shows that it can.
"""

from __future__ import annotations

import io
import json
import os
import pickle  # noqa: TID251 - what strangers send is made here, and never loaded but to show what it does
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hostile import bundle_of_table, check_refusal, copy_of, model_of, process, seal, slipway, train_and_export

from slipway.data import cifar10, mnist
from slipway.errors import SlipwayError


class Touch:
    """Creates a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, (f"touch {self.marker}",))


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "executed"


@pytest.fixture(autouse=True)
def nothing_ran(marker: Path) -> Any:
    yield
    assert not marker.exists(), "code of a stranger ran"


def of_objects(marker: Path) -> np.ndarray:
    return np.array([Touch(marker)], dtype=object)


def npy(marker: Path) -> bytes:
    file = io.BytesIO()
    np.save(file, of_objects(marker), allow_pickle=True)
    return file.getvalue()


def npz(marker: Path, *names: str) -> bytes:
    file = io.BytesIO()
    np.savez(file, **dict.fromkeys(names, of_objects(marker)))
    return file.getvalue()


def torch_zip(marker: Path) -> bytes:
    file = io.BytesIO()
    torch.save({"format": 2, "x": Touch(marker)}, file)
    return file.getvalue()


def torch_old(marker: Path) -> bytes:
    file = io.BytesIO()
    torch.save({"format": 2, "x": Touch(marker)}, file, _use_new_zipfile_serialization=False)
    return file.getvalue()


def torchscript(marker: Path) -> bytes:
    """Return an archive as torch.jit.save lays it out, whose data are such a pickle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in (
            ("data.pkl", pickle.dumps(Touch(marker))),
            ("constants.pkl", pickle.dumps(Touch(marker))),
        ):
            archive.writestr(f"archive/{name}", content)
        archive.writestr("archive/version", "3\n")
    return file.getvalue()


PICKLES: dict[str, Callable[[Path], bytes]] = {
    "a pickle": lambda marker: pickle.dumps(Touch(marker)),
    "an array of objects": npy,
    "a checkpoint": torch_zip,
    "a checkpoint of the old kind": torch_old,
    "TorchScript": torchscript,
}


def test_the_payloads_do_what_they_are_feared_for(marker: Path) -> None:
    for load in (
        lambda: pickle.loads(PICKLES["a pickle"](marker)),
        lambda: np.load(io.BytesIO(npy(marker)), allow_pickle=True),
        lambda: torch.load(io.BytesIO(torch_zip(marker)), weights_only=False),
        lambda: torch.load(io.BytesIO(torch_old(marker)), weights_only=False),
        lambda: pickle.loads(zipfile.ZipFile(io.BytesIO(torchscript(marker))).read("archive/data.pkl")),
    ):
        load()
        assert marker.exists()
        marker.unlink()


# --- pickles --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PICKLES)
@pytest.mark.parametrize(("option", "takes"), [("--input", "array"), ("--csv", "table"), ("--image", "image")])
def test_no_input_is_unpickled(
    infer_program: Path, tmp_path: Path, marker: Path, kind: str, option: str, takes: str
) -> None:
    file, model = tmp_path / "file", model_of(takes, tmp_path / "model.onnx")
    file.write_bytes(PICKLES[kind](marker))
    value = f"x={file}" if option == "--input" else file
    for given in ((model, option, value), (file, "--random")):
        check_refusal(slipway("run", *given), 1)
        check_refusal(process(infer_program, *given), 1)


@pytest.mark.parametrize("kind", PICKLES)
@pytest.mark.parametrize("option", ["--weights", "--labels", "--example"])
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_nothing_beside_a_module_is_unpickled(
    tmp_path: Path, marker: Path, kind: str, option: str, suffix: str
) -> None:
    (tmp_path / "mine.py").write_text("import torch\n\nmake = torch.nn.Linear(2, 2)\n")
    file = tmp_path / f"file{suffix}"
    file.write_bytes(PICKLES[kind](marker))
    value = f"x={file}" if option == "--example" else file
    module = ("export", f"{tmp_path / 'mine.py'}:make", "--inputs", "x:float32[N,2]", "--out", tmp_path / "out")
    check_refusal(slipway(*module, option, value), 1, 2)


@pytest.mark.parametrize("kind", PICKLES)
def test_no_checkpoint_is_unpickled(tmp_path: Path, marker: Path, kind: str) -> None:
    file = tmp_path / "hello-rnn.checkpoint.pt"
    file.write_bytes(PICKLES[kind](marker))
    check_refusal(slipway("export", file, "--out", tmp_path / "out"), 6)
    check_refusal(train_and_export("hello-rnn", "--resume", "--quiet", "--out", tmp_path, "--data", "embedded"), 6)


@pytest.mark.parametrize("kind", PICKLES)
@pytest.mark.parametrize(
    "name",
    [
        "model.onnx",
        "model.ts.pt",
        "model.pt2",
        "weights.safetensors",
        "goldens/one/x.npy",
        "goldens/index.json",
        "report.json",
    ],
)
def test_nothing_in_a_sealed_bundle_is_unpickled(
    infer_program: Path, tmp_path: Path, marker: Path, kind: str, name: str
) -> None:
    bundle = bundle_of_table(tmp_path / "bundle")
    (bundle / name).write_bytes(PICKLES[kind](marker))
    seal(bundle)
    rows = bundle / "goldens" / "one" / "rows.csv"
    for runtime in ("native", "torchscript", "eager", "onnxruntime"):
        slipway("run", bundle, "--csv", rows, "--runtime", runtime)
    for verb in ("selftest", "verify", "inspect", "doctor"):
        slipway(verb, bundle)
    process(infer_program, bundle, "--selftest")


def test_no_evidence_of_a_bisection_is_unpickled(tmp_path: Path, marker: Path) -> None:
    folder = tmp_path / "repro"
    folder.mkdir()
    (folder / "repro.onnx").write_bytes(b"")
    (folder / "repro.npz").write_bytes(npz(marker, "input.x", "expected.y"))
    check_refusal(slipway("verify", folder), 1)


def test_no_data_set_is_unpickled(tmp_path: Path, marker: Path) -> None:
    batches = tmp_path / "py" / "cifar-10-batches-py"
    batches.mkdir(parents=True)
    for name in ("data_batch_1", "test_batch"):
        (batches / name).write_bytes(pickle.dumps(Touch(marker)))
    subset = tmp_path / "subset" / "cifar10_subset"
    subset.mkdir(parents=True)
    for part in ("train", "test"):
        (subset / f"{part}.npz").write_bytes(npz(marker, "x", "y"))
    raw = tmp_path / "idx" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in mnist._FILES:
        (raw / name).write_bytes(pickle.dumps(Touch(marker)))
    for load, folder in ((cifar10.load, "py"), (cifar10.load, "subset"), (mnist.load, "idx")):
        with pytest.raises(SlipwayError):
            load(str(tmp_path / folder))


# --- files that a file names ----------------------------------------------------------------------------------------


def evil(folder: Path, marker: Path) -> Path:
    """Write a file that would be run as a recipe."""
    file = folder / "evil.py"
    file.write_text(f"open({os.fspath(marker)!r}, 'w')\nfrom slipway.recipes.hello_rnn import RECIPE\n")
    return file


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a finished run of hello-rnn."""
    folder = tmp_path_factory.mktemp("trained")
    options = ("--preset", "smoke", "--quiet", "--data", "embedded")
    assert slipway("train", "hello-rnn", *options, "--out", folder).code == 0
    return folder / "hello-rnn.checkpoint.pt"


@pytest.fixture
def trained(checkpoint: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Write a copy of that checkpoint that says it was trained by another recipe."""

    def write(recipe: str) -> Path:
        torch.save(torch.load(checkpoint, weights_only=True) | {"recipe": recipe}, tmp_path / checkpoint.name)
        return tmp_path / checkpoint.name

    return write


def names_of_code(folder: Path, marker: Path) -> list[str]:
    file = evil(folder, marker)
    shutil.copy(file, folder / "evil_module.py")
    return [f"{file}:RECIPE", f"{file}", "evil.py:RECIPE", "evil_module:RECIPE", "../evil.py", "hello-rnn.py:RECIPE"]


def test_a_checkpoint_never_decides_which_file_is_run(
    trained: Callable[[str], Path], tmp_path: Path, marker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for recipe in names_of_code(tmp_path, marker):
        checkpoint = trained(recipe)
        answer = slipway("export", checkpoint, "--out", tmp_path / "out", "--formats", "onnx")
        check_refusal(answer, 2)
        assert f"slipway export {checkpoint} --recipe " in answer.err


def test_the_message_is_what_to_type(
    trained: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marker: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "mine.py"
    mine.write_text("from slipway.recipes.hello_rnn import RECIPE\n")
    checkpoint = trained("mine.py:RECIPE")
    answer = slipway("export", checkpoint, "--recipe", f"{mine}:RECIPE", "--out", tmp_path / "out", "--formats", "onnx")
    assert answer.code == 0, answer.err
    other = slipway("export", checkpoint, "--recipe", f"{evil(tmp_path, marker)}:RECIPE", "--out", tmp_path / "out")
    check_refusal(other, 2)
    assert "was trained by mine.py:RECIPE, got --recipe" in other.err
    trained("a.py:X; rm -rf ~")
    assert "--recipe 'a.py:X; rm -rf ~'" in slipway("export", checkpoint).err


def test_a_built_in_recipe_takes_no_other(trained: Callable[[str], Path], tmp_path: Path) -> None:
    checkpoint = trained("hello-rnn")
    check_refusal(slipway("export", checkpoint, "--recipe", "x.py:RECIPE", "--out", tmp_path / "other"), 2)


def test_a_bundle_never_decides_which_file_is_run(
    infer_program: Path, tmp_path: Path, marker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(names_of_code(tmp_path, marker)):
        provenance = {"config": {}, "data": {}, "recipe_path": name}
        metadata = {"slipway.recipe": json.dumps(name), "slipway.provenance": json.dumps(provenance)}
        bundle = bundle_of_table(tmp_path / f"bundle{number}", metadata)
        (bundle / "weights.safetensors").write_bytes(b"")
        (bundle / "evil.py").write_bytes((tmp_path / "evil.py").read_bytes())
        seal(bundle)
        classifier = copy_of(bundle, tmp_path / f"classifier{number}")
        scores = '{"kind": "class", "dtype": "float32", "dims": ["N", 3, 2, 2]}'
        model_of("image", classifier / "model.onnx", metadata | {"slipway.output.y": scores})
        seal(classifier)
        rows = bundle / "goldens" / "one" / "rows.csv"
        for verb, *more in (
            ("run", "--csv", rows, "--runtime", "eager"),
            ("verify",),
            ("verify", "--bisect"),
            ("selftest",),
            ("inspect",),
            ("doctor",),
            ("bench", "--runtimes", "eager", "--batch", "1", "--duration", "0.05"),
        ):
            slipway(verb, bundle, *more)
            assert not marker.exists(), (name, verb)
        check_refusal(slipway("images", classifier, "--out", tmp_path / "images"), 2)
        assert not marker.exists(), name
        process(infer_program, bundle, "--selftest")


def test_a_resumed_run_uses_the_recipe_that_the_user_names(
    trained: Callable[[str], Path], tmp_path: Path, marker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    trained(f"{evil(tmp_path, marker)}:RECIPE")
    answer = slipway("train", "hello-rnn", "--preset", "smoke", "--resume", "--data", "embedded", "--out", tmp_path)
    check_refusal(answer, 2)
    assert "is of another run" in answer.err


def test_modules_in_the_current_folder_are_not_imported(tmp_path: Path, marker: Path) -> None:
    for name in ("torch", "numpy", "onnx", "json", "typer", "slipway", "sitecustomize", "usercustomize"):
        (tmp_path / f"{name}.py").write_text(f"open({os.fspath(marker)!r}, 'w')\n")
    answer = process(shutil.which("slipway") or "", "selftest", bundle_of_table(tmp_path / "bundle"), cwd=tmp_path)
    assert answer.code == 0, answer.err


def test_no_picture_starts_a_program(tmp_path: Path, marker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow gives PostScript to Ghostscript; a program of that name stands first on PATH here."""
    program = tmp_path / "bin" / "gs"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {marker}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    picture = tmp_path / "data" / "a" / "x.png"
    for label in ("a", "b"):
        for number in range(2):
            picture = tmp_path / "data" / label / f"{number}.png"
            picture.parent.mkdir(parents=True, exist_ok=True)
            picture.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n")
    with pytest.raises(SlipwayError, match="it is none of PNG"):
        mnist.load(str(tmp_path / "data"))
