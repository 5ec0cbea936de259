"""Whether some value can satisfy predicates and fail others. Every no is certain; what is not decided here is a yes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from contracts.language.claims import holds, is_sure, limits, only_kind, values_of
from contracts.language.exact import exact_test
from contracts.language.operands import TEXT
from contracts.language.operators import OPERATORS
from contracts.model.definitions import OtherField, Predicate
from contracts.text.numbers import micros

TRIALS_MAX = 100_000
"""More comparisons than this are not tried."""
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def operands(predicates: Iterable[Predicate]) -> Iterator[Any]:
    """What values are compared with, each by itself."""
    for one in predicates:
        yield from one.operand if isinstance(one.operand, list) else [one.operand]


def some_number(numbers: Iterable[int], test: Callable[[int], bool], step: int = 1) -> list[int]:
    """Of the multiples of ``step`` at, just below and just above the numbers those that pass the test, in order.

    A test that changes its mind at these numbers alone passes some multiple if and only if it passes one of these.
    """
    near = {one // step * step + side for one in numbers for side in (-step, 0, step)}
    return sorted(one for one in near if test(one))


def some_value(wanted: Sequence[Predicate], unwanted: Sequence[Sequence[Predicate]]) -> bool:
    """Whether a value, or a missing one, can satisfy all of ``wanted`` and fail one of each of ``unwanted``."""
    values = _values(wanted)
    if values is not None:
        return _some_of(values, wanted, unwanted)
    if any(OPERATORS[one.op].orders and only_kind(one) == "number" for one in wanted):
        return _some_number(wanted, unwanted)
    kinds = {kind for one in wanted for kind in [only_kind(one)] if kind}
    return len(kinds) < 2 and _in_order(wanted) and _texts_fit(wanted)


def _values(wanted: Sequence[Predicate]) -> list[Any] | None:
    """All values that can satisfy the predicates, None if these are not to be counted. Missing is None."""
    lists = [values_of(one) for one in wanted]
    return min((one for one in lists if one is not None), key=len, default=None)


def _some_of(values: list[Any], wanted: Sequence[Predicate], unwanted: Sequence[Sequence[Predicate]]) -> bool:
    every = [one for each in (wanted, *unwanted) for one in each]
    if any(isinstance(value, (list, dict)) and value for value in values) or len(values) * len([*operands(every)]) > TRIALS_MAX:
        return True
    return any(all(holds(one, value) for one in wanted) and all(_may_fail(each, value) for each in unwanted) for value in values)


def _may_fail(predicates: Sequence[Predicate], value: Any) -> bool:
    """Whether one of the predicates may fail."""
    return any(not holds(one, value) or not is_sure(one) for one in predicates)


def _some_number(wanted: Sequence[Predicate], unwanted: Sequence[Sequence[Predicate]]) -> bool:
    wanted = [one for one in wanted if not isinstance(one.operand, OtherField)]
    unwanted = [each for each in unwanted if not any(isinstance(one.operand, OtherField) for one in each)]
    numbers = {exact for each in (wanted, *unwanted) for one in operands(each) for exact in [micros(one)] if exact is not None}
    good, bad = exact_test(wanted), [exact_test(each) for each in unwanted]
    return bool(some_number(numbers, lambda value: good(value) and not any(test(value) for test in bad)))


def _in_order(wanted: Sequence[Predicate]) -> bool:
    """Whether the lowest limit of texts, or of days, lies below the highest."""
    for kind in ("text", "day"):
        low = max(((key, strict) for key, strict in _limits(wanted, 0, kind)), default=None)
        high = min(((key, not strict) for key, strict in _limits(wanted, 1, kind)), default=None)
        if low and high and (low[0] > high[0] or (low[0] == high[0] and (low[1] or not high[1]))):
            return False
    return True


def _limits(wanted: Sequence[Predicate], side: int, kind: str) -> Iterator[tuple[str, bool]]:
    """The texts, or days, that are limits to one side, and whether they are outside themselves."""
    for one in wanted:
        limit = limits(one)[side]
        if limit is not None and isinstance(limit[0], str) and _text_kind(limit[0]) == kind:
            yield limit


def _text_kind(limit: str) -> str:
    if not _DATE.match(limit):
        return "text"
    try:
        return "day" if date.fromisoformat(limit) and _DATE.fullmatch(limit) else "moment"
    except ValueError:
        return "moment"


def _texts_fit(wanted: Sequence[Predicate]) -> bool:
    """Whether beginnings and ends do not exclude each other, nor hold what must not be there."""
    said: dict[str, list[str]] = {}
    for one in wanted:
        if OPERATORS[one.op].takes is TEXT and isinstance(one.operand, str) and not one.ignore_case:
            said.setdefault(one.op, []).append(one.operand)
    starts, ends = said.get("starts_with", []), said.get("ends_with", [])
    there = [*starts, *ends, *said.get("contains", [])]
    return (
        all(max(starts, key=len).startswith(one) for one in starts)
        and all(max(ends, key=len).endswith(one) for one in ends)
        and not any(one.startswith(no) for no in said.get("not_starts_with", []) for one in starts)
        and not any(one.endswith(no) for no in said.get("not_ends_with", []) for one in ends)
        and not any(no in one for no in said.get("not_contains", []) for one in there)
    )
