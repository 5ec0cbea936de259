"""What a predicate says of the values that satisfy it, and how it is said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from contracts.language.families import Equality, Limit, Order
from contracts.language.lists import Nested
from contracts.language.operands import KINDS
from contracts.language.operators import OPERATORS
from contracts.model.definitions import OtherField, Predicate, Where
from contracts.text.folding import folded
from schemalogic.typed import kind_of

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def holds(predicate: Predicate, value: Any) -> bool:
    """Whether a value, None if it is missing, satisfies a predicate; where `is_sure` is not, it is only possible."""
    row, operand = OPERATORS[predicate.op], predicate.operand
    if isinstance(operand, OtherField):
        return value is not None and only_kind(predicate) in {"", kind_of(value)}
    if isinstance(row, Nested):
        if value is None or kind_of(value) != row.whole:
            return False
        if not row.sure:
            return True
        found = [all(not isinstance(one, Predicate) or holds(one, part) for one in operand) for part in row.parts(value)]
        return bool(found) and all(found) if row.every else any(found)
    if predicate.ignore_case:
        return row.holds(folded(value), folded(operand))
    return row.holds(value, operand)


def is_sure(predicate: Predicate) -> bool:
    """Whether `holds` knows it for certain."""
    row = OPERATORS[predicate.op]
    if isinstance(predicate.operand, OtherField):
        return False
    if isinstance(row, Nested):
        return row.sure and all(isinstance(one, Predicate) and is_sure(one) for one in predicate.operand)
    return row.sure and not (row.orders and only_kind(predicate) != "number")


def only_kind(predicate: Predicate) -> str:
    """The only kind of value of which the predicate can hold; empty if there are several."""
    row = OPERATORS[predicate.op]
    if isinstance(predicate.operand, OtherField):
        return "" if isinstance(row, Equality | Order) else row.kind(None)
    return row.kind(predicate.operand)


def schema_of(predicate: Predicate) -> dict[str, Any]:
    """A JSON Schema that every value which satisfies it satisfies."""
    row = OPERATORS[predicate.op]
    if isinstance(row, Nested):
        inner = [schema_of(one) for one in predicate.operand if isinstance(one, Predicate) and not holds(one, None)]
        return row.around({"allOf": inner} if inner else {})
    if not predicate.ignore_case and not isinstance(predicate.operand, OtherField):
        return row.schema(predicate.operand)
    kind = only_kind(predicate)
    return {"type": {"text": "string", "list": "array"}[kind]} if kind in {"text", "list"} else {"not": {"const": None}}


def values_of(predicate: Predicate) -> list[Any] | None:
    """All values that satisfy it, None if these are not to be counted. Missing is None."""
    return None if predicate.ignore_case or isinstance(predicate.operand, OtherField) else OPERATORS[predicate.op].values(predicate.operand)


def limits(predicate: Predicate) -> tuple[Limit, Limit]:
    """Between what it keeps a value."""
    if isinstance(predicate.operand, OtherField):
        return None, None
    return OPERATORS[predicate.op].limits(predicate.operand)


def is_zoned(predicate: Predicate) -> bool:
    """Whether it compares dates, so that the time zone makes a difference."""
    if isinstance(predicate.operand, OtherField):
        return OPERATORS[predicate.op].refers != KINDS
    return (
        OPERATORS[predicate.op].zoned
        or any(map(is_zoned, _within(predicate)))
        or any(limit is not None and isinstance(limit[0], str) and _DATE.match(limit[0]) for limit in limits(predicate))
    )


def moves(predicate: Predicate) -> bool:
    """Whether its answer changes by itself."""
    return OPERATORS[predicate.op].moves or any(map(moves, _within(predicate)))


def _within(predicate: Predicate) -> list[Predicate]:
    """The predicates in its operand."""
    parts = predicate.operand if isinstance(OPERATORS[predicate.op], Nested) else ()
    return [one for part in parts for one in (part.predicates if isinstance(part, Where) else (part,))]


def sentence(predicates: Iterable[Predicate], show: Callable[[Any], str]) -> str:
    """``at least 2 and less than 5``."""
    return " and ".join(_said(one, show, OPERATORS[one.op].says, OPERATORS[one.op].sentence, sentence) for one in predicates)


def formula(predicates: Iterable[Predicate], show: Callable[[Any], str]) -> str:
    """``≥ 2 and < 5``."""
    return " and ".join(_said(one, show, OPERATORS[one.op].sign, OPERATORS[one.op].formula, formula) for one in predicates)


def _said(predicate: Predicate, show: Callable[[Any], str], words: str, flat: Callable[..., str], inner: Callable[..., str]) -> str:
    if isinstance(OPERATORS[predicate.op], Nested):
        parts = [f"{one.path} {inner(one.predicates, show)}" if isinstance(one, Where) else inner([one], show) for one in predicate.operand]
        return f"{words} {' and '.join(parts)}"
    if isinstance(predicate.operand, OtherField):
        return f"{words} {predicate.operand.of} {predicate.operand.path}"
    return flat(predicate.operand, show) + (" (ignoring case)" if predicate.ignore_case else "")
