"""The chain from contract to destination: what a path of a schema can be, which comparisons can be true, and who uses what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts import ContractErrors, load
from contracts.language.comparisons import can_hold
from contracts.model.definitions import Predicate
from contracts.reading.lineage import used_by, uses
from contracts.versions.changes import changes
from schemalogic.document import Document
from schemalogic.paths import parse_path, path_text
from schemalogic.typed import typed_at
from tests.contracts.project import GOOD, segment

TYPES = {"money": {"$defs": {"amount": {"type": "number", "minimum": 0}, "deep": {"$ref": "#/$defs/amount"}}, "type": "string"}}


def kinds(schema: Any, path: str) -> set[str] | None:
    """The kinds at a path, an empty set for anything; None if nothing can be there."""
    typed = typed_at(Document("events/e/1-0-0.json", schema, TYPES), parse_path(path))
    return None if typed is None else set(typed.kinds or ())


def member(schema: Any) -> dict[str, Any]:
    return {"properties": {"a": schema}, "$defs": {"t": {"type": "string"}, "loop": {"$ref": "#/$defs/loop"}}}


@pytest.mark.parametrize(
    ("schema", "path", "expected"),
    [
        (member({"$ref": "#/$defs/t"}), "a", {"text"}),
        (member({"$ref": "../../types/money.json#/$defs/deep"}), "a", {"number"}),
        (member({"$ref": "https://example.org/contracts/types/money.json"}), "a", {"text"}),
        (member({"$ref": "#/$defs/loop"}), "a", set()),
        (member({"$ref": "#here"}) | {"$defs": {"x": {"$anchor": "here", "type": "array"}}}, "a", {"list"}),
        (member({"allOf": [{"type": ["string", "number"]}, {"type": ["number", "null"]}]}), "a", {"number"}),
        (member({"anyOf": [{"type": "string"}, {"type": "null"}]}), "a", {"text", "null"}),
        (member({"oneOf": [{"const": 1}, {"enum": ["x"]}]}), "a", {"text", "number"}),
        (member({"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"type": "number"}}), "a", {"text", "number"}),
        ({"anyOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {}}}]}, "a", {"text"}),
        ({"allOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {}}}]}, "b", set()),
        ({"properties": {"a": {"type": "string"}}}, "b", None),
        ({"properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "number"}}, "b", {"number"}),
        ({"properties": {"a": {}}, "additionalProperties": False, "patternProperties": {"^x_": {"type": "string"}}}, "x_b", {"text"}),
        ({"properties": {"a": {}}, "additionalProperties": False}, "b", None),
        ({"allOf": [{"properties": {"a": {"type": "string"}}}], "unevaluatedProperties": {"type": "number"}}, "b", {"number"}),
        (member({"prefixItems": [{"type": "string"}], "items": {"type": "number"}}), "a[0]", {"text"}),
        (member({"prefixItems": [{"type": "string"}], "items": {"type": "number"}}), "a[1]", {"number"}),
        (member({"prefixItems": [{"type": "string"}], "items": {"type": "number"}}), "a[]", {"text", "number"}),
        (member({"prefixItems": [{"type": "string"}], "items": False}), "a[1]", None),
        (member({"type": "string"}), "a.b", None),
        (member({"type": "string"}), "a[]", None),
        ({"dependentSchemas": {"a": {"properties": {"b": {"type": "number"}}}}}, "b", set()),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"a": {"$ref": "#/definitions/t", "type": "string"}},
          "definitions": {"t": {"type": "number"}}}, "a", {"number"}),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"a": {"items": [{"type": "null"}]}}}, "a[0]", {"null"}),
        ({}, "anything.at[0].all", set()),
    ],
)  # fmt: skip
def test_a_path_is_typed_through_references_and_branches(schema: Any, path: str, expected: set[str] | None) -> None:
    """Intersection of what holds together, union of what may hold, None where nothing can be."""
    assert kinds(schema, path) == expected


def test_too_many_branches_say_nothing() -> None:
    """A product of branches that nobody could follow is taken for anything."""
    many = {"allOf": [{"anyOf": [{"minLength": n} for n in range(9)]} for _ in range(9)]}
    assert kinds(member(many), "a") == set()


@pytest.mark.parametrize(
    ("schema", "op", "operand", "expected"),
    [
        ({"type": "number", "minimum": 0}, "lt", 0, False),
        ({"type": "number", "minimum": 0}, "lte", 0, True),
        ({"type": "number", "exclusiveMaximum": 5}, "gte", 5.1, False),
        ({"type": "integer"}, "eq", 2.5, False),
        ({"type": "integer", "minimum": 1}, "in", [0, -1], False),
        ({"type": "integer", "minimum": 1}, "in", [0, 1], True),
        ({"type": "integer", "minimum": 1}, "between", [-3, 0], False),
        ({"type": "number", "multipleOf": 0.01}, "eq", 0.005, False),
        ({"type": "string", "pattern": "^[A-Z]{3}$"}, "eq", "eur", False),
        ({"type": "string", "pattern": "^[A-Z]{3}$"}, "starts_with", "EU", True),
        ({"type": "string", "pattern": "^[A-Z]{3}$"}, "contains", "a.b", False),
        ({"type": "string", "maxLength": 3}, "ends_with", "euro", False),
        ({"type": "string", "minLength": 1}, "eq", "", False),
        ({"type": "string", "pattern": "^a"}, "not_starts_with", "a", False),
        ({"type": "string", "minLength": 1}, "is", "empty", True),
        ({"type": "string"}, "exists", False, True),
        ({"type": "null"}, "exists", True, False),
        ({"type": "null"}, "ne", "x", False),
        ({"const": "x"}, "ne", "x", False),
        ({"enum": ["a", "b"]}, "gt", "b", False),
        ({"enum": [1, 2.5]}, "eq", 2.50, True),
        ({"enum": ["2020-01-01"]}, "gt", "2024-01-01", True),
        ({"type": "string"}, "gt", "2024-01-01", True),
        ({"type": "boolean"}, "eq", 1, False),
        ({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}, "eq", {"a": 1}, False),
        ({"allOf": [{"type": "number"}, {"minimum": 3}, {"maximum": 2}]}, "gt", 0, False),
        ({"not": {"minimum": 5}, "type": "number"}, "gt", 7, False),
    ],
)  # fmt: skip
def test_a_comparison_can_be_true_or_not(schema: Any, op: str, operand: Any, expected: bool) -> None:
    """Whether a value that the schema allows satisfies the predicate."""
    typed = typed_at(Document("events/e/1-0-0.json", {"properties": {"a": schema}}), ("a",))
    assert typed is not None
    assert can_hold([Predicate(op, operand)], typed) is expected


def test_predicates_on_some_item_may_hold_of_different_items() -> None:
    """`[]` is some item for each predicate by itself."""
    assert load(segment('{did: order_completed, where: {"items[].qty": {gt: 4, lt: 5}}}')).segments
    with pytest.raises(ContractErrors, match="gt 4 and lt 5"):
        load(segment("{did: order_completed, where: {revenue: {gt: 4, lt: 5}}}") | _whole())


def _whole() -> dict[str, str]:
    """The order with a revenue in whole numbers."""
    return {
        "events/order_completed/1-0-0.json": GOOD["events/order_completed/1-0-0.json"].replace(
            '"revenue": {"type": "number"}', '"revenue": {"type": "integer"}'
        )
    }


def test_the_uses_of_a_property_are_followed_to_destinations() -> None:
    """From the property over the trait and the segment to who is told, each with its line."""
    files = {
        **GOOD,
        "segments/rich.yaml": "segment: rich\nwho: {trait: lifetime_value, gt: 100}\nactivate: [file]\n",
        "segments/richer.yaml": "segment: richer\nwho: {segment: rich}\n",
        "identity.yaml": "namespaces:\n  - name: order\n    from: properties.order_id\n",
    }
    found = load(files)
    assert {(one.kind, one.name, one.file, one.line) for one in used_by(found, "order_completed", "revenue")} == {
        ("trait", "lifetime_value", "traits.yaml", 2),
        ("segment", "rich", "segments/rich.yaml", 2),
        ("segment", "richer", "segments/richer.yaml", 2),
        ("destination", "file", "segments/rich.yaml", 3),
        ("destination", "file", "traits.yaml", 2),
    }
    assert [(one.kind, one.name, one.line) for one in used_by(found, "order_completed", "order_id")] == [("namespace", "order", 3)]
    assert used_by(found, "order_completed", "items") == []
    assert {one.of for one in uses(found)} == {"property"}


def test_a_prefix_uses_the_property_of_each_event() -> None:
    """What `order_*` reads is used by every event that it means."""
    found = load(segment('{did: "order_*", where: {"items[0].sku": x}}'))
    assert {one.name for one in used_by(found, "order_completed", "items[].sku")} == {"one", "file"}
    assert {one.name for one in used_by(found, "order_completed", "items")} == {"one", "file"}
    assert used_by(found, "order_completed", "items[].qty") == []


@pytest.mark.parametrize("text", ["a", "a.b", "a[].b", "a[0]", '["a.b"].c', 'a["x\\"y"]', '[""]'])
def test_the_text_of_a_path_is_read_as_that_path(text: str) -> None:
    """`path_text` writes what `parse_path` reads."""
    assert parse_path(path_text(parse_path(text))) == parse_path(text)


def test_changes_of_a_contract_are_told_one_by_one() -> None:
    """Each property with what happened to it, and nothing of those that stayed."""
    old = {"properties": {
        "same": {"$ref": "#/$defs/t"}, "gone": {}, "less": {"type": "number"}, "more": {"enum": ["a"]}, "other": {"type": "string"},
        "must": {"type": "string"}, "may": {"type": "string"}, "tagged": {"type": "string", "x-personal": "direct"},
        "rows": {"type": "array", "items": {"properties": {"a": {"type": "integer"}}}}, "equal": {"type": "integer"},
        "ref": {"$ref": "../../types/money.json#/$defs/amount"}}, "required": ["may"], "$defs": {"t": {"type": "string"}}}  # fmt: skip
    new = {"properties": {
        "same": {"$ref": "#/$defs/u"}, "new": {}, "less": {"type": "number", "minimum": 0}, "more": {"enum": ["a", "b"]},
        "other": {"type": "number"}, "must": {"type": "string"}, "may": {"type": "string"}, "tagged": {"type": "string"},
        "rows": {"type": "array", "maxItems": 3, "items": {"properties": {"a": {"type": "number"}}}},
        "equal": {"type": "number", "multipleOf": 1}, "ref": {"type": "number"}},
        "required": ["must"], "$defs": {"u": {"type": "string"}}}  # fmt: skip
    found = changes(
        Document("events/e/1-0-0.json", old, TYPES), Document("events/e/2-0-0.json", new, TYPES, {"events/e/2-0-0.json": json.dumps(new)})
    )
    assert [(one.path, one.what) for one in found] == [
        ("gone", "removed"), ("less", "narrowed"), ("more", "widened"), ("other", "retyped"), ("must", "required"), ("may", "optional"),
        ("tagged", "tagged"), ("rows", "changed"), ("rows[].a", "widened"), ("ref", "widened"), ("new", "added"),
    ]  # fmt: skip
