"""The lines of a file of events and manual evidence, judged and brought into an order that is not that of the file."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from contracts.envelope import content, content_id
from contracts.model.batches import Event
from contracts.model.definitions import Definitions
from contracts.text.times import parse_time
from operators.judge import Judge
from operators.people.work import NEVER_US
from skep.project.errors import CommandError

LINE_MAX_BYTES = 1_000_000
STDIN = Path("-")
_RULINGS = ("link", "unlink")
_EVERY = 10_000


class Ruling(NamedTuple):
    """A manual link or unlink: its time, its message id, the line it stands in, the entry."""

    time_us: int
    message_id: str
    line: int
    entry: dict[str, Any]


class Unread(NamedTuple):
    """A line that is no event: where it stands, its message id if it says one, and what is wrong. ``ruling``: it was to be manual
    evidence."""

    line: int
    message_id: str | None
    reason: str
    detail: str
    ruling: bool = False


class Lines(NamedTuple):
    """Events in order of (time, message id, content) with the line of each as position, and the manual entries likewise."""

    events: list[Event]
    rulings: list[Ruling]
    unread: list[Unread]

    def between(self, after_us: int | None, until_us: int) -> Lines:
        """Those later than one moment, if that is any, and not later than another; and no line that was not read."""
        first = [0 if after_us is None else bisect_right(each, after_us, key=_time) for each in (self.events, self.rulings)]
        last = [bisect_right(each, until_us, key=_time) for each in (self.events, self.rulings)]
        return Lines(self.events[first[0] : last[0]], self.rulings[first[1] : last[1]], [])


def _time(one: Event | Ruling) -> int:
    return one.time_us


def new_judge(definitions: Definitions, *, unknown_ok: bool = True) -> Judge:
    """A judge that needs no contract, unless it is told so, and knows no future."""
    return Judge(definitions, unknown_ok=unknown_ok, future_skew_us=NEVER_US, max_event_bytes=LINE_MAX_BYTES)


def read_lines(path: Path, judge: Judge, progress: Callable[[int, int], None]) -> Lines:
    """Read and judge a file, ``-`` for stdin. Of several contents under one message id the first by time comes first, then the smaller
    one."""
    try:
        content = sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: expected a file of JSON lines, {error.strerror}") from None
    records = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    events: list[Event] = []
    rulings: list[Ruling] = []
    unread: list[Unread] = []
    for line, record in enumerate(records, 1):
        if line % _EVERY == 0:
            progress(line, len(records))
        if not record.strip():
            continue
        entry = _manual(record)
        if entry is not None:
            _take_ruling(line, entry, rulings, unread)
            continue
        found = judge.judge(record, line, 0)
        if isinstance(found, Event):
            events.append(found)
        else:
            unread.append(Unread(line, _message_id(record), found.reason, found.detail))
    return Lines(ordered(events), sorted(rulings, key=_order), unread)


def _manual(record: bytes) -> dict[str, Any] | None:
    if b"link" not in record:
        return None
    try:
        entry = orjson.loads(record)
    except orjson.JSONDecodeError:
        return None
    return entry if isinstance(entry, dict) and entry.get("type") in _RULINGS else None


def _take_ruling(line: int, entry: dict[str, Any], rulings: list[Ruling], unread: list[Unread]) -> None:
    said = entry.get("messageId")
    message_id = content_id(entry) if said is None else str(said)
    time_us = parse_time(entry.get("timestamp"))
    if time_us is None:
        detail = f"timestamp: expected a time like 2026-01-31T10:00:00.000Z, found {entry.get('timestamp')!r}"
        unread.append(Unread(line, message_id, entry["type"], detail, ruling=True))
    else:
        rulings.append(Ruling(time_us, message_id, line, {**entry, "messageId": message_id}))


def _order(ruling: Ruling) -> tuple[int, str, bool, bytes]:
    """Of two entries of one time and id, the unlink is the one that holds."""
    return ruling.time_us, ruling.message_id, ruling.entry["type"] == "link", orjson.dumps(ruling.entry, option=orjson.OPT_SORT_KEYS)


def ordered(events: list[Event]) -> list[Event]:
    """By time, message id and, where an id has several, content."""
    times = Counter(event.message_id for event in events)

    def order(event: Event) -> tuple[int, str, bytes]:
        return event.time_us, event.message_id, content(event.body) if times[event.message_id] > 1 else b""

    return sorted(events, key=order)


def _message_id(record: bytes) -> str | None:
    """What a record that is no event calls itself; None if it is no JSON object."""
    try:
        body = orjson.loads(record)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(body, dict):
        return None
    said = body.get("messageId")
    if said is None:
        return content_id(body)
    return said if isinstance(said, str) else orjson.dumps(said).decode()


def steps(lines: Lines, size: int) -> Iterator[list[Event] | Ruling]:
    """Batches of at most so many events, and single manual entries, in order of (time, message id)."""
    batch: list[Event] = []
    at = 0
    for event in lines.events:
        while at < len(lines.rulings) and lines.rulings[at][:2] < (event.time_us, event.message_id):
            if batch:
                yield batch
                batch = []
            yield lines.rulings[at]
            at += 1
        batch.append(event)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
    yield from lines.rulings[at:]
