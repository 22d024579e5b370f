"""Sessions for Python people; each makes its own environment and calls what the Makefile and the presets call."""

from __future__ import annotations

import nox

nox.options.sessions = ["lint", "native", "tests"]
nox.options.default_venv_backend = "venv"

#: Turing, Ampere, Hopper (and newer ones, by what the driver compiles), Blackwell of data centres, and of desktops.
RELEASED_GPUS = "75-real;80-real;90;100-real;120-real"


@nox.session
def tests(session: nox.Session) -> None:
    """Run the Python tests against an installed wheel."""
    session.install(".[test]")
    session.run("pytest", "-n", "2", "-m", "not network", *session.posargs, env={"OMP_NUM_THREADS": "1"})


@nox.session
def lint(session: nox.Session) -> None:
    """Check form, types, imports and includes."""
    session.install("-e", ".[test]")
    session.run("pytest", "-n", "2", "tests/house", *session.posargs)


@nox.session
def native(session: nox.Session) -> None:
    """Run the native tests under AddressSanitizer and UndefinedBehaviorSanitizer."""
    session.install("cmake", "ninja")
    session.run("cmake", "--workflow", "--preset", "asan")


@nox.session
def tidy(session: nox.Session) -> None:
    """Run clang-tidy over the engine."""
    session.install("cmake", "ninja", "clang-tidy")
    session.run("cmake", "--workflow", "--preset", "tidy")


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the sdist, and the wheel from the sdist, into dist/; where nvcc is, for every GPU that a release is for."""
    session.install("build")
    session.run("python", "-m", "build", f"-Ccmake.define.SLIPWAY_CUDA_ARCHITECTURES={RELEASED_GPUS}")
