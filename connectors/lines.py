"""Records of JSON-lines files: one a line. Blank lines are no records; positions count records from 1."""

from __future__ import annotations

from pathlib import Path

import orjson

from connectors.content import Content
from connectors.csv_text import BOMS
from connectors.errors import Changed, SourceError
from connectors.marks import Mark


class Lines:
    """The records of one file behind the first ``skip``, which must begin with what ``mark`` says was read of it.

    While following, a last line without its line break waits until it is complete (of gzip: until the end mark is there); otherwise it
    is a record if it is whole JSON, and left for a later run if not.
    """

    follows = True

    def __init__(self, path: Path, *, skip: int, follow: bool, mark: Mark | None = None) -> None:
        self.path = path
        self._content = Content(path, mark, follow=follow)
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
            block = self._without_mark(content.rest) if begins else content.rest
            if not content.ended or not _whole(block):
                return False
            content.end()
        elif begins:
            block = self._without_mark(block)
        self._lines = self._lines[self._next :]
        self._next = 0
        self._lines += [line for line in block.split(b"\n") if line and not line.isspace()]
        return True

    def _without_mark(self, begin: bytes) -> bytes:
        """The beginning of the file without the byte order mark that some programs write; SourceError if that is not of UTF-8."""
        mark, encoding = next(((mark, encoding) for mark, encoding in BOMS if begin.startswith(mark)), (b"", "utf-8"))
        if encoding != "utf-8":
            found = f"found the byte order mark of {encoding}: write the file anew in UTF-8"
            raise SourceError(self.path, f"expected JSON lines in UTF-8, {found}")
        return begin[len(mark) :]


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
