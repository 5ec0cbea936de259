"""`skep segments simulate`: who is in which segment at which time, by the people step under a clock that is only said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from contracts.model.hashing import profile_id
from contracts.text.times import parse_time
from operators.sandbox import Sandbox
from skep.answers.simulation.folder import Folder
from skep.answers.simulation.lines import Unread, new_judge, read_lines
from skep.answers.simulation.run import PARTITION, Feeding, Progress, store
from skep.project.errors import CommandError


class Enrolled(msgspec.Struct):
    """A profile at a time: its identifiers, ``[namespace, value]``, and the segments that it is in, each sorted.

    ``at`` as it was asked.
    """

    at: str
    profile: str
    identifiers: list[list[str]]
    segments: list[str]


class Rehearsed(NamedTuple):
    """Every profile at every time, in the order in which the times were asked, and the lines that were not taken in."""

    enrolled: list[Enrolled]
    unread: list[Unread]


def simulate_segments(definitions: Path, events: Path, times: Sequence[str], rules: Path | None, progress: Progress) -> Rehearsed:
    """Who is in which segment, at each time by the events up to it, wherever they stand in the file; every timer due by then has fired.

    Raises CommandError for what cannot be used.
    """
    moments = {time: _moment(time) for time in times}
    folder = Folder(definitions, rules)
    found = folder.load()
    judge = new_judge(found, unknown_ok=not folder.has_contracts)
    lines = read_lines(events, judge, lambda done, of: progress("reading", done, of))
    enrolled: dict[int, list[Enrolled]] = {}
    with store(found, judge) as box:
        feeding, before = Feeding(box, lines, progress), None
        for moment in sorted(set(moments.values())):
            feeding.feed(lines.between(before, moment))
            box.come_to(PARTITION, moment)
            enrolled[moment] = sorted(_enrolled(box), key=lambda one: (one.identifiers, one.profile))
            before = moment
        unread = feeding.unread()
    return Rehearsed([msgspec.structs.replace(one, at=time) for time, moment in moments.items() for one in enrolled[moment]], unread)


def _moment(time: str) -> int:
    found = parse_time(time)
    if found is None:
        raise CommandError(f"--at {time}: expected a time like 2026-01-31 or 2026-01-31T10:00:00.000Z")
    return found


def _enrolled(box: Sandbox) -> Iterator[Enrolled]:
    """What the steps have come to, as it is stored: nothing is evaluated."""
    names, segments = box.view.namespaces, [one.name for one in box.view.program.segments]
    for person in box.view.people():
        bits = int.from_bytes(person.bits, "little")
        identifiers = sorted([names[each.namespace], each.value] for each in person.identifiers)
        yield Enrolled("", profile_id(person.key), identifiers, sorted(name for at, name in enumerate(segments) if bits >> at & 1))
