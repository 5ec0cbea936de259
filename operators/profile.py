"""What is true of a person: how one event changes the record, how two records join, who has consented to what."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from contracts.model.batches import Event
from operators.components import Components
from operators.records import Link, Person
from operators.segments.compile import Program

Holder = Callable[[bytes], Person | None]
"""Hash of an identifier → the person that holds it."""
Touched = tuple[Any, ...]
"""Numbers of features, names of traits, ``"!purpose"`` of consents that an event changed."""


def fold(person: Person, event: Event, anchor: bytes, program: Program, now: int) -> tuple[Touched, int | None]:
    """Apply an event that belongs to the person.

    Returns what it touched, and the earliest moment at which a window may make it undone (None if there is none).
    ``anchor`` is the hash of the identifier that the event hangs on; ``now`` the clock. Decisions are only recorded:
    `resolve_consents` says what they come to.
    """
    time, message = event.time_us, event.message_id
    if person.first is None or time < person.first:
        person.first = time
    if person.last is None or time > person.last:
        person.last = time
    touched: list[Any] = []
    due = _fold_features(person, event, program, now, touched) if event.name else None
    if event.traits:
        traits = person.traits
        for key, value in event.traits.items():
            known = traits.get(key)
            if known is None or time > known[0] or (time == known[0] and message > known[1]):
                traits[key] = [time, message, value]
                touched.append(key)
    if event.consents:
        _decide(person, event, anchor, program, touched)
    return tuple(touched), due


def _fold_features(person: Person, event: Event, program: Program, now: int, touched: list[Any]) -> int | None:
    route = program.route(event.name)
    properties = event.properties
    chosen = route.always
    if route.by_text:
        for path, texts in route.by_text.items():
            value = properties.get(path)
            if type(value) is str and value in texts:
                chosen = chosen + texts[value]
    due: int | None = None
    cells, armed = person.cells, person.armed
    for at, matches, feature in chosen:
        if matches is None or matches(properties, event.body):
            cell = cells[at] = feature.fold(cells[at], event.time_us, event.message_id, properties, now)
            touched.append(at)
            # Whose timer is due by now, as everybody's is before the clock runs, is looked at then anyway.
            if feature.window is not None and (armed is None or event.time_us > now < armed or feature.may_be_due(cell, armed)):
                moment = feature.due(cell, now)
                if moment is not None and (due is None or moment < due):
                    due = moment
    return due


def _decide(person: Person, event: Event, anchor: bytes, program: Program, touched: list[Any]) -> None:
    for purpose, granted in (event.consents or {}).items():
        if purpose not in program.defaults:
            continue
        decisions = person.consents.setdefault(purpose, {})
        known = decisions.get(anchor)
        if known is None or (event.time_us, event.message_id) > (known[0], known[1]):
            decisions[anchor] = [event.time_us, event.message_id, granted]
            touched.append(f"!{purpose}")


def withdraw(person: Person, anchor: bytes, purpose: str, time: int, message: str) -> bool:
    """Count the denial of a refused record that hangs on an identifier of the person; whether that is what counts there now."""
    decisions = person.consents.setdefault(purpose, {})
    denied = [time, message, False]
    counts = anchor not in decisions or _newer(denied, decisions[anchor])
    if counts:
        decisions[anchor] = denied
    return counts


def _newer(one: list[Any], other: list[Any]) -> bool:
    """Of two decisions on one identifier, which counts: the newer by ``(time, message id)``, of one moment the denial."""
    return (one[0], one[1], not one[2]) > (other[0], other[1], not other[2])


def resolve_consents(person: Person, holder: Holder) -> None:
    """Set ``granted`` from the decisions and the accepted links."""
    links = joining(person, holder)
    person.granted = {purpose: decision(person.consents[purpose], links)[2] for purpose in person.consents}


def joining(person: Person, holder: Holder) -> list[Link]:
    """The accepted links that can join the anchors of a person's decisions: its own, and those around a device that lies
    with somebody else while some of its events belong to the person."""
    links = list(person.links.values())
    if all(len(decisions) < 2 for decisions in person.consents.values()):
        return links
    mine = {each.hash for each in person.identifiers}
    others = {anchor: holder(anchor) for decisions in person.consents.values() for anchor in decisions if anchor not in mine}
    for other in {other.key: other for other in others.values() if other is not None}.values():
        links += other.links.values()
    return links


def decision(decisions: dict[bytes, list[Any]], links: Iterable[Link]) -> list[Any]:
    """The decision that stands, as ``[time, message id, granted]``, of the newest ones of each anchor.

    A later one overrides an earlier one if links first seen by then join the two anchors; denial wins among the rest.
    """
    if len(decisions) == 1:
        return next(iter(decisions.values()))
    coming = sorted(links, key=lambda link: -link.first)
    joined = Components()
    standing: list[bytes] = []
    for anchor in sorted(decisions, key=lambda anchor: (decisions[anchor][0], decisions[anchor][1])):
        while coming and coming[-1].first <= decisions[anchor][0]:
            link = coming.pop()
            joined.join(link.a, link.b)
        here = joined.root(anchor)
        standing = [*(each for each in standing if joined.root(each) != here), anchor]
    granted = all(decisions[each][2] for each in standing)
    return max((decisions[each] for each in standing if decisions[each][2] is granted), key=lambda each: (each[0], each[1]))


def join(into: Person, other: Person, program: Program) -> None:
    """Add what is true of ``other`` to ``into``; the two have no event in common."""
    for at, cell in enumerate(program.cells):
        into.cells[at] = cell.join(into.cells[at], other.cells[at])
    for name, theirs in other.traits.items():
        ours = into.traits.get(name)
        if ours is None or (theirs[0], theirs[1]) > (ours[0], ours[1]):
            into.traits[name] = theirs
    for purpose, decisions in other.consents.items():
        known = into.consents.setdefault(purpose, {})
        for anchor, theirs in decisions.items():
            ours = known.get(anchor)
            if ours is None or _newer(theirs, ours):
                known[anchor] = theirs
    into.first = min((each for each in (into.first, other.first) if each is not None), default=None)
    into.last = max((each for each in (into.last, other.last) if each is not None), default=None)


def next_due(person: Person, program: Program, now: int) -> int | None:
    """The next moment after ``now`` at which some feature of the person changes by itself."""
    cells = person.cells
    moments = [program.cells[at].due(cells[at], now) for at in program.windowed if cells[at] is not None]
    return min((moment for moment in moments if moment is not None), default=None)


def changed_at(person: Person, program: Program, due: int) -> tuple[tuple[int, ...], int | None]:
    """The features that change by themselves at ``due``, and the next moment at which any does."""
    cells = person.cells
    touched: list[int] = []
    following: int | None = None
    for at in program.windowed:
        cell = cells[at]
        if cell is None:
            continue
        feature = program.cells[at]
        moment = feature.due(cell, due - 1)
        if moment == due:
            touched.append(at)
            moment = feature.due(cell, due)
        if moment is not None and (following is None or moment < following):
            following = moment
    return tuple(touched), following
