"""The number of the meaning by which people were computed last, and what an older one asks for, once."""

from __future__ import annotations

from contracts.envelope import NotAccepted, event_time
from contracts.model.batches import Event
from contracts.model.definitions import Definitions
from operators.epochs import CONTROL
from operators.meta import Meta
from operators.people.quarantine import decode_row
from operators.people.work import Work
from operators.quality.scores import source_of
from operators.records import decode_page
from state.keys import NOBODY

MEANING = 4
"""Raised when what is stored comes to mean something else: how identifiers are normalised, names, consents or times are read,
which links by likeness stand, what of a list counts that a measure reads with ``[]``, whether group calls are of accounts."""
_KEPT = 1
"""The first meaning under which all is kept that is kept beside people today."""
_ITEMS = 2
"""The last meaning under which a list that a measure read with ``[]`` was one value."""
_LAST = b"\xff" * 21


def is_old(meta: Meta) -> bool:
    """Whether people were computed by an older meaning, or never."""
    return meta.meaning < MEANING


def says_the_same(meta: Meta, definitions: Definitions) -> bool:
    """Whether people by an older meaning are what they are by today's, but for accounts: since 2 nothing else is read in another way but
    items of lists."""
    items = any("[]" in (feature.property or "") for feature in definitions.features.values())
    return meta.meaning > _ITEMS or (meta.meaning == _ITEMS and not items)


def renew(work: Work) -> None:
    """What is kept beside people and was not kept, or not in this way, under the older meaning."""
    meta = work.meta
    kept, meta.meaning = meta.meaning >= _KEPT, MEANING
    if kept:
        return
    _find_nobodys(work)
    meta.sources, meta.late = {}, {}
    for partition, position in meta.applied.items():
        if partition != CONTROL:
            meta.sources[source_of(partition)] = meta.sources.get(source_of(partition), 0) + position
    for _, stored in work.shard.quarantine.committed(b""):
        row = decode_row(stored)
        if row.reason == "too_late":
            meta.late[source_of(row.partition)] = meta.late.get(source_of(row.partition), 0) + 1


def time_again(event: Event, time_us: int) -> int:
    """The time of a stored event as it is read today; as it was stored if it could not be read any more."""
    try:
        return event_time(event.body)[0]
    except NotAccepted:
        return time_us


def _find_nobodys(work: Work) -> None:
    """Sealed events without identifiers are remembered by where they lie."""
    for key, row in work.shard.pages.committed(NOBODY, NOBODY + _LAST):
        forgotten = [stored for stored in decode_page(row) if work.shard.seen.get(stored.message) is None]
        work.moments.find_nobodys(key, forgotten)
        work.meta.remembered += len(forgotten)
