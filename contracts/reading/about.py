"""What `traits.yaml` says of a trait beside what it is: words, its type, and what makes stricter what contracts say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from contracts.language.families import TYPES
from contracts.language.features import Measured
from contracts.language.measures.measure import computed
from contracts.meaning.classes import CLASSES
from contracts.meaning.inheritance import Inheritance
from contracts.meaning.tags import Tags
from contracts.model.traits import About, Trait
from contracts.text.durations import duration_text, duration_us
from contracts.text.keys import Boolean, Choice, Duration, Key, Own, Text, described, known
from contracts.text.problems import Problem, Unexpected, choices, listed
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.typed import ANYTHING, Typed


def _retention(value: object) -> int:
    found = duration_us(value)
    if not found:
        raise Unexpected("a duration longer than nothing")
    return found


def _purposes_schema(names: Mapping[str, Any]) -> dict[str, Any]:
    one = known(names.get("purposes", ()))
    return described({"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}, "")


ABOUT = (
    Key("type", Choice(tuple(TYPES)), "of which kind its values are"),
    Key("title", Text(), "what it is, in a few words", default=""),
    Key("description", Text(), "what it is", default=""),
    Key("owner", Text(), "whose it is", default=""),
    Key("purpose", Own(_purposes_schema), "the only purposes that it may serve, fewer than contracts allow"),
    Key("personal", Choice(CLASSES), "how personal it is, at least as contracts say"),
    Key("retention", Duration(_retention), "how long it may be kept, no longer than contracts say"),
    Key("searchable", Boolean(), "people may be looked for by it", default=False),
)


def read_about(
    reader: Reader, said: Mapping[str, Any], fields: Mapping[str, Tree], measured: Measured, purposes: tuple[str, ...] | None
) -> About:
    """The words of a trait; ``purposes``: the declared ones, None if their file cannot be read."""
    at = fields.get("purpose")
    found = frozenset(_purposes(reader, at, purposes))
    if {"purpose", "personal", "retention"} & fields.keys():
        measured.tightens[said["name"]] = dict(fields)
    return About(
        title=said["title"],
        description=said["description"],
        owner=said["owner"],
        purposes=found if at is not None else None,
        personal=said["personal"] or "",
        retention_us=said["retention"],
        limit=f"contracts/{at.file}:{at.line}" if at is not None else "",
        searchable=said["searchable"],
    )


def _purposes(reader: Reader, at: Tree | None, declared: tuple[str, ...] | None) -> Iterator[str]:
    for part in reader.texts(at, "a purpose of consent.yaml, or a list of them"):
        if declared is not None and part.value not in declared:
            reader.refuse(part, "a purpose of consent.yaml", part.value, choices(part.value, declared))
        yield part.value


def checked_type(reader: Reader, at: Tree | None, typed: Typed, gives: str) -> Typed:
    """What a trait can be, given the type that it is said to have. ``gives``: where ``typed`` is known from, in words.

    A problem if it cannot be of that type. Where nothing else is known it is taken to be.
    """
    if at is None or at.value not in TYPES:
        return typed
    if typed.kinds is None and typed == ANYTHING:
        return computed({"type": TYPES[at.value]}, at.file, at.line)
    kinds = sorted((typed.kinds or frozenset({at.value})) - {"null"})
    if at.value not in kinds:
        reader.refuse(at, f"{listed(kinds)}, the type of {gives}", at.value)
    return typed


def check_tightened(inheritance: Inheritance, traits: Iterable[Trait], measured: Measured) -> Iterator[Problem]:
    """A problem of each trait that is said to be less personal, to serve more or to be kept longer than what it comes from."""
    for trait in traits:
        fields, inherited = measured.tightens.get(trait.name, {}), inheritance.inherited(measured.traits, trait.name)
        for key, expected, found in _looser(trait.about, inherited):
            if key in fields:
                at = fields[key]
                said = f"{listed(inherited.limits)} {'says' if len(inherited.limits) == 1 else 'say'} so" if key == "purpose" else ""
                yield Problem(at.file, at.line, at.key, expected, found, said)


def _looser(about: About, inherited: Tags) -> Iterator[tuple[str, str, str]]:
    if about.personal and CLASSES.index(about.personal) < CLASSES.index(inherited.personal):
        strict = listed(CLASSES[CLASSES.index(inherited.personal) :])
        yield "personal", f"{strict}: what it comes from is {inherited.personal}", about.personal
    if about.purposes and inherited.purposes is not None and not about.purposes <= inherited.purposes:
        served = listed(sorted(inherited.purposes)) or "no purpose"
        yield "purpose", f"purposes that what it comes from may serve: {served}", listed(sorted(about.purposes - inherited.purposes))
    if about.retention_us is not None and inherited.retention_us is not None and about.retention_us > inherited.retention_us:
        kept = duration_text(inherited.retention_us)
        yield "retention", f"at most {kept}, as long as what it comes from may be kept", duration_text(about.retention_us)
