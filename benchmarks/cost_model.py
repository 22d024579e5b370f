"""What the plan counts against what a run takes: does the engine's cost model see where the time goes?

    python benchmarks/cost_model.py                          # every bundle of zoo/ that runs as networks
    python benchmarks/cost_model.py --batches 1,16 --json counted.json

The plan chooses lanes and blocks of a network by vector multiply-adds, those of padded lanes and empty tiles counted
too (``slipway inspect --stage plan`` prints them). A choice is right as long as one of them takes about as long in one
network as in another: the table shows picoseconds per counted one, and the last line by how much they differ. Runs that
are too short to see it are left out.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import slipway
from slipway.bench.inputs import bench_inputs
from slipway.bench.protocol import Call, Settings, measure
from slipway.bundle import ONNX, Bundle
from slipway.stages import read_plan

#: A step that is no network must be a small part of the flops, else its time would be counted to the network.
_MOST_OTHER = 0.02
#: Below, the cost of a call is much of the time.
_LEAST = 20_000
_SETTINGS = Settings(rounds=3, turn_seconds=0.1)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--zoo", type=Path, default=Path("zoo"), metavar="DIR", help="folder of the bundles")
    parser.add_argument("--batches", default="1,16,256", metavar="LIST")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    batches = [int(batch) for batch in options.batches.split(",")]
    rows = list(measure_all(options.zoo, batches))
    if not rows:
        sys.stderr.write(f"no bundle of {options.zoo} runs as networks; `make zoo` makes them\n")
        return 1
    sys.stdout.write("\n".join(lines_of(rows)) + "\n")
    if options.json is not None:
        options.json.write_text(json.dumps({"isa": slipway._engine.isas()[-1], "rows": rows}, indent=1) + "\n")
    return 0


def lines_of(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the table and what it comes to."""
    yield f"{'model':18}{'batch':>6}  {'lanes':10}{'counted':>13}{'us':>11}{'ps each':>9}"
    for row in rows:
        start = f"{row['model']:18}{row['batch']:>6}  {row['lanes']:10}"
        yield f"{start}{row['counted']:>13,}{row['us']:>11.1f}{row['ps_each']:>9.0f}"
    each = sorted(row["ps_each"] for row in rows)
    span = f"from {each[0]:.0f} to {each[-1]:.0f}: {each[-1] / each[0]:.1f}x apart"
    yield f"median {statistics.median(each):.0f} ps, {span}"


def measure_all(zoo: Path, batches: list[int]) -> Iterator[dict[str, Any]]:
    """Yield a row for each bundle and batch whose work is nearly all in networks."""
    for path in sorted(zoo.glob("*/model.onnx")):
        bundle = Bundle.open(path.parent)
        session = slipway.Session(bundle.read(ONNX))
        for batch in batches:
            inputs = bench_inputs(bundle, batch)
            plan = session.stage_text("plan", {name: list(array.shape) for name, array in inputs.items()})
            counted = counted_in(plan, batch)
            if counted is None or counted[1] < _LEAST:
                continue
            run = measure({"run": Call(session.run, inputs)}, _SETTINGS)["run"]
            microseconds = run.figures()["p50_us"]
            yield {
                "model": bundle.name,
                "batch": batch,
                "lanes": counted[0],
                "counted": counted[1],
                "us": microseconds,
                "ps_each": microseconds * 1e6 / counted[1],
            }


def counted_in(plan: str, batch: int) -> tuple[str, int] | None:
    """Return whose lanes a plan's networks have and what they count, or None where other steps matter."""
    segments = read_plan(plan)
    flops = {True: 0, False: 0}
    for step in (step for segment in segments for step in segment.steps):
        flops[step.op == "Network"] += step.flops
    found = re.findall(r"lanes are (\w+), blocks of (\d+), .*?(\d+) vector multiply-adds", plan)
    if not found or any(segment.later for segment in segments) or flops[False] > _MOST_OTHER * flops[True]:
        return None
    lanes = "/".join(sorted({lanes for lanes, _, _ in found}))
    return lanes, sum(-(-batch // int(block)) * int(count) for _, block, count in found)


if __name__ == "__main__":
    sys.exit(main())
