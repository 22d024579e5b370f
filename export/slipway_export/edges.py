"""Sizes at the edge of what an exported program holds for.

``torch.export`` answers what Python code asks of a size as the example answers it, and keeps the question as a guard:
``if x.size(2) >= 24`` leaves ``H >= 24`` behind. Kernels leave guards too, most of them for sizes that eager PyTorch
refuses as well. Which ones are harmless cannot be read from them; so the sizes where one fails become cases of the
verification. Where eager answers there, every form has to answer like it, or there is no bundle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import SymInt
from torch.export import ExportedProgram
from torch.utils._sympy.printers import PythonPrinter

from slipway.errors import ExportError
from slipway.signature import InputPort, Signature
from slipway_export.cases import Case, Pool, sized_inputs
from slipway_export.verify import Row

#: A symbol of torch's expressions, which are sympy's.
Symbol = Any
Arrays = Mapping[str, NDArray[np.generic]]
Sizes = Mapping[str, int]

#: Sizes that are tried in every guard, beside those around its own numbers and the example's: convolutions and
#: poolings that halve an image change what they do here.
_TRIED = frozenset(size for power in (1, 2, 4, 8, 16, 32, 64) for size in (power - 1, power, power + 1))
#: Numbers in an input: at larger sizes nothing is tried. Guards of 2^31 elements, where kernels change, are no cases.
_MOST_NUMBERS = 1 << 20


#: The case at the sizes that the program was captured at.
_EXAMPLE = "example"


@dataclass(frozen=True)
class Edge:
    """Sizes of all dynamic dimensions at which ``rule``, such as ``H >= 24``, fails or only just holds.

    ``changed`` are those that differ from the example's.
    """

    rule: str
    sizes: Sizes
    changed: Sizes

    @property
    def name(self) -> str:
        """The case's name, such as ``H=23``."""
        return ",".join(f"{name}={size}" for name, size in self.changed.items()) or _EXAMPLE


def edges_of(program: ExportedProgram, signature: Signature, example: Arrays) -> tuple[Edge, ...]:
    """Return the edges of a program, no two of the same sizes, after the sizes that it was captured at."""
    symbols, base = _symbols(program, signature), _sizes(signature, example)
    edges = {tuple(sorted(base.items())): Edge("", base, {})}
    for rule in _rules(program, symbols):
        names = [symbols[symbol] for symbol in rule.free_symbols if symbol in symbols]
        if len(names) < len(rule.free_symbols):  # a size that only the run knows
            continue
        text = PythonPrinter().doprint(rule.xreplace({symbol: symbol.func(name) for symbol, name in symbols.items()}))
        for changed in _changes(rule, symbols, base, sorted(names)):
            sizes = {**base, **changed}
            key = tuple(sorted(sizes.items()))
            if key not in edges and _numbers(signature, sizes) <= _MOST_NUMBERS:
                edges[key] = Edge(text, sizes, changed)
    return tuple(edges.values())


def edge_cases(pool: Pool, edges: Sequence[Edge]) -> list[Case]:
    """Return a case of the verification for each edge."""
    return [Case(edge.name, sized_inputs(pool, edge.sizes)) for edge in edges]


def refuse_edges(edges: Sequence[Edge], rows: Sequence[Row], module: str) -> None:
    """Refuse a module where a form that is right at the example's sizes is wrong at an edge.

    Raises:
        ExportError: The message names the dimension, its bound, and a size beyond that eager takes.
    """
    by_name = {edge.name: edge for edge in edges}
    wrong = {row.runtime for row in rows if row.case == _EXAMPLE and not row.ok}
    row = next((row for row in rows if row.case in by_name and not row.ok and row.runtime not in wrong), None)
    if row is not None:
        edge = by_name[row.case]
        raise ExportError(
            f"{module}: its exported forms are right only where {edge.rule}, and it also takes {edge.name} "
            f"({row.told}); it asks for a size in Python, and export keeps the answer of the example's size. Compute "
            "alike at every size, or let forward raise an error at sizes that the model is not made for"
        )


def dynamic_sizes(program: ExportedProgram, signature: Signature) -> Iterator[tuple[InputPort, str, Any]]:
    """Yield every named dimension of an input: its port, its name, and the size that the program has for it."""
    values = {n.name: n.meta["val"] for n in program.graph.nodes if n.op == "placeholder" and "val" in n.meta}
    for port, user in zip(signature.inputs, program.graph_signature.user_inputs, strict=True):
        for axis, name in enumerate(port.dims):
            if isinstance(name, str):
                yield port, name, values[str(user)].shape[axis]


def _symbols(program: ExportedProgram, signature: Signature) -> dict[Symbol, str]:
    """Return the signature's name of each of the program's symbols."""
    sizes = dynamic_sizes(program, signature)
    return {size.node.expr: name for _, name, size in sizes if isinstance(size, SymInt) and size.node.expr.is_Symbol}


def _sizes(signature: Signature, example: Arrays) -> dict[str, int]:
    return {
        name: size
        for port in signature.inputs
        for name, size in zip(port.dims, example[port.name].shape, strict=True)
        if isinstance(name, str)
    }


def _rules(program: ExportedProgram, symbols: Mapping[Symbol, str]) -> Iterator[Any]:
    """Yield what must hold: guards, the bounds that follow, and that no size is 1, of which torch.export is sure."""
    values = (node.meta.get("val") for node in program.graph.nodes if node.op == "placeholder")
    environments = {id(mode.shape_env): mode.shape_env for v in values if (mode := getattr(v, "fake_mode", None))}
    for environment in environments.values():
        yield from (guard.expr for guard in environment.guards) if environment is not None else ()
    for symbol in symbols:
        bounds = program.range_constraints.get(symbol)
        yield symbol >= max(2, 0 if bounds is None else bounds.lower)
        if bounds is not None and bounds.upper.is_Integer:
            yield symbol <= bounds.upper


def _changes(rule: Any, symbols: Mapping[Symbol, str], base: Sizes, names: Sequence[str]) -> Iterator[Sizes]:
    """Yield sizes that break a rule: by one name at a time, then by all of them alike."""
    together = [names] if len(names) > 1 else []
    for varied in [*([name] for name in names), *together]:
        numbers = {int(number) for number in rule.atoms() if number.is_Integer} | {base[name] for name in names}
        tried = sorted(_TRIED.union(number + step for number in numbers for step in (-1, 0, 1)))
        failing = [
            size for size in tried if size > 0 and not _holds(rule, symbols, {**base, **dict.fromkeys(varied, size)})
        ]
        below = [size for size in failing if size < min(base[name] for name in varied)]
        above = [size for size in failing if size > max(base[name] for name in varied)]
        bound = [below[-1] + 1] if below and getattr(rule, "rel_op", "") == ">=" else []
        chosen = dict.fromkeys([*below[-1:], *above[:1], *failing[:1], *bound])
        yield from (dict.fromkeys(varied, size) for size in chosen)


def _holds(rule: Any, symbols: Mapping[Symbol, str], sizes: Sizes) -> bool:
    """Say whether a rule holds; one that cannot be told holds."""
    # xreplace takes sympy's own numbers only; it needs a tenth of the time of subs.
    numbers = {symbol: 0 * symbol + sizes[name] for symbol, name in symbols.items()}
    try:
        return bool(rule.xreplace(numbers))
    except (ZeroDivisionError, TypeError, AssertionError):  # by nothing, of less than nothing, or only the run knows
        return True


def _numbers(signature: Signature, sizes: Sizes) -> int:
    return max(prod(dim if isinstance(dim, int) else sizes[dim] for dim in port.dims) for port in signature.inputs)
