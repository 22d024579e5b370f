"""Programs in C++ and C that find slipway by CMake or pkg-config say what Python says."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import slipway
from slipway.bundle import Bundle
from slipway.preprocess import decode

from .conftest import run

pytestmark = pytest.mark.slow

CONSUMER = Path(__file__).parent
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Werror")


@pytest.fixture(scope="session")
def programs(prefix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the consumer against the installed package, every warning an error."""
    config = next(prefix.rglob("slipwayConfig.cmake")).parent
    build = tmp_path_factory.mktemp("consumer")
    flags = " ".join(WARNINGS)
    run(
        "cmake", "-S", CONSUMER, "-B", build, f"-Dslipway_DIR={config}", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
        f"-DCMAKE_C_FLAGS={flags}", f"-DCMAKE_CXX_FLAGS={flags}",
    )  # fmt: skip
    run("cmake", "--build", build)
    return build


@pytest.mark.parametrize("program", ["classify", "classify_c"])
def test_a_program_prints_pythons_label(programs: Path, bundle: Path, program: str) -> None:
    numbers = np.arange(90, 106, dtype=np.float32)[:, np.newaxis]
    outputs = slipway.Session(bundle).run({"number": numbers})
    labels = [run(programs / program, bundle, f"{number:.0f}").stdout.strip() for number in numbers[:, 0]]
    assert set(labels) == {"number", "fizz", "buzz", "fizzbuzz"}
    assert labels == decode(Bundle.open(bundle).signature, outputs)


@pytest.mark.parametrize("program", ["classify", "classify_c"])
def test_a_program_says_what_is_wrong(programs: Path, bundle: Path, program: str) -> None:
    assert "nowhere" in run(programs / program, bundle / "nowhere", "15", code=1).stderr
    assert (
        '"number" is float32 [1, 2], expected float32 [N, 1]'
        in run(programs / program, bundle, "1", "5", code=1).stderr
    )


def test_no_flag_of_ours_reaches_a_program(programs: Path) -> None:
    commands = (programs / "compile_commands.json").read_text(encoding="utf-8")
    for flag in WARNINGS:
        commands = commands.replace(f"{flag} ", "")
    assert "classify.cc" in commands
    assert not [flag for flag in ("-W", "-fsanitize", "-mavx", "-D", "-O") if f" {flag}" in commands]


def test_the_package_knows_its_version(prefix: Path, tmp_path: Path) -> None:
    config = next(prefix.rglob("slipwayConfig.cmake")).parent
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.22)\nproject(asks LANGUAGES CXX)\n"
        f"find_package(slipway {slipway.__version__} EXACT REQUIRED)\n"
        "find_package(slipway 99 QUIET)\nif(slipway_FOUND)\n  message(FATAL_ERROR found)\nendif()\n",
        encoding="utf-8",
    )
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-Dslipway_DIR={config}")


@pytest.mark.parametrize("name", ["classify.cc", "classify.c", "CMakeLists.txt"])
def test_the_page_shows_what_is_tested_here(name: str) -> None:
    page = (CONSUMER.parents[1] / "docs" / "cpp.md").read_text(encoding="utf-8")
    _, _, shown = (CONSUMER / name).read_text(encoding="utf-8").partition("\n")
    assert shown.strip() in page


@pytest.mark.skipif(shutil.which("pkg-config") is None, reason="pkg-config is not installed")
def test_pkg_config_is_enough_for_gcc(prefix: Path, bundle: Path, library: Path, tmp_path: Path) -> None:
    environment = os.environ | {"PKG_CONFIG_PATH": str(next(prefix.rglob("slipway.pc")).parent)}
    found = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "slipway"], env=environment, capture_output=True, text=True, check=True
    )
    program = tmp_path / "classify_c"
    source = CONSUMER / "classify.c"
    run("gcc", "-std=c11", *WARNINGS, source, "-o", program, *found.stdout.split(), f"-Wl,-rpath,{library.parent}")
    assert run(program, bundle, "15").stdout.strip() in {"number", "fizz", "buzz", "fizzbuzz"}


@pytest.mark.parametrize("header", ["c.h", "slipway.h"])
def test_a_header_needs_no_other(prefix: Path, tmp_path: Path, header: str) -> None:
    include = next(prefix.rglob(header)).parents[1]
    assert sorted(path.name for path in include.rglob("*.h")) == ["c.h", "slipway.h"]
    source = tmp_path / "one.cc"
    source.write_text(f"#include <slipway/{header}>\n#include <slipway/{header}>\n", encoding="utf-8")
    run("g++", "-std=c++20", *WARNINGS, "-fsyntax-only", f"-I{include}", source)


def test_a_c_program_may_be_as_strict_as_it_likes(prefix: Path, tmp_path: Path) -> None:
    include = next(prefix.rglob("c.h")).parents[1]
    (tmp_path / "one.c").write_text("#include <slipway/c.h>\n", encoding="utf-8")
    run("gcc", "-std=c11", *WARNINGS, "-Wc++-compat", "-fsyntax-only", f"-I{include}", tmp_path / "one.c")
