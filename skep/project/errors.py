"""What cannot be done, in words for people."""

from __future__ import annotations


class CommandError(Exception):
    """What a command cannot do; the message says why, and what to do."""
