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
from contracts.model.definitions import All, Condition, ConsentIs, MemberOf, Segment, leaves
from contracts.model.uses import Use
from contracts.reading.confidence import FLOOR
from contracts.text.keys import Choice, Fields, Integer, Key, Own, Plain, Text, known, text_schema
from contracts.text.problems import Problem, Unexpected, choices, closest
from contracts.text.yaml_tree import Reader, Tree


@dataclass(frozen=True, slots=True)
class Draft:
    """A segment and where its name stands."""

    segment: Segment
    line: int


def read_segment(reader: Reader, at: Tree, name: str, around: Surroundings, destinations: tuple[str, ...] | None) -> Draft | None:
    """One segment; None if its ``who`` cannot be read. ``destinations``: those that it may name, None for any."""
    if not at.value:
        reader.refuse(at, f"a segment, that is lines such as `segment: {name}` and `who:`", "an empty file")
        return None
    before = len(reader.problems)
    outside = [
        word for word in at.value if word in FORMS and word not in SEGMENT.names and at.value.get("who") and at.value["who"].value is None
    ]
    if outside:
        reader.refuse(at.value[outside[0]], "the condition further to the right than `who:`", outside[0], "begin its lines with two blanks")
        return None
    parts = SEGMENT.parts(reader, at)
    named = reader.required(at, parts, "segment", f"segment: {name}")
    said = SEGMENT.values(reader, at, {"segment": Tree(name, at.file, at.line, ""), **parts})
    if named is not None and named.value != name:
        reader.refuse(named, f"the name of the file, {name}", None, f"write `segment: {name}`, or rename the file")
    around.measured.user = ("segment", name)
    around = replace(around, timezone=said["timezone"])
    who_at = said["who"]
    who = read_condition(reader, who_at, around) if who_at is not None else None
    if who_at is not None and who is not None and len(reader.problems) == before and not around.contradictions_ok:
        purpose = parts.get("purpose")
        beside = [] if purpose is None else [Literal(purpose, ConsentIs(purpose.value))]
        check_contradictions(reader, [*beside, Literal(who_at, who)], around.measured.features)
    segment = Segment(
        name=name,
        version=said["version"],
        who=who or All(()),
        purpose=read_purpose(reader, parts.get("purpose"), around.purposes),
        title=said["title"],
        owner=said["owner"],
        timezone=said["timezone"],
        confidence=said["confidence"],
        activate=tuple(_activate(reader, parts.get("activate"), name, destinations, around.measured)),
        file=at.file,
        min_size=said["min_size"],
        tier=said["tier"],
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
    hint = f"did you mean {zone}?" if zone else closest(str(value), [name for name in available_timezones() if "/" in name])
    raise Unexpected("a time zone such as UTC or Europe/Berlin", hint)


_NAME = {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"}
SEGMENT = Fields((
    Key("segment", Own(_NAME), "the name of the file", required="the name of the segment"),
    Key("version", Integer(), "counts up when you change what the segment means", default=1),
    Key("title", Text(), "what it is, in words"),
    Key("owner", Text(), "whose it is"),
    Key("purpose", Own(lambda names: known(names.get("purposes", ()))), "without this consent nobody is a member"),
    Key("timezone", Plain(_zone, text_schema()), "for dates that stand alone, such as Europe/Berlin", default="UTC"),
    Key("confidence", FLOOR, "nobody is a member of whom we are less sure who it is"),
    Key("tier", Choice(("macro", "micro", "singleton")), "a cohort, one of hundreds of rules, or made for one person", default="macro"),
    Key("min_size", Integer(), "with fewer members it is too small to act on"),
    Key("who", Own(lambda names: names.get("condition", {})), "who belongs to it", required="the condition of the segment"),
    Key("activate", Own(lambda names: {"type": "array", "items": known(names.get("destinations", ()))}),
        "destinations that are told of it"),
))  # fmt: skip


def _activate(reader: Reader, at: Tree | None, segment: str, destinations: tuple[str, ...] | None, measured: Measured) -> Iterator[str]:
    for item in reader.items(at, "a list of destinations"):
        name = reader.text(item, expected="the name of a destination")
        measured.uses.append(Use("destination", name, "segment", "", segment, item.file, item.line, item.key))
        if name and destinations is not None and name not in destinations:
            reader.refuse(item, "the name of a file in destinations/", name, choices(name, destinations))
        yield name


def named_segments(condition: Condition) -> Iterator[str]:
    """The segments that a condition names."""
    return (leaf.segment for leaf in leaves(condition) if isinstance(leaf, MemberOf))


def named_purposes(segment: Segment) -> Iterator[str]:
    """The purposes that a segment names."""
    if segment.purpose is not None:
        yield segment.purpose
    yield from (leaf.purpose for leaf in leaves(segment.who) if isinstance(leaf, ConsentIs))


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
