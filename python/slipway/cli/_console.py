"""What the commands print: tables and JSON to stdout, notices and faults to stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from slipway import __version__
from slipway._files import check_writable, write_atomically
from slipway.errors import FileError, UnavailableError, UsageError

#: Width of tables where there is no terminal: nothing is cut, so that scripts find what they look for.
_PIPE_WIDTH = 400


def _checked_json(context: typer.Context, target: str | None) -> str | None:
    if target not in (None, "-") and not context.resilient_parsing:
        check_writable(Path(target))
    return target


def checked_file(context: typer.Context, path: Path | None) -> Path | None:
    """Refuse a file that cannot be written, before any work is done: the callback of an option.

    Raises:
        UsageError: It is ``-``.
        FileError: It cannot be written.
    """
    if path is not None and not context.resilient_parsing:
        if str(path) == "-":
            raise UsageError("- means standard output, which only --json takes; give the name of a file")
        check_writable(path)
    return path


def checked_folder(context: typer.Context, path: Path | None) -> Path | None:
    """Refuse a folder that no file can be written into, before any work is done: the callback of an option.

    Raises:
        FileError: No file can be written there.
    """
    if path is not None and not context.resilient_parsing:
        check_writable(path / "x")
    return path


JsonOption = Annotated[
    str | None,
    typer.Option(
        "--json",
        metavar="FILE|-",
        callback=_checked_json,
        help="Write the result as JSON, to a file or (-) to stdout.",
    ),
]


def _show_version(context: typer.Context, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        show(f"{context.find_root().info_name} {__version__}\n")
        raise typer.Exit


VersionOption = Annotated[
    bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
]


class ReaderGoneError(Exception):
    """Nobody reads stdout any more (``| head``): there is nothing left to do, and nobody to tell."""


def notice(message: str) -> None:
    """Tell the user something that is not a result."""
    with suppress(OSError):  # who cannot be told still gets the exit code
        sys.stderr.write(one_line(message) + "\n")


def fail(message: str) -> None:
    """Tell the user what went wrong, in one line."""
    notice(f"error: {message}")


def one_line(message: str) -> str:
    """Return a message as one line that cannot steer a terminal."""
    return "".join(c if c.isprintable() else " " if c in "\n\t" else ascii(c)[1:-1] for c in message.strip())


def require_engine() -> None:
    """Refuse to go on where the engine is not built.

    Raises:
        UnavailableError: It is not.
    """
    try:
        from slipway import _engine  # noqa: F401
    except ImportError as error:
        raise UnavailableError(f"the engine is not built ({error}); build it with: pip install .") from error


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """Return a plain table; numbers stand to the right. Columns without names have no heading."""
    result = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=any(columns))
    for place, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[place], int | float) for row in rows)
        result.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        result.add_row(*(_cell(value) for value in row))
    return result


def write_result(
    value: Any, target: str | None, *texts: Table | str, files: Mapping[Path, bytes] | None = None
) -> None:
    """Write a result: as JSON to a file or to stdout; for people, to stdout, unless the JSON went there.

    Args:
        value: What the JSON holds.
        target: A file, ``-`` for stdout, or None.
        texts: The same for people.
        files: More files to write.

    Raises:
        FileError: A file cannot be written, which is told when all else is done.
    """
    content = json_text(value, indent=1) + "\n"
    if target == "-":
        texts = (content,)
    contents = dict(files or {})
    if target not in (None, "-"):
        contents[Path(target)] = content.encode("utf-8")
    try:
        for text in texts:
            show(text)
    finally:  # who no longer reads stdout still gets the files
        _write_files(contents)


def json_text(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON, as ``slipway-infer`` writes it.

    JSON has no infinity and no NaN: they become null. Bytes of names that are not UTF-8 become escapes, as in PEP 383.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, indent=indent)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write_files(contents: Mapping[Path, bytes]) -> None:
    faults = []
    for path, content in contents.items():
        try:
            write_atomically(path, content)
        except FileError as error:
            faults.append(str(error))
    if faults:
        raise FileError("; ".join(faults))


def write_out(text: str) -> None:
    """Write to stdout, now.

    Raises:
        ReaderGoneError: The pipe's reader has ended.
        FileError: It cannot be written.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderGoneError from None
    except OSError as error:
        raise FileError(f"cannot write standard output: {error.strerror}") from error


def show(text: Table | str) -> None:
    """Print a table or a text to stdout."""
    if isinstance(text, str):
        write_out(text if text.endswith("\n") else text + "\n")
        return
    if sys.stdout.isatty():
        Console(highlight=False).print(text)
        return
    plain = Console(width=_PIPE_WIDTH, highlight=False, color_system=None)  # in a pipe nothing is cut or coloured
    with plain.capture() as captured:
        plain.print(text)
    lines = [line.rstrip() for line in captured.get().splitlines()]
    write_out("\n".join(line for line in lines if line) + "\n")


@contextmanager
def status() -> Iterator[Callable[[str], None]]:
    """Show on a terminal what is being done, as the given function is told; in a pipe nothing."""
    from rich.markup import escape

    with Console(stderr=True, quiet=not sys.stderr.isatty()).status("starting") as shown:
        yield lambda what: shown.update(escape(one_line(what)))


def _cell(value: object) -> str:
    from rich.markup import escape

    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else escape(one_line(str(value)))
