"""Table ``fields``."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from state.snapshot.table import Table


class FieldRow(NamedTuple):
    kind: Annotated[str, "VARCHAR", "event or trait"]
    name: Annotated[str, "VARCHAR", "The event, or the trait"]
    path: Annotated[str, "VARCHAR", "The property's path such as products[].sku; of a trait its name"]
    type: Annotated[str, "VARCHAR", "Type of the values; JSON if they can be of several kinds"]
    description: Annotated[str | None, "VARCHAR", "description of the contract; of a computed trait what it is computed from"]
    unit: Annotated[str | None, "VARCHAR", "x-unit, or the property that names it"]
    personal: Annotated[str, "VARCHAR", "x-personal: none, pseudonymous, direct or sensitive; all but none are hashed"]
    purposes: Annotated[list[str] | None, "VARCHAR[]", "x-purpose: the only purposes that it may serve; NULL is any"]
    retention: Annotated[str | None, "VARCHAR", "x-retention: how long it may be kept"]
    identifier: Annotated[str | None, "VARCHAR", "x-identifier: the namespace whose identifier it is"]
    examples: Annotated[list[object] | None, "JSON", "examples of the contract"]
    contract: Annotated[str | None, "VARCHAR", "The version of the contract that says so; NULL for traits"]
    used_by: Annotated[list[str], "VARCHAR[]", "The traits, segments, destinations and namespaces that rest on it"]


FIELDS = Table(
    "fields",
    "What the contracts say of each property of an event and of each trait; the views of schema typed have them as columns",
    FieldRow,
)
