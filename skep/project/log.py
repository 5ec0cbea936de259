"""structlog for people on the console, or as JSON lines for machines with ``SKEP_LOG=json``; always on stderr.

On a terminal one line below what is logged may change: how far the flow is. Several processes write to one terminal, so whatever is
said there first takes that line away, whoever has drawn it.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from skep.project.terminal import behind, visible_line
from skep.project.terminal import visible as shown

_NEW_LINE = "\r\x1b[K"
"""To the beginning of the line, and what stands there is gone."""

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
        last = [_visible, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), sort_keys=False), _above]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger("debug" if is_detailed() else "info"),
        logger_factory=lambda *_: structlog.PrintLogger(behind(sys.stderr)),
        cache_logger_on_first_use=False,
    )


def for_machines() -> bool:
    """Whether this process logs JSON lines."""
    if "structlog" not in sys.modules:
        return False  # It has logged nothing, and needs none of it to say so.
    import structlog  # noqa: PLC0415 - as above

    return any(isinstance(one, structlog.processors.JSONRenderer) for one in structlog.get_config()["processors"])


def has_line() -> bool:
    """Whether there is a line that may change: a terminal, read by people."""
    return sys.stderr.isatty() and not for_machines()


def draw(parts: Sequence[str]) -> None:
    """Show these in the line that changes, as many of them as the terminal has room for; nothing takes it away."""
    stream, room = behind(sys.stderr), shutil.get_terminal_size().columns - 1
    shown = [visible_line(one) for one in parts]
    while len(shown) > 1 and len(", ".join(shown)) > room:
        shown.pop()
    stream.write(_NEW_LINE + ", ".join(shown)[:room])
    stream.flush()


class Said(io.TextIOWrapper):
    """A stream for people whose lines are logged instead, where machines read."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), "utf-8")
        self._begun = ""

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in filter(str.strip, lines):
            logger().warning(line)
        return len(text)


def last_words(text: str) -> None:
    """What a process ends with over an error."""
    if for_machines():
        logger().error("stopped", because=text)
    else:
        stream = behind(sys.stderr)
        stream.write(f"{_NEW_LINE if sys.stderr.isatty() else ''}{shown(text)}\n")
        stream.flush()


def _visible(_logger: Any, _method: str, said: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {key: shown(value) if isinstance(value, str) else value for key, value in said.items()}


def _above(_logger: Any, _method: str, line: str) -> str:
    return f"{_NEW_LINE}{line}" if sys.stderr.isatty() else line
