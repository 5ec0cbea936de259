"""All that read a schema follow the same references: whichever way it refers to a part, each says what it says of the part itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from contracts import load
from contracts.language.comparisons import can_hold
from contracts.meaning.personal import tagged_paths
from contracts.meaning.properties import listed_properties
from contracts.meaning.tags import tags_at
from contracts.model.definitions import Predicate
from contracts.versions.changes import changes
from operators.view.quarantine import Quarantined
from schemalogic.compare import included, parse
from schemalogic.declarations import declared
from schemalogic.document import BrokenReference, Document, RemoteReference
from schemalogic.keywords import ABOUT, UnreadableDraft, subschemas
from schemalogic.references import check_references
from schemalogic.samples import documents
from schemalogic.typed import names_at, typed_at
from schemalogic.validation import compile_schema
from skep.answers.quarantine.faults import faults

MAIL = {
    "type": "object",
    "properties": {
        "address": {"type": "string", "maxLength": 3, "x-personal": "direct", "examples": ["a@b", "c@d"]},
        "kind": {"enum": ["home", "work"]},
        "score": {"type": "number", "minimum": 2},
    },
    "required": ["address"],
    "additionalProperties": False,
}
CONTRACT = {"type": "object", "properties": {"mail": MAIL}, "required": ["mail"], "additionalProperties": False}
DRAFT_7 = "http://json-schema.org/draft-07/schema#"


def _referring(reference: dict[str, str], marked: Mapping[str, str], word: str = "$defs", **more: Any) -> dict[str, Any]:
    """The contract, with a reference in place of the part, which stands elsewhere and is marked to be found."""
    return {**CONTRACT, **more, "properties": {"mail": reference}, word: {"m": {**MAIL, **marked}}}


WAYS: dict[str, dict[str, Any]] = {
    "pointer": _referring({"$ref": "#/$defs/m"}, {}),
    "anchor": _referring({"$ref": "#mail"}, {"$anchor": "mail"}),
    "embedded id": _referring({"$ref": "https://shop.example/mail"}, {"$id": "https://shop.example/mail"}),
    "relative name": _referring({"$ref": "mail.json"}, {"$id": "mail.json"}),
    "relative name below an id": _referring({"$ref": "mail.json"}, {"$id": "mail.json"}, **{"$id": "https://shop.example/a/order"}),
    "urn": _referring({"$ref": "#mail"}, {"$anchor": "mail"}, **{"$id": "urn:example:order"}),
    "itself by its id": _referring({"$ref": "https://shop.example/order#/$defs/m"}, {}, **{"$id": "https://shop.example/order"}),
    "dynamic": _referring({"$dynamicRef": "#mail"}, {"$dynamicAnchor": "mail"}),
    "type": {**CONTRACT, "properties": {"mail": {"$ref": "../../types/mail.json"}}},
    "type by its short name": {**CONTRACT, "properties": {"mail": {"$ref": "types/mail.json"}}, "$id": "https://shop.example/order"},
    "part of a type": {**CONTRACT, "properties": {"mail": {"$ref": "../../types/parts.json#/$defs/m"}}},
    "anchor of a type": {**CONTRACT, "properties": {"mail": {"$ref": "../../types/parts.json#mail"}}},
    "type through a type": {**CONTRACT, "properties": {"mail": {"$ref": "../../types/again.json"}}},
    "no keyword": {**CONTRACT, "properties": {"mail": {"$ref": "#/components/m"}}, "components": {"m": MAIL}},
    "within an embedded schema": {
        **CONTRACT,
        "properties": {"mail": {"$ref": "list"}},
        "$defs": {"list": {"$id": "list", "$ref": "#/$defs/inner", "$defs": {"inner": MAIL}}},
    },
    "draft-07": _referring({"$ref": "#/definitions/m"}, {}, "definitions", **{"$schema": DRAFT_7}),
    "anchor of draft-07": _referring({"$ref": "#mail"}, {"$id": "#mail"}, "definitions", **{"$schema": DRAFT_7}),
    "relative name in draft-07": _referring({"$ref": "mail.json"}, {"$id": "mail.json"}, "definitions", **{"$schema": DRAFT_7}),
}
TYPES = {"mail": MAIL, "parts": {"$defs": {"m": {"$anchor": "mail", **MAIL}}}, "again": {"$ref": "mail.json"}}
VALUES: list[Any] = [
    {},
    {"mail": {}},
    {"mail": 1},
    {"mail": {"address": "a@b"}},
    {"mail": {"address": "too long"}},
    {"mail": {"address": "a@b", "kind": "none"}},
    {"mail": {"address": "a@b", "kind": "home", "score": 2}},
    {"mail": {"address": "a@b", "other": 1}},
]
PATHS: list[tuple[str, ...]] = [("mail",), ("mail", "address"), ("mail", "kind"), ("mail", "score"), ("mail", "other")]


def _document(schema: Any) -> Document:
    return Document("events/order/1-0-0.json", schema, TYPES)


def _validation(schema: Any) -> Any:
    return [compile_schema(schema, TYPES, linear=linear).is_valid(value) for value in VALUES for linear in (True, False)]


def _typed(schema: Any) -> Any:
    found = [typed_at(_document(schema), path) for path in PATHS]
    return [one and (one.kinds, one.values, names_at(one)) for one in found]


def _tags(schema: Any) -> Any:
    return [tags_at(_document(schema), path) for path in PATHS]


def _listed(schema: Any) -> Any:
    return [(path, typed.kinds) for path, typed in listed_properties(_document(schema))]


def _compare(schema: Any) -> Any:
    other = {**CONTRACT, "properties": {"mail": {**MAIL, "required": []}}}
    asked = [(schema, CONTRACT), (CONTRACT, schema), (schema, other), (other, schema)]
    return [
        (one.compatible, one.undecided, [(reason.path, reason.keyword, reason.old, reason.new) for reason in one.reasons])
        for one in (included(parse(old, TYPES), parse(new, TYPES)) for old, new in asked)
    ]


def _changes(schema: Any) -> Any:
    """Of properties; that a part is marked is a change of the part's own words."""
    pairs = [(CONTRACT, schema), (schema, CONTRACT)]
    return [one for old, new in pairs for one in changes(_document(old), _document(new)) if one.what != "changed"]


def _samples(schema: Any) -> Any:
    """Not which, but that there are some with every part, and that they are valid."""
    found = list(documents(schema, TYPES, seed=1, count=40))
    assert all(compile_schema(CONTRACT).is_valid(one) for one in found)
    return sorted({name for one in found for name in one["mail"]})


def _conditions(schema: Any) -> Any:
    """What segments may ask: whether some value that is allowed satisfies a predicate."""
    asked: list[tuple[tuple[str, ...], str, Any]] = [
        (("mail", "kind"), "eq", "home"),
        (("mail", "kind"), "eq", "away"),
        (("mail", "score"), "gte", 3),
        (("mail", "score"), "lt", 2),
        (("mail", "address"), "contains", "@"),
        (("mail", "address"), "contains", "@shop.example"),
    ]
    found = [(typed_at(_document(schema), path), Predicate(op, operand)) for path, op, operand in asked]
    return [typed is not None and can_hold([predicate], typed) for typed, predicate in found]


READERS: dict[str, Callable[[Any], Any]] = {
    "validation": _validation,
    "typed": _typed,
    "listed": _listed,
    "declared": lambda schema: declared(schema, TYPES),
    "tags": _tags,
    "personal": lambda schema: tagged_paths(_document(schema)),
    "compare": _compare,
    "changes": _changes,
    "samples": _samples,
    "conditions": _conditions,
    "references": lambda schema: check_references(schema, TYPES),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("way", WAYS)
def test_a_reference_means_what_it_leads_to(way: str, reader: str) -> None:
    """The answer is that of the schema without references."""
    assert READERS[reader](WAYS[way]) == READERS[reader](CONTRACT)


def test_the_answers_say_something() -> None:
    """They would be equal as well if every reader said nothing of anything."""
    assert len(set(_validation(CONTRACT))) == 2
    assert _typed(CONTRACT)[0] == (frozenset({"object"}), None, ("address", "kind", "score"))
    assert [one.personal for one in _tags(CONTRACT)] == ["none", "direct", "none", "none", "none"]
    assert tagged_paths(_document(CONTRACT)) == [(("mail", "address"), "")]
    assert [one.path for one in declared(CONTRACT, {}).properties] == ["mail", "mail.address", "mail.kind", "mail.score"]
    assert [one[0] for one in _compare(CONTRACT)] == [True, True, True, False]
    assert _samples(CONTRACT) == ["address", "kind", "score"]
    assert _conditions(CONTRACT) == [True, False, True, False, True, False]


@pytest.mark.parametrize("way", WAYS)
def test_what_is_wrong_with_a_record_is_told_with_its_line(way: str) -> None:
    """The line of the keyword that refuses it, in the file in which that stands."""
    schemas = {"events/order/1-0-0.json": WAYS[way], **{f"types/{name}.json": one for name, one in TYPES.items()}}
    files = {file: json.dumps(schema, indent=1) for file, schema in schemas.items()}
    raw = json.dumps({"type": "track", "event": "order", "properties": {"mail": {"address": "too long"}}}).encode()
    row = Quarantined("invalid", "", "", "p", 0, None, raw, "order", "order/1-0-0", id="q-1")
    (fault,) = faults(row, [load(files)], formats=False)
    file, _, line = fault.where.removeprefix("contracts/").partition(":")
    assert (fault.path, "maxLength" in files[file].splitlines()[int(line) - 1]) == (("properties", "mail", "address"), True)


def test_a_dynamic_reference_means_the_outermost_anchor() -> None:
    """A list of anything becomes a list of texts for whoever says what its items are."""
    schema = {
        "$id": "https://shop.example/texts",
        "$ref": "list",
        "$defs": {
            "item": {"$dynamicAnchor": "item", "type": "string", "x-personal": "direct"},
            "list": {"$id": "list", "type": "array", "items": {"$dynamicRef": "#item"}, "$defs": {"any": {"$dynamicAnchor": "item"}}},
        },
    }
    texts = {"type": "array", "items": {"type": "string"}}
    assert [compile_schema(schema).is_valid(value) for value in (["a"], [1], "a")] == [True, False, False]
    assert included(schema, texts).compatible
    assert included(texts, schema).compatible
    assert tags_at(_document({"properties": {"names": schema}}), ("names",)).personal == "direct"


@pytest.mark.parametrize("reference", ["money.json", "#/properties/other", "https://shop.example/order#/properties/other", "#m"])
def test_conditions_on_what_has_references_of_its_own_are_judged(reference: str) -> None:
    """What a list holds may be said anywhere; what cannot be told of the list alone is taken to be possible."""
    cart = {"properties": {"items": {"type": "array", "items": {"$ref": reference}, "minItems": 1}}}
    schema = {"$id": "https://shop.example/order", "properties": {"cart": cart, "other": {"$anchor": "m", "type": "number"}}}
    types = {"money": {"type": "number"}, "cart": cart}
    if reference == "money.json":
        schema = {"properties": {"cart": {"$ref": "types/cart.json"}}}
    typed = typed_at(Document("events/order/1-0-0.json", schema, types), ("cart", "items"))
    assert typed is not None
    assert can_hold([Predicate("ne", 4)], typed)


@pytest.mark.parametrize(
    ("reference", "error", "message"),
    [
        ("#/properties/none", BrokenReference, "#/properties/none leads to nothing: there is no none"),
        ("#none", BrokenReference, "#none names no $anchor"),
        ("#/required", BrokenReference, "#/required leads to something that is no schema"),
        ("http://[", BrokenReference, "http://[ is no reference: Invalid IPv6 URL"),
        ("other.json", RemoteReference, "other.json leads to another document, and none of contracts/types"),
        ("types/none.json", RemoteReference, "types/none.json leads to another document, and none of contracts/types"),
    ],
)
def test_what_leads_nowhere_is_told(reference: str, error: type[Exception], message: str) -> None:
    """Where it stands, and what is wrong with it."""
    schema = {"properties": {"a": {"$ref": reference}}, "required": ["a"]}
    assert check_references(schema, TYPES) == [(("properties", "a", "$ref"), message)]
    with pytest.raises(error) as found:
        compile_schema(schema, TYPES)
    assert str(found.value) == message


def test_a_draft_that_is_not_read_is_told_even_within() -> None:
    """Of an embedded schema, too."""
    for schema in ({"$schema": "http://json-schema.org/draft-04/schema"}, {"$defs": {"a": {"$id": "a", "$schema": "urn:none"}}}):
        with pytest.raises(UnreadableDraft):
            Document("", schema)


def test_every_place_is_one_object_with_its_line() -> None:
    """Places are told apart by identity; a type's places say where they stand in the type's file."""
    schema = {"properties": {"a": {"$ref": "types/mail.json"}, "b": True}}
    files = {"e.json": json.dumps(schema, indent=1), "types/mail.json": json.dumps(MAIL, indent=1)}
    document = Document("e.json", schema, TYPES, files)
    place = document.root.at("properties", "a")
    assert document.root.at("properties").at("a") is place
    assert document.root.at("properties", "b") is document.root.at("properties", "b")
    assert (place.file, place.line, place.where) == ("e.json", 3, "contracts/e.json:3")
    ((word, [target]),) = place.targets()
    assert (word, target.file, target.at("properties", "kind").line) == ("$ref", "types/mail.json", 13)


def test_every_word_that_holds_schemas_is_walked() -> None:
    """The table and the walk name the same words; what is data stays data."""
    schema = {word: {"x": {}} for word in ABOUT} | {"const": {"not": {}}, "enum": [{}], "x-own": {}}
    assert {str(steps[0]) for steps, _ in subschemas(schema)} == set(ABOUT) - {"allOf", "anyOf", "oneOf", "prefixItems"}
    assert {str(steps[0]) for steps, _ in subschemas({word: [{}] for word in ABOUT})} == {"allOf", "anyOf", "items", "oneOf", "prefixItems"}
