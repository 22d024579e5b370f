"""The two applications, their verbs, and the one place where errors become exit codes.

Each verb has its own file here. Results go to stdout, everything else to stderr; only this room prints and exits.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import typer
from typer.main import get_command

from slipway.cli import _bench as bench
from slipway.cli import _check as check
from slipway.cli import _export as export
from slipway.cli import _images as images
from slipway.cli import _inspect as inspect
from slipway.cli import _look as look
from slipway.cli import _run as run
from slipway.cli import _train as train
from slipway.cli._console import ReaderGoneError, VersionOption, fail, notice
from slipway.cli._faults import debugging, fault_of
from slipway.errors import ExitCode, FileError

_EPILOG = "Results go to stdout, everything else to stderr. --debug shows where an error comes from."

slipway_app = typer.Typer(
    help="From course notes to native speed: train, export, verify, run and measure small networks.",
    epilog=_EPILOG,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
train_and_export_app = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False)

train_and_export_app.command(epilog=train.EXAMPLES + _EPILOG)(train.train_and_export)


@slipway_app.callback()
def _slipway(version: VersionOption = False) -> None:
    """Take the options that stand before a verb."""


slipway_app.command("train", epilog="[b]Example[/b]: slipway train names-gru --data embedded")(train.train_verb)
slipway_app.command("export", epilog=export.EXAMPLES)(export.export_verb)
slipway_app.command("verify", epilog=check.VERIFY_EXAMPLES)(check.verify_verb)
slipway_app.command("run", epilog=run.EXAMPLES)(run.run_verb)
slipway_app.command("images", epilog=images.EXAMPLES)(images.images_verb)
slipway_app.command("bench", epilog=bench.EXAMPLES)(bench.bench_verb)
slipway_app.command("inspect", epilog=inspect.EXAMPLES)(inspect.inspect_verb)
slipway_app.command("selftest", epilog="[b]Example[/b]: slipway selftest artifacts/names-gru")(check.selftest_verb)
slipway_app.command("doctor", epilog=look.DOCTOR_EXAMPLES)(look.doctor_verb)
slipway_app.command("ops", epilog="[b]Example[/b]: slipway ops --json -")(look.ops_verb)


def run_command(app: typer.Typer, name: str, arguments: list[str]) -> int:
    """Run a command line and return its exit code; an error is one clear line on stderr."""
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"] or ["--help"]
    debugging.set(debug)
    if not debug:
        warnings.simplefilter("ignore")
    try:
        _check_current_folder()
        code = get_command(app).main(arguments, prog_name=name, standalone_mode=False)
    except ReaderGoneError:
        return int(ExitCode.ERROR)
    except Exception as error:  # the boundary: whatever it is, it becomes one line and an exit code
        return _explain(error, name)
    if code == ExitCode.INTERRUPTED:
        notice("interrupted")
    return int(code or 0)


def _check_current_folder() -> None:
    try:
        Path.cwd()
    except OSError as error:  # libraries that torch loads end the process without a word about it
        raise FileError(f"the current folder cannot be used ({error.strerror}); change to one that is there") from error


def _explain(error: Exception, name: str) -> int:
    explain_usage = getattr(error, "format_message", None)  # typer's click errors share no public base class
    if explain_usage is not None:
        command = getattr(getattr(error, "ctx", None), "command_path", name)  # of a verb, where one was recognised
        fail(f"{explain_usage()} ({command} --help shows how)")
        return int(ExitCode.USAGE)
    fault = fault_of(error)
    fail(fault.message)
    return int(fault.exit_code)
