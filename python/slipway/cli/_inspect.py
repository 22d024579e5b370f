"""``slipway inspect``: the card of a model, its stages in the engine, its picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from slipway.cli import _complete as complete
from slipway.cli._console import JsonOption, checked_file, notice, require_engine, show, table, write_result
from slipway.errors import ExitCode, UsageError

EXAMPLES = """[b]Examples[/b]

slipway inspect artifacts/names-gru --json -

slipway inspect artifacts/mnist-inception --svg inception.svg

slipway inspect model.onnx --stage plan --shapes tokens:9x4,lengths:4
"""

STAGES = ("onnx", "graph", "passes", "plan")

#: Metadata in tables; ``--json`` has all of it.
_LONGEST = 160

#: As slipway-infer has it.
_LARGEST = 1 << 40

Line = tuple[str, str, object]


def inspect_verb(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", autocompletion=complete.models, help="A bundle folder or an ONNX file.")
    ],
    stage: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(STAGES),
            autocompletion=complete.words(*STAGES),
            help="Show this stage in the engine instead of the card.",
        ),
    ] = None,
    shapes: Annotated[
        str | None,
        typer.Option(metavar="NAME:AxB,...", help="For the card and plan; a bundle's first golden gives the default."),
    ] = None,
    svg: Annotated[
        Path | None,
        typer.Option(metavar="FILE", callback=checked_file, help="Write a picture of the graph, with fusions."),
    ] = None,
    json: JsonOption = None,
) -> int:
    """Show what a model is: ports, parameters, work, operators, passes, kernels, memory, metadata.

    With --stage: a stage of the model in the engine, in its stable text form.
    """
    wanted = None if shapes is None else parse_shapes(shapes)
    if stage is not None:
        if svg is not None or json is not None:
            raise UsageError("--stage prints a text; --svg and --json belong to the card, without --stage")
        return _show_stage(model, stage, wanted)
    from slipway.look.card import Model, make_card

    opened = Model.open(model)
    card = make_card(opened, wanted)
    files = {}
    if svg is not None:
        from slipway.look.picture import picture_of_graph

        files[svg] = picture_of_graph(opened.parts(), card["groups"] or (), model.resolve().name).encode()
    write_result(card, json, table(("", "", ""), list(_lines(card))), files=files)
    for file in files:
        notice(f"wrote {file}")
    return ExitCode.OK


def parse_shapes(text: str) -> dict[str, list[int]]:
    """Parse ``tokens:9x4,lengths:4``.

    Raises:
        UsageError: The text is of another form.
    """
    shapes: dict[str, list[int]] = {}
    for part in text.split(","):
        name, separator, dims = part.strip().rpartition(":")
        if not separator or not name or not all(dim.isdecimal() and len(dim) < 19 for dim in dims.split("x")):
            raise UsageError(f"--shapes {part!r} is not of the form NAME:AxB")
        if name in shapes:
            raise UsageError(f"--shapes: {name!r} is given twice")
        if any(int(dim) > _LARGEST for dim in dims.split("x")):
            raise UsageError(f"--shapes {part!r}: a size is at most {_LARGEST}")
        shapes[name] = [int(dim) for dim in dims.split("x")]
    return shapes


def _show_stage(model: Path, stage: str, wanted: Mapping[str, Sequence[int]] | None) -> int:
    if stage not in STAGES:
        raise UsageError(f"there is no stage {stage!r}; there are {', '.join(STAGES)}")
    if wanted is not None and stage != "plan":
        raise UsageError(f"--shapes belongs to the card and to --stage plan; --stage {stage} is of every shape")
    require_engine()
    from slipway.bundle import ONNX, Bundle
    from slipway.session import Session

    if model.is_dir():
        bundle = Bundle.open(model)
        if wanted is None and stage == "plan":
            wanted = {name: list(array.shape) for name, array in bundle.goldens[0].inputs.items()}
        session = Session(bundle.read(ONNX))
    else:
        session = Session(model)
    show(session.stage_text(stage, wanted))
    return ExitCode.OK


def _lines(card: Mapping[str, Any]) -> Iterator[Line]:
    opsets = ", ".join(f"{domain or 'opset'} {version}" for domain, version in card["opsets"].items())
    yield "file", "size", f"{_bytes(card['bytes'])}, IR version {card['ir_version']}, {opsets}"
    yield "file", "producer", card["producer"] or "does not say"
    for kind in ("input", "output"):
        for port in card[f"{kind}s"]:
            yield kind, port["name"], _port(port)
    size = card["parameters"]
    yield "parameters", "count", f"{size['count']:,} in {size['tensors']} tensors, {_bytes(size['bytes'])}"
    if card["passes"] is not None:
        yield from _work_lines(card["flops"])
    for row in card["operators"]:
        name = f"{row['domain']}::{row['operator']}" if row["domain"] else row["operator"]
        where = f"the engine has it: {', '.join(row['devices'])}" if row["known"] else "the engine does not have it"
        yield "operator", name, f"{row['count']} x, {where}"
    yield from _engine_lines(card)
    for key, value in card["metadata"].items():
        yield "metadata", key, value if len(value) <= _LONGEST else f"{value[:_LONGEST]}..."
    yield from _bundle_lines(card["bundle"])


def _work_lines(flops: Mapping[str, Any] | None) -> Iterator[Line]:
    if flops is None:
        yield "work", "flops", "not counted: sizes are open; --shapes NAME:AxB,... gives them"
        return
    sizes = ", ".join(f"{name} {'x'.join(map(str, shape)) or 'scalar'}" for name, shape in flops["shapes"].items())
    whole = "" if flops["engine_is_whole"] else ", without what is planned during the run"
    yield "work", "flops", f"{flops['engine']:,} in the engine at {sizes}{whole}"
    if flops["eager"] is not None:
        yield "work", "least flops", f"{flops['eager']:,} as the floor of the benchmark counts them"
    elif flops["no_eager"] is not None:
        yield "work", "least flops", f"not counted: {flops['no_eager']}"


def _engine_lines(card: Mapping[str, Any]) -> Iterator[Line]:
    if card["passes"] is None:
        yield "engine", "nodes", f"{card['nodes']}; the engine {card['engine']}"
        return
    yield "engine", "nodes", f"{card['nodes']} in the file, {card['nodes_after_passes']} after the passes"
    for record in card["passes"]:
        for note in record["notes"]:
            yield "pass", record["pass"], note
    for number, segment in enumerate(card["plan"] or ()):
        kernels = Counter(f"{step['op']} [{step['kernel']}]" for step in segment["steps"])
        told = ", ".join(f"{count} x {kernel}" if count > 1 else kernel for kernel, count in kernels.items())
        later = "; the rest is planned during the run" if segment["later"] else ""
        yield "plan", f"segment {number}", f"{told or 'nothing'}{later}"
        memory = f"arena {_bytes(segment['arena_bytes'])}, scratch {_bytes(segment['scratch_bytes'])}"
        yield "plan", "memory", memory


def _bundle_lines(bundle: Mapping[str, Any] | None) -> Iterator[Line]:
    if bundle is None:
        return
    score = bundle["score"]
    told = f", {score.get('name')} {score['value']:.4g}" if score and score.get("value") is not None else ""
    yield "bundle", "recipe", f"{bundle['recipe']}{told}"
    yield "bundle", "goldens", ", ".join(bundle["goldens"])
    for name, reason in bundle["missing"].items():
        yield "bundle", f"no {name}", reason
    for name, digest in bundle["sums"].items():
        if "/" not in name:
            yield "sum", name, digest


def _port(port: Mapping[str, Any]) -> str:
    shape = "of any shape" if port["shape"] is None else f"[{', '.join(_dim(dim) for dim in port['shape'])}]"
    return f"{port['dtype']} {shape}"


def _dim(dim: int | str | None) -> str:
    return "?" if dim is None else str(dim)


def _bytes(count: int) -> str:
    for unit, size in (("MB", 1_000_000), ("kB", 1000)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} bytes"
