"""``segments/<name>.yaml``: who belongs to a segment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from contracts.language.conditions import read_condition
from contracts.language.contradictions import Literal, check_contradictions
from contracts.language.features import Measured
from contracts.language.forms import FORMS
from contracts.language.forms.consent import read_purpose
from contracts.language.forms.form import Surroundings
from contracts.model.definitions import All, Condition, ConsentIs, MemberOf, Segment, Use, leaves
from contracts.reading.confidence import read_floor
from contracts.text.problems import Problem, Unexpected, choices
from contracts.text.yaml_tree import Reader, Tree

_KEYS = ("segment", "version", "title", "owner", "purpose", "timezone", "confidence", "who", "activate")
_LATER = ("tier", "min_size")


@dataclass(frozen=True, slots=True)
class Draft:
    """A segment and where its name stands."""

    segment: Segment
    line: int


def read_segment(reader: Reader, at: Tree, name: str, around: Surroundings, destinations: tuple[str, ...]) -> Draft | None:
    """One segment; None if its ``who`` cannot be read."""
    if not at.value:
        reader.refuse(at, f"a segment, that is lines such as `segment: {name}` and `who:`", "an empty file")
        return None
    before = len(reader.problems)
    outside = [word for word in at.value if word in FORMS and word not in _KEYS and at.value.get("who") and at.value["who"].value is None]
    if outside:
        reader.refuse(at.value[outside[0]], "the condition further to the right than `who:`", outside[0], "begin its lines with two blanks")
        return None
    parts = reader.fields(at, _KEYS, later=_LATER)
    named = reader.required(at, parts, "segment", f"segment: {name}")
    if named is not None and named.value != name:
        reader.refuse(named, f"the name of the file, {name}", None, f"write `segment: {name}`, or rename the file")
    around.measured.user = ("segment", name)
    zone = reader.read(parts.get("timezone"), "UTC", _zone)
    around = replace(around, timezone=zone)
    who_at = reader.required(at, parts, "who", "the condition of the segment")
    who = read_condition(reader, who_at, around) if who_at is not None else None
    if who_at is not None and who is not None and len(reader.problems) == before and not around.contradictions_ok:
        purpose = parts.get("purpose")
        beside = [] if purpose is None else [Literal(purpose, ConsentIs(purpose.value))]
        check_contradictions(reader, [*beside, Literal(who_at, who)], around.measured.features)
    segment = Segment(
        name=name,
        version=reader.integer(parts.get("version"), 1),
        who=who or All(()),
        purpose=read_purpose(reader, parts.get("purpose"), around.purposes),
        title=reader.text(parts.get("title")),
        owner=reader.text(parts.get("owner")),
        timezone=zone,
        confidence=read_floor(reader, parts.get("confidence")),
        activate=tuple(_activate(reader, parts.get("activate"), name, destinations, around.measured)),
        file=at.file,
    )
    return None if who is None else Draft(segment, named.line if named else at.line)


def _zone(value: object) -> str:
    try:
        if isinstance(value, str) and value:
            ZoneInfo(value)
            return value
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    near = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(available_timezones())} if isinstance(value, str) else {}
    zone = near.get(str(value).rpartition("/")[2].replace(" ", "_").casefold())
    raise Unexpected("a time zone such as UTC or Europe/Berlin", f"did you mean {zone}?" if zone else "")


def _activate(reader: Reader, at: Tree | None, segment: str, destinations: tuple[str, ...], measured: Measured) -> Iterator[str]:
    for item in reader.items(at, "a list of destinations"):
        name = reader.text(item, expected="the name of a destination")
        measured.uses.append(Use("destination", name, "segment", "", segment, item.file, item.line, item.key))
        if name and name not in destinations:
            reader.refuse(item, "the name of a file in destinations/", name, choices(name, destinations))
        yield name


def named_segments(condition: Condition) -> Iterator[str]:
    """The segments that a condition names."""
    return (leaf.segment for leaf in leaves(condition) if isinstance(leaf, MemberOf))


def in_order(drafts: list[Draft], problems: list[Problem]) -> tuple[Segment, ...]:
    """The segments, each after those that it names, else by name; a cycle is a problem of each segment in it."""
    by_name = {draft.segment.name: draft for draft in sorted(drafts, key=lambda one: one.segment.name)}
    graph = {name: [one for one in named_segments(draft.segment.who) if one in by_name] for name, draft in by_name.items()}
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        for name in set(circle):
            draft = by_name[name]
            start = circle.index(name)
            way = " → ".join([*circle[start:-1], *circle[:start], name])
            problems.append(Problem(draft.segment.file, draft.line, "segment", "segments that do not name each other in a circle", way))
        return ()
    ordered: list[Segment] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered += [by_name[name].segment for name in ready]
        sorter.done(*ready)
    return tuple(ordered)
