"""The rows of moments and pages as they are committed, whatever is pending: of many anchors in one pass."""

from __future__ import annotations

from collections.abc import Iterator

from operators.records import Stored, decode_moments, decode_page
from state.keys import period_key, period_of_key
from state.shard import Shard

_BEHIND = b"\xff" * 21
"""Behind every key."""


def committed(shard: Shard, anchors: list[bytes]) -> Iterator[tuple[bytes, Stored]]:
    """Every moment of these anchors, which are in order, each with its anchor."""
    for key, row in committed_pages(shard, anchors):
        for stored in decode_page(row):
            yield key[:16], stored
    for key, row in committed_moments(shard, anchors):
        for stored in decode_moments(key, row):
            yield key[4:20], stored


def committed_pages(shard: Shard, anchors: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """The pages of anchors in order: a look only where the last one has not passed an anchor already."""
    rows, here = shard.pages.cursor(), b""
    for anchor in anchors:
        if here[:16] < anchor:
            rows.seek(anchor)
            here = rows.key() if rows.valid() else _BEHIND
        while here.startswith(anchor):
            yield here, rows.value()
            rows.next()
            here = rows.key() if rows.valid() else _BEHIND


def committed_moments(shard: Shard, anchors: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """The rows of moments of anchors in order, from period to period: a look only where the last one has not passed an anchor already."""
    rows, period = shard.moments.cursor(), b""
    rows.seek(shard.moments.least)
    if rows.valid():
        shard.moments.least = rows.key()
    while rows.valid():
        here = rows.key()
        if here[:4] == period:
            rows.seek(period_key(period_of_key(here) + 1))
            period = b""
            continue
        period = here[:4]
        for anchor in anchors:
            prefix = period + anchor
            if here < prefix:
                rows.seek(prefix)
                here = rows.key() if rows.valid() else _BEHIND
            while here.startswith(prefix):
                yield here, rows.value()
                rows.next()
                here = rows.key() if rows.valid() else _BEHIND
            if not here.startswith(period):
                break
