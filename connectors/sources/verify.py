"""Whether a file still begins with what was read of it, and what has happened to it if not."""

from __future__ import annotations

from pathlib import Path

from connectors.errors import Changed, SourceError
from connectors.sources.marks import Mark
from connectors.sources.stream import BLOCK_BYTES, HEAD_BYTES, Read, Stream, head

SIBLINGS_MAX = 8
"""Files beside a replaced one that are looked at to find where its content has gone."""


def verified(path: Path, mark: Mark, *, exact: bool = False) -> Read:
    """What was read of the file, read again; `Changed` if it is no longer there. ``exact``: nothing may have come behind it."""
    read, fault = _again(path, mark, exact=exact)
    if fault:
        raise Changed(path, fault + _moved(path, mark))
    return read


def _again(path: Path, mark: Mark, *, exact: bool) -> tuple[Read, str]:
    """What was read, and what is wrong with it."""
    stream, read, first = Stream(path), Read(), b""
    with path.open("rb") as file:
        while read.size < mark.size:
            block = stream.read(file, min(mark.size - read.size, BLOCK_BYTES))
            if not block:
                break
            first = (first + block)[:HEAD_BYTES] if len(first) < HEAD_BYTES else first
            read.add(block)
        if read.size < mark.size:
            return read, _shorter(mark, read.size, first)
        if read.mark().digest != mark.digest:
            return read, f"expected what was read of it before, its first {mark.size} bytes; found others: it was replaced"
        return read, _behind(stream.read(file, BLOCK_BYTES), torn=mark.torn, exact=exact)


def _shorter(mark: Mark, size: int, first: bytes) -> str:
    known = not size or (size >= min(HEAD_BYTES, mark.size) and head(first) == mark.head)
    how = "cut" if known else "replaced"
    return f"expected the {mark.size} bytes that were read of it before, found {size}: it was {how}"


def _behind(content: bytes, *, torn: bool, exact: bool) -> str:
    """What is wrong with what has come behind that which was read."""
    if exact and content:
        return "expected the file as it was read, found more behind it: it was replaced"
    if torn and content.lstrip(b" \t\0")[:1] not in (b"", b"\r", b"\n"):
        return "expected a line break behind the last record, which was read as a whole one; found that it goes on"
    return ""


def _moved(path: Path, mark: Mark) -> str:
    """Where the content has gone, if that can be found beside it: logs are rotated so."""
    beside = (other for other in sorted(path.parent.glob("*")) if other != path and other.name.startswith(path.stem))
    for other, _ in zip(beside, range(SIBLINGS_MAX), strict=False):
        try:
            if not _again(other, mark, exact=False)[1]:
                return f"; what was read is in {other.name} now (rotated)"
        except (OSError, SourceError):
            continue
    return ""
