"""Modules that come trained: what their inputs mean, what their outputs are, and that a bundle proves them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from export_models import OPERATORS

from slipway.bundle import Bundle
from slipway.errors import ExportError, InputError, MismatchError, SlipwayError, UnavailableError, UsageError
from slipway.recipes._module import load_module, recipe_of_bundle
from slipway.runtime import Eager, find_runtimes
from slipway.signature import ClassOutput, InputPort, LengthInput, SegmentationOutput, Signature, TensorInput
from slipway_export import export_bundle, verify
from slipway_export.cases import Pool, example_inputs, probe_inputs
from slipway_export.clean import Operator
from slipway_export.module import trained_module
from slipway_export.ports import parse_inputs

MODELS = """
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, 6)
        self.lstm = nn.LSTM(6, 5, bidirectional=True)
        self.linear = nn.Linear(10, 3)

    def forward(self, ids, lengths):
        packed = pack_padded_sequence(self.embedding(ids), lengths, enforce_sorted=False)
        return self.linear(pad_packed_sequence(self.lstm(packed)[0])[0])


class Pixels(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        y = torch.relu(self.conv(x))
        return y, nn.functional.max_pool2d(y, 2), y.mean((2, 3)).softmax(-1)


class Mixes(nn.Module):
    def forward(self, x, table):
        return x @ table.transpose(1, 2)


class Longer(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)

    def forward(self, a, b):
        return self.linear(a).mean(0) if a.size(0) <= b.size(0) else self.linear(b).sum(0)


class Scales(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(9, 4)

    def forward(self, ids, by, chosen):
        return self.embedding(ids) * torch.where(chosen, by, -by)[:, None]


class Normalises(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(3, track_running_stats=False)

    def forward(self, x):
        return self.norm(x)


class Judges(nn.Module):
    def forward(self, x):
        return 2 * x, x.mean()


class Keeps(nn.Module):
    def forward(self, x):
        return {"y": x}


class Optional(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(4, 3)

    def forward(self, x, h=None):
        return self.gru(x, h)


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 3)

    def forward(self, x):
        return self.lstm(x)


net = nn.Linear(4, 2)
compiled = torch.compile(nn.Linear(4, 2))
number = 3


def fails():
    raise RuntimeError("out of luck")


def needs(size):
    return nn.Linear(size, size)
"""


@pytest.fixture
def models(tmp_path: Path) -> str:
    (tmp_path / "models.py").write_text(MODELS)
    return f"{tmp_path}/models.py"


def test_inputs_say_types_sizes_ranges_and_lengths() -> None:
    ports = parse_inputs(["ids: int64[T, N]<5000", "lengths:int64[N]<=T", "x:float32[N,3,H,W]", "kind:int32[N]<7"])
    assert ports == (
        InputPort("ids", "int64", ("T", "N"), TensorInput(below=5000)),
        InputPort("lengths", "int64", ("N",), LengthInput("ids")),
        InputPort("x", "float32", ("N", 3, "H", "W"), TensorInput()),
        InputPort("kind", "int32", ("N",), TensorInput(below=7)),
    )
    assert parse_inputs(["ids:int64[T,N]<9", "n:int64[N]"])[1].spec == LengthInput("ids")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "is not of the form"),
        ("x:float32[N,4", "is not of the form"),
        ("x:float32[N,4]<", "is not of the form"),
        ("x:float64[N,4]", "got type float64, expected float32"),
        ("x:float32[4]", "the batch is called N"),
        ("x:float32[N,0]", "a size is a number of 1 or more"),
        ("x:float32[N,4]<3", "only whole numbers have a range"),
        ("x:int64[N,4]", "say which whole numbers may come"),
        ("x:int64[N,4]<0", "say which whole numbers may come"),
        ("x:int64[N]<=T", "another input has the size T"),
    ],
)
def test_an_input_that_says_too_little_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_inputs([text])


def test_a_name_stands_for_one_input() -> None:
    with pytest.raises(UsageError, match="a name of its own"):
        parse_inputs(["x:float32[N]", "x:float32[N]"])


def test_outputs_are_told_from_runs(models: str) -> None:
    ports = parse_inputs(["x:float32[N,3,H,W]"])
    trained = trained_module(f"{models}:Pixels", ports, name="pixels", labels=["a", "b", "c", "d"])
    whole, half, mean = trained.signature.outputs
    assert (whole.dims, whole.spec) == (("N", 4, "H", "W"), SegmentationOutput())
    assert half.dims == ("N", 4, "output_1_2", "output_1_3")
    assert mean.dims == ("N", 4)
    assert trained.score is None


def test_probabilities_are_seen_in_the_numbers(models: str, tmp_path: Path) -> None:
    (tmp_path / "soft.py").write_text("from torch import nn\nnet = nn.Sequential(nn.Linear(4, 3), nn.Softmax(-1))\n")
    trained = trained_module(f"{tmp_path}/soft.py:net", parse_inputs(["x:float32[N,4]"]), name="soft", labels="abc")
    assert trained.signature.outputs[0].spec == ClassOutput(scores="probabilities")


def test_a_packed_module_is_sealed_and_verified_again_by_its_file(models: str, tmp_path: Path) -> None:
    source = f"{models}:Tagger"
    ports = parse_inputs(["ids:int64[T,N]<50", "lengths:int64[N]<=T"])
    trained = trained_module(source, ports, name="tagger", labels=["x", "y", "z"])
    assert trained.signature.outputs[0].spec == ClassOutput(per_step=True, join=" ")
    bundle = export_bundle(trained, tmp_path / "tagger", formats=("onnx",), operators=OPERATORS)
    assert bundle.signature == trained.signature
    drawn = np.concatenate([golden.inputs["ids"].ravel() for golden in bundle.goldens])
    assert 40 < drawn.max() < 50
    assert "lengths_longer_than_seen" in {row["case"] for row in bundle.report["verify"]["rows"]}
    with pytest.raises(UnavailableError, match=r"--recipe FILE\.py:NAME"):
        Eager().load(Bundle.open(tmp_path / "tagger"))
    eager = Eager(recipe_of_bundle(source, bundle)).load(bundle)
    result = verify(bundle, find_runtimes("onnxruntime-cpu"), reference=eager)
    assert result.ok
    assert len(result.rows) > 10
    with pytest.raises(UnavailableError, match="do not fit what recipe tagger builds"):
        Eager(recipe_of_bundle(f"{models}:net", bundle)).load(bundle)


def test_every_size_that_varies_is_exported_at_several(models: str, tmp_path: Path) -> None:
    ports = parse_inputs(["x:float32[N,A,8]", "table:float32[N,B,8]"])
    trained = trained_module(f"{models}:Mixes", ports, name="mixes")
    pool = Pool.of(Signature(ports, ()))
    shapes = {a.shape for inputs in (example_inputs(pool), probe_inputs(pool)) for a in inputs.values()}
    assert len({size for shape in shapes for size in shape if size != 8}) == 6
    assert trained.signature.outputs[0].dims == ("N", "A", "B")
    bundle = export_bundle(trained, tmp_path / "mixes", formats=("onnx",), operators=OPERATORS)
    assert "size_other" in {row["case"] for row in bundle.report["verify"]["rows"]}


def test_two_sequences_have_steps_of_their_own(models: str, tmp_path: Path) -> None:
    ports = parse_inputs(["x:float32[N,T,8]", "table:float32[N,T2,8]"])
    trained = trained_module(f"{models}:Mixes", ports, name="mixes")
    assert trained.signature.outputs[0].dims == ("N", "T", "T2")
    bundle = export_bundle(trained, tmp_path / "mixes", formats=("onnx",), operators=OPERATORS)
    assert {"longest_in_T", "longest_in_T2"} < {row["case"] for row in bundle.report["verify"]["rows"]}


def test_a_model_that_asks_which_sequence_is_longer_is_refused(models: str, tmp_path: Path) -> None:
    trained = trained_module(f"{models}:Longer", parse_inputs(["a:float32[T,N,3]", "b:float32[T2,N,3]"]), name="longer")
    with pytest.raises(SlipwayError, match="T"):
        export_bundle(trained, tmp_path / "longer", formats=("onnx",), operators=OPERATORS)
    assert not (tmp_path / "longer").exists()


def test_an_input_may_hold_one_number_per_item(models: str, tmp_path: Path) -> None:
    ports = parse_inputs(["ids:int64[N]<9", "by:float32[N]", "chosen:bool[N]"])
    trained = trained_module(f"{models}:Scales", ports, name="scales", examples={"by": np.array([3, 2, 5], np.float32)})
    assert [raw["by"].shape for raw in trained.dataset.test.raws] == [(), (), ()]
    bundle = export_bundle(trained, tmp_path / "scales", formats=("onnx",), operators=OPERATORS)
    assert bundle.goldens[1].inputs["by"].tolist() == [3, 2, 5]


def test_statistics_of_a_batch_are_refused_in_answers_to_its_items_and_no_others(models: str, tmp_path: Path) -> None:
    runtimes = find_runtimes("onnxruntime-cpu")
    operators = (*OPERATORS, Operator("BatchNormalization", "", 13, 24))
    trained = trained_module(f"{models}:Normalises", parse_inputs(["x:float32[N,3,4,4]"]), name="normalises")
    with pytest.raises(MismatchError, match=r"influence each other .*batch_3_repeated.*track_running_stats=False"):
        export_bundle(trained, tmp_path / "b", formats=("onnx",), operators=operators, runtimes=runtimes)
    trained = trained_module(f"{models}:Judges", parse_inputs(["x:float32[N,4]"]), name="judges")
    bundle = export_bundle(trained, tmp_path / "b", formats=("onnx",), operators=operators, runtimes=runtimes)
    assert [port.dims for port in bundle.signature.outputs] == [("N", 4), ()]


def test_a_script_that_torch_compiles_and_cannot_save_is_a_trace(models: str, tmp_path: Path) -> None:
    trained = trained_module(f"{models}:Optional", parse_inputs(["x:float32[T,N,4]"]), name="optional")
    formats = ("onnx", "torchscript")
    bundle = export_bundle(trained, tmp_path / "optional", formats=formats, operators=OPERATORS)
    assert bundle.file("model.ts.pt").is_file()
    assert {row["runtime"] for row in bundle.report["verify"]["rows"] if row["ok"]} >= {"eager", "torchscript"}


def test_examples_are_what_goldens_hold(models: str, tmp_path: Path) -> None:
    ids = np.full((5, 3), 7)
    lengths = np.array([5, 2, 1])
    ports = parse_inputs(["ids:int64[T,N]<50", "lengths:int64[N]<=T"])
    trained = trained_module(f"{models}:Tagger", ports, name="tagger", examples={"ids": ids, "lengths": lengths})
    assert [item["ids"].tolist() for item in trained.dataset.test.raws] == [[7] * 5, [7] * 2, [7]]
    assert trained.dataset.source.kind == "path"
    bundle = export_bundle(trained, tmp_path / "tagger", formats=("onnx",), operators=OPERATORS)
    golden = bundle.goldens[1]
    np.testing.assert_array_equal(golden.inputs["lengths"], lengths)
    np.testing.assert_array_equal(golden.inputs["ids"][:, 1], [7, 7, 0, 0, 0])


@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors"])
def test_weights_are_loaded_without_running_code(models: str, tmp_path: Path, name: str) -> None:
    import safetensors.torch

    state = {"weight": torch.full((2, 4), 3.0), "bias": torch.zeros(2)}
    (torch.save if name.endswith(".pt") else safetensors.torch.save_file)(state, tmp_path / name)
    ports = parse_inputs(["x:float32[N,4]"])
    trained = trained_module(f"{models}:net", ports, name="net", weights=tmp_path / name)
    assert trained.module.weight.unique().tolist() == [3.0]
    assert load_module(f"{models}:net")().weight.unique().numel() > 1
    torch.save(torch.nn.Linear(2, 2), tmp_path / "whole.pt")
    with pytest.raises(UsageError, match=r"is neither \.safetensors nor a state dict"):
        trained_module(f"{models}:net", ports, name="net", weights=tmp_path / "whole.pt")
    torch.save({"other": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(UsageError, match=r"does not fit Linear: .*weight"):
        trained_module(f"{models}:net", ports, name="net", weights=tmp_path / "other.pt")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("number", "is of type int, expected a torch.nn.Module"),
        ("fails", r"cannot be called without arguments: line \d+, RuntimeError: out of luck"),
        ("needs", "missing 1 required positional argument"),
        (
            "none",
            "has no name 'none'; it has Judges, Keeps, Longer, Mixes, Normalises, Optional, Pair, Pixels, Scales, ",
        ),
    ],
)
def test_what_is_no_module_is_refused(models: str, name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_module(f"{models}:{name}")()


def test_a_compiled_module_is_the_one_that_was_compiled(models: str) -> None:
    trained = trained_module(f"{models}:compiled", parse_inputs(["x:float32[N,4]"]), name="compiled")
    assert type(trained.module) is torch.nn.Linear


def test_torchscript_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "import warnings, torch\n"
        "with warnings.catch_warnings():\n"
        "    warnings.simplefilter('ignore')\n"
        "    net = torch.jit.script(torch.nn.Linear(4, 2))\n"
    )
    with pytest.raises(UsageError, match=r"is a TorchScript module, expected the torch\.nn\.Module"):
        load_module(f"{tmp_path}/script.py:net")()


def test_a_module_that_does_not_fit_its_inputs_is_told_with_its_line(models: str) -> None:
    with pytest.raises(ExportError, match=r"fails on inputs x float32 \[4, 2, 32, 40\]: line \d+, RuntimeError"):
        trained_module(f"{models}:Pixels", parse_inputs(["x:float32[N,2,H,W]"]), name="pixels")
    with pytest.raises(ExportError, match="gives dict, expected a tensor or a tuple of tensors"):
        trained_module(f"{models}:Keeps", parse_inputs(["x:float32[N,4]"]), name="keeps")
    with pytest.raises(ExportError, match=r"output 1 of 2 is of type tuple, expected a tensor; .* y, h, c in place of"):
        trained_module(f"{models}:Pair", parse_inputs(["x:float32[T,N,4]"]), name="pair")
    with pytest.raises(UsageError, match="holds 5 names, expected one output of shape"):
        trained_module(f"{models}:net", parse_inputs(["x:float32[N,4]"]), name="net", labels="abcde")
    with pytest.raises(UsageError, match="there is no input y; the inputs are x"):
        trained_module(f"{models}:net", parse_inputs(["x:float32[N,4]"]), name="net", examples={"y": np.ones(1)})
    examples = {"x": np.ones((0, 4), np.float32)}
    with pytest.raises(InputError, match=r'input "x" has shape \[0, 4\], expected one item or more'):
        trained_module(f"{models}:net", parse_inputs(["x:float32[N,4]"]), name="net", examples=examples)
    ids = {"ids": np.array([[3, 50]]), "lengths": np.array([1, 1])}
    packed = parse_inputs(["ids:int64[T,N]<50", "lengths:int64[N]"])
    with pytest.raises(InputError, match=r'"ids" holds 50 at place \[0, 1\], expected 0 to 49'):
        trained_module(f"{models}:Tagger", packed, name="tagger", examples=ids)
    with pytest.raises(InputError, match="is float64, expected float32"):
        trained_module(f"{models}:net", parse_inputs(["x:float32[N,4]"]), name="net", examples={"x": np.ones((3, 4))})
