"""Tags: what a contract says of a property beside its type, ``x-personal``, ``x-purpose``, ``x-retention`` and others."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from contracts.meaning.classes import CLASSES, Personal, class_of
from contracts.meaning.reach import Spot, reach_of
from contracts.text.durations import duration_us
from contracts.text.problems import Problem, Unexpected, choices, closest, listed
from contracts.text.schema_files import key_of
from schemalogic.document import Document, Place
from schemalogic.paths import Step, parse_path
from schemalogic.typed import Typed, typed_at

WORDS = ("x-personal", "x-purpose", "x-retention", "x-unit", "x-identifier")


@dataclass(frozen=True, slots=True)
class Tags:
    """What is said of a value; the strictest where several subschemas say something.

    ``purposes``: the only ones that it may serve, None is any; ``retention_us``: None is for ever. ``unit_of``: the path of
    the property that names the unit. ``limits``: where the purposes are said, as ``contracts/<file>:<line>``.
    """

    personal: Personal = "none"
    purposes: frozenset[str] | None = None
    retention_us: int | None = None
    unit: str = ""
    unit_of: str = ""
    identifier: str = ""
    description: str = ""
    examples: tuple[Any, ...] = ()
    limits: tuple[str, ...] = ()

    def joined(self, other: Tags) -> Tags:
        """What holds of something that is made of both: personal class, purposes and retention."""
        purposes = self.purposes if other.purposes is None else other.purposes if self.purposes is None else self.purposes & other.purposes
        kept = [one for one in (self.retention_us, other.retention_us) if one is not None]
        return Tags(
            personal=max(self.personal, other.personal, key=CLASSES.index),
            purposes=purposes,
            retention_us=min(kept, default=None),
            limits=tuple(dict.fromkeys((*self.limits, *other.limits))),
        )


NOTHING = Tags()


def tags_of(typed: Typed) -> Tags:
    """The tags of a value; class, purposes and retention count for all that stands in an object or a list that says them."""
    return _together([_own(place) for place in typed.places], [_own(place) for place in typed.around])


def tags_at(document: Document, path: tuple[Step, ...]) -> Tags:
    """The tags of the value at a path of a contract, by everything that may say something of it (`contracts.meaning.reach`).

    The class is also that of items, and of members that no name tells; the strictest where something cannot be followed.
    """
    reach = reach_of(document)
    spot: Spot = reach.root
    around: Spot = ()
    for step in path:
        spot, around = reach.below(spot, step), (*around, *spot)
    found = _together(*(list(map(_own, places)) for places in (spot, around)))
    return replace(found, personal=max(reach.classes(spot, around), key=CLASSES.index, default="none"))


def _together(own: list[Tags], around: list[Tags]) -> Tags:
    found = NOTHING
    for one in (*own, *around):
        found = found.joined(one)
    units = [one for one in own if one.unit or one.unit_of]
    return Tags(
        found.personal,
        found.purposes,
        found.retention_us,
        units[0].unit if units else "",
        units[0].unit_of if units else "",
        next((one.identifier for one in own if one.identifier), ""),
        next((one.description for one in own if one.description), ""),
        next((one.examples for one in own if one.examples), ()),
        found.limits,
    )


def _own(place: Place) -> Tags:
    """The tags of one subschema, as far as they are good."""
    schema = place.schema
    if not isinstance(schema, dict):
        return NOTHING
    purposes, unit = schema.get("x-purpose"), schema.get("x-unit")
    named = isinstance(purposes, list) and all(isinstance(one, str) for one in purposes)
    try:
        retention = duration_us(schema["x-retention"]) if "x-retention" in schema else None
    except ValueError:
        retention = None
    examples, description, identifier = schema.get("examples"), schema.get("description"), schema.get("x-identifier")
    return Tags(
        personal=class_of(schema),
        purposes=frozenset(purposes) if named and isinstance(purposes, list) else None,
        retention_us=retention,
        unit=unit if isinstance(unit, str) else "",
        unit_of=str(unit["property"]) if isinstance(unit, dict) and "property" in unit else "",
        identifier=identifier if isinstance(identifier, str) else "",
        description=description if isinstance(description, str) else "",
        examples=tuple(examples) if isinstance(examples, list) else (),
        limits=(place.where,) if named else (),
    )


def check_tags(
    documents: Iterable[Document], purposes: Collection[str] | None, namespaces: Collection[str] | None, problems: list[Problem]
) -> None:
    """Problems of every tag with a wrong value, and of words that are nearly one.

    ``purposes`` and ``namespaces``: the declared ones, None if their file cannot be read.
    """
    for document in documents:
        known: Mapping[str, Collection[str] | None] = {"x-purpose": purposes, "x-identifier": namespaces}
        for place in document.root.whole():
            for word in [word for word in place.schema if word.startswith("x-")]:
                problems += _wrong(place, word, known)


def _wrong(place: Place, word: str, known: Mapping[str, Collection[str] | None]) -> Iterator[Problem]:
    value = place.schema[word]

    def problem(expected: str, hint: str = "", at: tuple[int, ...] = (), found: Any = value) -> Problem:
        path = (*place.path, word, *at)
        text = json.dumps(found, ensure_ascii=False)[:60]
        return Problem(place.file, place.at(word, *at).line, key_of(list(path)), expected, text, hint)

    if word not in WORDS:
        hint = closest(word, WORDS)
        if hint:
            yield problem(f"one of the tags {listed(WORDS)}, or another word", hint, found=word)
    elif word == "x-personal" and value not in CLASSES:
        yield problem(listed(CLASSES), closest(str(value), CLASSES))
    elif word == "x-purpose":
        yield from _wrong_purposes(value, known["x-purpose"], problem)
    elif word == "x-retention":
        try:
            if not duration_us(value):
                yield problem("a duration longer than nothing")
        except Unexpected as error:
            yield problem(str(error), error.hint)
    elif word == "x-unit":
        yield from _wrong_unit(place, value, problem)
    elif word == "x-identifier":
        names = known["x-identifier"]
        if not isinstance(value, str) or not value:
            yield problem("the name of a namespace of identity.yaml")
        elif names is not None and value not in names:
            yield problem("the name of a namespace of identity.yaml", choices(value, names))


def _wrong_purposes(value: Any, declared: Collection[str] | None, problem: Any) -> Iterator[Problem]:
    if not isinstance(value, list) or not value:
        yield problem("a list of at least one purpose of consent.yaml", "write it as a list" if isinstance(value, str) else "")
        return
    for at, one in enumerate(value):
        if not isinstance(one, str) or (declared is not None and one not in declared):
            yield problem("a purpose of consent.yaml", choices(str(one), declared or ()), (at,), one)


def _wrong_unit(place: Place, value: Any, problem: Any) -> Iterator[Problem]:
    if isinstance(value, str) and value.strip():
        return
    if not (isinstance(value, dict) and list(value) == ["property"] and isinstance(value["property"], str)):
        yield problem('a unit such as "EUR", or the property that names it such as {"property": "currency"}')
        return
    document = place.document
    try:
        steps = parse_path(value["property"])
    except ValueError as error:
        yield problem(f"the path of a property; {error}")
        return
    if document.file.startswith("events/") and typed_at(document, steps) is None:
        yield problem("a property of this event that names the unit", closest(str(steps[0]), document.schema.get("properties", ())))
