"""Nothing of a user's data controls a terminal, opens a link, or turns the text around it the other way."""

from __future__ import annotations

import re
import sys
from typing import Any

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""Control characters, marks of direction, other ends of lines, and halves of characters, which cannot be encoded."""
TEXT_MAX = 2_000
"""Characters of a text that a person reads."""
ID_MIN = 10
"""Characters of an id that are shown of it at least, so that its beginning names it."""


def visible(text: str) -> str:
    """The text with all that a terminal would obey as escapes such as ``\\x1b``; line breaks and tabs stay."""
    return _OBEYED.sub(_escape, text)


def visible_line(text: str) -> str:
    """The same on one line."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def visible_json(text: str) -> str:
    """JSON that says the same and controls nothing: JSON itself escapes some of the control characters only."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def cut(text: str, most: int = TEXT_MAX) -> str:
    """A text that is not too long to be read."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


class Stream:
    """A text stream on which everything is made visible: messages of libraries, tracebacks.

    What knows how to write to a terminal, rich above all, writes to the stream behind it.
    """

    def __init__(self, stream: Any) -> None:
        self.rich_proxied_file = stream

    def write(self, text: str) -> int:
        self.rich_proxied_file.write(visible(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)


def behind(stream: Any) -> Any:
    """The stream itself, for what makes its texts visible before it colours them."""
    return getattr(stream, "rich_proxied_file", stream)


def guard() -> None:
    """From now on whatever this process prints goes through a `Stream`, and no character is one that cannot be printed."""
    for name in ("stdout", "stderr"):
        stream = behind(getattr(sys, name))
        stream.reconfigure(errors="backslashreplace")
        setattr(sys, name, Stream(stream))
