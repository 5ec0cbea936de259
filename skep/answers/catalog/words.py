"""What the catalog says in words: figures, types, rules, features and differences between versions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from contracts.language.claims import formula
from contracts.language.measures import MEASURES
from contracts.language.spans import window_text
from contracts.model.definitions import Feature, Where
from contracts.text.durations import UNITS_US
from schemalogic.typed import Typed

_RULES = {
    "minimum": "≥ {}", "maximum": "≤ {}", "exclusiveMinimum": "> {}", "exclusiveMaximum": "< {}", "multipleOf": "a multiple of {}",
    "minLength": "length ≥ {}", "maxLength": "length ≤ {}", "pattern": "matches {}", "format": "{}",
    "minItems": "items ≥ {}", "maxItems": "items ≤ {}",
}  # fmt: skip
_VALUES_MAX = 8


def type_words(typed: Typed) -> str:
    """``number, ≥ 0`` or ``one of EUR, GBP``."""
    if typed.values is not None:
        shown = [value_words(value) for value in typed.values[:_VALUES_MAX]]
        more = ", …" if len(typed.values) > _VALUES_MAX else ""
        return f"{'one of ' if len(typed.values) > 1 else ''}{', '.join(shown)}{more}"
    kinds = " or ".join(sorted(typed.kinds)) if typed.kinds else "anything"
    rules = [words.format(value_words(place.schema[rule])) for place in typed.places if isinstance(place.schema, dict)
             for rule, words in _RULES.items() if rule in place.schema]  # fmt: skip
    if kinds == "number" and any(isinstance(place.schema, dict) and place.schema.get("type") == "integer" for place in typed.places):
        kinds = "whole number"
    return ", ".join([kinds, *dict.fromkeys(rules)])


def value_words(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def feature_words(feature: Feature) -> str:
    """``sum of revenue over order_completed where currency = EUR``."""
    measure = MEASURES[feature.measure].says
    what = f"{measure} {feature.property} over" if feature.property else measure
    if feature.measure == "by_source":
        return f"{feature.property} that identify calls write, of the first of {', '.join(feature.option('sources'))} that says it"
    if feature.sent:
        return f"{measure} {(feature.property or '').removesuffix('[]')} that identify calls write"
    where = f" where {' and '.join(map(_where, feature.where))}" if feature.where else ""
    return f"{what} {', '.join(feature.events)}{where}{window_text(feature)}"


def _where(one: Where) -> str:
    return " and ".join(f"{one.path} {formula([each], value_words)}" for each in one.predicates)


def duration_words(value_us: int) -> str:
    """``30d`` or ``90m``: the largest unit that fits."""
    for unit in ("w", "d", "h", "m"):
        if value_us and value_us % UNITS_US[unit] == 0 and not (unit == "w" and value_us == UNITS_US["w"]):
            return f"{value_us // UNITS_US[unit]}{unit}"
    return f"{value_us / 1e6:g}s"


def differences(old: dict[str, tuple[str, bool]] | None, new: dict[str, tuple[str, bool]]) -> Iterable[str]:
    """What a version changed: properties as path → (type in words, required)."""
    if old is None:
        return
    for path, (words, required) in new.items():
        if path not in old:
            yield f"{path} is new{' and required' if required else ''}: {words}"
            continue
        before, was_required = old[path]
        if before != words:
            yield f"{path} is {words}, was {before}"
        if required != was_required:
            yield f"{path} is {'required now' if required else 'no longer required'}"
    yield from (f"{path} is gone" for path in old if path not in new)


def plural(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def share(value: float | None) -> str:
    """A share in percent, never rounded up to all."""
    if value is None:
        return "–"
    return "100 %" if value == 1 else f"{min(value, 0.9999):.2%}".replace("%", " %")


def short_time(value: str | None) -> str:
    """The day and the minute of an ISO time."""
    return "–" if value is None else value[:16].replace("T", " ")
