"""What editors know of segments and computed traits: their conditions form by form, and their measures."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

from contracts.envelope import ALWAYS_KNOWN, NOT_DONE
from contracts.language.measures import CONDITIONS, MEASURES, TRAITS
from contracts.language.operators import NUMERIC, OPERATORS
from contracts.language.spans import WINDOWS, window_schemas
from contracts.text.keys import Duration, Schema, described, known, offered, text_schema
from skep.tools.editor.events import event_definitions, known_event
from skep.tools.editor.names import Names
from skep.tools.editor.words import WHERE, durations, fields, items, operators, predicates

_OF_EVENT: Schema = {"$ref": "#/definitions/of_event"}
_ONE_WINDOW: Schema = {"not": {"anyOf": [{"required": list(two)} for two in combinations(WINDOWS, 2)]}}
_CONDITION: Schema = {"$ref": "#/definitions/condition"}
_MEASURES: tuple[str, ...] = tuple(name for name in CONDITIONS if MEASURES[name].of_property)


def condition_schemas(names: Names) -> dict[str, Schema]:
    """What the declared keys of segments and traits leave to the editor."""
    return {"did": events_schema(names), "where": WHERE, "condition": _CONDITION}


def traits_definitions(names: Names) -> dict[str, Schema]:
    measured = [word for word, measure in TRAITS.items() if measure.of_property]
    return {"predicates": predicates(), "numeric": predicates(numeric=True), **event_definitions(names.offers, names.properties, measured)}


def events_schema(names: Names) -> Schema:
    doable = list(dict.fromkeys(name for name in (*names.events, *ALWAYS_KNOWN) if name not in NOT_DONE))
    one = offered(doable) if names.unknown_events_ok else {"anyOf": [{"enum": doable}, known_event(doable)]}
    some = {"type": "array", "items": one, "minItems": 1}
    return described({"anyOf": [one, some]}, "the name of an event, a prefix such as order_*, or a list of them")


def segment_definitions(names: Names) -> dict[str, Schema]:
    forms = {name: schema for form in FORMS.values() for name, schema in form(names).items()}
    return {
        "condition": {"anyOf": [{"$ref": f"#/definitions/{form}"} for form in forms]},
        "predicates": predicates(),
        "numeric": predicates(numeric=True),
        **forms,
        **event_definitions(names.offers, names.properties, _MEASURES),
    }


def _trait(names: Names) -> dict[str, Schema]:
    path = offered(names.traits, "the path of a trait such as plan or address.city")
    lasting = {"anyOf": [Duration().schema({}, ""), durations()]}
    so_long = described(lasting, "has been so without a break for at least so long; {lt: 7d} for less")
    return {"trait": fields({"trait": path, **operators(OPERATORS), "for": so_long}, ("trait",), minProperties=2)}


def _did(names: Names) -> dict[str, Schema]:
    """By how the measure is compared: how often, how long ago, a number, a value, or whether at all."""
    each = text_schema("holds for at least one value of this property, each value's events counted alone")
    window = {"did": events_schema(names), "where": WHERE, "each": each, **window_schemas()}
    times = {"anyOf": [{"type": "number"}, {"$ref": "#/definitions/numeric"}]}
    often = {"times": described(times, "how often: a number is exactly that, {gte: 3} at least that")}
    return {
        "did": fields({**window, **often}, ("did",), allOf=[_OF_EVENT], **_ONE_WINDOW),
        "since": _one_of(window, _asking("inside")[1:], durations()),
        "measure": _compared(window, "beside", operators(NUMERIC, numeric=True), "numeric"),
        "end": _compared(window, "any", operators(OPERATORS), "predicates"),
        "whether": _one_of(window, _asking("nothing")),
    }


def _asking(asks: str) -> list[str]:
    return [word for word in CONDITIONS if MEASURES[word].asks == asks]


def _one_of(beside: dict[str, Schema], words: list[str], takes: Schema | None = None, **more: Any) -> Schema:
    """Just one of the measures."""
    measures = {word: described(takes or MEASURES[word].takes.schema, MEASURES[word].means) for word in words}
    options = {option.name: described(option.schema, option.means) for word in words for option in MEASURES[word].options if not takes}
    only = {"oneOf": [{"required": [name]} for name in measures], "allOf": [_OF_EVENT], **_ONE_WINDOW}
    return fields({**beside, **measures, **options}, ("did",), **only, **more)


def _compared(window: dict[str, Schema], asks: str, known: dict[str, Schema], name: str) -> Schema:
    """A measure with predicates beside it, or below `value`."""
    beside = {op: part for op, part in known.items() if op != "between"}
    value = {"$ref": f"#/definitions/{name}", "description": "predicates of the measure, such as {between: [10, 20]}"}
    some = [{"required": [op]} for op in (*beside, "value")]
    return _one_of({**window, **beside, "value": value}, _asking(asks), anyOf=some)


def _sequence(names: Names) -> dict[str, Schema]:
    """A step is an event, or what must not come; `within` is not in the first."""
    event = {"did": events_schema(names), "where": WHERE}
    within = described(Duration().schema({}, "how long"), "less than so long after the step before; beside `not` how long it does not come")
    did = fields({**event, "within": within}, ("did",), allOf=[_OF_EVENT])
    never = fields({"not": fields(event, ("did",), allOf=[_OF_EVENT]), "within": within}, ("not",))
    steps = described({"type": "array", "items": {"anyOf": [did, never]}, "minItems": 2}, "what happens one after the other")
    beside = {
        "same": {"type": "string", "description": "all steps carry the same value of this property"},
        "within": Duration().schema({}, "the first step is later than so long ago"),
        "span": Duration().schema({}, "the last step comes less than so long after the first"),
    }
    return {"sequence": fields({"sequence": steps, **beside}, ("sequence",))}


def _at_least(_names: Names) -> dict[str, Schema]:
    parts = {"n": {"type": "integer", "minimum": 1, "description": "how many"}, "of": items(_CONDITION, "of these conditions", minItems=1)}
    return {"at_least": fields({"at_least": described(fields(parts, ("n", "of")), "so many of some conditions hold")}, ("at_least",))}


def _has(names: Names) -> dict[str, Schema]:
    namespace = known(names.namespaces, "an identifier of this namespace, of which the operators hold")
    asked = [op for op, row in OPERATORS.items() if op not in {"exists", "is"} and not row.moves]
    return {"has": fields({"has": namespace, **operators(asked)}, ("has",))}


def _sample(names: Names) -> dict[str, Schema]:
    parts = {
        "percent": {"type": "number", "minimum": 0, "maximum": 100, "description": "the share"},
        "seed": {"type": ["string", "integer"], "description": "another one chooses others"},
        "by": known(names.namespaces, "the namespace that chooses, by what was seen first; without it the lead"),
    }
    return {"sample": fields({"sample": described(fields(parts, ("percent", "seed")), "a share of all, always the same")}, ("sample",))}


def _alone(form: str, says: str) -> dict[str, Schema]:
    return {form: fields({form: Duration().schema({}, says)}, (form,))}


FORMS: dict[str, Callable[[Names], dict[str, Schema]]] = {
    "all": lambda _: {"all": fields({"all": items(_CONDITION, "every one holds", minItems=1)}, ("all",))},
    "any": lambda _: {"any": fields({"any": items(_CONDITION, "some one holds", minItems=1)}, ("any",))},
    "at_least": _at_least,
    "not": lambda _: {"not": fields({"not": described(_CONDITION, "does not hold")}, ("not",))},
    "trait": _trait,
    "did": _did,
    "sequence": _sequence,
    "segment": lambda names: {"segment": fields({"segment": known(names.segments, "is a member of that segment")}, ("segment",))},
    "account": lambda _: {"account": fields({"account": described(_CONDITION, "holds of an account that is belonged to")}, ("account",))},
    "new_within": lambda _: _alone("new_within", "was first seen less than so long ago"),
    "inactive_for": lambda _: _alone("inactive_for", "was last seen at least so long ago"),
    "has": _has,
    "sample": _sample,
    "in_list": lambda names: {"in_list": fields({"in_list": known(names.lists, "an identifier is in this file of lists/")}, ("in_list",))},
    "consent": lambda names: {"consent": fields({"consent": known(names.purposes, "that consent is granted now")}, ("consent",))},
}
"""By form the definitions of which a condition is one."""
