"""The plain data on the arrows of the flow: what a source hands over, and what validate makes of it."""

from __future__ import annotations

from typing import Any

import msgspec

from contracts.model.event import Event

__all__ = ["ControlEntry", "Denial", "Event", "JudgedBatch", "Refused", "SourceBatch"]


class SourceBatch(msgspec.Struct, gc=False):
    """Positions ``first..last`` (counted from 1, both included) of one partition; a tick has ``last = first - 1``.

    ``records`` are the bytes as received, one JSON object each: one at every position, or at those of ``positions`` where some hold
    none. ``read_at_us`` is the wall clock when they were read. ``caught_up``: nothing more was waiting behind them. ``finished``: the
    partition has ended for this run.
    ``history``: what was written down before it is read, in no order, so that none of it is late.
    ``mark`` (`connectors.sources.marks`) is what was read of the file with them, to be
    stored with the position; empty if that is stored already.
    """

    space: str
    source: str
    partition: str
    first: int
    last: int
    records: list[bytes]
    read_at_us: int
    caught_up: bool = False
    finished: bool = False
    history: bool = False
    mark: bytes = b""
    positions: list[int] | None = None


class Denial(msgspec.Struct, frozen=True, gc=False):
    """A refused record's denial of consent to a purpose, by the identifier that its event would hang on.

    ``value`` is normalised; ``time_us`` is not after the record was received. ``unread``: what was said could not be read.
    """

    message_id: str
    namespace: str
    value: str
    purpose: str
    time_us: int
    unread: bool = False


class Refused(msgspec.Struct, gc=False):
    """One record for the quarantine: why, in which words, where in the schema, and the bytes as received.

    ``reason`` is one of ``undecodable envelope unknown_event invalid future too_large unsupported_version upcast lookup`` here; the
    people step adds ``too_late`` and ``conflict``, and an edit that waits for its replay is ``edited``. ``event`` is its
    name as far as it can be told, ``contract`` the version that refused it; ``""`` is unknown. ``denials`` count although
    nothing else of the record does.
    """

    position: int
    reason: str
    detail: str
    schema_path: str
    received_at_us: int | None
    raw: bytes
    event: str = ""
    contract: str = ""
    denials: tuple[Denial, ...] = ()


class ControlEntry(msgspec.Struct, gc=False):
    """An entry of the control partition; ``outcomes`` are the judged records of a replay or an edit, by quarantine id."""

    position: int
    entry: dict[str, Any]
    outcomes: list[tuple[str, Event | Refused]] = []


class JudgedBatch(msgspec.Struct, gc=False):
    """A `SourceBatch` after its contracts: in order of position, every record is in exactly one of the lists.

    ``digest`` names the definitions that judged all of it (a batch that spans two is split; each part has the mark). ``uncorrected``
    are the positions of events whose own time stands, because ``receivedAt − sentAt`` is not believed. ``looked``: something may have
    been looked up for its events.
    """

    space: str
    source: str
    partition: str
    first: int
    last: int
    digest: str
    events: list[Event]
    refused: list[Refused]
    control: list[ControlEntry]
    read_at_us: int
    caught_up: bool = False
    finished: bool = False
    uncorrected: list[int] = []
    looked: bool = False
    history: bool = False
    mark: bytes = b""
