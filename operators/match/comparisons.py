"""The levels of a comparison: each defined once, as SQL for the training and as a test of two values for the scoring.

A level is true or not of two values that are both there; the first true one counts. Where a value is missing, the
comparison says nothing (the null level of Fellegi–Sunter models).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from contracts.model.probabilistic import DAY_S, Compare, How
from contracts.text.times import iso
from operators.match.values import in_bytes, instant

SIMILAR_EMAIL = 0.88
"""The least Jaro–Winkler similarity of two addresses that are `similar`."""
Test = Callable[[Any, Any], bool]


@dataclass(frozen=True, slots=True)
class Level:
    """``sql`` is of the columns ``{c}_l`` and ``{c}_r`` and what `columns` adds to them; ``test`` of two `prepared` values."""

    label: str
    sql: str
    test: Test


def levels(compare: Compare) -> tuple[Level, ...]:
    """The levels from near to far. The last one holds for everything; the first one is equality."""
    return (Level("equal", '"{c}_l" = "{c}_r"', _equal), *_BETWEEN[compare.how](compare.at), Level("else", "ELSE", lambda _a, _b: True))


def canonical(how: How, text: str) -> str:
    """The text that is equal for equal values: dates are written in one way."""
    if how == "date_difference":
        found = instant(text)
        return text if found is None else iso(found * 1_000_000).removesuffix("T00:00:00.000000Z")
    return text


def prepare(how: How, text: str) -> Any:
    """A comparable text as the tests of a comparison take it."""
    if how == "date_difference":
        return canonical(how, text), instant(text)
    if how == "email":
        return in_bytes(text), in_bytes(text).rpartition("@")[0]
    return in_bytes(text)


def term(how: How, value: Any) -> str:
    """The text whose frequency counts, of a prepared value."""
    return str(value[0] if how in {"date_difference", "email"} else value)


def columns(how: How, text: str | None) -> dict[str, Any]:
    """What the SQL of the levels reads beside the text itself, by suffix of the column."""
    if how == "date_difference":
        return {"_time": None if text is None else instant(text)}
    if how == "email":
        return {"_local": None if text is None else text.rpartition("@")[0]}
    return {}


def _equal(a: Any, b: Any) -> bool:
    return bool(a == b)


def _none(_at: tuple[float, ...]) -> tuple[Level, ...]:
    return ()


def _jaro_winkler(at: tuple[float, ...]) -> tuple[Level, ...]:
    from rapidfuzz.distance import JaroWinkler  # noqa: PLC0415 - only rules that compare need it

    def level(least: float) -> Level:
        def test(a: str, b: str) -> bool:
            return JaroWinkler.similarity(a, b) >= least

        return Level(f"similar {least:g}", f'jaro_winkler_similarity("{{c}}_l", "{{c}}_r") >= {least!r}', test)

    return tuple(level(least) for least in at)


def _edit_distance(at: tuple[float, ...]) -> tuple[Level, ...]:
    from rapidfuzz.distance import Levenshtein  # noqa: PLC0415 - only rules that compare need it

    def level(most: int) -> Level:
        def test(a: str, b: str) -> bool:
            return Levenshtein.distance(a, b, score_cutoff=most) <= most

        return Level(f"{most} edit{'s' * (most > 1)}", f'levenshtein("{{c}}_l", "{{c}}_r") <= {most}', test)

    return tuple(level(int(most)) for most in at)


def _date_difference(at: tuple[float, ...]) -> tuple[Level, ...]:
    def level(most: int) -> Level:
        def test(a: tuple[str, int], b: tuple[str, int]) -> bool:
            return abs(a[1] - b[1]) <= most

        days, rest = divmod(most, DAY_S)
        label = f"within {days:,} d" if not rest else f"within {most:,} s"
        return Level(label, f'abs("{{c}}_time_l" - "{{c}}_time_r") <= {most}', test)

    no_date = Level("no date", '("{c}_time_l" IS NULL OR "{c}_time_r" IS NULL)', lambda a, b: a[1] is None or b[1] is None)
    return (no_date, *(level(int(most)) for most in at))


def _email(_at: tuple[float, ...]) -> tuple[Level, ...]:
    from rapidfuzz.distance import JaroWinkler  # noqa: PLC0415 - only rules that compare need it

    def similar(a: tuple[str, str], b: tuple[str, str]) -> bool:
        return JaroWinkler.similarity(a[0], b[0]) >= SIMILAR_EMAIL

    return (
        Level("same local part", '("{c}_local_l" = "{c}_local_r" AND "{c}_local_l" <> \'\')', lambda a, b: a[1] == b[1] != ""),
        Level("similar", f'jaro_winkler_similarity("{{c}}_l", "{{c}}_r") >= {SIMILAR_EMAIL!r}', similar),
    )


_BETWEEN: dict[str, Callable[[tuple[float, ...]], tuple[Level, ...]]] = {
    "exact": _none,
    "jaro_winkler": _jaro_winkler,
    "edit_distance": _edit_distance,
    "date_difference": _date_difference,
    "email": _email,
}
