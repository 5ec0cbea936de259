"""The content of one file in order, unpacked if its name ends in ``.gz``, and the running digest of what was read."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path
from typing import BinaryIO

from connectors.errors import SourceError
from connectors.sources.marks import Mark

BLOCK_BYTES = 1 << 20
"""How much is read at once."""
TAIL_BYTES = 4096
"""How much of what was read last is compared again when a followed file has grown."""
HEAD_BYTES = 4096
"""How much of the beginning has a digest of its own."""
_GZIP = 31
"""zlib's name for the format of gzip."""


class Stream:
    """Reads through handles that others open, so that thousands of followed files need none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.packed = path.suffix == ".gz"
        self.raw = 0
        """Bytes of the file that were read."""
        self._tail = b""
        self._inflate = zlib.decompressobj(_GZIP)
        self._left = b""
        """Packed bytes that are not unpacked yet."""

    @classmethod
    def at(cls, path: Path, offset: int) -> Stream:
        """A stream behind the first so many bytes of the content, which must be there."""
        stream = cls(path)
        with path.open("rb") as file:
            left = offset
            while left:
                left -= len(stream.read(file, min(left, BLOCK_BYTES)))
        return stream

    @property
    def complete(self) -> bool:
        """Whether the content may end here; a gzip file may only behind its end mark."""
        return not self.packed or not self.raw or (self._inflate.eof and not self._left)

    def read(self, file: BinaryIO, limit: int) -> bytes:
        """At most so much of the content; nothing at the end of what is there. SourceError if it is no gzip."""
        if not self.packed:
            return self._pull(file, limit)
        while True:
            if not self._left:
                self._left = self._pull(file, limit)
            ended = not self._left
            if self._inflate.eof:
                # Files may be packed one behind the other, with zeros between them.
                self._left = self._left.lstrip(b"\0")
                if self._left:
                    self._inflate = zlib.decompressobj(_GZIP)
            content = self._unpack(limit)
            if content or ended:
                return content

    def goes_on(self, file: BinaryIO) -> bool:
        """Whether the last bytes that were read are still where they were."""
        file.seek(self.raw - len(self._tail))
        return file.read(len(self._tail)) == self._tail

    def _unpack(self, limit: int) -> bytes:
        inflate = self._inflate
        if inflate.eof:
            return b""
        try:
            content = inflate.decompress(self._left, limit)
        except zlib.error as error:
            raise SourceError(self.path, f"expected a complete gzip file, found damage ({error}); copy it again") from None
        self._left = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
        return content

    def _pull(self, file: BinaryIO, limit: int) -> bytes:
        file.seek(self.raw)
        block = file.read(limit)
        self.raw += len(block)
        self._tail = block[-TAIL_BYTES:] if len(block) >= TAIL_BYTES else (self._tail + block)[-TAIL_BYTES:]
        return block


class Read:
    """Size and digest of the content that was read. The digest is the fastest that every machine has: no secret rests on it."""

    def __init__(self) -> None:
        self.size = 0
        self._digest = hashlib.sha1(usedforsecurity=False)
        self._head = b""
        self._begins = head(b"")
        """What `head` says of it."""

    def add(self, content: bytes) -> None:
        """What was read next."""
        if self.size < HEAD_BYTES:
            self._head = (self._head + content)[:HEAD_BYTES]
            self._begins = head(self._head)
        self.size += len(content)
        self._digest.update(content)

    def mark(self, *, torn: bool = False, waiting: int = 0) -> Mark:
        """What was read so far."""
        return Mark(size=self.size, digest=self._digest.digest(), head=self._begins, torn=torn, waiting=waiting)


def head(content: bytes) -> bytes:
    """The digest of the beginning of a content."""
    return hashlib.sha1(content[:HEAD_BYTES], usedforsecurity=False).digest()[:8]
