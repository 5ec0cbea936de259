"""The exit codes of all commands; docs/operations.md has the table."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What the exit code of every command says. Of several that are true `skep run` gives the highest."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    STOPPED = 3
    """A source or a file is read no further; everything else is done."""
    PENDING = 4
    """A destination has not been told everything; everything else is done."""
    INTERRUPTED = 5
    """SIGINT or SIGTERM came before the end; what was read by then is committed."""
