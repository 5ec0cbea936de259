"""A space as it was at an earlier time: by the accepted events and manual entries with a time up to it, whenever they came, and the
definitions in force. Only of those whom evidence connects with somebody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from contracts.model.batches import Event
from contracts.model.hashing import Hasher
from contracts.text.times import parse_time
from operators.judge import Judge
from operators.people.pairs import denied_at
from operators.records import Person
from operators.sandbox import Sandbox
from operators.view.space import View
from state.shard import Shard

BATCH = 1_000
"""Events of one commit."""
_PARTITION = "events"


def past(view: View, person: Person, entries: Iterable[dict[str, Any]], at_us: int, *, shard: Shard, judge: Judge, hasher: Hasher) -> View:
    """The space at a time (µs) of those whom evidence connects with a person; with rules that compare people, of everybody.

    ``entries`` are those of the control partition, in order; ``shard`` is empty and takes what is made, ``judge`` reads by the
    definitions in force.
    """
    definitions = view.program.definitions
    everybody = list(view.people() if definitions.identity.probabilistic is not None else _connected(view, person))
    _deny(view, everybody, at_us, shard)
    box = Sandbox(view.space, shard, hasher, load=lambda _: definitions, judge=lambda _: judge)
    box.space.start([_PARTITION])
    box.enter({"type": "definitions", "digest": definitions.digest, "from": {}, "messageId": "definitions"})
    rulings = [entry for entry in entries if entry.get("type") in {"link", "unlink"} and (parse_time(entry.get("timestamp")) or 0) <= at_us]
    if rulings:
        box.enter(*rulings)
    events = sorted(_events(view, everybody, at_us, judge), key=lambda event: (event.time_us, event.message_id))
    for account in {event.group[0] for event in events if event.group is not None}:
        # What others say of it, too.
        for call in view.accounts.calls(account):
            if call.time_us <= at_us:
                box.space.work.accounts.take(account, call)
    for start in range(0, len(events), BATCH):
        batch = events[start : start + BATCH]
        for position, event in enumerate(batch, box.following(_PARTITION)):
            event.position = position
        box.feed(_PARTITION, batch)
    return box.view


def _connected(view: View, person: Person) -> Iterable[Person]:
    """A person and all with whom links connect them, whether these stand or not."""
    found = {person.key: person}
    waiting = [person]
    while waiting:
        for link in view.identity.refused_of(waiting.pop()).values():
            for holder in (view.holds(link.a), view.holds(link.b)):
                if holder is not None and holder.key not in found:
                    found[holder.key] = holder
                    waiting.append(holder)
    return found.values()


def _events(view: View, everybody: Iterable[Person], at_us: int, judge: Judge) -> Iterator[Event]:
    contracts = view.meta.contracts
    for person in everybody:
        for each in person.identifiers:
            for stored in view.events.hanging(each.hash, each.first, each.last):
                if stored.time_us <= at_us:
                    yield judge.stored(stored.row, stored.time_us, contracts)


def _deny(view: View, everybody: Iterable[Person], at_us: int, shard: Shard) -> None:
    """What refused records up to the time deny of these people's identifiers."""
    for person in everybody:
        for each in person.identifiers:
            for key, row in view.rows.rows("denials", each.hash, each.hash + b"\xff" * 17):
                if denied_at(row) <= at_us:
                    shard.denials.put(key, row)
    shard.commit()
