"""Predicates on a value: ``gte: 500``, ``in: [EUR, GBP]``, ``starts_with: C``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

from contracts.language import operands
from contracts.language.comparisons import can_hold, said
from contracts.language.operands import KINDS, PATTERN, other_field, short
from contracts.language.operators import IGNORE_CASE, NUMERIC, OPERATORS
from contracts.language.possible import some_value
from contracts.model.definitions import OtherField, Predicate, Where
from contracts.text.days import date_range
from contracts.text.durations import duration_text, duration_us
from contracts.text.problems import closest, listed
from contracts.text.scalars import meant_number, unquoted
from contracts.text.synonyms import meanings
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import parse_path
from schemalogic.typed import Typed


class Others(NamedTuple):
    """The other fields that operands may name: traits or properties, what is known of one (None, and a problem: there is none), and what
    to do ``instead`` of naming the other kind."""

    of: Literal["trait", "property"]
    typed: Callable[[Reader, Tree, str], Typed | None]
    instead: str


_LIKE_A_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")
_FEW = ("eq", "in", "gte", "exists", "contains")
"""A few operators that stand for the others."""


def read_predicates(
    reader: Reader,
    at: Tree,
    parts: dict[str, Tree],
    typed: Iterable[Typed],
    *,
    numeric: bool = False,
    together: bool = True,
    moving: bool = False,
    others: Others | None = None,
) -> tuple[Predicate, ...]:
    """The predicates among the parts of a condition; ``typed`` is what the value can be, by each contract that has it.

    ``together``: all of them have to hold of one value. ``moving``: they may hold it against now. ``others``: against which
    other fields they may.
    """
    found, problems = [], len(reader.problems)
    typed, known = list(typed), NUMERIC if numeric else tuple(OPERATORS)
    parts = _spelt_out(reader, parts)
    ignoring = _ignore_case(reader, parts, numeric=numeric)
    parts = {op: operand for op, operand in parts.items() if op != IGNORE_CASE or numeric}
    for op, operand in parts.items():
        if op not in known:
            reader.refuse(operand, f"one of {_named(numeric=numeric)}", op, closest(op, known))
        elif OPERATORS[op].moves and not moving:
            hint = "an event keeps what it said: a trait, such as the `last` of the property, can be held against now"
            reader.refuse(operand, "an operator that does not look at now", op, hint)
        elif (other := other_field(operand)) is not None:
            field = _other_field(reader, operand, op, other, typed, others=others)
            if field is not None:
                found.append(_predicate(op, field, ignoring=ignoring))
            if ignoring and OPERATORS[op].refers == KINDS:
                hint = "without regard to case only texts are compared with another field"
                reader.refuse(operand, "a comparison in which case counts", f"{other[0]}: …", hint)
        else:
            before = len(reader.problems)
            read = _operand(reader, operand, op, typed, numeric=numeric, moving=moving)
            if read is not None and OPERATORS[op].orders:
                _check_dates(reader, operand)
            if read is not None:
                found.append(_predicate(op, read, ignoring=ignoring))
                if len(reader.problems) == before:
                    check_comparison(reader, operand, found[-1:], typed)
    if not parts:
        hint = "" if numeric else "`exists: true` asks only whether there is a value"
        reader.refuse(at, f"a predicate, one of {_named(numeric=numeric)}", "none", hint)
    if together and len(found) > 1 and len(reader.problems) == problems:
        check_comparison(reader, at, found, typed)
    return tuple(found)


def _operand(reader: Reader, at: Tree, op: str, typed: Sequence[Typed], *, numeric: bool, moving: bool) -> Any:
    """What is written behind an operator; None, and a problem, if it cannot be read."""
    takes = OPERATORS[op].takes
    if takes.read is not None:
        return takes.read(reader, at, typed, partial(read_predicates, moving=moving)) or None
    return at.plain() if takes.is_good(reader, at, numeric) else None


def _check_dates(reader: Reader, at: Tree) -> None:
    """A text that looks like a date and is none would be compared as a text, sign by sign."""
    if reader.in_force:
        return
    for one in [at, *at]:
        if isinstance(one.value, str) and _LIKE_A_DATE.fullmatch(one.value) and date_range(one.value, "UTC") is None:
            reader.refuse(one, "a date that there is, from 0001-01-01 to 9999-12-30, with times from 00:00:00 to 23:59:59")


def _other_field(
    reader: Reader, at: Tree, op: str, named: tuple[str, Tree], typed: Sequence[Typed], *, others: Others | None
) -> OtherField | None:
    (word, part), row = named, OPERATORS[op]
    if others is None or word != others.of or not row.refers:
        hint = others.instead if others is not None else "here stands a written value; a trait may be held against another trait"
        hint = hint if row.refers else _instead(op)
        reader.refuse(at, "a value", f"{word}: …", hint)
        return None
    path = reader.text(part, expected=f"the path of a {word}")
    try:
        several = bool(path) and None in parse_path(path)
    except ValueError as error:
        reader.refuse(part, "a path such as address.city", str(error))
        return None
    if several:
        reader.refuse(part, "a path to one value, without []", path)
        return None
    known = others.typed(reader, part, path) if path else None
    if known is None:
        return None
    kinds = set(row.refers if known.kinds is None else known.kinds & set(row.refers))
    ours = [one.kinds for one in typed]
    alike = row.refers == ("number", "text") or op in {"eq", "ne"}
    if alike and op != "ne" and ours and None not in ours:
        kinds &= {kind for each in ours for kind in each or ()}
    if not kinds:
        words, place = said(known)
        reader.refuse(at, "a comparison that can be true", f"{op} {word} {path}" + (f", which is {words}" if words else ""), place)
        return None
    return OtherField(others.of, path)


def _instead(op: str) -> str:
    return "write gte and lte, each with one" if op == "between" else f"behind {op} stands what is written there"


def _named(*, numeric: bool) -> str:
    return f"the operators {listed(NUMERIC)}" if numeric else f"the operators in docs/segments.md, such as {listed(_FEW)}"


def _ignore_case(reader: Reader, parts: dict[str, Tree], *, numeric: bool) -> bool:
    at = parts.get(IGNORE_CASE)
    if at is None or numeric:
        return False
    ignoring = reader.boolean(at)
    if isinstance(at.value, bool) and not any(op in OPERATORS and OPERATORS[op].cased for op in parts):
        reader.refuse(at, "an operator of texts or of equality beside it", "none", "elsewhere it makes no difference")
    return ignoring


def _predicate(op: str, operand: Any, *, ignoring: bool) -> Predicate:
    """A pattern says itself that it ignores case."""
    if not ignoring or not OPERATORS[op].cased:
        return Predicate(op, operand)
    return Predicate(op, f"(?i){operand}") if OPERATORS[op].takes is PATTERN else Predicate(op, operand, ignore_case=True)


def read_durations(reader: Reader, at: Tree) -> tuple[Predicate, ...]:
    """The predicates of a mapping whose operands are durations, as seconds: ``{gte: 30d}``."""
    expected = "a predicate with durations such as {gte: 30d}"
    if not isinstance(at.value, dict) or not at.value:
        written = f"write {{gte: {at.value}}}" if isinstance(at.value, str) else ""
        reader.refuse(at, expected, None, written)
        return ()
    found = []
    for op, operand in at.value.items():
        if op not in NUMERIC:
            reader.refuse(operand, f"one of the operators {listed(NUMERIC)}", op, closest(op, NUMERIC))
            continue
        several = OPERATORS[op].takes in {operands.VALUES, operands.PAIR}
        items = reader.items(operand, "a list of durations") if several else [operand]
        read = [reader.read(item, None, duration_us) for item in items]
        if None in read or (several and not read):
            continue
        seconds = [_seconds(one) for one in read]
        plain = Tree([Tree(one, operand.file, operand.line, operand.key) for one in seconds], operand.file, operand.line, operand.key)
        if not several or OPERATORS[op].takes.is_good(reader, plain, True):
            found.append(Predicate(op, seconds if several else seconds[0]))
    if len(found) > 1 and not some_value(found, ()):
        words = " and ".join(f"{name} {', '.join(str(one.value) for one in part) or part.value}" for name, part in at.value.items())
        reader.refuse(at, "a comparison that can be true", words)
    return tuple(found)


def _seconds(value_us: int) -> int | float:
    return value_us // 1_000_000 if value_us % 1_000_000 == 0 else value_us / 1_000_000


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
    reader.refuse(at, expected, predicates_text(predicates), hint)


def predicates_text(predicates: Iterable[Predicate]) -> str:
    """``gte 500 and lt 1000``, as messages say it."""
    return " and ".join(f"{one.op} {_said(one)}{' ignoring case' if one.ignore_case else ''}" for one in predicates)


def _said(predicate: Predicate) -> str:
    operand = predicate.operand
    if isinstance(operand, OtherField):
        return f"{operand.of} {operand.path}"
    if not isinstance(operand, tuple):
        return duration_text(operand) if OPERATORS[predicate.op].moves else short(operand)
    parts = [f"{one.path} {predicates_text(one.predicates)}" if isinstance(one, Where) else predicates_text([one]) for one in operand]
    return f"({' and '.join(parts)})"


def _rewritten(predicates: Sequence[Predicate], typed: Sequence[Typed]) -> str:
    """What to write if the one predicate can hold with a number for its text, a text for its number, or another of the known values."""
    if len(predicates) != 1 or OPERATORS[predicates[0].op].of == ("text",):
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


def cap_of(predicates: Iterable[Predicate]) -> int:
    """How far a count has to be exact so that all the predicates see what they would see of the full count."""
    return max([1, *(OPERATORS[predicate.op].cap(predicate.operand) for predicate in predicates)])
