"""Contracts of schemas that a registry has: what they refer to is found where it stands in the contract."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.model.registered import contract_of
from schemalogic.references import check_references
from schemalogic.validation import compile_schema

TOTAL = {"type": "number", "minimum": 0}


@pytest.mark.parametrize(
    ("reference", "definitions"),
    [
        ("#/$defs/total", {"total": TOTAL}),
        ("#total", {"total": {"$anchor": "total", **TOTAL}}),
        ("total.json", {"total": {"$id": "total.json", **TOTAL}}),
        ("total.json", {"total": {"$id": "total.json", "$ref": "#/$defs/inner", "$defs": {"inner": TOTAL}}}),
    ],
)
def test_a_contract_of_whole_events_finds_what_they_refer_to(reference: str, definitions: dict[str, Any]) -> None:
    """The schema stands below the contract's own root then, whose properties are those of the event."""
    schema = {
        "$id": "https://shop.example/order",
        "properties": {"event": {"const": "order"}, "properties": {"properties": {"total": {"$ref": reference}}}},
        "$defs": definitions,
    }
    contract = contract_of(schema, "order-value", 1, 7)
    assert check_references(contract, {}) == []
    assert [compile_schema(contract).is_valid({"total": total}) for total in (1, -1)] == [True, False]
