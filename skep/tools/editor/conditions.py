"""What editors know of segments and computed traits: their conditions form by form, and their measures."""

from __future__ import annotations

from collections.abc import Callable

from contracts.envelope import ALWAYS_KNOWN, NOT_DONE
from contracts.language.measures import CONDITIONS, MEASURES, TRAITS
from contracts.language.operators import NUMERIC, OPERATORS
from contracts.reading.confidence import FLOOR
from contracts.text.keys import Duration, Schema, described, offered, text_schema
from skep.tools.editor.events import event_definitions, known_event
from skep.tools.editor.names import Names
from skep.tools.editor.words import WHERE, fields, items, known, operators, predicates

_NAME = "^[a-z0-9][a-z0-9_-]*$"
_OF_EVENT: Schema = {"$ref": "#/definitions/of_event"}
_CONDITION: Schema = {"$ref": "#/definitions/condition"}
_MEASURES: tuple[str, ...] = tuple(name for name in CONDITIONS if MEASURES[name].of_property)


def traits_schema(names: Names) -> Schema:
    others = {how: {"not": {"anyOf": [{"required": [one]} for one in TRAITS if one != how]}, "required": ["did"]} for how in TRAITS}
    some_how = {"anyOf": [{"required": [how]} for how in TRAITS]}
    limited = next(word for word, measure in TRAITS.items() if measure.limited)
    measured = {word: text_schema(measure.means) for word, measure in TRAITS.items() if measure.of_property}
    counted = {word: {"const": True, "description": measure.means} for word, measure in TRAITS.items() if not measure.of_property}
    trait = fields(
        {
            "name": offered(names.traits, "the name of the trait"),
            "emit": described({"type": "boolean", "default": False}, "a change of it is told as profile.updated"),
            "did": events_schema(names),
            "where": WHERE,
            "limit": _number(f"how many of the newest values a `{limited}` keeps", 100),
            **counted,
            **measured,
        },
        ("name",),
        dependencies={**others, "did": some_how, "where": some_how, "limit": {"required": [limited]}},
        allOf=[_OF_EVENT],
    )
    return fields(
        {"traits": items(trait, "computed traits, and which changes of traits are told")},
        definitions={"predicates": predicates(), **event_definitions(names.offers, names.properties, measured)},
    )


def events_schema(names: Names) -> Schema:
    doable = list(dict.fromkeys(name for name in (*names.events, *ALWAYS_KNOWN) if name not in NOT_DONE))
    one = offered(doable) if names.unknown_events_ok else {"anyOf": [{"enum": doable}, known_event(doable)]}
    some = {"type": "array", "items": one, "minItems": 1}
    return described({"anyOf": [one, some]}, "the name of an event, a prefix such as order_*, or a list of them")


def _number(says: str, default: int) -> Schema:
    return described({"type": "integer", "minimum": 1, "default": default}, says)


def segment_schema(names: Names) -> Schema:
    forms = {name: schema for form in FORMS.values() for name, schema in form(names).items()}
    return fields(
        {
            "segment": described({"type": "string", "pattern": _NAME}, "the name of the file"),
            "version": _number("counts up when you change what the segment means", 1),
            "title": text_schema("what it is, in words"),
            "owner": text_schema("whose it is"),
            "purpose": known(names.purposes, "without this consent nobody is a member"),
            "timezone": text_schema("for dates that stand alone, such as Europe/Berlin", default="UTC"),
            "confidence": FLOOR.schema({}, "nobody is a member of whom we are less sure who it is"),
            "who": {"$ref": "#/definitions/condition", "description": "who belongs to it"},
            "activate": items(known(names.destinations), "destinations that are told of it"),
        },
        ("segment", "who"),
        definitions={
            "condition": {"anyOf": [{"$ref": f"#/definitions/{form}"} for form in forms]},
            "predicates": predicates(),
            "numeric": predicates(numeric=True),
            **forms,
            **event_definitions(names.offers, names.properties, _MEASURES),
        },
    )


def _trait(names: Names) -> dict[str, Schema]:
    path = offered(names.traits, "the path of a trait such as plan or address.city")
    return {"trait": fields({"trait": path, **operators(OPERATORS)}, ("trait",), minProperties=2)}


def _did(names: Names) -> dict[str, Schema]:
    """Without a measure, or with one that is of a property."""
    beside = {name: part for name, part in operators(NUMERIC, numeric=True).items() if name != "between"}
    value = {"$ref": "#/definitions/numeric", "description": "predicates of the measure, such as {between: [10, 20]}"}
    times = {"anyOf": [{"type": "number"}, {"$ref": "#/definitions/numeric"}]}
    window = {"did": events_schema(names), "where": WHERE, "within": Duration().schema({}, "later than so long ago")}
    often = {"times": described(times, "how often: a number is exactly that, {gte: 3} at least that")}
    measures = {word: text_schema(measure.means) for word, measure in MEASURES.items() if word in _MEASURES}
    measured = fields(
        {**window, **measures, **beside, "value": value},
        ("did",),
        oneOf=[{"required": [name]} for name in measures],
        anyOf=[{"required": [name]} for name in (*beside, "value")],
        allOf=[_OF_EVENT],
    )
    return {"did": fields({**window, **often}, ("did",), allOf=[_OF_EVENT]), "measure": measured}


FORMS: dict[str, Callable[[Names], dict[str, Schema]]] = {
    "all": lambda _: {"all": fields({"all": items(_CONDITION, "every one holds", minItems=1)}, ("all",))},
    "any": lambda _: {"any": fields({"any": items(_CONDITION, "some one holds", minItems=1)}, ("any",))},
    "not": lambda _: {"not": fields({"not": described(_CONDITION, "does not hold")}, ("not",))},
    "trait": _trait,
    "did": _did,
    "segment": lambda names: {"segment": fields({"segment": known(names.segments, "is a member of that segment")}, ("segment",))},
    "consent": lambda names: {"consent": fields({"consent": known(names.purposes, "that consent is granted now")}, ("consent",))},
}
"""By form the definitions of which a condition is one."""
