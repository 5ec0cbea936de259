"""What may stand behind an operator: how `skep check` reads it, and what editors know of it (JSON Schema)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.language.patterns import pattern_test
from contracts.text.days import date_range
from contracts.text.durations import UNITS_US, duration_text
from contracts.text.keys import Duration
from contracts.text.numbers import micros
from contracts.text.precedence import precedence
from contracts.text.problems import closest, listed
from contracts.text.scalars import meant_number, unquoted
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.typed import Typed, kind_of

KINDS = ("number", "text", "boolean", "list", "object")
IS = ("empty", "number", "text", "boolean", "list")
ANY: dict[str, Any] = {
    "type": ["number", "string", "boolean", "array", "object"],
    "not": {"type": "object", "maxProperties": 1, "anyOf": [{"required": ["trait"]}, {"required": ["property"]}]},
}


OTHER_FIELD: dict[str, Any] = {
    "type": "object",
    "properties": {"trait": {"type": "string"}, "property": {"type": "string"}},
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
}
"""An operand that is another field, for editors."""


@dataclass(frozen=True, slots=True)
class Operand:
    """``is_good``: whether it can be read, and a problem if not; ``schema``: for editors. Both are told whether it stands beside a
    measure, and so has to be a number. ``read``: the operand, of one that is not taken as it stands, empty if it cannot be read; it is
    given what the value can be, and how predicates are read.
    """

    is_good: Callable[[Reader, Tree, bool], bool]
    schema: Callable[[bool], dict[str, Any]]
    read: Callable[[Reader, Tree, Sequence[Typed], Any], Any] | None = None


def _is_value(reader: Reader, at: Tree, numeric: bool) -> bool:
    return _has_kind(reader, at, ("number",) if numeric else KINDS)


def _is_ordered(reader: Reader, at: Tree, numeric: bool) -> bool:
    return _has_kind(reader, at, ("number",) if numeric else ("number", "text"))


def _has_kind(reader: Reader, at: Tree, kinds: tuple[str, ...]) -> bool:
    plain = at.plain()
    if isinstance(plain, dict) and set(plain) in ({"trait"}, {"property"}):
        reader.refuse(at, "a value", f"{next(iter(plain))}: …", "another field stands alone behind its operator, not in a list")
        return False
    if kind_of(plain) == "number" and micros(plain) is None:
        reader.refuse(at, "a number below 10³⁰")
        return False
    if kind_of(plain) in kinds:
        return True
    hint = "use `exists: false`" if plain is None else unquoted(plain)
    reader.refuse(at, f"a {listed(kinds)}", None, hint)
    return False


def _are_values(reader: Reader, at: Tree, numeric: bool) -> bool:
    items = reader.items(at, "a list of values")
    if isinstance(at.value, list) and not items:
        reader.refuse(at, "at least one value", "an empty list")
    return bool(items) and False not in [_is_value(reader, item, numeric) for item in items]


def _is_pair(reader: Reader, at: Tree, numeric: bool) -> bool:
    if isinstance(at.value, str):
        ends = [meant_number(one) for one in re.split(r"\s*(?:-|–|\.\.|to|and|,)\s*", at.value)]
        hint = f"write [{ends[0]}, {ends[1]}]" if len(ends) == 2 and None not in ends else ""
        reader.refuse(at, "a list of two values, the lower one first", None, hint)
        return False
    items = reader.items(at, "a list of two values, the lower one first")
    if len(items) != 2:
        if isinstance(at.value, list):
            reader.refuse(at, "two values, the lower one first", f"{len(items)}")
        return False
    if False in [_is_ordered(reader, item, numeric) for item in items]:
        return False
    low, high = (item.value for item in items)
    if kind_of(low) != kind_of(high):
        reader.refuse(at, "two values of one kind", f"a {kind_of(low)} and a {kind_of(high)}")
        return False
    if low > high:
        reader.refuse(at, "the lower value first", f"{short(low)} before {short(high)}")
        return False
    return True


def _is_truth(reader: Reader, at: Tree, _numeric: bool) -> bool:
    reader.boolean(at)
    return isinstance(at.value, bool)


def _is_kind(reader: Reader, at: Tree, _numeric: bool) -> bool:
    if at.value not in IS:
        hint = closest(str(at.value), IS) or ("" if isinstance(at.value, (dict, list)) else f"write `eq: {at.value}`")
        reader.refuse(at, listed(IS), None, hint)
    return at.value in IS


def _is_text(reader: Reader, at: Tree, _numeric: bool) -> bool:
    if isinstance(at.value, str):
        return True
    reader.refuse(at, "a text", None, "write it in quotes" if isinstance(at.value, (int, float, bool)) else "")
    return False


def _are_texts(reader: Reader, at: Tree, numeric: bool) -> bool:
    items = reader.items(at, "a list of texts")
    if isinstance(at.value, list) and not items:
        reader.refuse(at, "at least one text", "an empty list")
    return bool(items) and False not in [_is_text(reader, item, numeric) for item in items]


def _is_pattern(reader: Reader, at: Tree, numeric: bool) -> bool:
    if not _is_text(reader, at, numeric):
        return False
    try:
        pattern_test(at.value)
    except ValueError as error:
        reader.refuse(at, "a pattern as RE2 has them", None, str(error))
        return False
    return True


def _is_version(reader: Reader, at: Tree, _numeric: bool) -> bool:
    if isinstance(at.value, str) and precedence(at.value) is not None:
        return True
    bare = at.value.removeprefix("v").strip() if isinstance(at.value, str) else ""
    hint = unquoted_number(at.value) if kind_of(at.value) == "number" else f'write "{bare}"' if precedence(bare) else ""
    reader.refuse(at, "a version such as 2.1.0", None, hint)
    return False


def unquoted_number(value: object) -> str:
    """How to write a number as a text."""
    return f'write "{value}" in quotes'


def _is_date(reader: Reader, at: Tree, _numeric: bool) -> bool:
    if date_range(at.value, "UTC") is not None:
        return True
    reader.refuse(at, "a date such as 2026-01-31 or 2026-01-31T10:00:00Z")
    return False


def _is_near(reader: Reader, at: Tree, _numeric: bool) -> bool:
    names = ("lat", "lon", "km")
    parts, before = reader.fields(at, names), len(reader.problems)
    if not isinstance(at.value, dict):
        return False
    for name in names:
        part = reader.required(at, parts, name, "a number")
        value = None if part is None or kind_of(part.value) != "number" else part.value
        if part is not None and (value is None or not _LEAST[name] <= value <= _MOST[name]):
            reader.refuse(part, f"a number from {_LEAST[name]} to {_MOST[name]}")
    return set(parts) == set(names) == set(at.value) and len(reader.problems) == before


_LEAST = {"lat": -90, "lon": -180, "km": 0}
_MOST = {"lat": 90, "lon": 180, "km": 20_037}


def _never(_reader: Reader, _at: Tree, _numeric: bool) -> bool:
    return False


def other_field(at: Tree) -> tuple[str, Tree] | None:
    """``trait`` or ``property``, and the path, of an operand that is another field; None of any other."""
    if isinstance(at.value, dict) and set(at.value) in ({"trait"}, {"property"}):
        return next(iter(at.value.items()))
    return None


def _value(numeric: bool) -> dict[str, Any]:
    return {"type": "number"} if numeric else ANY


def _ordered(numeric: bool) -> dict[str, Any]:
    return {"type": "number"} if numeric else {"type": ["number", "string"]}


VALUE = Operand(_is_value, _value)
VALUES = Operand(_are_values, lambda numeric: {"type": "array", "items": _value(numeric), "minItems": 1})
ORDERED = Operand(_is_ordered, _ordered)
PAIR = Operand(_is_pair, lambda numeric: {"type": "array", "items": _ordered(numeric), "minItems": 2, "maxItems": 2})
TRUTH = Operand(_is_truth, lambda _: {"type": "boolean"})
KIND = Operand(_is_kind, lambda _: {"enum": list(IS)})
TEXT = Operand(_is_text, lambda _: {"type": "string"})
TEXTS = Operand(_are_texts, lambda _: {"type": "array", "items": {"type": "string"}, "minItems": 1})


def _duration(most_us: int) -> Callable[[Reader, Tree, Sequence[Typed], Any], int]:
    def read(reader: Reader, at: Tree, _typed: Sequence[Typed], _inner: Any) -> int:
        before = len(reader.problems)
        found = reader.duration(at, 0)
        if len(reader.problems) == before and not 0 < found <= most_us:
            reader.refuse(at, f"a duration of at most {duration_text(most_us)}" if found else "a duration longer than nothing")
            return 0
        return found

    return read


_YEAR_US, _CENTURY_US = 365 * UNITS_US["d"], 36_525 * UNITS_US["d"]
DURATION = Operand(_never, lambda _: Duration().schema({}, ""), _duration(_CENTURY_US))
UP_TO_A_YEAR = Operand(_never, lambda _: Duration().schema({}, ""), _duration(_YEAR_US))
VERSION = Operand(_is_version, lambda _: {"type": "string"})
DATE = Operand(_is_date, lambda _: {"type": "string"})
NEAR = Operand(
    _is_near,
    lambda _: {
        "type": "object",
        "properties": {name: {"type": "number", "minimum": _LEAST[name], "maximum": _MOST[name]} for name in _MOST},
        "required": [*_MOST],
        "additionalProperties": False,
    },
)
PATTERN = Operand(_is_pattern, lambda _: {"type": "string"})


def short(value: object) -> str:
    """A value as messages say it."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"
