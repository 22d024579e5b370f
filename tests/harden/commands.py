"""Commands under faults: forked children of a warm process, or the C++ program, with ``faults.c`` preloaded."""

from __future__ import annotations

import enum
import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
#: What the commands tell besides the one line about an error.
_NOTICE = re.compile(r"[a-z-]+: (data: |continues after|stopped; --resume)")


class Call(enum.IntFlag):
    """Kinds of system calls, as in ``faults.c``."""

    WRITE = 1
    SYNC = 2
    RENAME = 4
    CREATE = 8
    MKDIR = 16
    REMOVE = 32
    READ = 64
    OPEN = 128


#: Calls that change what is on the disk.
CHANGES = Call.WRITE | Call.SYNC | Call.RENAME | Call.CREATE | Call.MKDIR | Call.REMOVE


class Action(enum.IntEnum):
    """What becomes of the call that a fault names."""

    NOTHING = 0
    FAIL = 1
    FAIL_ON = 2  # that one and all later ones
    SHORT = 3
    KILL = 4
    INTERRUPT = 5


@dataclass(frozen=True)
class Fault:
    """The ``at``-th call of some kinds on files under a folder, from 1, and what becomes of it."""

    folder: Path
    calls: Call
    at: int
    action: Action
    number: int = errno.EIO

    def fields(self) -> tuple[object, ...]:
        return str(self.folder), int(self.calls), self.at, int(self.action), self.number


@dataclass(frozen=True)
class Done:
    """How a command ended; ``code`` is negative where a signal ended it, ``seen`` the calls that a fault counted."""

    code: int
    out: str
    err: str
    seen: int
    seconds: float

    def check_told(self, *codes: int) -> None:
        """One line on stderr that is no traceback, and one of the exit codes."""
        lines = [line for line in self.err.splitlines() if not _NOTICE.match(line)]
        assert self.code in codes, self
        assert "Traceback" not in self.err, self.err
        assert "a fault of slipway" not in self.err, self.err
        assert len(lines) == (self.code != 0), self.err


class Commands:
    """The warm process; use as a context."""

    def __init__(self, shim: Path, warm_up: str) -> None:
        environment = os.environ | {"LD_PRELOAD": str(shim), "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "warm.py"), *warm_up.split()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self._answer() == {"ready": True}

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=60)

    def __call__(
        self,
        program: str,
        *arguments: object,
        fault: Fault | None = None,
        signals: Sequence[tuple[float, signal.Signals]] = (),
        folder: Path = HERE,
        stdout: str | None = None,
        environment: Mapping[str, str] | None = None,
        umask: int = 0o022,
        limit: float = 120.0,
    ) -> Done:
        """Run a command; ``signals`` are sent so many seconds after its start."""
        wanted = {
            "program": program,
            "arguments": [str(argument) for argument in arguments],
            "fault": None if fault is None else fault.fields(),
            "signals": [(seconds, int(number)) for seconds, number in signals],
            "folder": str(folder),
            "stdout": stdout,
            "environment": dict(environment or {}),
            "umask": umask,
            "limit": limit,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()
        return Done(**self._answer())

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the warm process has ended"
        answer: dict[str, Any] = json.loads(line)
        return answer


class Program:
    """``slipway-infer`` under faults; called as :class:`Commands` is."""

    def __init__(self, shim: Path) -> None:
        self._shim = shim
        self.path = Path(os.environ.get("SLIPWAY_INFER") or Path(sys.executable).with_name("slipway-infer"))

    def __call__(
        self, *arguments: object, fault: Fault | None = None, folder: Path = HERE, limit: float = 60.0
    ) -> Done:
        environment = os.environ | {"LD_PRELOAD": str(self._shim)}
        if fault is not None:
            environment["SLIPWAY_FAULTS"] = ":".join(map(str, fault.fields()))
        command = [self.path, *map(str, arguments)]
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=limit)
        return Done(done.returncode, done.stdout, done.stderr, 0, 0.0)


def build_shim(folder: Path) -> Path | None:
    """Compile ``faults.c``; None where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    shim = folder / "faults.so"
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", shim, HERE / "faults.c", "-ldl"], check=True)
    return shim
