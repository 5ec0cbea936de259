"""Records of JSON-lines files: one a line. Blank lines are no records; positions count records from 1."""

from __future__ import annotations

from pathlib import Path

import orjson

from connectors.errors import Changed, SourceError
from connectors.sources.content import Content
from connectors.sources.csv_text import BOMS
from connectors.sources.marks import Mark

_BRACES = {b"{\0": "utf-16-le", b"\0{": "utf-16-be"}


class Lines:
    """The records of one file behind the first ``skip``, which must begin with what ``mark`` says was read of it.

    While following, a last line without its line break waits until it is complete (of gzip: until the end mark is there); otherwise it
    is a record if it is whole JSON, and left for a later run if not.
    """

    follows = True

    def __init__(self, path: Path, *, skip: int, follow: bool, mark: Mark | None = None) -> None:
        self.path = path
        self._content = Content(path, mark, follow=follow)
        self._encoding = "utf-8"
        self._kept = b""
        """What stands behind the last line break of a file in another encoding, and is counted as read."""
        self._ahead = 0
        """Bytes of the content that were taken before they are counted: the rest of a line break."""
        self._lines: list[bytes] = []
        self._next = 0
        self._skip(skip)

    def take(self, count: int) -> list[bytes]:
        """The next records, at most ``count``; fewer only at the end."""
        try:
            while len(self._lines) - self._next < count and self._fill():
                pass
        except SourceError:
            # What was read before the fault is handed over first; asked again, it is there again.
            if self._next >= len(self._lines):
                raise
        taken = self._lines[self._next : self._next + count]
        self._next += len(taken)
        return taken

    def peek(self) -> bytes | None:
        """The next record without taking it; None at the end (while following: for now)."""
        while self._next >= len(self._lines):
            if not self._fill():
                return None
        return self._lines[self._next]

    def mark(self) -> Mark:
        """What was read so far: all that was taken, and more."""
        return self._content.mark()

    def close(self) -> None:
        """Nothing is kept open."""

    def _skip(self, count: int) -> None:
        left = count
        while left:
            skipped = len(self.take(min(left, 100_000)))
            left -= skipped
            if not skipped:
                raise Changed(self.path, f"expected at least the {count} records read before, found {count - left}: it was cut or replaced")

    def _fill(self) -> bool:
        """Reads one block; False at the end."""
        content = self._content
        begins = not content.given
        block = content.block()
        if not block:
            rest = content.rest[self._ahead :]
            if self._kept and self._end_of_lines(self._kept + rest):
                self._cut(rest)
                self._ahead += len(rest)
                return True
            last = self._text(rest, begins=begins)
            if not content.ended or not _whole(last):
                return False
            content.end()
            self._kept, self._ahead = b"", 0
            self._add(last)
            return True
        if begins:
            mark, self._encoding = _begin(block)
            block = block[len(mark) :]
        if self._encoding == "utf-8":
            self._add(block)
        else:
            self._cut(block[self._ahead :])
            self._ahead = 0
        return True

    def _cut(self, content: bytes) -> None:
        """Takes what comes next of a file in another encoding: its whole lines, and the rest for later."""
        text = self._kept + content
        end = self._end_of_lines(text)
        self._kept = text[end:]
        self._add(_as_utf8(text[:end], self._encoding))

    def _end_of_lines(self, text: bytes) -> int:
        """Where the last line that has its break ends; the bytes of a break may also lie across two characters."""
        line_break = "\n".encode(self._encoding)
        width, at = len(line_break), text.rfind(line_break)
        while at > 0 and at % width:
            at = text.rfind(line_break, 0, at + width - 1)
        return at + width if at >= 0 else 0

    def _text(self, content: bytes, *, begins: bool) -> bytes:
        """What comes next, in UTF-8 and without a byte order mark."""
        mark, encoding = _begin(content) if begins else (b"", self._encoding)
        text = self._kept + content[len(mark) :]
        return text if encoding == "utf-8" else _as_utf8(text, encoding)

    def _add(self, block: bytes) -> None:
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n")
        self._lines = self._lines[self._next :]
        self._next = 0
        self._lines += [line for line in block.split(b"\n") if line and not line.isspace()]


def _begin(content: bytes) -> tuple[bytes, str]:
    """(byte order mark, encoding) of a file that begins so; without a mark, an object's brace beside a zero tells UTF-16."""
    for mark, encoding in BOMS:
        if content.startswith(mark):
            return mark, encoding
    return b"", next((encoding for brace, encoding in _BRACES.items() if content.startswith(brace)), "utf-8")


def _as_utf8(text: bytes, encoding: str) -> bytes:
    """The same in UTF-8; bytes that are no text become escapes that no JSON has, so that their record is refused, and seen."""
    return text.decode(encoding, "backslashreplace").encode()


def _whole(line: bytes) -> bool:
    """Whether a last line without its line break is a record: no beginning of a JSON object is one."""
    if not line or line.isspace():
        return False
    try:
        # A registry's frame is a zero byte and the four of a number.
        orjson.loads(line[5:] if line[:1] == b"\0" else line)
    except orjson.JSONDecodeError:
        return False
    return True
