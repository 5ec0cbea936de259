"""``segments/tests/*.yaml``: what segments are held to. No part of the definitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contracts.text.keys import Choice, Fields, Items, Key, Own, Plain, Text, known, text_schema
from contracts.text.problems import Unexpected
from contracts.text.times import parse_time
from contracts.text.yaml_tree import Reader, Tree

FOLDER = "segments/tests"


@dataclass(frozen=True, slots=True)
class Expected:
    """That an identifier (``namespace:value``) is ``in`` or ``out`` at a time (µs), or has ``entered`` or ``left`` at that moment."""

    who: str
    at_us: int
    side: str
    line: int


@dataclass(frozen=True, slots=True)
class SegmentCase:
    """A named case of a segment: events as a source hands them over, each with its line, and what is expected of them."""

    name: str
    segment: str
    events: tuple[tuple[dict[str, Any], int], ...]
    expected: tuple[Expected, ...]
    file: str
    line: int


def _time(value: object) -> int:
    found = parse_time(value)
    if found is None:
        raise Unexpected("a time such as 2026-01-31T10:00:00Z")
    return found


def _event(reader: Reader, at: Tree) -> tuple[dict[str, Any], int] | None:
    if isinstance(at.value, dict):
        return at.plain(), at.line
    reader.refuse(at, "an event as a source hands it over, a mapping with type, timestamp and so on")
    return None


EXPECTED = Fields((
    Key("at", Plain(_time, text_schema()), "the moment", required="a time such as 2026-01-31T10:00:00Z"),
    Key("who", Text(), "an identifier, such as user_id:42", required="an identifier such as user_id:42"),
    Key("is", Choice(("in", "out", "entered", "left")), "in or out by then, or entered or left at that very moment", required="in or out"),
))  # fmt: skip
CASE = Fields((
    Key("name", Text(), "what is held", required="what is held, in words"),
    Key("segment", Own(lambda names: known(names.get("segments", ()))), "the segment", required="the name of a segment"),
    Key("events", Items(Own({"type": "object"}, _event), "a list of events"), "events as a source hands them over, in any order",
        default=()),
    Key("expect", EXPECTED.listed(minItems=1), "what becomes of it", required="a list of what is expected"),
))  # fmt: skip
CASES = Fields((Key("cases", CASE.listed(), "cases of segments", required="a list of cases"),))


def read_cases(reader: Reader, at: Tree, segments: frozenset[str]) -> list[SegmentCase]:
    """The cases of a file that can be read; the others are problems of the reader's."""
    return [one for item in reader.items(CASES.read(reader, at)["cases"]) if (one := _case(reader, item, segments)) is not None]


def _case(reader: Reader, at: Tree, segments: frozenset[str]) -> SegmentCase | None:
    before = len(reader.problems)
    if not isinstance(at.value, dict):
        reader.refuse(at, "a case with name, segment, events and expect")
        return None
    parts = CASE.parts(reader, at)
    said = CASE.values(reader, at, parts)
    segment = reader.text(parts.get("segment"), expected="the name of a segment")
    if segment and segment not in segments:
        reader.refuse(parts["segment"], "the name of a segment in segments/", segment)
    expected = []
    for item in reader.items(said["expect"], "a list of what is expected"):
        found = EXPECTED.read(reader, item)
        expected.append((found["who"] or "", found["at"] or 0, found["is"] or "in", item.line))
        if found["who"] and not all(found["who"].partition(":")[::2]):
            reader.refuse(item.value["who"], "NAMESPACE:VALUE such as user_id:42")
    if len(reader.problems) > before:
        return None
    return SegmentCase(said["name"], segment, said["events"], tuple(Expected(*one) for one in expected), at.file, at.line)
