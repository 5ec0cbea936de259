"""The JSON Schema of every YAML file that people edit, for the editor's completion and red underlines.

``skep check`` judges; these schemas refuse only what it refuses, and know less of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from contracts.language.operators import NUMERIC, OPERATORS
from contracts.model.event_patterns import ALWAYS_KNOWN, NOT_DONE
from contracts.reading.consent import FILE as CONSENT
from contracts.reading.destinations import CHANGES
from contracts.reading.identity import FILE as IDENTITY
from contracts.reading.mappings import CASES, FIELDS, TYPES
from contracts.reading.quality import FILE as QUALITY
from contracts.reading.traits import FILE as TRAITS
from skep.tools.editor.checks import quality_schema, upcast_schema
from skep.tools.editor.csv import csv_form_schema
from skep.tools.editor.events import Offer, event_definitions, known_event
from skep.tools.editor.matching import probabilistic_schema
from skep.tools.editor.words import (  # fmt: skip
    NAME,
    WHERE,
    Schema,
    boolean,
    choice,
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


def consent_schema(_names: Names) -> Schema:
    purpose = fields(
        {
            "name": text("the purpose, as events and segments name it"),
            "default": choice(("granted", "denied"), "what counts while somebody has decided nothing"),
        },
        ("name", "default"),
    )
    return fields({"purposes": items(purpose, "what people can consent to")})


def identity_schema(_names: Names) -> Schema:
    blocked = fields({
        "values": items({"type": "string"}, "values that are no identifiers, in any case, in quotation marks or not"),
        "patterns": items({"type": "string"}, "regular expressions of values that are no identifiers, as they came or as compared"),
    })  # fmt: skip
    limits = fields({
        "identifiers": integer("identifiers of one profile", default=1000),
        "links": integer("links of one identifier", default=1000),
    })  # fmt: skip
    stitching = fields({
        "session_gap": duration("a device's session ends after this much silence", default="30m"),
        "backstitch": duration("how much anonymous history a first login may claim", default="30d"),
        "owner": choice(("session", "device"), "whose an anonymous event is", default="session"),
    })  # fmt: skip
    return fields({
        "version": integer("counts up when you change the file"),
        "namespaces": items(_namespace(), "kinds of identifiers, the highest priority first", minItems=1),
        "blocked": described(blocked, "what is typed or sent in place of an identifier"),
        "conflict": choice(("newest", "oldest"), "which link wins when two cannot both stand", default="newest"),
        "limits": described(limits, "how large a profile may become"),
        "stitching": described(stitching, "how anonymous events find their person"),
        "probabilistic": described(probabilistic_schema(), "which records are compared, and how alike those of one person are"),
    })  # fmt: skip


def _namespace() -> Schema:
    return fields(
        {
            "name": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_.-]*$", "description": "the name of the namespace"},
            "from": texts("a path into the event such as traits.email, or a list of paths"),
            "scope": choice(("person", "device"), "what it identifies", default="person"),
            "unique": boolean("a profile has at most one"),
            "limit": integer("a profile has at most so many"),
            "normalize": choice(("trim", "email", "phone"), "how a value is written before it is compared", default="trim"),
            "region": {"type": "string", "pattern": "^[A-Z]{2}$", "description": "where a number without a country code is from"},
            "personal": boolean("leaves the store only as a keyed hash"),
            "shared_after": integer("a device on which so many people were identified is shared"),
        },
        ("name", "from"),
        dependencies={
            "region": {"properties": {"normalize": {"const": "phone"}}, "required": ["normalize"]},
            "shared_after": {"properties": {"scope": {"const": "device"}}, "required": ["scope"]},
        },
    )


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


def source_schema(_names: Names) -> Schema:
    column = text("the name of a column")
    case = fields(
        {
            **{name: items(text(), minItems=1) if name == "in" else text() for name in CASES},
            "value": {"description": "the value in this case"},
        },
        ("value",),
        oneOf=[{"required": [name]} for name in CASES],
    )
    values: list[Schema] = [
        text("a column; empty is absent"),
        fields({"product": items(text(), "columns whose exact product it is", minItems=2)}, ("product",)),
        fields({"constant": {"description": "the same value for every row"}}, ("constant",)),
        fields({"column": column, "cases": items(case, "the first test that holds gives the value"), "otherwise": {}}, ("column", "cases")),
        fields({"column": column, "type": choice(TYPES, "of what kind it is", default="text")}, ("column",)),
        fields(
            {"column": column, "format": text("such as %Y-%m-%d %H:%M:%S; ISO 8601 without it"), "zone": text("such as Europe/London")},
            ("column",), minProperties=2,
        ),
    ]  # fmt: skip
    message_id = fields({
        "columns": items(text(), "the columns that the id is made of; all of them without it", minItems=1),
        "occurrence": boolean("the second of two identical rows is another event", default=True),
    })  # fmt: skip
    return fields(
        {
            "format": choice(("csv", "parquet"), "what the file is for"),
            "csv": described(csv_form_schema(), "how the file is written"),
            "columns": _fields_of_event("how each field of the event is made", {"anyOf": values}),
            "constants": _fields_of_event("fields of the event with the same value in every row", {}),
            "message_id": described(message_id, "what the id of a message is made of"),
        },
        ("columns",),
    )


def _fields_of_event(description: str, value: Any) -> Schema:
    pattern = rf"^({'|'.join(FIELDS)}|\[\"({'|'.join(FIELDS)})\"\])($|[.\[])"
    return {"type": "object", "patternProperties": {pattern: value}, "additionalProperties": False, "description": description}


def destination_schema(_names: Names) -> Schema:
    return fields(
        {
            "kind": choice(("file",), "what is told"),
            "path": text("the file to write, relative to the project folder"),
            "changes": items(choice(CHANGES), "what it is told of; leave it out for everything", minItems=1),
            "confidence": floor("of people of whom we are less sure who it is, only what their segments gain and lose is told"),
        },
        ("kind", "path"),
    )


CONTRACTS = {
    "identity": identity_schema,
    "consent": consent_schema,
    "traits": traits_schema,
    "segment": segment_schema,
    "source": source_schema,
    "destination": destination_schema,
    "quality": quality_schema,
    "upcast": upcast_schema,
}
FILES = {"identity": IDENTITY, "consent": CONSENT, "traits": TRAITS, "quality": QUALITY}
FOLDERS = {"segment": "segments", "source": "sources", "destination": "destinations", "upcast": "events/*"}
