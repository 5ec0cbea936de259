"""Values and levels: what is compared, and that a level's SQL and its test agree."""

from __future__ import annotations

import random

import duckdb
import pytest

from contracts.model.probabilistic import DAY_S, Compare
from operators.match.comparisons import canonical, columns, levels, prepare
from operators.match.values import comparable, instant, value_at

COMPARES = (
    Compare("name", "exact"),
    Compare("name", "jaro_winkler", (0.92, 0.8)),
    Compare("name", "edit_distance", (1, 2)),
    Compare("name", "email"),
    Compare("name", "date_difference", (DAY_S, 31 * DAY_S, 366 * DAY_S)),
)
ALPHABETS = ("abcdr", "éжя漢ab", "a@.b", "0123-")


def _texts(rng: random.Random, how: str) -> list[str]:
    if how == "date_difference":
        days = [f"19{rng.randint(70, 72)}-{rng.randint(1, 13):02}-{rng.randint(1, 31):02}" for _ in range(60)]
        return [*days, *(day.replace("-", "") for day in days), "unknown", "1971"]
    if how == "email":
        return [f"{rng.choice(('ann', 'anna.b', 'bob', 'zé', ''))}@{rng.choice(('a.b', 'abc.d', 'x'))}" for _ in range(120)] + ["ann", "z"]
    return ["".join(rng.choices(rng.choice(ALPHABETS), k=rng.randint(1, 9))) for _ in range(120)]


@pytest.mark.parametrize("compare", COMPARES, ids=lambda one: one.how)
def test_sql_and_test_choose_the_same_level(compare: Compare) -> None:
    """DuckDB and rapidfuzz put every pair of generated values at the same level, beyond ASCII too."""
    rng = random.Random(7)
    texts = [canonical(compare.how, text) for raw in _texts(rng, compare.how) if (text := comparable(raw)) is not None]
    found = levels(compare)
    cases = "".join(f" WHEN {level.sql.replace('{c}', 'c')} THEN {at}" for at, level in enumerate(found[:-1]))
    names = list(columns(compare.how, ""))
    sides = [", ".join(f'{side}."c{suffix}" AS "c{suffix}_{side}"' for suffix in ("", *names)) for side in "lr"]
    con = duckdb.connect()
    types = {"_time": "BIGINT", "_local": "VARCHAR"}
    con.execute(f"CREATE TABLE t (c VARCHAR{''.join(f', c{suffix} {types[suffix]}' for suffix in names)})")
    con.executemany(
        f"INSERT INTO t VALUES ({', '.join('?' * (1 + len(names)))})",
        [[text, *(columns(compare.how, text)[suffix] for suffix in names)] for text in texts],
    )
    rows = con.execute(
        f"SELECT c_l, c_r, CASE{cases} ELSE {len(found) - 1} END FROM (SELECT {sides[0]}, {sides[1]} FROM t l, t r)"
    ).fetchall()
    seen = set()
    for one, two, level in rows:
        a, b = prepare(compare.how, one), prepare(compare.how, two)
        ours = next(at for at, each in enumerate(found) if each.test(a, b))
        assert ours == level, (one, two)
        seen.add(ours)
    assert seen == set(range(len(found)))


def test_values_are_compared_without_case_accents_and_blanks() -> None:
    assert comparable("  José   MÜLLER ") == "jose muller"
    assert comparable(7) == "7"
    assert comparable(["a"]) is comparable("  ") is comparable(None) is None
    assert value_at({"address": {"city": "Köln"}}, "address.city") == "koln"
    assert value_at({"address.city": "Ulm"}, "address.city") == "ulm"


_DATES = {"1970-01-02": 1, "19700103": 2, "1970-01-04t12:00:00z": 3.5, "1970-13-01": None, "1970": None, "soon": None}


@pytest.mark.parametrize(("text", "days"), _DATES.items())
def test_dates(text: str, days: float | None) -> None:
    """A day, a day without dashes, a time; what is none of them is no date."""
    assert instant(text) == (None if days is None else days * DAY_S)
