"""Whether a property can be added up, and what its sum can be: numbers, of one unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.language.features import Measured
from contracts.language.measures.measure import computed
from contracts.language.units import check_unit
from contracts.meaning.tags import tags_of
from contracts.model.definitions import Where
from contracts.text.problems import choices
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.typed import Typed


def check_sum(reader: Reader, at: Tree, path: str, typed: Mapping[str, Typed], measured: Measured, *, where: tuple[Where, ...]) -> None:
    """A problem if the property is no number in any contract, or if numbers of different units would be added."""
    before = len(reader.problems)
    check_number(reader, at, path, typed, measured, where=where)
    if len(reader.problems) > before:
        return
    named = {event: tags_of(one).unit_of for event, one in typed.items()}
    units = {event: one for event, name in named.items() if name and (one := measured.properties.typed(event, name)) is not None}
    check_unit(reader, at, path, typed, where=where, units=units)


def check_number(reader: Reader, at: Tree, path: str, typed: Mapping[str, Typed], measured: Measured, *, where: tuple[Where, ...]) -> None:
    """A problem if the property is no number in any contract."""
    del where
    if typed and not any(one.kinds is None or "number" in one.kinds for one in typed.values()):
        properties = measured.properties
        numbers = [name for event in typed for name in properties.names(event) if _is_number(properties.typed(event, name))]
        reader.refuse(at, "a property that is a number", path, choices(path, numbers))


def _is_number(typed: Typed | None) -> bool:
    return typed is not None and typed.kinds is not None and "number" in typed.kinds


def total(typed: Mapping[str, Typed] | None, file: str, line: int) -> Typed:
    """What a sum over the property can be: it never falls below nothing if no value does."""
    schemas = [[place.said() for place in way] for one in (typed or {}).values() for way in one.ways]
    positive = bool(schemas) and all(any(_never_negative(schema) for schema in way) for way in schemas)
    return computed({"type": "number", **({"minimum": 0} if positive else {})}, file, line)


def _never_negative(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    limits = [schema.get("minimum"), schema.get("exclusiveMinimum")]
    return any(isinstance(limit, (int, float)) and limit >= 0 for limit in limits)
