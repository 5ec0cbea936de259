"""structlog for people on the console, or as JSON lines for machines with ``SKEP_LOG=json``; always on stderr."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from skep.terminal import behind, visible

if TYPE_CHECKING:
    import structlog


def logger() -> structlog.stdlib.BoundLogger:
    """The log of this process, set up if it is not yet."""
    import structlog  # noqa: PLC0415 - it is large, and most commands have nothing to log

    if not structlog.is_configured():
        configure()
    log: structlog.stdlib.BoundLogger = structlog.get_logger()
    return log


def is_detailed() -> bool:
    """Whether what is behind an error is wanted: ``SKEP_LOG_LEVEL=debug``."""
    return os.environ.get("SKEP_LOG_LEVEL", "").lower() == "debug"


def configure(form: str | None = None) -> None:
    """Set structlog up for this process; ``form`` is ``console`` or ``json``, by default what ``SKEP_LOG`` says.

    ``SKEP_LOG_LEVEL=debug`` adds what is behind an error: where in the code it arose, and from what.
    """
    import structlog  # noqa: PLC0415 - it is large, and most commands have nothing to log

    form = form or os.environ.get("SKEP_LOG", "console")
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
        wrapper_class=structlog.make_filtering_bound_logger("debug" if is_detailed() else "info"),
        logger_factory=structlog.PrintLoggerFactory(behind(sys.stderr)),
        cache_logger_on_first_use=False,
    )


def _visible(_logger: Any, _method: str, said: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {key: visible(value) if isinstance(value, str) else value for key, value in said.items()}
