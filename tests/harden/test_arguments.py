"""Wrong values of every flag, variable and output: the documented exit code, one sentence, and nothing half done."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hostile import (
    PLACES,
    bundle_of_table,
    check_refusal,
    model_of,
    process,
    slipway,
    train_and_export,
)
from onnx import TensorProto, helper, save

from slipway._files import write_atomically

TRAIN = ("hello-rnn", "--data", "embedded", "--preset", "smoke", "--quiet")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_OFFLINE", "1")
    monkeypatch.delenv("SLIPWAY_DATA", raising=False)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return bundle_of_table(tmp_path / "bundle")


# --- flags of slipway and train-and-export --------------------------------------------------------------------------

#: BUNDLE and OUT stand for a whole bundle and for a place where nothing is yet.
FLAGS: list[tuple[tuple[str, ...], int]] = [
    (("run", "BUNDLE"), 2),
    (("run", "BUNDLE", "--csv"), 2),
    (("run", "BUNDLE", "--input", "x"), 2),
    (("run", "BUNDLE", "--input", "=x.npy"), 2),
    (("run", "BUNDLE", "--input", "x="), 1),
    (("run", "BUNDLE", "--input", "x=a.npy", "--input", "x=a.npy"), 1),
    (("run", "BUNDLE", "--image", "x.png"), 2),
    (("run", "BUNDLE", "--random", "--csv", "x"), 2),
    (("run", "BUNDLE", "--random", "--threads", "0"), 2),
    (("run", "BUNDLE", "--random", "--threads", "257"), 2),
    (("run", "BUNDLE", "--random", "--threads", "1e3"), 2),
    (("run", "BUNDLE", "--random", "--top", "0"), 2),
    (("run", "BUNDLE", "--random", "--seed", "-1"), 2),
    (("run", "BUNDLE", "--random", "--seed", str(1 << 63)), 2),
    (("run", "BUNDLE", "--random", "--precision", "fp4"), 2),
    (("run", "BUNDLE", "--random", "--precision", "int8", "--runtime", "onnxruntime"), 4),
    (("run", "BUNDLE", "--random", "--device", "tpu"), 2),
    (("run", "BUNDLE", "--random", "--device", "cuda:1"), 2),
    (("run", "BUNDLE", "--random", "--runtime", "nobody"), 2),
    (("run", "BUNDLE", "--random", "--runtime", "checked:native-cpu:nobody"), 2),
    (("run", "BUNDLE", "--random", "--recipe", "x.py:Y"), 2),
    (("run", "BUNDLE", "--random", "--runtime", "eager", "--recipe", ":"), 2),
    (("run", "BUNDLE", "--random", "--runtime", "eager", "--recipe", "nowhere.module:X"), 2),
    (("verify", "BUNDLE", "--atol", "nan"), 2),
    (("verify", "BUNDLE", "--rtol", "inf"), 2),
    (("verify", "BUNDLE", "--atol", "-1"), 2),
    (("verify", "BUNDLE", "--runtimes", ""), 2),
    (("verify", "BUNDLE", "--runtimes", "native,,"), 2),
    (("verify", "BUNDLE", "--repro", "OUT"), 2),
    (("verify", "BUNDLE", "--file", "native-cpu=x.onnx"), 2),
    (("verify", "BUNDLE", "--bisect", "--runtimes", "native-cpu"), 2),
    (("verify", "BUNDLE", "--bisect", "--file", "native-cpu"), 2),
    (("verify", "BUNDLE", "--bisect", "--file", "native-cpu=OUT"), 1),
    (("inspect", "BUNDLE", "--stage", "wings"), 2),
    (("inspect", "BUNDLE", "--stage", "plan", "--shapes", "nobody:1"), 1),
    (("inspect", "BUNDLE", "--stage", "onnx", "--json", "-"), 2),
    (("inspect", "BUNDLE", "--shapes", ""), 2),
    (("bench", "BUNDLE", "--duration", "nan"), 2),
    (("bench", "BUNDLE", "--duration", "inf"), 2),
    (("bench", "BUNDLE", "--duration", "0"), 2),
    (("bench", "BUNDLE", "--batch", "0"), 2),
    (("bench", "BUNDLE", "--batch", "1,x"), 2),
    (("bench", "BUNDLE", "--batch", "9" * 40), 2),
    (("bench", "BUNDLE", "--threads", ""), 2),
    (("bench", "BUNDLE", "--runtimes", "nobody"), 2),
    (("bench", "BUNDLE", "--fail-slower", "5%"), 2),
    (("bench", "BUNDLE", "--compare", "OUT"), 1),
    (("bench", "BUNDLE", "--compare", "OUT", "--fail-slower", "nan"), 2),
    (("images", "BUNDLE", "--out", "OUT"), 2),
    (("images", "BUNDLE", "--out", "OUT", "--count", "0"), 2),
    (("selftest", "BUNDLE", "--nonsense"), 2),
    (("export", "OUT.pt"), 2),
    (("export", "nobody"), 2),
    (("export", "OUT.py:X"), 2),
    (("export", "torch.nn:Nobody", "--inputs", "x:float32[N]"), 2),
    (("export", "torch.nn:Identity", "--inputs", "x:float64[N]"), 2),
    (("export", "torch.nn:Identity", "--inputs", "x:float32[N"), 2),
    (("export", "torch.nn:Identity", "--inputs", "x:float32[N,99999999999999]"), 2),
    (("export", "torch.nn:Identity", "--inputs", "x:int64[N]<0"), 2),
    (("export", "torch.nn:Identity", "--inputs", "x:int64[N]<" + "9" * 30), 2),
    (("export", "torch.nn:Identity", "--inputs", "x:float32[N]", "--name", "../up"), 2),
    (("export", "torch.nn:Identity", "--inputs", "x:float32[N]", "--opset", "99"), 2),
    (("export", "torch.nn:Identity", "--labels", "x"), 2),
    (("export", "a.pt", "b.pt", "--recipe", "x.py"), 2),
    (("export", "hello-rnn", "--recipe", "x.py"), 2),
    (("nonsense",), 2),
    (("train",), 2),
    (("train", "hello-rnn", "--all"), 2),
]


@pytest.mark.parametrize(("arguments", "code"), FLAGS, ids=[" ".join(arguments)[:60] for arguments, _ in FLAGS])
def test_a_wrong_flag_of_slipway_is_one_sentence(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    names = [a.replace("BUNDLE", str(bundle)).replace("OUT", str(tmp_path / "out")) for a in arguments]
    check_refusal(slipway(*names), code)
    assert sorted(tmp_path.rglob("*")) == before


SETTINGS = [
    ("hello-rnn", setting)
    for setting in (
        "layers=0", "layers=-1", "layers=1.5", "layers=", "epochs=nan", "epochs=0", "lr=nan", "lr=inf", "lr=-1", "lr=0",
        "batch_size=0", "batch_size=-5", "optimizer=magic", "momentum=inf", "weight_decay=-1", "weight_decay=nan",
        "schedule=", "gradient_clip=nan", "validation=1", "validation=nan", "threads=0", "threads=100000", "limit=0",
        "checkpoint_every=0", "checkpoint_every=-1", "=", "=1", "layers", "\x1b[2J=1",
    )
] + [
    ("names-gru", "hidden=0"),
    ("names-gru", "hidden=-1"),
    ("names-gru", "hidden=99999999999"),
    ("names-gru", "dropout=2"),
    ("names-gru", "bidirectional=perhaps"),
    ("names-gru", "cell=transformer"),
    ("conv-stack", "channels=1,2"),
    ("conv-stack", "channels=-1,-1,-1,-1,-1"),
    ("conv-stack", "height=1"),
]  # fmt: skip


@pytest.mark.parametrize(("recipe", "setting"), SETTINGS, ids=lambda value: ascii(value)[:40])
def test_a_setting_that_cannot_work_is_a_usage_error(tmp_path: Path, recipe: str, setting: str) -> None:
    options = ("--data", "embedded", "--preset", "smoke", "--quiet", "--out", tmp_path)
    check_refusal(train_and_export(recipe, *options, "--set", setting), 2)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "options",
    [
        ("--lr", "nan"), ("--lr", "inf"), ("--lr", "1e999"), ("--epochs", "-1"), ("--epochs", "1e3"),
        ("--batch-size", "0"), ("--seed", "-1"), ("--seed", "nan"), ("--device", "cuda:-1"), ("--device", ""),
        ("--preset", ""), ("--formats", ""), ("--formats", "onnx,"), ("--opset", "0"), ("--opset", "9" * 30),
        ("--data", "nowhere"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_wrong_flag_of_train_and_export_is_one_sentence(tmp_path: Path, options: tuple[str, str]) -> None:
    answer = train_and_export("names-gru", "--preset", "smoke", "--quiet", "--out", tmp_path, *options)
    check_refusal(answer, 1 if options[0] == "--data" else 2)
    assert not list(tmp_path.iterdir())


# --- what both programs take ----------------------------------------------------------------------------------------

SHAPES = [
    "", ":", "x", "x:", "x:1", "x:1x3", "x:-1x2", "x:1x2x", "x:ax2", "x:1x2,x:1x2", "y:1x2", "x:1x2,y:1x2", "x:1e3x2",
    "x:99999999999999x2", f"x:{'9' * 30}x2", "x:1x1x1x1x1x1x1x1x1", "x:1 x2",
]  # fmt: skip


@pytest.mark.parametrize("shapes", SHAPES)
def test_shapes_that_make_no_sense_have_one_exit_code(infer_program: Path, bundle: Path, shapes: str) -> None:
    check_refusal(slipway("run", bundle, "--random", "--shapes", shapes), 2)
    check_refusal(process(infer_program, bundle, "--random", "--shapes", shapes), 2)


def test_shapes_that_are_too_large_are_refused_by_both(infer_program: Path, bundle: Path) -> None:
    given = ("--random", "--shapes", "x:1000000000000x2")
    check_refusal(slipway("run", bundle, *given), 1)
    check_refusal(process(infer_program, bundle, *given), 1)


INFER = [
    ("--seed", "-1"), ("--seed", "9" * 30), ("--seed", ""), ("--top", "0"), ("--top", "x"), ("--threads", ""),
    ("--iterations", "0"), ("--iterations", "1e9"), ("--warmup", "-1"), ("--engine", ""), ("--device", "cuda:"),
    ("--device", "cuda:9999"), ("--precision", ""), ("--json=x", "--random"), ("--random=1", "--json"),
    ("--csv", "--json"), ("--text", "a"), ("--image", "a.png"), ("--input", "y=a.npy", "--input"), ("--\x1b[2J", "x"),
    ("--output",), ("--output-dir",), ("--selftest", "--random"),
]  # fmt: skip


@pytest.mark.parametrize("arguments", INFER, ids=lambda value: ascii(" ".join(value)))
def test_a_wrong_flag_of_slipway_infer_is_a_usage_error(
    infer_program: Path, bundle: Path, arguments: tuple[str, ...]
) -> None:
    check_refusal(process(infer_program, bundle, *arguments), 2)


# --- variables ------------------------------------------------------------------------------------------------------

VARIABLES: list[tuple[str, str, tuple[str, ...], int]] = [
    ("SLIPWAY_ISA", "mmx", (), 2),
    ("SLIPWAY_ISA", "avx2\x1b[2J", (), 2),
    ("SLIPWAY_SPIN_MICROSECONDS", "soon", ("--threads", "2"), 2),
    ("SLIPWAY_SPIN_MICROSECONDS", "-1", ("--threads", "2"), 2),
    ("SLIPWAY_SPIN_MICROSECONDS", "9" * 40, ("--threads", "2"), 2),
    ("SLIPWAY_SPIN_MICROSECONDS", "", ("--threads", "2"), 0),
    ("SLIPWAY_CUDA_PLUGIN", "/nowhere", ("--device", "cuda"), 4),
    ("SLIPWAY_CUDA_PLUGIN", "", ("--device", "cuda"), 4),
    ("SLIPWAY_ORT_LIBRARY", "/nowhere", ("--engine", "onnxruntime"), 4),
    ("SLIPWAY_ORT_LIBRARY", "/", ("--engine", "onnxruntime"), 4),
    ("SLIPWAY_ORT_LIBRARY", "/dev/zero", ("--engine", "onnxruntime"), 4),
    ("SLIPWAY_ORT_LIBRARY", "PIPE", ("--engine", "onnxruntime"), 4),
    ("SLIPWAY_ORT_LIBRARY", "libm.so.6", ("--engine", "onnxruntime"), 4),
]


@pytest.mark.parametrize(("name", "value", "options", "code"), VARIABLES, ids=lambda value: ascii(value)[:40])
def test_a_variable_that_makes_no_sense_has_a_clear_answer(
    infer_program: Path, tmp_path: Path, name: str, value: str, options: tuple[str, ...], code: int
) -> None:
    os.mkfifo(tmp_path / "PIPE")
    value = value.replace("PIPE", str(tmp_path / "PIPE"))
    model = model_of("array", tmp_path / "model.onnx")
    answer = process(infer_program, model, "--random", *options, env=os.environ | {name: value})
    assert answer.code == code, answer
    assert code == 0 or check_refusal(answer, code) is None


@pytest.mark.parametrize("place", [*PLACES, "text file"])
@pytest.mark.parametrize("how", ["SLIPWAY_DATA", "--data"])
def test_data_that_are_no_folder_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, how: str
) -> None:
    data = tmp_path / "data"
    PLACES.get(place, lambda path: path.write_text("x"))(data)
    monkeypatch.setenv("SLIPWAY_DATA", str(data) if how == "SLIPWAY_DATA" else "")
    given = ("--data", data) if how == "--data" else ()
    answer = train_and_export("names-gru", "--preset", "smoke", "--quiet", "--out", tmp_path / "out", *given)
    check_refusal(answer, 1)
    assert str(data) in answer.err


# --- outputs --------------------------------------------------------------------------------------------------------

#: Ways of writing: the command, with OUT where its file or folder goes.
WRITERS: Mapping[str, tuple[str, ...]] = {
    "--json": ("inspect", "BUNDLE", "--json", "OUT"),
    "--svg": ("inspect", "BUNDLE", "--svg", "OUT"),
    "ops": ("ops", "--json", "OUT"),
}
#: Where nothing can be written, also for root.
UNWRITABLE = ("/proc/nothing/out", "/dev/null/out", "/sys/out", "/dev/full", "FOLDER", "FILE/out", "PIPE", "n" * 300)


@pytest.mark.parametrize("target", UNWRITABLE, ids=lambda value: value[:20])
@pytest.mark.parametrize("writer", WRITERS)
def test_a_file_that_cannot_be_written_is_one_sentence(bundle: Path, tmp_path: Path, writer: str, target: str) -> None:
    place = _unwritable(tmp_path, target)
    before = sorted(tmp_path.rglob("*"))
    answer = slipway(*(part.replace("BUNDLE", str(bundle)).replace("OUT", place) for part in WRITERS[writer]))
    is_shown = target in ("/dev/full", "PIPE")  # only writing tells: the result is there by then, and not kept back
    assert bool(answer.out) == is_shown
    check_refusal(answer._replace(out=""), 1)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("target", UNWRITABLE, ids=lambda value: value[:20])
@pytest.mark.parametrize("option", ["--output-dir", "--output"])
def test_outputs_that_cannot_be_written_have_one_exit_code(
    infer_program: Path, tmp_path: Path, option: str, target: str
) -> None:
    if (option, target) == ("--output-dir", "FOLDER"):
        pytest.skip("a folder is what the option asks for")
    model, place = model_of("array", tmp_path / "model.onnx"), _unwritable(tmp_path, target)
    before = sorted(tmp_path.rglob("*"))
    check_refusal(process(infer_program, model, "--random", option, place), 1)
    if option == "--output-dir":
        check_refusal(slipway("run", model, "--random", option, place), 1)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("target", ["/proc/nothing", "/dev/null", "/sys", "FILE", "PIPE"])
def test_a_bundle_that_has_no_place_is_told_before_or_after_training(tmp_path: Path, target: str) -> None:
    place = _unwritable(tmp_path, target)
    before = sorted(tmp_path.rglob("*"))
    check_refusal(train_and_export(*TRAIN, "--formats", "onnx", "--out", place), 1, 2)
    assert sorted(tmp_path.rglob("*")) == before


def _unwritable(folder: Path, target: str) -> str:
    (folder / "file").write_text("kept")
    os.mkfifo(folder / "pipe")
    for name in ("FOLDER", "FILE", "PIPE"):
        target = target.replace(name, str(folder / name.lower()) if name != "FOLDER" else str(folder))
    return target if target.startswith("/") else str(folder / target)


def test_devices_pipes_and_links_are_written_to_not_replaced(infer_program: Path, tmp_path: Path) -> None:
    """A root user's ``--json /dev/null`` once became a file of that name."""
    model = model_of("array", tmp_path / "model.onnx")
    target, link, pipe = tmp_path / "target", tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(target.name)
    os.mkfifo(pipe)
    for write, option in ((slipway, "--json"), (process, "--output")):
        command = ("inspect", model, option) if write is slipway else (infer_program, model, "--random", option)
        target.write_text("")
        assert write(*command, link).code == 0
        assert (link.is_symlink(), target.stat().st_size > 0) == (True, True)
        # Opened for both directions a pipe has its reader at once, and never ends.
        with os.fdopen(os.open(pipe, os.O_RDWR), "rb", buffering=0) as reader:
            assert write(*command, pipe).code == 0
            assert reader.read(1)
        assert pipe.is_fifo()
    write_atomically(Path("/dev/null"), b"x")
    assert Path("/dev/null").is_char_device()


#: How the streams of a program are redirected, and the exit codes of a command that works, of one that does not.
STREAMS: Mapping[str, tuple[int, tuple[int, ...]]] = {
    ">/dev/full": (1, (2,)),
    ">&-": (1, (1, 2)),
    "2>/dev/full": (0, (2,)),
    "2>&-": (0, (2,)),
}


@pytest.mark.parametrize("redirected", STREAMS)
def test_results_that_do_not_arrive_are_an_error(infer_program: Path, tmp_path: Path, redirected: str) -> None:
    """Of an error that cannot be told the exit code remains."""
    model, (good, bad) = model_of("array", tmp_path / "model.onnx"), STREAMS[redirected]
    verb = f"{shutil.which('slipway')} ops"
    for works, fails in ((verb, f"{verb} --x"), (f"{infer_program} {model} --random", f"{infer_program} --x")):
        answer = process("sh", "-c", f"exec {works} {redirected}")
        assert answer.code == good, answer
        assert len(answer.err.splitlines()) <= 1, answer.err
        assert "Traceback" not in answer.err
        assert process("sh", "-c", f"exec {fails} {redirected}").code in bad


# --- errors of onnxruntime ------------------------------------------------------------------------------------------


def test_errors_of_onnxruntime_say_whose_they_are(infer_program: Path, tmp_path: Path) -> None:
    """An index out of range is found while the model runs."""
    x = helper.make_tensor_value_info("x", TensorProto.INT64, ["N"])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N"])
    table = helper.make_tensor("table", TensorProto.FLOAT, [3], [1.0, 2.0, 3.0])
    graph = helper.make_graph([helper.make_node("Gather", ["table", "x"], ["y"])], "gather", [x], [y], [table])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), tmp_path / "model.onnx")
    np.save(tmp_path / "x.npy", np.array([7]))
    given = (tmp_path / "model.onnx", "--input", f"x={tmp_path / 'x.npy'}")
    libraries = Path(importlib.import_module("onnxruntime").__file__ or "").parent.glob("capi/libonnxruntime.so*")
    theirs = process(infer_program, *given, "--engine", "onnxruntime", "--ort-library", next(libraries))
    for answer in (slipway("run", *given, "--runtime", "onnxruntime"), theirs):
        check_refusal(answer, 1)
        assert "gave up while it ran the model, with an error of its own" in answer.err
        assert "native" in answer.err
    check_refusal(slipway("run", *given), 1)
    check_refusal(process(infer_program, *given), 1)
