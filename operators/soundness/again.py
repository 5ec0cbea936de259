"""Some people computed anew from their moments, as a rebuild does it, and held against what is stored of them. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from random import Random
from typing import Any

import orjson

from contracts.model.hashing import profile_id
from contracts.text.times import DAY_US
from operators.apart import decode_whole
from operators.moment_row import moment_message
from operators.people import doings
from operators.people.recompute import component, compute
from operators.people.work import Work
from operators.records import Person, decode_person, decode_stored
from operators.soundness.findings import Findings
from operators.soundness.whereabouts import home
from operators.view.accounts import dumped, traits_of
from operators.view.dump import person_lines
from operators.view.rows import SpaceRows
from state.overlay import Overlay

LATER_US = (0, DAY_US, 30 * DAY_US)
"""So long behind the clock it is looked, too: windows hold what will leave them."""
LINKS = ("alias", "refused", "identified", "blocks")
"""Families of which a rebuild of sound people leaves every row as it is."""


def sample(space: SpaceRows, overlay: Overlay, make: Callable[[], Work], size: int, seed: int) -> Findings:
    """``size`` profiles, drawn by ``seed``, each with all whom evidence connects with it. ``make`` gives what works on ``overlay``, which
    is not fit for anything else afterwards; ``space`` reads what was committed."""
    found = Findings("people", f"profiles, computed anew from their events (drawn by seed {seed})")
    done: set[bytes] = set()
    work = make()
    for key in _drawn(space, size, Random(seed)):
        person = None if key in done else work.store.person(key)
        if person is None or not person.identifiers:
            # What is nobody's of a device is computed with the device.
            continue
        done.add(key)
        try:
            old = component(work.store, work.manual, [person])
            done.update(old)
            found.looked += len(old)
            compute(work, old, {each.hash for one in old.values() for each in one.identifiers})
            doings.settle(work)
            work.store.flush()
            work.moments.flush()
            _hold(space, overlay, found, old.keys())
        except Exception as error:  # noqa: BLE001 - what is not sound may lead anywhere
            found.differ(profile_id(key), "to be computed anew from its events", f"{type(error).__name__}: {error}")
            _forget(overlay)
            work = make()
        if overlay.shares.pending:
            # Accounts are not what they were either.
            work = make()
        _forget(overlay)
    return found


def _forget(overlay: Overlay) -> None:
    for family in overlay.families.values():
        family.pending = {}


def _hold(space: SpaceRows, overlay: Overlay, found: Findings, old: Iterable[bytes]) -> None:
    """What a rebuild has made, against what was committed."""
    _compare(space, overlay, found, {*old, *overlay.people.pending})
    _tell(overlay, found)
    _owners(space, overlay, found)
    _shares(space, overlay, found)
    for family in LINKS:
        for key, row in sorted(overlay.families[family].pending.items()):
            before = overlay.before.row(family, key)
            if before != row:
                found.differ(f"row {key.hex()} of {family}", _hex(row), _hex(before))


def _drawn(space: SpaceRows, size: int, rng: Random) -> Iterator[bytes]:
    """Keys of profiles: those behind places that are drawn; all of them where there are not many more."""
    people = space.meta.people
    if size >= people:
        yield from [key for key, _ in space.rows.rows("people")]
        return
    drawn: set[bytes] = set()
    while len(drawn) < size:
        key = next((key for key, _ in space.rows.rows("people", rng.randbytes(16)) if key not in drawn), None)
        if key is not None:
            drawn.add(key)
            yield key


def _compare(space: SpaceRows, overlay: Overlay, found: Findings, keys: Iterable[bytes]) -> None:
    """What the dump says of these people, at the clock and at later times, before and behind."""
    meta = space.meta
    for key in sorted(keys):
        name, before, row = profile_id(key), overlay.before.row("people", key), overlay.row("people", key)
        if before is None or row is None:
            if before is not row:
                found.differ(name, "no profile" if row is None else "a profile", "none" if before is None else "one")
            continue
        was, now = space.numbered(before, meta), decode_whole(row, partial(overlay.row, "traits"))
        for later in LATER_US:
            at_us = space.at(None) + later
            stored, again = set(person_lines(space, was, at_us)), set(person_lines(space, now, at_us))
            wrong = sorted(stored - again)
            for line in sorted(again - stored):
                found.differ(name, line.decode(), _taken(line, wrong))
            for line in wrong:
                found.differ(name, "nothing of it", line.decode())
            if stored != again:
                # What is wrong now is wrong later.
                break
        else:
            for at in sorted(was.cells.keys() | now.cells.keys()):
                # Others hold times that have left the window, until somebody looks.
                if isinstance(was.cells.get(at), int) and (was.cells.get(at) or 0) != (now.cells.get(at) or 0):
                    found.differ(f"{name}, cell {at}", now.cells.get(at), was.cells.get(at))


def _shares(space: SpaceRows, overlay: Overlay, found: Findings) -> None:
    """What these people have done for accounts, at the clock and at later times."""
    for key, row in sorted(overlay.shares.pending.items()):
        was, now = (Person(b"", [], {}) if one is None else decode_person(one) for one in (overlay.before.row("shares", key), row))
        for later in LATER_US:
            stored, again = (traits_of(one, space.of_accounts, space.at(None) + later) for one in (was, now))
            if dumped(stored) != dumped(again):
                name = f"what {profile_id(key[16:])} has done for account {key[:16].hex()}"
                found.differ(name, dumped(again).decode(), dumped(stored).decode())
                break


def _taken(line: bytes, wrong: list[bytes]) -> str:
    """Takes out of the wrong lines the one that stands in the place of the right one."""
    kind = orjson.loads(line)["kind"]
    other = next((one for one in wrong if orjson.loads(one)["kind"] == kind), None)
    if other is None:
        return "nothing"
    wrong.remove(other)
    return other.decode()


def _tell(overlay: Overlay, found: Findings) -> None:
    """A rebuild of sound people has nothing to tell."""
    for row in overlay.changes.pending.values():
        change: dict[str, Any] = orjson.loads(row or b"{}")
        if change["type"] != "events.reassigned":
            about = f"{change['profile']}, {change['type']} {change.get('segment') or change.get('purpose') or ''}".strip()
            found.differ(about, "nothing to tell", "it is not as it was told")


def _owners(space: SpaceRows, overlay: Overlay, found: Findings) -> None:
    """Whose the events are: by the profile, which may be said in more than one way."""
    rules = space.program.definitions.identity
    for family in ("moments", "pages"):
        for key, row in sorted(overlay.families[family].pending.items()):
            anchor = key[4:20] if family == "moments" else key[:16]
            before = _messages(family, key, overlay.before.row(family, key))
            for message, now in _messages(family, key, row).items():
                was = before.get(message)
                mine, theirs = (None if one is None else home(space, rules, anchor, one) for one in (now, was))
                if mine != theirs:
                    found.differ(f"event {moment_message(now)}", f"one of {_name(mine)}", f"one of {_name(theirs)}")


def _messages(family: str, key: bytes, row: bytes | None) -> dict[bytes, bytes]:
    """The moments in a row, by the hashes of their message ids."""
    if row is None:
        return {}
    return {each.message: each.row for each in decode_stored(family, key, row)}


def _name(key: bytes | None) -> str:
    return "nobody" if key is None else profile_id(key)


def _hex(row: bytes | None) -> str:
    return "no row" if row is None else row.hex()
