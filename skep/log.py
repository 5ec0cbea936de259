"""structlog for people on the console, or as JSON lines for machines with ``SKEP_LOG=json``; always on stderr."""

from __future__ import annotations

import errno
import logging
import os
import sys
from types import TracebackType
from typing import Any, NoReturn

import structlog

from connectors.errors import SourceError
from state.errors import StateError


def configure(form: str | None = None, level: int = logging.INFO) -> None:
    """Set structlog up for this process; ``form`` is ``console`` or ``json``, by default what ``SKEP_LOG`` says."""
    form = form or os.environ.get("SKEP_LOG", "console")
    last: Any = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def plain_ends() -> None:
    """From now on an error that people can repair ends this process in its own words, without a traceback."""
    sys.excepthook = _end


def _end(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, StateError | SourceError):
            _last_words(str(cause))
        if isinstance(cause, OSError) and cause.errno == errno.ENOSPC:
            where = cause.filename or "the data folder"
            _last_words(f"the disk of {where} is full; nothing is lost. Free some space and start the flow again.")
        cause = cause.__cause__
    sys.__excepthook__(kind, error, traceback)


def _last_words(text: str) -> NoReturn:
    """Everything that counts is on disk. Taking the interpreter down in order would add pages about objects that still live."""
    print(f"\n{text}", file=sys.stderr, flush=True)  # noqa: T201 - the last line of a process
    os._exit(1)
