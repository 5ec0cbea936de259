"""Conditions as people say them: ``did order_completed within 30d, at least 2 times``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from contracts.model.definitions import Feature, Predicate, Where
from contracts.text.durations import duration_text
from contracts.text.problems import listed

_WORDS = {
    "eq": "is", "ne": "is not", "in": "is one of", "not_in": "is none of", "gt": "more than", "gte": "at least", "lt": "less than",
    "lte": "at most", "is": "is",
}  # fmt: skip


def predicate_words(predicates: Iterable[Predicate]) -> str:
    """``at least 2 and less than 5``."""
    return " and ".join(map(_predicate, predicates))


def _predicate(predicate: Predicate) -> str:
    op, operand = predicate.op, predicate.operand
    if op == "exists":
        return "is there" if operand else "is missing"
    if op == "between":
        return f"from {value_text(operand[0])} to {value_text(operand[1])}"
    said = ", ".join(map(value_text, operand)) if op in {"in", "not_in"} else value_text(operand)
    return f"{_WORDS.get(op) or op.replace('_', ' ')} {said}"


def did_words(feature: Feature, predicates: tuple[Predicate, ...]) -> str:
    """What is done, of which kind, how far back, and how often, or how much of what."""
    where = "".join(f", where {_where(one)}" for one in feature.where)
    within = f" within {duration_text(feature.within_us)}" if feature.within_us is not None else ""
    how = predicate_words(predicates)
    measured = f"times {how}" if feature.measure == "times" else f"{feature.measure} of {feature.property} {how}"
    return f"{listed(feature.events)}{within}{where}, {measured}"


def _where(where: Where) -> str:
    return f"{where.path} {predicate_words(where.predicates)}"


def value_text(value: Any) -> str:
    """A text as it is, all else as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
