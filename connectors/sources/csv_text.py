"""The lines of a text file, from a binary stream: its encoding, and what of it cannot be decoded."""

from __future__ import annotations

import codecs
import io
import re
from typing import BinaryIO

BLOCK_BYTES = 1 << 16
"""How much is read at once."""

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""UTF-32 first: its mark begins with that of UTF-16."""
_UNMARKED = {"utf-16": "utf-16-le", "utf-32": "utf-32-le", "utf-8-sig": "utf-8"}
"""Encodings that Python reads by their mark only, and what they are without one."""
_KEPT = "skep.kept"
_SURROGATE = re.compile("[\ud800-\udfff]")


def _keep(error: UnicodeError) -> tuple[str, int]:
    """Stands in for bytes that cannot be decoded: lone surrogates, which no decoded text holds."""
    assert isinstance(error, UnicodeDecodeError)
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_KEPT, _keep)


class TextLines:
    """The lines of a stream with their breaks (``\\n``, ``\\r\\n`` or ``\\r``), block by block.

    A byte order mark tells the encoding, whatever ``encoding`` says. While following, a last line without its break
    waits until it is complete; otherwise it is a line.
    """

    def __init__(self, stream: BinaryIO, encoding: str, *, follow: bool = False) -> None:
        self._stream, self._follow = stream, follow
        head = stream.read(BLOCK_BYTES)
        mark, self.encoding = next(((mark, name) for mark, name in BOMS if head.startswith(mark)), (b"", _unmarked(encoding)))
        self._head: bytes | None = head[len(mark) :]
        self._decoder = codecs.getincrementaldecoder(self.encoding)(errors=_KEPT)
        self._tail: list[str] = []
        self.ended = False
        self.clean = True
        """Whether all of the last block could be decoded."""

    def block(self, least: int = 0) -> list[str]:
        """The next lines, of at least so many bytes if there are; none at the end (while following: for now)."""
        while not self.ended:
            data = self._head if self._head is not None else self._stream.read(max(BLOCK_BYTES, least))
            self._head = None
            if not data and self._follow:
                break
            self.ended = not data
            text = self._decoder.decode(data, final=self.ended)
            if not (self.ended or "\n" in text or "\r" in text):
                self._tail.append(text)
                continue
            text = "".join([*self._tail, text])
            lines = io.StringIO(text, newline="").readlines()
            # A block that ends with \r may be cut in the middle of \r\n.
            self._tail = [] if self.ended or lines[-1].endswith("\n") else [lines.pop()]
            self.clean = text.isascii() or _decoded(text)
            if lines:
                return lines
        return []


def is_decoded(line: str) -> bool:
    """Whether every byte of a line could be decoded."""
    return line.isascii() or _SURROGATE.search(line) is None


def shown(line: str) -> str:
    """A line in which bytes that cannot be decoded are written as ``\\xe9``."""
    return _SURROGATE.sub(lambda found: f"\\x{ord(found.group()) & 0xFF:02x}", line)


def first_undecoded(line: str) -> str:
    """The first byte that cannot be decoded, as ``0xE9``."""
    found = _SURROGATE.search(line)
    return "" if found is None else f"0x{ord(found.group()) & 0xFF:02X}"


def _unmarked(encoding: str) -> str:
    return _UNMARKED.get(codecs.lookup(encoding).name, encoding)


def _decoded(text: str) -> bool:
    # Much faster than a search.
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
