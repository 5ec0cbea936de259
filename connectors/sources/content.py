"""The content of a file that may still grow, with the running digest of what was read of it. Content of ``.gz`` is unpacked."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO

from connectors.errors import Changed, SourceError, Unfinished
from connectors.sources.marks import Mark
from connectors.sources.stream import BLOCK_BYTES, Read, Stream
from connectors.sources.verify import verified

_BLANK = b" \t\0"
_State = tuple[int, int, int, int]
"""Inode, bytes, when its content and when anything about it changed: a file of which these are as they were is as it was."""


class Content:
    """The lines of a file from its beginning on, in blocks.

    ``mark`` is what was read of it before: the file must begin with that, else `Changed` is raised; while it is read, too.
    """

    def __init__(self, path: Path, mark: Mark | None = None, *, follow: bool = False) -> None:
        self.path = path
        self.follow = follow
        self._stream = Stream(path)
        self._read = verified(path, mark) if mark is not None and mark.digest else Read()
        self.given = 0
        """Bytes that were handed over; `_read` is ahead of that as long as lines come that an earlier run has read."""
        self._rest: list[bytes] = []
        self._torn = False
        self._torn_at = mark.size if mark is not None and mark.torn else 0
        """Where an earlier run has taken what stood at the end for a line; 0 if it has not."""
        self._seen: _State | None = None
        self.dry = False
        """Whether the end of what is there was reached."""

    @property
    def torn(self) -> bool:
        """Whether the file has been read to its end, and that is not behind a line break."""
        return self.dry and (self._torn or any(self._rest))

    @property
    def waits(self) -> bool:
        """Whether the end was reached, and more may come behind it: who had to ask for more has not got all."""
        return self.dry and not self._torn and not self.ended

    @property
    def ended(self) -> bool:
        """Whether the end of what is there is the end of the file; `Unfinished` if it cannot be, and nobody waits for more."""
        if self.follow:
            return self._stream.packed and self._stream.complete
        if not self._stream.complete:
            raise Unfinished(self.path, "expected a complete gzip file, found no end mark: it is still being written, or its copy was cut")
        return True

    def block(self) -> bytes:
        """Whole lines that come next; nothing at the end (while following: for now)."""
        while content := self._next():
            cut = content.rfind(b"\n") + 1
            if cut and content[cut : cut + 1] == b"\0":
                cut += _rest_of_break(content, cut, self.given + sum(map(len, self._rest)))
            if cut:
                block = b"".join([*self._rest, memoryview(content)[:cut]])
                self._rest = [content[cut:]]
                self._count(block)
                return block
            self._rest.append(content)
        rest = self.rest
        if rest and self.given < self._torn_at <= self.given + len(rest):
            self.end()
            return rest
        return b""

    @property
    def rest(self) -> bytes:
        """What stands behind the last line break."""
        return b"".join(self._rest)

    def end(self) -> None:
        """What stands behind the last line break counts as a line."""
        rest, self._rest = self.rest, []
        self._count(rest)
        self._torn = True

    def mark(self) -> Mark:
        """What was read so far; `Mark.waiting` is what has no line break at the end of the file, which is known once that was reached."""
        waiting = len(self.rest.strip(_BLANK)) if self.dry else 0
        return self._read.mark(torn=self._torn, waiting=waiting)

    def _next(self) -> bytes:
        """The next bytes; nothing at the end."""
        try:
            if self.follow and self.dry and state(self.path.stat()) == self._seen:
                return b""
            with self.path.open("rb") as file:
                now = state(os.fstat(file.fileno()))
                if self._seen not in {None, now}:
                    self._still_there(now, file)
                self._seen = now
                content = self._stream.read(file, BLOCK_BYTES)
        except FileNotFoundError:
            if self.follow:
                return b""
            raise SourceError(self.path, "expected the file that was found at the start; it is gone") from None
        except OSError as error:
            raise SourceError(self.path, f"expected a file that can be read: {error.strerror}") from error
        self.dry = not content
        if self._torn and content:
            if content.lstrip(_BLANK)[:1] not in b"\r\n":
                raise Changed(
                    self.path, "expected a line break behind the last record, which was read as a whole one; found that it goes on"
                )
            self._torn = False
        return content

    def _count(self, block: bytes) -> None:
        before, self.given = self.given, self.given + len(block)
        # What was read in an earlier run has its digest already.
        if self.given > self._read.size:
            self._read.add(block if before >= self._read.size else block[self._read.size - before :])

    def _still_there(self, now: _State, file: BinaryIO) -> None:
        """A file that is not as it was still begins with what was read, or `Changed` is raised."""
        assert self._seen is not None, "asked only of a file that was looked at before"
        if now[0] == self._seen[0] and now[1] > self._seen[1] and self._stream.goes_on(file):
            return
        if self._read.size:
            verified(self.path, self._read.mark(torn=self._torn))
        self._stream = Stream.at(self.path, self.given)
        self._rest = []


def state(found: os.stat_result) -> _State:
    """What tells whether a file is as it was."""
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _rest_of_break(content: bytes, cut: int, before: int) -> int:
    """How many bytes of a line break stand behind its ``\\n`` in text of two or four bytes a character, the lower ones first."""
    at = before + cut - 1
    if at % 4 == 0 and content[cut : cut + 3] == b"\0\0\0":
        return 3
    return 1 if at % 2 == 0 else 0


class Whole(io.RawIOBase):
    """A content as a binary file: its lines, and at the end what stands behind the last line break if nothing can come behind that.

    While following that gets a line break, so that who reads lines does not wait for one.
    """

    def __init__(self, content: Content) -> None:
        self._content = content
        self._ready = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._ready and not self._ended:
            self._ready = memoryview(self._lines())
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _lines(self) -> bytes:
        lines = self._content.block()
        if not lines:
            self._ended = self._content.ended
            lines = self._content.rest if self._ended else b""
        if lines and self._content.follow and not lines.rstrip(b"\0").endswith(b"\n"):
            return lines + (b"\n\0" if lines.endswith(b"\0") else b"\0\n" if lines[-2:-1] == b"\0" else b"\n")
        return lines
