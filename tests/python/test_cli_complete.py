"""Completion: the shells' scripts, what is offered, and that Tab loads no torch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from slipway.cli import _complete as complete
from slipway.recipes import load_recipe, recipe_names

pytest.importorskip("slipway._engine", reason="the engine is not built")

_MAIN = {"slipway": "main", "train-and-export": "train_and_export_main"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for bundle in ("artifacts/one", "artifacts/two", "three"):
        (tmp_path / bundle).mkdir(parents=True)
        (tmp_path / bundle / "SHA256SUMS").touch()
    (tmp_path / "artifacts" / "notes").mkdir()
    (tmp_path / "any.onnx").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tab(program: str, shell: str, line: str) -> list[str]:
    """Return what a shell's script would get from the program when Tab is pressed behind ``line``."""
    words = line.split(" ")
    environment = os.environ | {f"_{program.replace('-', '_').upper()}_COMPLETE": f"complete_{shell}"}
    if shell == "bash":
        environment |= {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    else:
        environment |= {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    code = f"import sys\nfrom slipway.cli import {_MAIN[program]} as main\n"
    code += "try:\n    main()\nfinally:\n    assert 'torch' not in sys.modules\n"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_recipes_and_bundles(folder: Path, shell: str) -> None:
    offered = "\n".join(tab("train-and-export", shell, "train-and-export names-g"))
    assert "names-gru" in offered
    assert "names-lstm" not in offered
    assert "artifacts/two" in "\n".join(tab("slipway", shell, "slipway verify artifacts/t"))


def test_bash_gets_verbs_runtimes_stages_and_presets(folder: Path) -> None:
    assert {"train", "export", "verify", "run"} <= set(tab("slipway", "bash", "slipway "))
    assert tab("slipway", "bash", "slipway inspect three --stage p") == ["passes", "plan"]
    assert tab("slipway", "bash", "slipway run three --runtime e") == ["eager"]
    presets = {preset for name in recipe_names() for preset in load_recipe(name).presets}
    assert set(tab("slipway", "bash", "slipway train snli-spinn --preset ")) == {"default", *presets}


def test_bundles_are_found_a_folder_further_down(folder: Path) -> None:
    assert complete.bundles("") == ["artifacts/one", "artifacts/two", "three"]
    assert complete.bundles("artifacts/o") == ["artifacts/one"]
    assert complete.bundles("./th") == ["./three"]
    assert complete.bundles("nowhere/") == []
    assert complete.models("a") == ["artifacts/one", "artifacts/two", "any.onnx"]


def test_lists_of_runtimes_go_on_after_a_comma() -> None:
    assert complete.some_runtimes("a") == ["all"]
    assert complete.some_runtimes("native-cpu,n") == ["native-cpu,native-cuda"]
    assert complete.one_runtime("native") == ["native", "native-cpu", "native-cuda"]
    assert complete.recipes("") == recipe_names()


@pytest.mark.parametrize(("shell", "sign"), [("bash", "-o default -F"), ("zsh", "#compdef"), ("fish", "--no-files")])
@pytest.mark.parametrize("program", ["slipway", "train-and-export"])
def test_the_scripts_of_the_shells_are_shown_and_installed(tmp_path: Path, program: str, shell: str, sign: str) -> None:
    code = f"from slipway.cli import {_MAIN[program]} as main\nmain()\n"
    # Without the detection of the shell that calls, its name is an argument.
    environment = os.environ | {"HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    for option in ("--show-completion", "--install-completion"):
        command = [sys.executable, "-c", code, option, shell]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        if option == "--show-completion":
            assert sign in done.stdout
    assert any(path.is_file() for path in tmp_path.rglob("*"))
