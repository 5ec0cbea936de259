"""What a predicate says of the values that satisfy it."""

from __future__ import annotations

from typing import Any

from contracts.language.families import Limit
from contracts.language.operators import OPERATORS
from contracts.model.definitions import Predicate
from contracts.text.folding import folded


def holds(predicate: Predicate, value: Any) -> bool:
    """Whether a value, None if it is missing, satisfies a predicate; where `is_sure` is not, it is only possible."""
    row = OPERATORS[predicate.op]
    if predicate.ignore_case:
        return row.holds(folded(value), folded(predicate.operand))
    return row.holds(value, predicate.operand)


def is_sure(predicate: Predicate) -> bool:
    """Whether `holds` knows it for certain."""
    return not (OPERATORS[predicate.op].orders and only_kind(predicate) != "number")


def only_kind(predicate: Predicate) -> str:
    """The only kind of value of which the predicate can hold; empty if there are several."""
    return OPERATORS[predicate.op].kind(predicate.operand)


def schema_of(predicate: Predicate) -> dict[str, Any]:
    """A JSON Schema that every value which satisfies it satisfies."""
    row = OPERATORS[predicate.op]
    if not predicate.ignore_case:
        return row.schema(predicate.operand)
    return {"type": "string"} if only_kind(predicate) == "text" else {"not": {"const": None}}


def values_of(predicate: Predicate) -> list[Any] | None:
    """All values that satisfy it, None if these are not to be counted. Missing is None."""
    return None if predicate.ignore_case else OPERATORS[predicate.op].values(predicate.operand)


def limits(predicate: Predicate) -> tuple[Limit, Limit]:
    """Between what it keeps a value."""
    return OPERATORS[predicate.op].limits(predicate.operand)
