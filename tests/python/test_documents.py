"""The documents: every command in them is run, in the order of the page, or says in the page why it is not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("slipway._engine", reason="the engine is not built")

ROOT = Path(__file__).resolve().parents[2]
#: Written by programs of the tree from results; what they say is tested where it is written.
GENERATED = {"docs/benchmarks.md"}
#: Blocks of commands by page: how many are run, and how many say why not.
COUNTS = {
    "README.md": (2, 1),
    "README.zh.md": (2, 1),  # not run again: test_the_chinese_page_has_commands_of_the_english_one
    "docs/cookbook.md": (10, 0),
    "docs/cpp.md": (0, 5),
    "docs/cuda.md": (1, 5),
    "docs/security.md": (0, 1),
    "docs/tour.md": (16, 2),
}
_COMMANDS = "cmake|make|nox|pip|pytest|python|python3|slipway|slipway-infer|train-and-export"
#: What every recipe of the notes needs in a test: a taste, not its score.
_SMALL = """
train-and-export() {
  case " $* " in
    *" --epochs "*|*.py*|*" --list "*) command train-and-export "$@" ;;
    *) command train-and-export "$@" --preset smoke --formats onnx ;;
  esac
}
"""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the comment above it, its lines, and where it begins."""

    language: str
    mark: str
    text: str
    line: int


def pages() -> list[str]:
    return ["README.md", "README.zh.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]


def blocks(page: str) -> list[Block]:
    found, mark, opened = [], "", None
    lines: list[str] = []
    for number, line in enumerate((ROOT / page).read_text(encoding="utf-8").splitlines(), 1):
        if opened is not None:
            if line == "```":
                found.append(Block(opened[0], mark, "\n".join(lines) + "\n", opened[1]))
                opened, mark, lines = None, "", []
            else:
                lines.append(line)
        elif line.startswith("```"):
            opened = (line[3:], number)
        elif comment := re.fullmatch(r"<!-- (.*) -->", line):
            mark = comment[1]
        elif line:
            mark = ""
    assert opened is None, f"{page}, line {opened and opened[1]}: a block does not end"
    return found


@pytest.mark.parametrize("page", pages())
def test_every_block_of_commands_is_run_or_says_why_not(page: str) -> None:
    of_commands = [block for block in blocks(page) if block.language == "sh"]
    skipped = [block for block in of_commands if block.mark.startswith("not run: ")]
    assert all(len(block.mark) > len("not run: ") + 10 for block in skipped)
    assert (len(of_commands) - len(skipped), len(skipped)) == COUNTS.get(page, (0, 0))


@pytest.mark.parametrize("page", sorted(set(pages()) - GENERATED))
def test_commands_stand_in_fenced_blocks(page: str) -> None:
    indented = re.findall(rf"^    (?:{_COMMANDS}) .*$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    setup = [line.split("#")[0].strip() for line in indented]
    assert setup == (["make demo", "make test"] if page.startswith("README") else [])


def test_the_chinese_page_has_commands_of_the_english_one() -> None:
    def commands(page: str) -> set[str]:
        run = [
            block.text for block in blocks(page) if block.language == "sh" and not block.mark.startswith("not run: ")
        ]
        return {line.split("#")[0].strip() for text in run for line in text.splitlines()}

    assert commands("README.zh.md") <= commands("README.md")


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page, (run, _) in COUNTS.items() if run and page != "README.zh.md"])
def test_what_the_page_says_works(page: str, tmp_path: Path) -> None:
    folder = str(Path(sys.executable).parent)
    assert shutil.which("slipway-infer", path=folder), "slipway-infer is not installed: pip install ."
    environment = {key: value for key, value in os.environ.items() if key != "SLIPWAY_DATA"} | {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "SLIPWAY_OFFLINE": "1",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",  # the pages show what a machine without a GPU says
    }
    printed = ""
    for block in blocks(page):
        where = f"{page}, line {block.line}"
        if block.mark.startswith("file: "):
            (tmp_path / block.mark.removeprefix("file: ")).write_text(block.text, encoding="utf-8")
        elif block.mark == "output":
            same_shape(block.text, printed, where)
        elif block.language == "sh" and not block.mark.startswith("not run: "):
            printed = run(["bash", "-euo", "pipefail", "-c", _SMALL + block.text], tmp_path, environment, where)
        elif block.language == "python" and block.mark == "run":
            printed = run([sys.executable, "-c", block.text], tmp_path, environment, where)


def run(command: list[str], folder: Path, environment: dict[str, str], where: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, f"{where}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def same_shape(shown: str, printed: str, where: str) -> None:
    """Compare words and places, not numbers: seconds and last digits are those of one machine."""

    def words(text: str) -> list[list[str]]:
        # NumPy pads numbers that have fewer digits, in front of a bracket too.
        lines = (re.sub(r"[-─]{2,}|\d[\d.e+-]*", "#", line) for line in text.replace("]", " ]").splitlines())
        return [line.split() for line in lines if line.strip()]

    assert words(shown) == words(printed), f"{where}: the page shows\n{shown}\nand now it is\n{printed}"
