"""benchmarks/agreement.py: the lines that it gives to slipway-infer, and the settings that it asks for data with."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from slipway.signature import InputPort, LengthInput, Signature, TextInput


@pytest.fixture(scope="module")
def agreement(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("agreement", root / "benchmarks/agreement.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text(name: str) -> tuple[InputPort, InputPort]:
    lengths = InputPort(f"{name}_lengths", "int64", ("N",), LengthInput(name))
    return InputPort(name, "int64", (f"T_{name}", "N"), TextInput(limit=128)), lengths


def test_texts_stand_on_one_line_in_the_ports_order(agreement: ModuleType, tmp_path: Path) -> None:
    both = Signature((*text("premise"), *text("hypothesis")), ())
    raws = [{"hypothesis": "it is cold", "premise": "snow falls"}]
    assert list(agreement.raw_lines(both, raws, tmp_path)) == ["snow falls\tit is cold"]
    assert list(agreement.raw_lines(Signature(text("name"), ()), ["Ada"], tmp_path)) == ["Ada"]


def test_data_is_asked_for_with_the_settings_of_the_bundle(
    agreement: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slipway.recipes import load_recipe

    asked: list[Any] = []

    def data(request: str, config: Any) -> Any:
        asked.append(config.hidden)
        raise LookupError

    recipe = SimpleNamespace(name="names-gru", config=load_recipe("names-gru").config, data=data)
    monkeypatch.setattr(agreement, "load_recipe", lambda name: recipe)
    bundle = SimpleNamespace(report={"recipe": "names-gru"}, provenance={"config": {"hidden": 7}}, path=Path("b"))
    with pytest.raises(LookupError):
        agreement.compare(bundle, "embedded", "slipway-infer")
    assert asked == [7]
