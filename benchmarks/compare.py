"""Compares two result files of ``slipway bench`` or benchmarks/runtimes.py, cell by cell.

    python benchmarks/compare.py OLD.json NEW.json [--runtimes native-cpu,native-cpu-bound] [--json FILE|-]

What "slower" means stands in ``slipway.bench.compare``. Exit code 5 where a cell is slower, 1 where the files have no
cell in common.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from slipway.bench.compare import COLUMNS, compare, differences, read_result, rows_of
from slipway.bench.competitors import NATIVE, NATIVE_BOUND
from slipway.cli._console import table, write_result
from slipway.errors import ExitCode, SlipwayError


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare the files on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--runtimes", default=f"{NATIVE},{NATIVE_BOUND}", metavar="LIST|all", help="whose times count")
    parser.add_argument("--json", metavar="FILE|-")
    wanted = parser.parse_args(arguments)
    try:
        old, new = read_result(wanted.old), read_result(wanted.new)
        cells = compare(rows_of(old, wanted.runtimes), rows_of(new, wanted.runtimes))
    except SlipwayError as error:
        sys.stderr.write(f"error: {error}\n")
        return int(error.exit_code)
    sys.stderr.writelines(f"note: {note}\n" for note in differences(old, new))
    result = {"slower": sum(cell["verdict"] == "slower" for cell in cells), "cells": cells}
    write_result(result, wanted.json, table(COLUMNS, [[cell[c] for c in COLUMNS] for cell in cells]))
    return int(ExitCode.SLOWER if result["slower"] else ExitCode.OK)


if __name__ == "__main__":
    sys.exit(main())
