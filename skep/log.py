"""structlog for people on the console, or as JSON lines for machines with ``SKEP_LOG=json``; always on stderr."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import structlog

from skep.terminal import behind, visible

_LEVELS = {"debug": logging.DEBUG}


def configure(form: str | None = None) -> None:
    """Set structlog up for this process; ``form`` is ``console`` or ``json``, by default what ``SKEP_LOG`` says.

    ``SKEP_LOG_LEVEL=debug`` adds what is behind an error: where in the code it arose, and from what.
    """
    form = form or os.environ.get("SKEP_LOG", "console")
    level = _LEVELS.get(os.environ.get("SKEP_LOG_LEVEL", "").lower(), logging.INFO)
    last: list[Any] = [structlog.processors.JSONRenderer()]
    if form != "json":
        last = [_visible, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(behind(sys.stderr)),
        cache_logger_on_first_use=False,
    )


def _visible(_logger: Any, _method: str, said: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {key: visible(value) if isinstance(value, str) else value for key, value in said.items()}
