"""diabetes: the raw table, its missing values, and the notes' Dataset and DataLoader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data import Dataset as TorchDataset

from slipway.data import pima
from slipway.errors import DataError
from slipway.preprocess import encode
from slipway.recipes import diabetes
from slipway.train.batches import Batches
from slipway.train.loop import Run, train
from slipway.train.settings import resolve

COLUMNS = "Pregnancies,Glucose,BloodPressure,SkinThickness,Insulin,BMI,DiabetesPedigreeFunction,Age,Outcome"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def write(folder: Path, rows: Sequence[str], columns: str = COLUMNS) -> Path:
    (folder / "diabetes").mkdir()
    (folder / "diabetes/pima-indians-diabetes.csv").write_text("\n".join([columns, *rows]), encoding="utf-8")
    return folder


ROWS = [
    "6,148,72,35,0,33.6,0.627,50,1",
    "1,85,66,29,0,26.6,0.351,31,0",
    "8,183,64,0,94,23.3,0.672,32,1",
    "1,89,66,23,168,28.1,0.167,21,0",
    "0,137,40,35,88,43.1,2.288,33,1",
]


def test_a_table_is_read_and_its_statistics_leave_out_missing_values_and_the_test(tmp_path: Path) -> None:
    dataset = pima.load(str(write(tmp_path, ROWS)))
    assert (dataset.source.kind, dict(dataset.source.rows)) == ("path", {"train": 4, "test": 1})
    assert dataset.labels == ("no diabetes", "diabetes")
    assert dataset.train.targets.tolist() == [[1.0], [0.0], [1.0], [0.0]]
    facts = dataset.facts
    assert facts["columns"] == tuple(COLUMNS.split(",")[:-1])
    assert facts["missing"] == (False, True, True, True, True, True, False, False)
    np.testing.assert_allclose(facts["mean"][:5], [4.0, 126.25, 67.0, 29.0, 131.0])
    np.testing.assert_allclose(facts["std"][3:5], [np.std([35, 29, 23]), np.std([94, 168])])


def test_a_table_without_names_is_read_to_its_first_row_and_blank_lines_are_passed_over(tmp_path: Path) -> None:
    dataset = pima.load(str(write(tmp_path, [*ROWS[1:], "", ""], columns=ROWS[0])))
    assert (len(dataset.train), len(dataset.test)) == (4, 1)
    assert dataset.train.raws[0].tolist() == [6, 148, 72, 35, 0, 33.6, 0.627, 50]
    assert dataset.facts["columns"] == tuple(COLUMNS.split(",")[:-1])
    assert dataset.facts["missing"] == (False, True, True, True, True, True, False, False)


def test_missing_values_become_the_mean_and_zeros_that_are_numbers_stay(tmp_path: Path) -> None:
    dataset = pima.load(str(write(tmp_path, ROWS)))
    standardise = diabetes.Standardise(dataset)
    rows = standardise(torch.tensor([[0.0] * 8, [4.0, 0, 67, 29, 131, 0, 0, 0]]))
    assert (rows[0, 1:6] == 0).all()
    assert rows[0, 0].item() == pytest.approx(-4 / dataset.facts["std"][0], rel=1e-5)
    torch.testing.assert_close(rows[1, :6], torch.zeros(6))
    values = np.array(dataset.train.raws)
    expected = (values - dataset.facts["mean"]) / dataset.facts["std"]
    expected[(values == 0) & np.array(dataset.facts["missing"])] = 0
    np.testing.assert_allclose(standardise(torch.tensor(values, dtype=torch.float32)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([*ROWS, "1,2,3"], COLUMNS, "row 6: got 3 numbers, expected rows of 9 numbers"),
        ([*ROWS, "a,148,72,35,0,33.6,0.627,50,1"], COLUMNS, "line 7, cell 1: 'a' is not a number"),
        ([*ROWS, "6,nan,72,35,0,33.6,0.627,50,1"], COLUMNS, "expected finite numbers"),
        ([*ROWS, "6,148,72,35,0,33.6,0.627,50,2"], COLUMNS, "outcome of 0 or 1"),
        (["1,2,0"], "a,b,Outcome", "line 1: the header is 'a, b, Outcome', expected .* columns, Pregnancies, Glucose"),
        (ROWS, COLUMNS.replace("Glucose", "glucose"), "line 1: the header is .* Pregnancies, Glucose"),
        (["1,2,0"], "1,2,0", "row 1: got 3 numbers, expected rows of 9 numbers"),
        ([], COLUMNS, "has no rows"),
        (ROWS[:1], COLUMNS, "got 1 row, expected at least 2"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path: Path, rows: list[str], columns: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        pima.load(str(write(tmp_path, rows, columns)))


def test_a_column_that_does_not_vary_or_has_no_values_divides_by_1(tmp_path: Path) -> None:
    facts = pima.load(str(write(tmp_path, ROWS[:2]))).facts  # one row trains, and its Insulin is missing
    assert facts["std"] == (1.0,) * 8
    assert facts["mean"] == (6.0, 148.0, 72.0, 35.0, 0.0, 33.6, 0.627, 50.0)


class NotesDataset(TorchDataset[tuple[Tensor, Tensor]]):
    """The notes' own data set class over two tensors."""

    def __init__(self, x: Tensor, y: Tensor) -> None:
        self.x, self.y = x, y

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.x[index], self.y[index]

    def __len__(self) -> int:
        return len(self.x)


@pytest.mark.parametrize("kind", [NotesDataset, TensorDataset])
@pytest.mark.parametrize("size", [1, 10, 32, 1000])
def test_batches_equal_those_of_a_data_loader_over_the_same_items(kind: type, size: int) -> None:
    dataset = diabetes.RECIPE.data("embedded", diabetes.RECIPE.config)
    signature = diabetes.RECIPE.signature(diabetes.RECIPE.config, dataset)
    ours = Batches(signature, dataset.train, size, torch.device("cpu"))
    x = torch.from_numpy(encode(signature, dataset.train.raws)["x"])
    loader = DataLoader(kind(x, dataset.train.targets), batch_size=size, shuffle=False)
    assert len(ours) == len(loader)
    for batch, (rows, targets) in zip(ours, loader, strict=True):
        assert torch.equal(batch.inputs[0], rows)
        assert torch.equal(batch.targets, targets)


def test_shuffled_batches_hold_every_item_once_and_change_with_the_epoch() -> None:
    dataset = diabetes.RECIPE.data("embedded", diabetes.RECIPE.config)
    signature = diabetes.RECIPE.signature(diabetes.RECIPE.config, dataset)
    batches = Batches(signature, dataset.train, 32, torch.device("cpu"), seed=3)
    epochs = []
    for batches.epoch in (1, 2):
        epochs.append(torch.cat([batch.inputs[0] for batch in batches]))
    assert not torch.equal(*epochs)
    for epoch in epochs:
        assert sorted(map(tuple, epoch.tolist())) == sorted(tuple(np.float32(raw)) for raw in dataset.train.raws)


def test_the_embedded_question_is_balanced_and_learned() -> None:
    config, training = resolve(diabetes.RECIPE, "default", {"epochs": 15})
    run = train(Run(diabetes.RECIPE, config, training, "embedded"))
    assert abs(float(run.dataset.train.targets.mean()) - 0.5) < 0.02
    assert "scikit-learn" in run.dataset.source.where
    assert run.score > 0.65
