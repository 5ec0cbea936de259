"""The JSON Schema of every YAML file that people edit, for the editor's completion and red underlines.

``skep check`` judges; these schemas refuse only what it refuses, and know less of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.envelope import ALWAYS_KNOWN, NOT_DONE
from contracts.language.operators import NUMERIC, OPERATORS
from contracts.reading import consent, identity, quality
from contracts.reading.consent import CONSENT
from contracts.reading.destinations import DESTINATION
from contracts.reading.identity import IDENTITY
from contracts.reading.mappings import MAPPING
from contracts.reading.quality import QUALITY
from contracts.reading.traits import FILE as TRAITS
from contracts.versions.upcasts.files import UPCAST
from skep.tools.editor.events import Offer, event_definitions, known_event
from skep.tools.editor.words import (  # fmt: skip
    NAME,
    WHERE,
    Schema,
    boolean,
    described,
    duration,
    fields,
    floor,
    integer,
    items,
    known,
    offered,
    operators,
    predicates,
    text,
    texts,
)

_OF_EVENT: Schema = {"$ref": "#/definitions/of_event"}
_HOW = ("count", "sum", "first", "last", "set")


@dataclass(frozen=True, slots=True)
class Names:
    """What the project's files may name; nothing is known of a project that cannot be read."""

    events: tuple[str, ...] = ()
    unknown_events_ok: bool = True
    offers: dict[str, Offer] = field(default_factory=dict)
    properties: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    mappings: tuple[str, ...] = ()


def traits_schema(names: Names) -> Schema:
    others = {how: {"not": {"anyOf": [{"required": [one]} for one in _HOW if one != how]}, "required": ["did"]} for how in _HOW}
    some_how = {"anyOf": [{"required": [how]} for how in _HOW]}
    trait = fields(
        {
            "name": offered(names.traits, "the name of the trait"),
            "emit": boolean("a change of it is told as profile.updated"),
            "did": _events(names),
            "where": WHERE,
            "limit": integer("how many of the newest values a `set` keeps", default=100),
            "count": {"const": True, "description": "how many matching events"},
            "sum": text("the sum of this property over the matching events"),
            "first": text("this property of the earliest matching event"),
            "last": text("this property of the latest matching event"),
            "set": text("the different values of this property"),
        },
        ("name",),
        dependencies={**others, "did": some_how, "where": some_how, "limit": {"required": ["set"]}},
        allOf=[_OF_EVENT],
    )
    return fields(
        {"traits": items(trait, "computed traits, and which changes of traits are told")},
        definitions={"predicates": predicates(), **event_definitions(names.offers, names.properties, ("sum", "first", "last", "set"))},
    )


def _events(names: Names) -> Schema:
    doable = list(dict.fromkeys(name for name in (*names.events, *ALWAYS_KNOWN) if name not in NOT_DONE))
    one = offered(doable) if names.unknown_events_ok else {"anyOf": [{"enum": doable}, known_event(doable)]}
    return texts("the name of an event, a prefix such as order_*, or a list of them", one)


def segment_schema(names: Names) -> Schema:
    forms = {
        "all": fields({"all": items({"$ref": "#/definitions/condition"}, "every one holds", minItems=1)}, ("all",)),
        "any": fields({"any": items({"$ref": "#/definitions/condition"}, "some one holds", minItems=1)}, ("any",)),
        "not": fields({"not": {"$ref": "#/definitions/condition", "description": "does not hold"}}, ("not",)),
        "trait": fields(
            {"trait": offered(names.traits, "the path of a trait such as plan or address.city"), **operators(OPERATORS)},
            ("trait",), minProperties=2,
        ),
        "did": _did(names),
        "measure": _measure(names),
        "segment": fields({"segment": known(names.segments, "is a member of that segment")}, ("segment",)),
        "consent": fields({"consent": known(names.purposes, "that consent is granted now")}, ("consent",)),
    }  # fmt: skip
    return fields(
        {
            "segment": described({"type": "string", "pattern": NAME}, "the name of the file"),
            "version": integer("counts up when you change what the segment means", default=1),
            "title": text("what it is, in words"),
            "owner": text("whose it is"),
            "purpose": known(names.purposes, "without this consent nobody is a member"),
            "timezone": text("for dates that stand alone, such as Europe/Berlin", default="UTC"),
            "confidence": floor("nobody is a member of whom we are less sure who it is"),
            "who": {"$ref": "#/definitions/condition", "description": "who belongs to it"},
            "activate": items(known(names.destinations), "destinations that are told of it"),
        },
        ("segment", "who"),
        definitions={
            "condition": {"anyOf": [{"$ref": f"#/definitions/{form}"} for form in forms]},
            "predicates": predicates(),
            "numeric": predicates(numeric=True),
            **forms,
            **event_definitions(names.offers, names.properties, ("sum", "distinct")),
        },
    )


def _did(names: Names) -> Schema:
    times = {"anyOf": [{"type": "number"}, {"$ref": "#/definitions/numeric"}]}
    parts = {"times": described(times, "how often: a number is exactly that, {gte: 3} at least that")}
    return fields({"did": _events(names), "where": WHERE, "within": _within(), **parts}, ("did",), allOf=[_OF_EVENT])


def _measure(names: Names) -> Schema:
    beside = {name: part for name, part in operators(NUMERIC, numeric=True).items() if name != "between"}
    measures = {
        "sum": text("the sum of this property over the matching events"),
        "distinct": text("how many different values of this property"),
    }
    value = {"$ref": "#/definitions/numeric", "description": "predicates of the measure, such as {between: [10, 20]}"}
    return fields(
        {"did": _events(names), "where": WHERE, "within": _within(), **measures, **beside, "value": value},
        ("did",),
        oneOf=[{"required": ["sum"]}, {"required": ["distinct"]}],
        anyOf=[{"required": [name]} for name in (*beside, "value")],
        allOf=[_OF_EVENT],
    )


def _within() -> Schema:
    return duration("later than so long ago")


DECLARED = {
    "identity": IDENTITY,
    "consent": CONSENT,
    "source": MAPPING,
    "destination": DESTINATION,
    "quality": QUALITY,
    "upcast": UPCAST,
}
"""The files whose keys are declared once, for their readers too."""


def contract_schemas(names: Names) -> dict[str, Schema]:
    """The schema of each kind of file below ``contracts/``."""
    known = {"events": names.events, "mappings": names.mappings}
    return {
        **{name: fields.schema(known) for name, fields in DECLARED.items()},
        "traits": traits_schema(names),
        "segment": segment_schema(names),
    }


FILES = {"identity": identity.FILE, "consent": consent.FILE, "traits": TRAITS, "quality": quality.FILE}
FOLDERS = {"segment": "segments", "source": "sources", "destination": "destinations", "upcast": "events/*"}
