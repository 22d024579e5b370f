"""The process around a command: its streams, its signals, and its last word. What a command does is not known here."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from slipway.errors import ExitCode

#: Two presses of Ctrl-C that come closer than this are one: the first is being dealt with.
_ONE_PRESS_SECONDS = 1.0
#: How a closed stream is opened instead: reading finds the end, writing to stdout fails, to stderr it does not.
_INSTEAD = (os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)


def run_process(work: Callable[[], int]) -> NoReturn:
    """Run ``work`` as the whole of this process, and exit with the code that it returns.

    Ctrl-C and SIGTERM raise ``KeyboardInterrupt`` in it, so that what it has begun is cleaned up; one that comes more
    than a second later ends the process at once. A result that cannot be written is an error.
    """
    _open_closed_streams()
    _Interrupts().install()
    try:
        code = work()
    except KeyboardInterrupt:
        with suppress(OSError):
            sys.stderr.write("interrupted\n")
        code = int(ExitCode.INTERRUPTED)
    for number in (signal.SIGINT, signal.SIGTERM):  # the work is done; Python takes itself apart in peace
        signal.signal(number, signal.SIG_IGN)
    sys.exit(_flushed(code))


class _Interrupts:
    """What Ctrl-C and SIGTERM do."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._report = sys.unraisablehook

    def install(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:  # a shell's background work does not hear Ctrl-C
                signal.signal(number, self._interrupt)
        sys.unraisablehook = self._unraisable

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._first is None:
            self._first = time.monotonic()
            raise KeyboardInterrupt
        if time.monotonic() - self._first > _ONE_PRESS_SECONDS:
            os.write(2, b"interrupted\n")
            os._exit(ExitCode.INTERRUPTED)

    def _unraisable(self, unraisable: sys.UnraisableHookArgs) -> None:
        """Repeat an interrupt that came inside a destructor or a callback of C, where Python drops exceptions."""
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            self._first = None
            again = threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGINT))
            again.daemon = True
            again.start()
        else:
            self._report(unraisable)


def _open_closed_streams() -> None:
    """Give closed streams a file: else the next file that is opened gets a number that libraries print to."""
    for number, flags in enumerate(_INSTEAD):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)
    sys.stdin = sys.stdin or os.fdopen(0)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may hold bytes that are not UTF-8


def _flushed(code: int) -> int:
    """Write what is left in the streams; returns the exit code."""
    try:
        sys.stdout.flush()
    except OSError as error:
        if code == ExitCode.OK and not isinstance(error, BrokenPipeError):
            with suppress(OSError):
                sys.stderr.write(f"error: cannot write standard output: {error.strerror}\n")
        code = code or int(ExitCode.ERROR)
        _drop(1)
    try:
        sys.stderr.flush()
    except OSError:  # who cannot be told still gets the exit code
        _drop(2)
    return code


def _drop(number: int) -> None:
    """Let what a stream still holds go nowhere: Python flushes once more at its end, and changes the exit code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), number)
