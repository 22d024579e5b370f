"""Engines of pytorch-ignite that leave it to their caller to tell an error."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from ignite.engine import Engine


def engine_of(step: Callable[[Engine, Any], Any]) -> Engine:
    """Return an engine that logs as ``slipway.train``.

    Without a handler Python itself would print every error that is raised anyway, Ctrl-C among them.
    """
    engine = Engine(step)
    engine.logger = logging.getLogger("slipway.train")
    if not engine.logger.hasHandlers():
        engine.logger.addHandler(logging.NullHandler())
    return engine
