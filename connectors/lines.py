"""Records of JSON-lines files: one a line. Blank lines are no records; positions count records from 1."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path
from typing import BinaryIO, cast

from connectors.errors import SourceError

BLOCK_BYTES = 1 << 20
"""How much is read at once."""


class Lines:
    """The records of one file behind the first ``skip``.

    While following, a last line without its newline waits until it is complete; otherwise it is a record. A plain file
    is opened for each block, so that thousands of followed files need no open handles; gzip cannot be entered in the
    middle and keeps its handle until its end.
    """

    def __init__(self, path: Path, *, skip: int, follow: bool) -> None:
        self.path = path
        self._gzip = path.suffix == ".gz"
        self._follow = follow and not self._gzip
        self._stream: BinaryIO | None = None
        self._offset = 0
        self._inode: int | None = None
        self._tail: list[bytes] = []
        self._lines: list[bytes] = []
        self._next = 0
        self._ended = False
        self._skip(skip)

    def take(self, count: int) -> list[bytes]:
        """The next records, at most ``count``; fewer only at the end."""
        while len(self._lines) - self._next < count and self._fill():
            pass
        taken = self._lines[self._next : self._next + count]
        self._next += len(taken)
        return taken

    def peek(self) -> bytes | None:
        """The next record without taking it; None at the end (while following: for now)."""
        while self._next >= len(self._lines):
            if not self._fill():
                return None
        return self._lines[self._next]

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _skip(self, count: int) -> None:
        left = count
        while left:
            skipped = len(self.take(min(left, 100_000)))
            left -= skipped
            if not skipped:
                self.close()
                raise SourceError(
                    self.path,
                    f"expected at least the {count} records read before, found {count - left}; "
                    "the file was truncated or replaced: restore it, or give the new content another name",
                )

    def _fill(self) -> bool:
        """Reads one block; False at the end."""
        if self._ended:
            return False
        block = self._block()
        if block:
            head, found, tail = block.rpartition(b"\n")
            if not found:
                self._tail.append(block)
                return True
            lines = b"".join([*self._tail, head]).split(b"\n")
            self._tail = [tail] if tail else []
        elif self._follow:
            return False
        else:
            self._ended = True
            lines, self._tail = [b"".join(self._tail)], []
            self.close()
        self._lines = self._lines[self._next :]
        self._next = 0
        self._lines += [line for line in lines if line and not line.isspace()]
        return True

    def _block(self) -> bytes:
        if self._gzip:
            return self._gzip_block()
        try:
            if self._follow and self._idle(self.path.stat()):
                return b""
            with self.path.open("rb") as stream:
                return self._plain_block(stream)
        except FileNotFoundError:
            if self._follow:
                return b""
            raise SourceError(self.path, "expected the file that was found at the start; it is gone") from None

    def _idle(self, now: os.stat_result) -> bool:
        """Whether nothing was appended: what following asks most of the time."""
        return now.st_size == self._offset and now.st_ino == self._inode

    def _plain_block(self, stream: BinaryIO) -> bytes:
        # The end of the file is asked first: an append between the two questions is then only seen later.
        end = stream.seek(0, 2)
        inode = _inode(stream)
        if self._inode is not None and (inode != self._inode or end < self._offset):
            raise SourceError(
                self.path,
                f"expected the same file with at least the {self._offset} bytes read so far, found another or a shorter one ({end} bytes); "
                "a followed file only grows: give new content a new name",
            )
        self._inode = inode
        stream.seek(self._offset)
        block = stream.read(BLOCK_BYTES)
        self._offset += len(block)
        return block

    def _gzip_block(self) -> bytes:
        if self._stream is None:
            self._stream = cast(BinaryIO, gzip.open(self.path, "rb"))  # noqa: SIM115 (closed at its end)
        try:
            return self._stream.read(BLOCK_BYTES)
        except (OSError, EOFError, zlib.error) as error:
            self.close()
            raise SourceError(self.path, f"expected a complete gzip file: {error}") from error


def _inode(stream: BinaryIO) -> int:
    return os.fstat(stream.fileno()).st_ino
