"""Generated documents: valid, different, repeatable, fast, and near what two schemas disagree on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemalogic.samples import documents
from schemalogic.validation import compile_schema
from tests.schemalogic.near import near

CONTRACTS = sorted((Path(__file__).resolve().parents[2] / "contracts" / "events").glob("*/*.json"))
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
TYPES = {
    "money": {
        "type": "object",
        "properties": {"amount": {"$ref": "#/$defs/amount"}},
        "$defs": {"amount": {"type": "number", "multipleOf": 0.01}},
    },
    "price": {"allOf": [{"$ref": "money.json"}], "required": ["amount"]},
}
TREE = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "pattern": "^[a-z]+-\\d{2}$"},
                "kids": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "required": ["name", "kids"],
            "additionalProperties": False,
        }
    },
}
WANTED: list[tuple[str, Any, int]] = [
    ("a number on steps within bounds", {"type": "number", "multipleOf": 0.01, "minimum": 0.015, "exclusiveMaximum": 0.04}, 2),
    ("integers on two steps", {"type": "integer", "allOf": [{"multipleOf": 4}, {"multipleOf": 6}], "minimum": 1, "maximum": 40}, 3),
    ("one of two", {"oneOf": [{"type": "integer", "multipleOf": 3}, {"type": "integer", "multipleOf": 5}]}, 50),
    ("not a text", {"not": {"type": "string"}}, 50),
    ("a condition", {"type": "object", "if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}}, 50),
    ("a tuple", {"type": "array", "prefixItems": [{"type": "string"}, {"const": 1}], "items": False, "minItems": 2}, 20),
    (
        "a tuple of draft-07",
        {"$schema": DRAFT_7, "type": "array", "items": [{"const": 1}], "additionalItems": {"type": "null"}, "minItems": 3},
        3,
    ),
    ("contained items", {"type": "array", "items": {"type": "integer"}, "contains": {"const": 3}, "minContains": 2, "maxContains": 3}, 30),
    ("different items", {"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 2}, 12),
    (
        "names of a pattern",
        {"type": "object", "minProperties": 3, "patternProperties": {"^x-": {"type": "integer"}}, "additionalProperties": False},
        40,
    ),
    ("names by a schema", {"type": "object", "minProperties": 2, "propertyNames": {"pattern": "^[a-z]{3}$"}}, 40),
    (
        "needed names",
        {"type": "object", "required": ["a"], "dependentRequired": {"a": ["b"]}, "dependentSchemas": {"b": {"required": ["c"]}}},
        40,
    ),
    ("names that branches evaluate", {"type": "object", "allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": False}, 10),
    ("a pattern and a length", {"type": "string", "pattern": "^a+b?$", "minLength": 7, "maxLength": 9}, 6),
    ("two patterns", {"type": "string", "allOf": [{"pattern": "^a"}, {"pattern": "b$"}, {"pattern": "cc"}]}, 1),
    ("a lookahead", {"type": "string", "pattern": "^(?=.*\\d)[a-z]\\w{3}$"}, 3),
    ("a long text", {"type": "string", "minLength": 3000}, 20),
    ("nothing but zero", {"type": "integer", "enum": ["a", 0, None]}, 1),
    ("a tree", TREE, 50),
    ("a type", {"$ref": "../../types/price.json"}, 20),
    ("a part of a type", {"type": "array", "minItems": 1, "items": {"$ref": "../../types/money.json#/$defs/amount"}}, 50),
    ("an anchor", {"$ref": "#x", "$defs": {"a": {"$anchor": "x", "type": "boolean"}}}, 2),
    ("an $id", {"$id": "https://e.org/a", "$ref": "b#/$defs/c", "$defs": {"b": {"$id": "b", "$defs": {"c": {"type": "boolean"}}}}}, 2),
]


@pytest.mark.parametrize(("title", "schema", "least"), WANTED, ids=[case[0] for case in WANTED])
def test_documents_are_valid_and_different(title: str, schema: Any, least: int) -> None:
    """At least so many of a hundred are found, each valid, none twice."""
    found = list(documents(schema, TYPES, seed=1, count=100))
    validator = compile_schema(schema, TYPES, linear=False)
    assert all(validator.is_valid(document) for document in found)
    assert len({orjson.dumps(document, option=orjson.OPT_SORT_KEYS) for document in found}) == len(found)
    assert least <= len(found) <= 100


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "properties": {"n": {"$ref": "#/$defs/a"}}, "required": ["n"]}}},
        {"allOf": [{"type": "string"}, {"not": {"type": "string"}}]},
    ],
)
def test_a_schema_without_documents_gives_none(schema: Any) -> None:
    """Looking for what is not there ends."""
    assert list(documents(schema, seed=1, count=100)) == []


def test_what_construction_misses_is_searched_for() -> None:
    """A document that only a search meets is found all the same."""
    schema = {"type": "integer", "minimum": 0, "maximum": 10**9, "not": {"anyOf": [{"maximum": 777_776}, {"minimum": 777_778}]}}
    assert 777_777 in list(documents(schema, seed=1, count=10))


@pytest.mark.parametrize("file", CONTRACTS, ids=lambda file: file.parent.name)
def test_contracts_of_the_shop_get_documents(file: Path) -> None:
    """Not only the few that are obvious."""
    schema = json.loads(file.read_text())
    found = list(documents(schema, seed=1, count=500))
    assert len(found) >= 30


def test_the_same_seed_gives_the_same_documents() -> None:
    """Another seed gives others."""
    schema, other = TREE, {"type": "object"}
    assert list(documents(schema, seed=3, count=50)) == list(documents(schema, seed=3, count=50))
    assert list(near(schema, other, seed=3, count=50)) == list(near(schema, other, seed=3, count=50))
    assert list(near(schema, other, seed=3, count=50)) != list(near(schema, other, seed=4, count=50))


def test_names_and_constants_of_the_other_schema_occur() -> None:
    """Open objects are filled with what the other schema speaks of."""
    other = {"properties": {"honey": {"const": "gold"}}}
    found = list(near({"type": "object"}, other, seed=1, count=200))
    assert any("honey" in document for document in found)


def test_asserted_formats_are_met() -> None:
    """With formats asserted every document has them."""
    schema = {
        "type": "object",
        "properties": {"at": {"type": "string", "format": "date-time"}},
        "required": ["at"],
        "additionalProperties": False,
    }
    found = list(documents(schema, seed=1, count=3, formats=True))
    assert found
    assert all(compile_schema(schema, formats=True).is_valid(document) for document in found)


NEAR = [
    ({"type": "integer", "minimum": 10}, {"type": "integer", "minimum": 11}),
    ({"type": "number", "maximum": 10}, {"type": "number", "exclusiveMaximum": 10}),
    ({"type": "number", "multipleOf": 0.01}, {"type": "number", "multipleOf": 0.1}),
    ({"type": "string", "maxLength": 40}, {"type": "string", "maxLength": 39}),
    ({"type": "string", "pattern": "^[a-z]{1,30}$"}, {"type": "string", "pattern": "^[a-z]{1,29}$"}),
    ({"type": "array", "maxItems": 9}, {"type": "array", "maxItems": 8}),
    ({"type": "object"}, {"type": "object", "properties": {"deep": {"properties": {"er": {"type": "string"}}}}}),
    ({"type": "object", "maxProperties": 5}, {"type": "object", "maxProperties": 4}),
    ({"enum": ["a", "b", "c"]}, {"enum": ["a", "b"]}),
    ({}, {"type": ["null", "boolean", "number", "string", "array"]}),
    ({"type": "array", "items": {"type": "integer"}}, {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}),
    (TREE, {**TREE, "maxProperties": 2, "properties": {"kids": {"items": {"properties": {"kids": {"maxItems": 1}}}}}}),
    ({"type": "object", "properties": {"a": {}}}, {"type": "object", "dependentRequired": {"a": ["b"]}}),
    ({"anyOf": [{"minimum": 0}, {"type": "string"}]}, {"oneOf": [{"minimum": 0}, {"type": "string"}]}),
]


@pytest.mark.parametrize(("schema", "other"), NEAR, ids=range(len(NEAR)))
def test_documents_near_a_difference_show_it(schema: Any, other: Any) -> None:
    """Among a few hundred documents one is valid under the one schema only."""
    here, there = compile_schema(schema).is_valid, compile_schema(other).is_valid
    assert any(here(document) and not there(document) for document in near(schema, other, seed=1, count=300))
