"""``slipway images``: the notes' fifty test images; and the options that go over every recipe."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from slipway.bundle import Bundle
from slipway.cli import run_command, slipway_app, train_and_export_app
from slipway.data import mnist
from slipway.errors import ExitCode
from slipway.runtime import Native


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("artifacts")
    options = f"mnist-cnn --preset smoke --data embedded --out {out} --formats onnx --quiet --profile"
    assert run_command(train_and_export_app, "train-and-export", options.split()) == ExitCode.OK
    assert (out / "mnist-cnn.profile.json").is_file()
    assert (out / "mnist-cnn.profile.txt").is_file()
    return out / "mnist-cnn"


def test_the_files_hold_the_pixels_and_the_list_the_models_answers(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["images", str(bundle), "--data", "embedded", "--out", str(tmp_path), "--json", "-"]
    assert run_command(slipway_app, "slipway", arguments) == ExitCode.OK
    result = json.loads(capsys.readouterr().out)
    split = mnist.load("embedded").test
    image = np.asarray(Image.open(tmp_path / "49.png"))
    assert np.array_equal(image, split.raws[49])
    lines = [line.split("\t") for line in (tmp_path / "res.txt").read_text().splitlines()]
    assert [line[0] for line in lines] == [f"{n}.png" for n in range(50)]
    assert [line[2] for line in lines] == [str(int(k)) for k in split.targets[:50]]
    scores = Native("cpu").load(Bundle.open(bundle)).run({"image": _scaled(np.stack(split.raws[:50]))})["logits"]
    assert [line[1] for line in lines] == [str(k) for k in scores.argmax(1)]
    assert result["right"] == sum(line[1] == line[2] for line in lines)
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")


def _scaled(images: np.ndarray) -> np.ndarray:
    return ((images[:, None] / 255.0 - 0.1307) / 0.3081).astype(np.float32)


def test_grey_pictures_with_transparency_are_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for label in ("a", "b"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for n in range(6):
            pixels = rng.integers(0, 256, (20, 20, 2), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / label / f"{n}.png")
    options = "mnist-mlp --preset smoke --data data --out . --formats onnx --quiet"
    assert run_command(train_and_export_app, "train-and-export", options.split()) == ExitCode.OK
    arguments = "images mnist-mlp --data data --out images"
    assert run_command(slipway_app, "slipway", arguments.split()) == ExitCode.OK, capsys.readouterr().err
    assert (tmp_path / "images/sheet.png").is_file()


def test_a_bundle_of_another_kind_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = f"hello-rnncell --preset smoke --out {tmp_path} --formats onnx --quiet"
    assert run_command(train_and_export_app, "train-and-export", options.split()) == ExitCode.OK
    arguments = ["images", str(tmp_path / "hello-rnncell"), "--out", str(tmp_path / "images")]
    assert run_command(slipway_app, "slipway", arguments) == ExitCode.USAGE
    assert "is no image classifier; its inputs are x (text)" in capsys.readouterr().err
    assert not (tmp_path / "images").exists()


def test_all_and_names_together_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(train_and_export_app, "train-and-export", ["--all", "names-gru"]) == ExitCode.USAGE
    assert "--all already names every recipe; leave out names-gru" in capsys.readouterr().err
