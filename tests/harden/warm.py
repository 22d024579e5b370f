"""A process with everything loaded, which forks a child for each command that a line on its input asks for.

Started with ``faults.c`` preloaded. Each child is a slipway command as a shell would start it, less the seconds that
loading torch takes; the answer is a line of JSON.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from functools import partial
from pathlib import Path
from typing import Any

_ENTRIES = {"slipway": "main", "train-and-export": "train_and_export_main"}


def main() -> None:
    faults = ctypes.CDLL(None)
    faults.faults_seen.restype = ctypes.c_long
    faults.faults_arm(b"/", 0, ctypes.c_long(0), 0, 0)  # makes the counter that children share
    _warm_up(sys.argv[1:])
    _say({"ready": True})
    while line := sys.stdin.readline():
        _serve(json.loads(line), faults)


def _warm_up(arguments: list[str]) -> None:
    """Make a bundle and look at it, so that everything that commands load at first use is loaded."""
    from slipway.cli import run_command, slipway_app, train_and_export_app

    kept, null = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    with tempfile.TemporaryDirectory() as folder:
        assert run_command(train_and_export_app, "train-and-export", [*arguments, "--out", folder]) == 0
        assert run_command(slipway_app, "slipway", ["inspect", str(Path(folder, arguments[0]))]) == 0
    sys.stdout.flush()
    os.dup2(kept, 1)


def _serve(wanted: dict[str, Any], faults: Any) -> None:
    folder = tempfile.mkdtemp()  # no context: the child leaves this function too, by SystemExit
    out, err = Path(folder, "out"), Path(folder, "err")
    ready, started = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ready)
        _become(wanted, faults, out, err, started)
    os.close(started)
    os.read(ready, 1)
    os.close(ready)
    began = time.monotonic()
    status = _wait(child, began, list(wanted["signals"]), began + wanted["limit"])
    answer = {
        "code": os.waitstatus_to_exitcode(status),
        "out": out.read_text("utf-8", "replace") if out.exists() else "",
        "err": err.read_text("utf-8", "replace"),
        "seen": faults.faults_seen(),
        "seconds": time.monotonic() - began,
    }
    shutil.rmtree(folder)
    _say(answer)


def _become(wanted: dict[str, Any], faults: Any, out: Path, err: Path, started: int) -> None:
    """Turn the forked child into the command; does not return."""
    sys.stdin.close()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(wanted["stdout"] or out, os.O_WRONLY | os.O_CREAT, 0o600), 1)
    os.dup2(os.open(err, os.O_WRONLY | os.O_CREAT, 0o600), 2)
    sys.stdin = os.fdopen(0)
    os.environ.update(wanted["environment"])
    os.umask(wanted["umask"])
    os.chdir(wanted["folder"])
    sys.argv = [wanted["program"], *wanted["arguments"]]
    sys.argv[1:] = sys.argv[2:] if wanted["program"] == "python" else sys.argv[1:]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from slipway import cli
    from slipway._process import run_process

    if wanted["program"] == "python":
        names: dict[str, Any] = {"code": 0}
        entry = partial(run_process, lambda: exec(wanted["arguments"][0], names) or names["code"])
    else:
        entry = getattr(cli, _ENTRIES[wanted["program"]])
    os.write(started, b"!")
    os.close(started)
    fault = wanted["fault"]
    if fault is not None:
        where, kinds, at, action, number = fault
        faults.faults_arm(os.fsencode(where), kinds, ctypes.c_long(at), action, number)
    try:
        entry()
    except SystemExit as end:
        os._exit(end.code if isinstance(end.code, int) else 99)  # the threads that an exit waits for were not forked
    except BaseException:
        traceback.print_exc()
        os._exit(99)


def _wait(child: int, began: float, signals: list[tuple[float, int]], deadline: float) -> int:
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        now = time.monotonic()
        if signals and now - began >= signals[0][0]:
            os.kill(child, signals.pop(0)[1])
        if now > deadline:
            os.kill(child, signal.SIGKILL)
            return os.waitpid(child, 0)[1]
        time.sleep(0.001)


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
