"""slipway: from course notes to native speed.

    session = slipway.Session("artifacts/names-gru")
    outputs = session.run({"tokens": tokens, "lengths": lengths})

``Session`` and ``ops`` are loaded at first use, so that the import costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from slipway.errors import BundleError as BundleError
from slipway.errors import FileError as FileError
from slipway.errors import InputError as InputError
from slipway.errors import LimitError as LimitError
from slipway.errors import MismatchError as MismatchError
from slipway.errors import ModelError as ModelError
from slipway.errors import RuntimeFault as RuntimeFault
from slipway.errors import SlipwayError as SlipwayError
from slipway.errors import UnavailableError as UnavailableError
from slipway.errors import UnsupportedError as UnsupportedError
from slipway.errors import UsageError as UsageError

if TYPE_CHECKING:
    from slipway import ops as ops
    from slipway.session import Session as Session

#: The one place of the version: pyproject.toml and CMakeLists.txt read this line.
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Load ``Session`` and ``ops`` at first use (PEP 562)."""
    from importlib import import_module

    if name == "Session":
        return import_module("slipway.session").Session
    if name == "ops":
        return import_module("slipway.ops")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
