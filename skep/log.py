"""structlog for people on the console, or as JSON lines for machines with ``SKEP_LOG=json``; always on stderr."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import structlog


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
