"""The commands ``slipway`` and ``train-and-export``: their entry points.

What they do is loaded inside the process that :func:`slipway._process.run_process` has made ready, so that a Ctrl-C is
answered from the start.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

from slipway._process import run_process

if TYPE_CHECKING:
    from slipway.cli._commands import run_command as run_command
    from slipway.cli._commands import slipway_app as slipway_app
    from slipway.cli._commands import train_and_export_app as train_and_export_app


def main() -> NoReturn:
    """Run the command ``slipway`` and exit."""
    run_process(lambda: _execute("slipway_app", "slipway"))


def train_and_export_main() -> NoReturn:
    """Run the command ``train-and-export`` and exit."""
    run_process(lambda: _execute("train_and_export_app", "train-and-export"))


def _execute(app: str, name: str) -> int:
    from slipway.cli import _commands

    return _commands.run_command(getattr(_commands, app), name, sys.argv[1:])


def __getattr__(name: str) -> object:
    """Load the commands at first use (PEP 562)."""
    if name in ("run_command", "slipway_app", "train_and_export_app"):
        from slipway.cli import _commands

        return getattr(_commands, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
