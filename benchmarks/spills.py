"""Lists the loops of vector kernels that put registers aside in every turn.

    python benchmarks/spills.py build/release                  # exit code 1 where a tile of sums does
    python benchmarks/spills.py build/release --isa avx512 --all

A tile that needs one register more than there are runs at half its speed, and nothing else tells: a sum that goes to
the stack and back makes every turn wait for the one before. Looks for innermost loops of multiply-adds that store
vectors to the stack, in the object files of a build without link-time optimisation. Needs objdump.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_REGISTERS = {"baseline": "xmm", "avx2": "ymm", "avx512": "zmm"}
# The kernels that hold as many sums as the registers do, but those whose weights of fewer bits wait for a conversion.
_TILES = re.compile(r"::(sum_channels|sum_samples|multiply_channels|multiply_samples|multiply|multiply_block)<")
_CONVERTING = re.compile(r"Bfloat16s|Int8s")
_FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")
_INSTRUCTION = re.compile(r"^\s+([0-9a-f]+):\s+(.*)$")
_JUMP = re.compile(r"^j\w+\s+([0-9a-f]+)")
_LONGEST = 160
_FEWEST = 4


class Loop(NamedTuple):
    """An innermost loop of a function."""

    function: str
    multiply_adds: int
    stores: int


def loops_in(function: str, instructions: list[tuple[int, str]], register: str) -> Iterator[Loop]:
    """The loops of multiply-adds that put vectors aside."""
    store = re.compile(rf"^v?mov[au]p[sd]\s+%{register}\d+,[^%]*\(%r[sb]p")
    places = {address: i for i, (address, _) in enumerate(instructions)}
    for end, (_, text) in enumerate(instructions):
        jump = _JUMP.match(text)
        begin = places.get(int(jump[1], 16), end) if jump else end
        if not 0 < end - begin < _LONGEST:
            continue
        body = [line for _, line in instructions[begin:end]]
        sums = sum(line.startswith(("vfmadd", "mulps", "vmulps")) and register in line for line in body)
        stores = sum(bool(store.match(line)) for line in body)
        is_innermost = not any(_JUMP.match(line) or line.startswith("call") for line in body)
        if is_innermost and stores and sums >= _FEWEST:
            yield Loop(function, sums, stores)


def loops_of(build: Path, isa: str) -> list[Loop]:
    """Of all kernels of an instruction set."""
    found: set[Loop] = set()
    for path in sorted((build / "cpp/CMakeFiles" / f"slipway_{isa}.dir").rglob("*.o")):
        command = ["objdump", "-d", "-C", "--no-show-raw-insn", str(path)]
        function, instructions = "", list[tuple[int, str]]()
        for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
            if name := _FUNCTION.match(line):
                found.update(loops_in(function, instructions, _REGISTERS[isa]))
                function, instructions = name[1], []
            elif instruction := _INSTRUCTION.match(line):
                instructions.append((int(instruction[1], 16), instruction[2]))
        found.update(loops_in(function, instructions, _REGISTERS[isa]))
    return sorted(found, key=lambda loop: (-loop.stores / loop.multiply_adds, loop.function))


def main() -> int:
    """Reads the arguments and lists the loops."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path, help="a folder that CMake has built the engine in")
    parser.add_argument("--isa", choices=sorted(_REGISTERS), help="one instruction set [avx2 and avx512]")
    parser.add_argument("--all", action="store_true", help="other loops of multiply-adds too")
    options = parser.parse_args()
    has_tiles = False
    for isa in [options.isa] if options.isa else ["avx2", "avx512"]:
        for loop in loops_of(options.build, isa):
            is_tile = bool(_TILES.search(loop.function)) and not _CONVERTING.search(loop.function)
            has_tiles |= is_tile
            if is_tile or options.all:
                sys.stdout.write(f"{isa}: {loop.stores} stores, {loop.multiply_adds} multiply-adds: {loop.function}\n")
    return 1 if has_tiles else 0


if __name__ == "__main__":
    sys.exit(main())
