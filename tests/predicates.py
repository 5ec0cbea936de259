"""Drawn predicates of every operator, as people write them, and the values that they are asked of."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

Json = dict[str, Any]

TEXTS = ("", "a", "A", "ab", "aB", "b", "Straße", "STRASSE", "İ", "i", "σας", "ΣΑΣ", "a\nb", "a_%", "it's", "\U0001f41d", "ǅ")
NUMBERS = (0, 1, 2, 2.0, 0.3, 0.1 + 0.2, -1, 1e15, 0.0000005)
ATOMS: tuple[Any, ...] = (*TEXTS, *NUMBERS, True, False, None)
DAYS = ("2024-10-03", "2024-10-04", "2024-10-05", "2024-10-27", "2024-11-03", "2024-02-29", "1990-10-10", "2024-12-31", "2025-01-01")
TIMES = ("00:00", "00:00:00Z", "22:00:00Z", "23:59:59.999999Z", "04:00:00,5Z", "00:00:00+02:00", "00:00:00+0200", "20:00-04")
DATES = (
    *DAYS,
    *(f"{day}T{time}" for day in DAYS for time in TIMES),
    "2024-10-04 10:00",
    "2024-02-30",
    "2024-10-04T24:00",
    "0001-01-01",
    "9999-12-31",
)
VERSIONS = (
    "2", "2.0", "2.0.0", "2.1", "2.0.0-rc.1", "2.0.0-rc.2", "2.0.0-rc.10", "2.0.0-rc", "2.0.0-1", "2.0.0-rc.a", "2.0.0+b.7", "2.0.0-",
    "2-rc",     "v2.0.0", "02.0.0", "2.0.0-01", "2.0.0-0a", "10.0.0", "99999999999999999999999.0.0", "2.0.0.0", "", "2.",
    "2.0.0-A", "2.0.0-a--b", "1.2.3-x+y",
)  # fmt: skip
PATTERNS = ("^a", "a.b", "b$", "[A-Z]", "\\pL+ß", "(?s)a.b", "", "^(a|b)*$", "\\bi", "(?i)straße", "[^a]")


def drawn_value(rng: Random) -> Any:
    """A value of a trait or of a property."""
    make: Callable[[], Any] = rng.choice(
        [
            lambda: rng.choice(ATOMS),
            lambda: rng.choice(TEXTS),
            lambda: rng.choice(NUMBERS),
            lambda: _list(rng),
            lambda: _object(rng),
            lambda: rng.choice(DATES),
            lambda: rng.choice(VERSIONS),
            lambda: _place(rng),
        ]
    )
    return make()


def _list(rng: Random) -> list[Any]:
    items = rng.choice([ATOMS, TEXTS, NUMBERS, DATES, VERSIONS])
    return [rng.choice(items) if rng.random() < 0.8 else _object(rng) for _ in range(rng.choice([0, 1, 2, 3]))]


def _object(rng: Random) -> Json:
    return {name: rng.choice(ATOMS) for name in ("a", "b") if rng.random() < 0.6}


def drawn_of_trait(rng: Random) -> Json:
    """The same, perhaps one that looks at now."""
    return rng.choice([drawn, _moving, _moving_item])(rng)


def drawn_against(rng: Random, other: Json) -> Json:
    """A predicate whose operand is another field."""
    cased = rng.choice(["contains", "not_contains", "starts_with", "not_starts_with", "ends_with", "not_ends_with"])
    plain = [
        "eq",
        "ne",
        "gt",
        "gte",
        "lt",
        "lte",
        "in",
        "not_in",
        "includes",
        "before",
        "after",
        "on",
        "semver_gt",
        "semver_eq",
        "semver_lte",
    ]
    return {cased: other} | _case(rng) if rng.random() < 0.3 else {rng.choice(plain): other} | rng.choice([{}, {"exists": True}])


def drawn(rng: Random) -> Json:
    """One predicate, or a few, that `skep check` reads."""
    return rng.choice([_texts, _equality, _lists, _dates, _parts, _versions, _near])(rng)


def _case(rng: Random) -> Json:
    return rng.choice([{}, {"ignore_case": True}, {"ignore_case": False}])


def _present(rng: Random) -> Any:
    return rng.choice([one for one in ATOMS if one is not None])


def _equality(rng: Random) -> Json:
    one = rng.choice([_present(rng), rng.choice(TEXTS), ["a", 1], ["A", "B"], {"a": "A"}, {}])
    several = [_present(rng), rng.choice(TEXTS), rng.choice(TEXTS), ["A", "B"]]
    return rng.choice([{"eq": one}, {"ne": one}, {"in": several}, {"not_in": several}]) | _case(rng)


def _texts(rng: Random) -> Json:
    part, other = rng.choice(TEXTS), rng.choice(TEXTS)
    op = rng.choice(["contains", "not_contains", "starts_with", "not_starts_with", "ends_with", "not_ends_with", "contains_any", "matches"])
    return {op: {"contains_any": [part, other], "matches": rng.choice(PATTERNS)}.get(op, part)} | _case(rng)


def _lists(rng: Random) -> Json:
    one = rng.choice([_present(rng), rng.choice(TEXTS), {"a": "A"}, ["a"]])
    several = [one, rng.choice(TEXTS), _present(rng)][: rng.choice([1, 2, 3])]
    make: Callable[[], Json] = rng.choice(
        [
            lambda: {"includes": one} | _case(rng),
            lambda: {rng.choice(["includes_any", "includes_all", "excludes_all"]): several} | _case(rng),
            lambda: {"size": rng.choice([{"gte": 2}, {"eq": 0}, {"between": [1, 2]}, {"ne": 1}, {"in": [0, 3]}])},
            lambda: {rng.choice(["any_item", "every_item"]): rng.choice([drawn, _flat])(rng)},
            lambda: {rng.choice(["any_item", "every_item"]): {"where": _where(rng)}},
        ]
    )
    return make()


def _flat(rng: Random) -> Json:
    return rng.choice([{"exists": False}, {"exists": True}, {"is": "empty"}, {"is": "text"}, {"gte": 1}, {"gt": "a", "lt": "b"}])


def _where(rng: Random) -> Json:
    return {name: rng.choice([_present(rng), [_present(rng), "a"], _flat(rng), drawn(rng)]) for name in rng.choice(["a", "b", "ab"])}


def _dates(rng: Random) -> Json:
    one, other = sorted([rng.choice(DATES[:-5]), rng.choice(DATES[:-5])])
    return rng.choice([{"before": one}, {"after": one}, {"on": one}, {"between": [one, other]}, {"gt": one}, {"lte": other}])


def _versions(rng: Random) -> Json:
    op = rng.choice(["semver_eq", "semver_gt", "semver_gte", "semver_lt", "semver_lte"])
    return {op: rng.choice(["2", "2.0", "2.1.0", "2.0.0-rc.2", "2.0.0-rc", "2.0.0-1", "1.2.3-x+z", "99999999999999999999998.1.0"])}


def _place(rng: Random) -> Json:
    lat, lon = rng.choice([(52.5, 13.4), (52.500001, 13.4), (-33.86, 151.21), (0, 180), (0, -180), (90, 0), (91, 0), (0, 181), (52, None)])
    return {"lat": lat, "lon": lon} if rng.random() < 0.7 else {"lat": rng.uniform(-90, 90), "lon": rng.uniform(-180, 180), "x": 1}


def _near(rng: Random) -> Json:
    lat, lon = rng.choice([(52.5, 13.4), (0, 179.9), (-90, 0), (rng.uniform(-90, 90), rng.uniform(-180, 180))])
    return {"near": {"lat": lat, "lon": lon, "km": rng.choice([0, 0.1, 0.2, 12, 1000, 10_000, 20_037])}}


def _parts(rng: Random) -> Json:
    asked: list[Json] = [
        {"month": {"in": [2, 10]}},
        {"month": {"gte": 10, "lt": 12}},
        {"day_of_month": {"eq": 4}},
        {"day_of_week": {"gte": 6}},
    ]
    return rng.choice(
        [*asked, {"day_of_week": {"eq": 5}}, {"hour": {"lt": 2}}, {"hour": {"eq": 22}}, {"hour": {"ne": 0}, "month": {"ne": 1}}]
    )


def _moving(rng: Random) -> Json:
    op = rng.choice(["within", "older_than", "in_next", "anniversary_in_next"])
    long = rng.choice(["1s", "1d", "36h", "30d", "365d"])
    return {op: long} | rng.choice([{}, {}, {"hour": {"gte": 0}}])


def _moving_item(rng: Random) -> Json:
    return {rng.choice(["any_item", "every_item"]): rng.choice([_moving(rng), {"where": {"a": _moving(rng)}}, {"any_item": _moving(rng)}])}
