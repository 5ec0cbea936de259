"""Predicates on a value: ``gte: 500``, ``in: [EUR, GBP]``, ``starts_with: C``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import ceil, floor
from typing import Any

from contracts.language.comparisons import can_hold, said
from contracts.language.possible import some_value
from contracts.model.definitions import Predicate
from contracts.text.numbers import micros
from contracts.text.problems import closest, listed
from contracts.text.scalars import meant_number, unquoted
from contracts.text.synonyms import meanings
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.typed import Typed, kind_of

ORDER = ("gt", "gte", "lt", "lte")
TEXT = ("contains", "not_contains", "starts_with", "not_starts_with", "ends_with", "not_ends_with")
OPERATORS = ("eq", "ne", "in", "not_in", *ORDER, "between", "exists", "is", *TEXT)
NUMERIC = ("eq", "ne", "in", "not_in", *ORDER, "between")
IS = ("empty", "number", "text", "boolean", "list")
LATER = (
    "ignore_case", "contains_any", "matches", "includes", "includes_any", "includes_all", "excludes_all", "size", "any_item", "every_item",
    "before", "after", "on", "within", "older_than", "in_next", "anniversary_in_next", "month", "day_of_month", "day_of_week", "hour",
    "semver_gte", "semver_gt", "semver_lt", "semver_lte", "semver_eq", "near",
)  # fmt: skip
"""Words of the language that are not built yet."""


def read_predicates(
    reader: Reader, at: Tree, parts: dict[str, Tree], typed: Iterable[Typed], *, numeric: bool = False, together: bool = True
) -> tuple[Predicate, ...]:
    """The predicates among the parts of a condition; ``typed`` is what the value can be, by each contract that has it.

    ``together``: all of them have to hold of one value.
    """
    found, problems = [], len(reader.problems)
    typed = list(typed)
    parts = _spelt_out(reader, parts)
    for op, operand in parts.items():
        if op not in OPERATORS or (numeric and op not in NUMERIC):
            known = NUMERIC if numeric else OPERATORS
            hint = f"{op} is not supported yet" if op in LATER else closest(op, known)
            reader.refuse(operand, f"one of the operators {listed(known)}", op, hint)
        elif _operand_is_good(reader, op, operand, numeric):
            predicate = Predicate(op, operand.plain())
            found.append(predicate)
            check_comparison(reader, operand, [predicate], typed)
    if not parts:
        hint = "" if numeric else "`exists: true` asks only whether there is a value"
        reader.refuse(at, f"a predicate, one of {listed(NUMERIC if numeric else OPERATORS)}", "none", hint)
    if together and len(found) > 1 and len(reader.problems) == problems:
        check_comparison(reader, at, found, typed)
    return tuple(found)


def _spelt_out(reader: Reader, parts: dict[str, Tree]) -> dict[str, Tree]:
    """The parts without `operator: …` and `value: …`, which is how other tools say what is one line here."""
    named = next((part for word, part in parts.items() if word in {"operator", "op", "comparator", "comparison"}), None)
    if named is None:
        return parts
    value = parts.get("value")
    op = next((one for one in [str(named.value), *meanings(str(named.value))] if one in OPERATORS), "")
    shown = "…" if value is None or isinstance(value.value, (dict, list)) else value.value
    word = named.key.rpartition(".")[2]
    reader.refuse(named, "an operator as key", word, f"write `{op}: {shown}`" if op else f"write such as `eq: {shown}`")
    rest = {other: part for other, part in parts.items() if other not in {word, "value"}}
    return rest or {"exists": Tree(True, named.file, named.line, named.key)}


def check_comparison(reader: Reader, at: Tree, predicates: Sequence[Predicate], typed: Sequence[Typed]) -> None:
    """A problem if no value at all, or none that the contracts allow, satisfies all of the predicates."""
    allowed = not typed or any(can_hold(predicates, one) for one in typed)
    if allowed and some_value(predicates, ()):
        return
    words, place = ("", "") if allowed else max((said(one) for one in typed), key=bool)
    expected = "a comparison that can be true" + (f": the value is {words}" if words else "")
    hint = "; ".join(part for part in (place, _rewritten(predicates, typed)) if part)
    reader.refuse(at, expected, " and ".join(map(predicate_text, predicates)), hint)


def predicate_text(predicate: Predicate) -> str:
    """``gte 500``, as messages say it."""
    return f"{predicate.op} {_short(predicate.operand)}"


def _rewritten(predicates: Sequence[Predicate], typed: Sequence[Typed]) -> str:
    """What to write if the one predicate can hold with a number for its text, a text for its number, or another of the known values."""
    if len(predicates) != 1 or predicates[0].op in TEXT:
        return ""
    op, operand = predicates[0].op, predicates[0].operand
    if isinstance(operand, str):
        sign, _, rest = operand.partition(" ")
        compared = meant_operator(sign) if op == "eq" and meant_number(rest) is not None else ""
        other, hint = meant_number(rest if compared else operand), unquoted(operand)
        if other is not None and any(can_hold([Predicate(compared or op, other)], one) for one in typed):
            return f"write {{{compared}: {other}}}" if compared else hint
        return closest(operand, [value for one in typed for value in one.values or () if isinstance(value, str)])
    text = type(operand) is int and op == "eq" and any(can_hold([Predicate(op, str(operand))], one) for one in typed)
    return f'write "{operand}" in quotes' if text else ""


def meant_operator(word: str) -> str:
    """The operator on numbers that is meant by another sign or word, such as ``>``; "" if none is."""
    return next((one for one in meanings(word) if one in NUMERIC), "")


def _operand_is_good(reader: Reader, op: str, at: Tree, numeric: bool) -> bool:
    kinds = ("number",) if numeric else ("number", "text", "boolean", "list", "object")
    if op in {"eq", "ne"}:
        return _value(reader, at, kinds)
    if op in {"in", "not_in"}:
        items = reader.items(at, "a list of values")
        if isinstance(at.value, list) and not items:
            reader.refuse(at, "at least one value", "an empty list")
        return bool(items) and False not in [_value(reader, item, kinds) for item in items]
    if op in ORDER:
        return _value(reader, at, ("number",) if numeric else ("number", "text"))
    if op == "between":
        return _between(reader, at, numeric)
    if op == "exists":
        reader.boolean(at)
        return isinstance(at.value, bool)
    if op == "is":
        if at.value not in IS:
            hint = closest(str(at.value), IS) or ("" if isinstance(at.value, (dict, list)) else f"write `eq: {at.value}`")
            reader.refuse(at, listed(IS), None, hint)
        return at.value in IS
    if isinstance(at.value, str):
        return True
    reader.refuse(at, "a text", None, "write it in quotes" if isinstance(at.value, (int, float, bool)) else "")
    return False


def _value(reader: Reader, at: Tree, kinds: tuple[str, ...]) -> bool:
    plain = at.plain()
    if isinstance(plain, dict) and set(plain) in ({"trait"}, {"property"}):
        reader.refuse(at, "a value", f"{next(iter(plain))}: …", "another field as operand is not supported yet")
        return False
    if kind_of(plain) == "number" and micros(plain) is None:
        reader.refuse(at, "a number below 10³⁰")
        return False
    if kind_of(plain) in kinds:
        return True
    hint = "use `exists: false`" if plain is None else unquoted(plain)
    reader.refuse(at, f"a {listed(kinds)}", None, hint)
    return False


def _between(reader: Reader, at: Tree, numeric: bool) -> bool:
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
    if False in [_value(reader, item, ("number",) if numeric else ("number", "text")) for item in items]:
        return False
    low, high = (item.value for item in items)
    if kind_of(low) != kind_of(high):
        reader.refuse(at, "two values of one kind", f"a {kind_of(low)} and a {kind_of(high)}")
        return False
    if low > high:
        reader.refuse(at, "the lower value first", f"{_short(low)} before {_short(high)}")
        return False
    return True


def cap_of(predicates: Iterable[Predicate]) -> int:
    """How far a count has to be exact so that all the predicates see what they would see of the full count."""
    return max([1, *(_cap(predicate.op, predicate.operand) for predicate in predicates)])


def _cap(op: str, operand: Any) -> int:
    largest: float = max(operand) if op in {"in", "not_in", "between"} else operand
    return ceil(largest) if op in {"gte", "lt"} else floor(largest) + 1


def _short(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"
