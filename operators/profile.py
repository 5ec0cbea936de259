"""What is true of a person: how one event changes the record, how two records join."""

from __future__ import annotations

from typing import Any

from contracts.model.batches import Event
from operators import consent, stays
from operators.records import Person
from operators.segments.cells.cell import Cell, earlier
from operators.segments.compile import Program
from operators.segments.facts import SEEN

Touched = tuple[Any, ...]
"""Numbers of features, names of traits, ``"!purpose"`` of consents that an event changed so that a condition may think otherwise."""


def fold(person: Person, event: Event, anchor: bytes, program: Program, now: int) -> tuple[Touched, int | None]:
    """Apply an event that belongs to the person.

    Returns what it touched, and the earliest moment at which a window may make it undone (None if there is none).
    ``anchor`` is the hash of the identifier that the event hangs on; ``now`` the clock. Decisions are only recorded:
    `operators.consent.resolve` says what they come to.
    """
    time, message = event.time_us, event.message_id
    if person.first is None or time < person.first:
        person.first = time
    if person.last is None or time > person.last:
        person.last = time
    touched: list[Any] = [SEEN] if program.seen else []
    due = fold_features(person, event, program, now, touched) if event.name else None
    if event.traits:
        traits = person.traits
        for key, value in event.traits.items():
            known = traits.get(key)
            if known is None or time > known[0] or (time == known[0] and message > known[1]):
                traits[key] = [time, message, value]
                touched.append(key)
        if program.sent:
            due = earlier(due, _fold_sent(person, event, program, now, touched))
    if event.consents:
        touched += consent.decide(person, event, anchor, program.defaults)
    if event.group is not None:
        account, said = event.group
        calls, known_calls = stays.call(time, message, left=said.get(stays.LEAVES) is True), person.accounts.get(account)
        person.accounts[account] = calls if known_calls is None else stays.join(known_calls, calls)
        touched.append(stays.BELONGS)
    if program.turns:
        for turn in program.turns:
            if turn.touches in touched:
                due = earlier(due, turn.after(person, now))
    return tuple(touched), due


def fold_features(person: Person, event: Event, program: Program, now: int, touched: list[Any]) -> int | None:
    """What was done; what it touches is added to ``touched``. Returns the earliest moment at which a window may make it undone."""
    properties = event.properties
    due: int | None = None
    time, message, cells, armed = event.time_us, event.message_id, person.cells, person.armed
    # What has changed by itself before has been told, unless the timer is late, as everybody's is before the clock runs.
    told = armed is None or armed > now
    route = program.route(event.name)
    said = route.said(properties, event.body)
    for at, matches, feature in route.chosen(properties):
        if matches is not None and not matches(properties, event.body):
            continue
        known = len(cells)
        turned = feature.fold(cells, at, time, message, said, now)
        if turned or not told:
            touched.append(at)
        if len(cells) > known:
            due = _first_due(due, cells, program.turning[at], now)
        if not feature.windowed:
            continue
        cell = cells.get(at)
        if cell is None:
            continue
        # One more that turns nothing makes nothing due earlier; whose timer is due by now is looked at then anyway.
        if (turned or time > now) and (armed is None or time > now < armed or feature.may_be_due(cell, armed)) and feature.matters(cells):
            due = earlier(due, feature.due(cell, now))
        for other in feature.others:
            turned = other.turned(cell, time, now)
            if turned or not told:
                touched.append(other.number)
            if (turned or time > now) and (armed is None or time > now < armed or other.may_be_due(cell, armed)) and other.matters(cells):
                due = earlier(due, other.due(cell, now))
    return due


def _fold_sent(person: Person, event: Event, program: Program, now: int, touched: list[Any]) -> int | None:
    """What an identify call says of traits that are merged otherwise than by the latest, or have been something for long."""
    due: int | None = None
    cells, armed = person.cells, person.armed
    told = armed is None or armed > now
    for at, source, feature in program.sent:
        if source is not None and source not in event.sources:
            continue
        known = len(cells)
        turned = feature.fold(cells, at, event.time_us, event.message_id, event.traits, now)
        if turned or (feature.windowed and not told):
            touched.append(at)
        if len(cells) > known:
            due = _first_due(due, cells, program.turning[at], now)
        elif turned and feature.windowed and feature.matters(cells):
            due = earlier(due, feature.due(cells[at], now))
    return due


def join(into: Person, other: Person, program: Program) -> None:
    """Add what is true of ``other`` to ``into``; the two have no event in common."""
    join_cells(into, other, program)
    for name, theirs in other.traits.items():
        ours = into.traits.get(name)
        if ours is None or (theirs[0], theirs[1]) > (ours[0], ours[1]):
            into.traits[name] = theirs
    for account, calls in other.accounts.items():
        mine = into.accounts.get(account)
        into.accounts[account] = calls if mine is None else stays.join(mine, calls)
    consent.join(into, other)
    into.first = min((each for each in (into.first, other.first) if each is not None), default=None)
    into.last = max((each for each in (into.last, other.last) if each is not None), default=None)


def join_cells(into: Person, other: Person, program: Program) -> None:
    """The same of what was done alone."""
    cells = into.cells
    for at, cell in other.cells.items():
        known = cells.get(at)
        cells[at] = cell if known is None else program.cells[at].join(known, cell)


def next_change(person: Person, program: Program, now: int) -> int | None:
    """The next moment after ``now`` at which some feature of the person, or a condition on a trait, changes by itself."""
    following = _turned_alone(person, program, now)
    for slot, cell in person.cells.items():
        feature = program.watched[slot]
        if feature is not None:
            for each in (feature, *feature.others):
                following = earlier(following, each.due(cell, now))
    return following


def next_due(person: Person, program: Program, now: int) -> int | None:
    """The same of those features only by which the person may enter or leave a segment, or a trait that is told may change."""
    following = _turned_alone(person, program, now)
    turning, cells = program.turning, person.cells
    for slot in cells:
        following = _first_due(following, cells, turning[slot], now)
    return following


def _turned_alone(person: Person, program: Program, now: int) -> int | None:
    """The first moment after ``now`` at which a condition on a trait changes by itself."""
    first: int | None = None
    for turn in program.turns:
        first = earlier(first, turn.after(person, now))
    return first


def _first_due(first: int | None, cells: dict[int, Any], features: list[Cell], now: int) -> int | None:
    """The first moment after ``now`` at which one of the features changes by itself, if that is before ``first``."""
    for feature in features:
        cell = cells.get(feature.slot)
        if cell is not None:
            first = earlier(first, feature.due(cell, now))
    return first


def changed_at(person: Person, program: Program, due: int) -> tuple[Touched, int | None]:
    """Of what `next_due` looks at: the features, and the traits of which a condition changes by itself at ``due``; and the next moment
    at which any does."""
    touched: set[int] = set()
    following: int | None = None
    turning, cells = program.turning, person.cells
    for slot in cells:
        for feature in turning[slot]:
            cell = cells.get(feature.slot)
            if cell is None:
                continue
            moment = feature.due(cell, due - 1)
            if moment == due:
                touched.add(feature.number)
                moment = feature.due(cell, due)
            following = earlier(following, moment)
    found: list[Any] = sorted(touched)
    for turn in program.turns:
        moment = turn.after(person, due - 1)
        if moment == due:
            found.append(turn.touches)
        if turn.touches in found:
            moment = turn.after(person, due)
        following = earlier(following, moment)
    return tuple(found), following
