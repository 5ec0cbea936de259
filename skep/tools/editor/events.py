"""What editors know of each event: its properties, their choices and kinds, and which of them are numbers.

A condition names its event in ``did``; from there on its schema is that of the event. Only what `skep check` refuses is
refused: what a schema says in another way (deeper paths, ``context``, other spellings) is let through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from contracts.envelope import ALWAYS_KNOWN
from contracts.language.measures import MEASURES
from contracts.language.operands import ANY, ORDERED, OTHER_FIELD
from contracts.language.operators import IGNORE_CASE, OPERATORS
from contracts.meaning.properties import DEPTH_MAX, Properties, listed_properties
from contracts.model.definitions import Definitions
from contracts.text.keys import Schema, described, offered
from contracts.text.names import event_name
from schemalogic.paths import parse_path
from schemalogic.typed import Typed, typed_at, typed_below
from skep.tools.editor.words import WHERE_VALUE, fields, operators

PATHS_MAX = 500
CHOICES_MAX = 100
"""So many properties of one event, and choices of one property, are offered."""
_KINDS = {"number": "number", "text": "string", "boolean": "boolean"}


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an event: its kind if it has only one, its choices if they are texts, and what it means."""

    kind: str = ""
    choices: tuple[str, ...] = ()
    numeric: bool = True
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """The properties of an event by path; ``closed``: it has no others, but what lies below ``opened``, or in one item of ``lists``."""

    properties: dict[str, Property] = field(default_factory=dict)
    closed: bool = False
    opened: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()


def offers(definitions: Definitions) -> dict[str, Offer]:
    """Of each event with a contract what conditions and traits may ask for."""
    known = Properties(definitions.contracts, definitions.types, definitions.files, definitions.upcasts)
    return {event: _offer(known, event) for event in known.events(["*"])}


def _offer(known: Properties, event: str) -> Offer:
    document = known.newest(event)
    root = None if document is None else typed_at(document, ())
    if document is None or root is None:
        return Offer()
    listed = {path: typed for path, typed in islice(listed_properties(document), PATHS_MAX) if parse_path(path)[0] != "context"}
    closed = event not in ALWAYS_KNOWN and len(listed) < PATHS_MAX and not _takes_others(root)
    opened = tuple(path for path, typed in listed.items() if _is_open(typed) or len(parse_path(path)) >= DEPTH_MAX - 1)
    lists = tuple(path for path, typed in listed.items() if typed.kinds is None or "list" in typed.kinds)
    return Offer({path: _property(typed) for path, typed in listed.items()}, closed, opened, lists)


def _is_open(value: Typed) -> bool:
    """Whether a value may hold what its schema does not name, itself or in its items."""
    if value.kinds is not None and not value.kinds & {"object", "list"}:
        return False
    item = typed_below(value, (None,))
    return _takes_others(value) or (item is not None and (_takes_others(item) or typed_below(item, (None,)) is not None))


def _takes_others(value: Typed) -> bool:
    patterns = any("patternProperties" in place.schema for place in value.places if isinstance(place.schema, dict))
    return patterns or typed_below(value, ("\0",)) is not None


def _property(typed: Typed) -> Property:
    kinds = None if typed.kinds is None else typed.kinds - {"null"}
    kind = next(iter(kinds)) if kinds is not None and len(kinds) == 1 else ""
    values = [value for value in typed.values or () if value is not None]
    choices = tuple(dict.fromkeys(values)) if kind == "text" and len(values) <= CHOICES_MAX else ()
    said = [place.schema.get(word) for place in typed.places if isinstance(place.schema, dict) for word in ("title", "description")]
    meaning = next((one for one in said if isinstance(one, str) and one.strip()), "")
    return Property(kind if kind in _KINDS else "", choices, kinds is None or "number" in kinds, meaning)


def event_definitions(known: dict[str, Offer], names: Iterable[str], words: Iterable[str]) -> dict[str, Schema]:
    """The definitions of a schema that refers to ``of_event`` where ``did`` stands, with ``words`` such as ``sum`` beside it.

    Those of an event have its number in their names. ``names`` are offered where several events are meant, or none is known.
    """
    names = list(names)
    every = dict.fromkeys(one.choices for offer in known.values() for one in offer.properties.values() if one.choices)
    chosen = {choices: f"choice-{number}" for number, choices in enumerate(every)}
    found: dict[str, Schema] = {"value": WHERE_VALUE, **{kind: _kind(kind) for kind in _KINDS}, "texts": _predicates("text")}
    found |= {name: _choice(choices) for choices, name in chosen.items()}
    for number, offer in enumerate(known.values()):
        found[f"where-{number}"] = _where(offer, chosen)
        found[f"property-{number}"] = _paths(offer, offer.properties)
        found[f"number-{number}"] = _paths(offer, [path for path, one in offer.properties.items() if one.numeric])
    others: Schema = {"properties": {"where": {"additionalProperties": WHERE_VALUE}, **{word: offered(names) for word in words}}}
    branches: list[Schema] = [{"if": _did(event), "then": {"properties": _refers(number, words)}} for number, event in enumerate(known)]
    return {**found, "of_event": {"allOf": [*branches, {"if": _did(*known), "else": others} if known else others]}}


def _did(*events: str) -> Schema:
    """That ``did`` is one of these events, by itself."""
    # The choices of an `enum` would be offered, and shown, as if they were those of the key.
    written = "|".join(re.escape(way) for event in events for way in spellings(event))
    return {"properties": {"did": {"type": "string", "pattern": f"^({written})$"}}, "required": ["did"]}


def _refers(number: int, words: Iterable[str]) -> dict[str, Schema]:
    kinds = {"where": "where", **{word: "number" if MEASURES[word].numeric else "property" for word in words}}
    return {word: _ref(f"{kind}-{number}") for word, kind in kinds.items()}


def spellings(event: str) -> list[str]:
    """Ways to write an event's name: ``order_completed``, ``Order Completed``, ``orderCompleted``."""
    words = event.split("_")
    titles = [word.capitalize() for word in words]
    ways = (event, " ".join(titles), "".join(titles), "".join([words[0], *titles[1:]]), " ".join(words), "-".join(words))
    return [way for way in dict.fromkeys(ways) if event_name(way) == event]


def known_event(names: Iterable[str]) -> Schema:
    """A name that is one of these in any spelling, or a prefix. A text that is not ASCII may be anything."""
    written = "|".join("[^A-Za-z0-9]*".join(map(_any_case, name.split("_"))) for name in names if name.isascii())
    pattern = rf"[^\x00-\x7f]|\*$|^[^A-Za-z0-9]*(?:{written})[^A-Za-z0-9]*$"
    message = "expected an event with a contract in events/, or a prefix such as order_*"
    return {"type": "string", "pattern": pattern, "patternErrorMessage": message}


def _any_case(word: str) -> str:
    return "".join(f"[{char}{char.upper()}]" if char.isalpha() else char for char in word)


def _where(offer: Offer, chosen: dict[tuple[str, ...], str]) -> Schema:
    others = {"patternProperties": {_deeper(offer): _ref("value")}, "additionalProperties": False} if offer.closed else {}
    asked = {path: described(_ref(chosen.get(one.choices) or one.kind or "value"), one.meaning) for path, one in offer.properties.items()}
    return {"type": "object", "properties": asked, **others}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _kind(kind: str) -> Schema:
    """A value of this kind, a list that is not all of another kind, or predicates that such a value can satisfy."""
    value: Schema = {"type": _KINDS[kind]}
    return {"anyOf": [value, _some(kind), _predicates(kind)]}


def _some(kind: str) -> Schema:
    others = [{"items": {"type": other}} for other in _KINDS.values() if other != _KINDS[kind]]
    return {"type": "array", "items": {"anyOf": [{"type": _KINDS[kind]}, ANY]}, "minItems": 1, "not": {"anyOf": others}}


def _predicates(kind: str) -> Schema:
    value: Schema = {"type": _KINDS[kind]}
    known = operators(name for name, row in OPERATORS.items() if kind in row.of)
    ordered = [op for op in known if op in OPERATORS and OPERATORS[op].takes is ORDERED]
    narrower = {**dict.fromkeys((*ordered, "eq"), value), "in": _some(kind)}
    known |= {op: described({"anyOf": [part, OTHER_FIELD]}, OPERATORS[op].means) for op, part in narrower.items()}
    known["is"] = {**known["is"], "enum": ["empty", kind]}
    return fields(known, minProperties=1)


def _choice(choices: Iterable[str]) -> Schema:
    """One of these texts, a list with some of them, or predicates of texts."""
    value: Schema = {"enum": list(choices)}
    some = {"type": "array", "items": {"anyOf": [value, ANY]}, "contains": value}
    exactly: Schema = {
        "allOf": [_ref("texts")],
        "properties": {"eq": {"anyOf": [value, OTHER_FIELD]}, "in": {"anyOf": [some, OTHER_FIELD]}, IGNORE_CASE: False},
        "type": "object",
    }
    return {"anyOf": [value, some, exactly, {"allOf": [_ref("texts")], "required": [IGNORE_CASE]}]}


def _paths(offer: Offer, paths: Iterable[str]) -> Schema:
    paths = list(paths)
    deeper = {"type": "string", "pattern": _deeper(offer) if offer.closed else r"\S"}
    return {"anyOf": [{"enum": paths}, deeper]} if paths else deeper


def _deeper(offer: Offer) -> str:
    """The paths that are not listed: into the context, below what takes other names, in one item, or written in another way."""
    opened = [rf"{re.escape(path)}[.\[]" for path in offer.opened]
    return "^(" + "|".join([r"\[", r"context($|[.\[])", *opened, *(rf"{re.escape(path)}\[\d" for path in offer.lists)]) + ")"
