"""The SQL twin: each operator and edge by hand, then random inputs against the model."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow as pa
import pytest

from contracts.model.batches import Event
from contracts.model.definitions import (
    All,
    AnyOf,
    AtLeast,
    Condition,
    ConsentIs,
    Definitions,
    Did,
    Feature,
    IdentityRules,
    MemberOf,
    Namespace,
    Not,
    Predicate,
    Purpose,
    Segment,
    TraitIs,
    Where,
)
from contracts.model.hashing import Hasher
from contracts.model.traits import Trait
from operators.segments.sql.operators import UnknownOperatorError
from operators.segments.sql.twin import trait_sql, twin
from state.snapshot.publish import publish, sql
from tests import model
from tests.model_segments import json as written
from tests.model_segments import some_value
from tests.state.test_snapshot import FakeRows, archived, write_archive

SECOND = 1_000_000
DAY = 86_400 * SECOND
AT = 20_000 * DAY
RULES = IdentityRules(1, (Namespace("user_id", ("userId",)), Namespace("device", ("anonymousId",), scope="device")), frozenset(), ())
JSON = pa.string()
EVENTS = [
    ("message_id", pa.string()), ("event", pa.string()), ("type", pa.string()), ("event_time", pa.timestamp("us")),
    ("properties", JSON), ("traits", JSON), ("context", JSON), ("sources", pa.list_(pa.string())),
]  # fmt: skip


def definitions(*segments: Segment, features: tuple[Feature, ...] = (), **more: Any) -> Definitions:
    return Definitions("d", {}, RULES, segments=segments, features={f.key: f for f in features}, **more)


def relation(con: duckdb.DuckDBPyConnection, name: str, columns: list[tuple[str, pa.DataType]], rows: list[tuple[Any, ...]]) -> None:
    table = pa.table([pa.array([row[at] for row in rows], kind) for at, (_, kind) in enumerate(columns)], names=[c for c, _ in columns])
    con.register(f"{name}_rows", table)
    casts = ", ".join(f"CAST({c} AS JSON) AS {c}" if c in ("properties", "traits", "context") else c for c, _ in columns)
    con.execute(f"CREATE TABLE {name} AS SELECT {casts} FROM {name}_rows")


def _whole(  # noqa: PLR0917
    message: str, name: str, time_us: int, properties: Any, context: Any, traits: Any = None, sources: Sequence[str] = ()
) -> tuple[Any, ...]:
    return message, name, time_us, properties, context, traits or {}, [*sources]


def store(
    events: list[tuple[Any, ...]] | None = None,
    *,
    owners: list[tuple[str, str]] | None = None,
    profiles: dict[str, dict[str, Any]] | None = None,
    consents: list[tuple[str, str, bool]] | None = None,
    accounts: dict[str, dict[str, Any]] | None = None,
    stays: list[tuple[str, str, str, str | None]] | None = None,
    identifiers: list[tuple[str, str, str, str]] | None = None,
) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    rows = [
        (
            m,
            name,
            "track" if name else "identify",
            t,
            orjson.dumps(p).decode(),
            orjson.dumps(said).decode(),
            None if c is None else orjson.dumps(c).decode(),
            came,
        )
        for m, name, t, p, c, said, came in (_whole(*event) for event in events or [])
    ]
    relation(con, "events", EVENTS, rows)
    relation(con, "attributions", [("message_id", pa.string()), ("profile_id", pa.string())], owners or [])
    texts: list[tuple[Any, ...]] = [
        (pid, traits if isinstance(traits, str) else orjson.dumps(traits).decode(), 1.0) for pid, traits in (profiles or {}).items()
    ]
    relation(con, "profiles", [("profile_id", pa.string()), ("traits", JSON), ("confidence", pa.float64())], texts)
    relation(con, "consents", [("profile_id", pa.string()), ("purpose", pa.string()), ("granted", pa.bool_())], list(consents or []))
    said: list[tuple[Any, ...]] = [(account, orjson.dumps(traits).decode()) for account, traits in (accounts or {}).items()]
    relation(con, "accounts", [("account_id", pa.string()), ("traits", JSON)], said)
    columns = [(name, pa.string()) for name in ("account_id", "profile_id", "since", "until")]
    relation(con, "account_members", columns, list(stays or []))
    columns = [(name, pa.string()) for name in ("namespace", "value", "profile_id", "first_seen")]
    relation(con, "identifiers", columns, list(identifiers or []))
    return con


def members(con: duckdb.DuckDBPyConnection, defs: Definitions, at: object = AT) -> set[tuple[str, str]]:
    return set(con.execute(twin(defs), {"at": at}).fetchall())


def trait_holds(traits: dict[str, Any] | str, path: str, *predicates: tuple[str, Any], timezone: str = "UTC") -> bool:
    who = TraitIs(path, tuple(Predicate(op, operand) for op, operand in predicates))
    con = store(profiles={"p": traits})  # type: ignore[dict-item]
    return members(con, definitions(Segment("s", 1, who, timezone=timezone))) == {("s", "p")}


MISSING = object()
CASES: list[tuple[Any, str, Any, bool]] = [
    (MISSING, "exists", True, False), (MISSING, "exists", False, True), (None, "exists", False, True), (0, "exists", True, True),
    (MISSING, "is", "empty", True), (None, "is", "empty", True), ("", "is", "empty", True), ([], "is", "empty", True),
    ({}, "is", "empty", True),
    (" ", "is", "empty", False), ([None], "is", "empty", False), (0, "is", "empty", False), (False, "is", "empty", False),
    (1.5, "is", "number", True), (True, "is", "number", False), ("1", "is", "text", True), (True, "is", "boolean", True),
    ([], "is", "list", True),
    (1, "eq", 1, True), (1.0, "eq", 1, True), (1, "eq", True, False), (True, "eq", 1, False), (True, "eq", True, True),
    (False, "eq", True, False),
    ("1", "eq", 1, False), (1, "eq", "1", False), ("a", "eq", "a", True), ("a", "eq", "A", False), ("it's", "eq", "it's", True),
    ([1, "a", None], "eq", [1.0, "a", None], True), ([1, "a"], "eq", ["a", 1], False), ({"a": {"b": 1}}, "eq", {"a": {"b": 1}}, True),
    ({"a": 1, "b": 2}, "eq", {"a": 1}, False), ([], "eq", {}, False),
    (MISSING, "eq", 1, False), (None, "ne", 1, False), (MISSING, "ne", 1, False), (2, "ne", 1, True), ("1", "ne", 1, True),
    (1.0, "ne", 1, False),
    (0.1 + 0.2, "eq", 0.3, True), (0.1 + 0.2, "gt", 0.3, False), (0.0000005, "eq", 0, True), (0.0000015, "eq", 0.000002, True),
    (0.0000025, "eq", 0.000002, True), (-0.0000025, "eq", -0.000002, True), (-0.0000015, "eq", -0.000002, True),
    (0.00000250001, "eq", 0.000003, True),
    (1.5e-06, "eq", 0.000002, True), (1e3, "eq", 1000, True), (1e22, "eq", 10**22, True), (1e-300, "eq", 0, True),
    (123456789012.25, "eq", 123456789012.25, True),
    (2**63, "gt", 2**63 - 1, True), (2**53 + 1, "eq", 2**53 + 1, True), (2**53 + 1, "eq", 2**53, False),
    (1, "in", [2, 1], True), ("1", "in", [2, 1], False), (None, "in", [1], False), (1, "in", [], False),
    (1, "not_in", [2], True), (None, "not_in", [2], False), (True, "not_in", [1], True), (1, "not_in", [], True),
    (5, "gt", 4, True), (5, "gt", 5, False), (5, "gte", 5, True), (5, "lt", 5.000001, True), (5, "lte", 4.999999, False),
    (True, "gt", 0, False),
    ("5", "gt", 4, False), (5, "gt", "4", False), (5, "between", [5, 6], True), (6.1, "between", [5, 6], False), ([9], "gt", 1, False),
    ("b", "gt", "a", True), ("B", "gt", "a", False), ("é", "gt", "z", True), ("\U0001f41d", "gt", "\uffff", True),
    ("ab", "between", ["a", "b"], True),
    (None, "gt", "", False), ("", "gte", "", True),
    ("abc", "contains", "b", True), ("abc", "contains", "%", False), ("abc", "not_contains", "x", True), (5, "not_contains", "x", False),
    (MISSING, "not_contains", "x", False), (["x"], "contains", "x", False), ("abc", "starts_with", "ab", True),
    ("abc", "ends_with", "bc", True),
    ("abc", "not_starts_with", "ab", False), ("abc", "not_ends_with", "x", True), ("a_c", "contains", "_", True),
    ("", "starts_with", "", True),
    # dates: an operand that is one asks for one
    ("2026-01-31", "gt", "2026-01-30", True), ("2026-01-31", "gt", "2026-01-31", False), ("2026-02-01", "gt", "2026-01-31", True),
    ("2026-01-31T23:59:59.999999Z", "gt", "2026-01-31", False), ("2026-02-01T00:00:00Z", "gt", "2026-01-31", True),
    ("2026-01-31T00:00:00Z", "gte", "2026-01-31", True), ("2026-01-30T23:59:59.999Z", "gte", "2026-01-31", False),
    ("2026-01-31", "lte", "2026-01-31T12:00:00Z", False), ("2026-01-31", "gte", "2026-01-31T00:00:00Z", True),
    ("2026-01-31", "lt", "2026-02-01", True),
    ("2026-01-31T10:00:00+02:00", "lte", "2026-01-31T08:00:00Z", True), ("2026-01-31T10:00:00+0200", "gte", "2026-01-31T08:00Z", True),
    ("2026-01-31T10:00:00-05", "gt", "2026-01-31T14:59:59.999999", True),
    ("2026-01-31 10:00", "between", ["2026-01-31", "2026-01-31"], True),
    ("2026-01-31T10:00:00.1234569Z", "lte", "2026-01-31T10:00:00.123456Z", True),
    ("2026-01-31T10:00:00,5Z", "gt", "2026-01-31T10:00:00Z", True),
    ("2026-02-30", "gt", "2026-01-01", False), ("zz", "gt", "2026-01-01", False), (20260131, "gt", "2026-01-01", False),
    ("2026-01-31T24:00:00Z", "gt", "2026-01-01", False), ("2026-1-31", "gt", "2026-01-01", False), ("zz", "gt", "2026-02-30", True),
    ("2026-01-31", "gt", "a", False), ("0001-01-01", "lt", "0001-01-02", True), ("0000-01-01", "lt", "2026-01-01", False),
    ("2026-01-31T10:00:00Z", "eq", "2026-01-31T10:00:00.0Z", False),
]  # fmt: skip


@pytest.mark.parametrize(("value", "op", "operand", "expected"), CASES)
def test_operator(value: Any, op: str, operand: Any, expected: bool) -> None:
    traits = {} if value is MISSING else {"x": value}
    assert trait_holds(traits, "x", (op, operand)) is expected


def test_operators_agree_with_the_model() -> None:
    for value, op, operand, expected in CASES:
        traits = {} if value is MISSING else {"x": value}
        assert some_value(traits, "x", [Predicate(op, operand)], "UTC") is expected, (value, op, operand)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "UTC"])
def test_a_date_alone_is_its_day_in_the_timezone(zone: str) -> None:
    values = [f"2026-03-{day}T{hour}:00:00Z" for day in (28, 29, 30) for hour in ("03", "04", "05", "21", "22", "23")] + ["2026-03-29"]
    asked = {op: Predicate(op, "2026-03-29") for op in ("gt", "gte", "lt", "lte")}
    segments = [Segment(op, 1, TraitIs("x", (predicate,)), timezone=zone) for op, predicate in asked.items()]
    found = members(store(profiles={value: {"x": value} for value in values}), definitions(*segments))
    assert found == {(op, value) for value in values for op in asked if some_value({"x": value}, "x", [asked[op]], zone)}


PATHS: list[tuple[dict[str, Any], str, tuple[tuple[str, Any], ...], bool]] = [
    ({"a": {"b": 1}}, "a.b", (("eq", 1),), True),
    ({"a.b": 1}, '["a.b"]', (("eq", 1),), True),
    ({"a.b": 1}, "a.b", (("eq", 1),), False),
    ({"a": {"*": 1, "b": 2}}, "a.*", (("eq", 2),), False),
    ({"a": [1, 2]}, "a[1]", (("eq", 2),), True),
    ({"a": [1, 2]}, "a[2]", (("exists", False),), True),
    ({"a": {"0": 1}}, "a[0]", (("exists", True),), False),
    ({"a": [1, 5]}, "a[]", (("gt", 1), ("lt", 5)), False),
    ({"a": [1, 3, 5]}, "a[]", (("gt", 1), ("lt", 5)), True),
    ({"a": [{"b": [1]}, {"b": [2]}]}, "a[].b[]", (("eq", 2),), True),
    ({"a": []}, "a[]", (("exists", False),), False),
    ({"a": [1, None]}, "a[]", (("exists", False),), True),
    ({"a": [{"b": 1}, {}]}, "a[].b", (("exists", False),), True),
    ({"a": 5}, "a[]", (("exists", False),), True),
    ({}, "a[].b", (("exists", False),), True),
    ({"a": [{"b": 1}, {}]}, "a[].b", (("ne", 1),), False),
]


@pytest.mark.parametrize(("traits", "path", "predicates", "expected"), PATHS)
def test_path(traits: dict[str, Any], path: str, predicates: tuple[tuple[str, Any], ...], expected: bool) -> None:
    assert trait_holds(traits, path, *predicates) is expected
    assert some_value(traits, path, [Predicate(*p) for p in predicates], "UTC") is expected


def test_a_key_may_hold_a_quote() -> None:
    assert trait_holds({"a": {'q"': 1}}, 'a["q\\""]', ("eq", 1))


def test_an_unknown_operator_is_an_error_that_names_it() -> None:
    with pytest.raises(UnknownOperatorError, match="'sounds_like'"):
        trait_holds({}, "x", ("sounds_like", 1))


def test_windows_are_open_at_their_start_and_closed_at_the_moment() -> None:
    feature = Feature("k", ("a_*",), (), 10, "times", None, 1)
    events = [(f"m{n}", "a_b", AT + offset, {}, None) for n, offset in enumerate((-10, -9, 0, 1))]
    con = store(events, owners=[(m, "p") for m, *_ in events], profiles={"p": {}, "q": {}})
    two = Segment("two", 1, Did("k", (Predicate("eq", 2),)))
    never = Segment("never", 1, Did("k", (Predicate("eq", 0),)))
    defs = definitions(two, never, features=(feature,))
    assert members(con, defs) == {("two", "p"), ("never", "q")}
    assert members(con, defs, datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=AT)) == {("two", "p"), ("never", "q")}
    assert members(con, defs, AT + 10) == {("never", "q")}


def test_measures_are_exact() -> None:
    values: list[Any] = [0.1, 0.2, "9", True, None, [1, {"a": 1.0, "b": 2}], [1, {"b": 2, "a": 1}], 0.10, 123456789012]
    events = [(f"m{n}", "bought", AT, {"v": v}, {"country": "DE"}) for n, v in enumerate(values)]
    events.append(("m_fr", "bought", AT, {"v": 1000}, {"country": "FR"}))
    where = (Where("context.country", (Predicate("eq", "DE"),)),)
    total = Feature("sum", ("bought",), where, None, "sum", "v", None)
    different = Feature("distinct", ("bought",), where, None, "distinct", "v", 3)
    con = store(events, owners=[(m, "p") for m, *_ in events], profiles={"p": {}})
    defs = definitions(
        Segment("sum", 1, Did("sum", (Predicate("eq", 123456789012.4),))),
        Segment("distinct", 1, Did("distinct", (Predicate("eq", 6),))),
        features=(total, different),
    )
    assert members(con, defs) == {("sum", "p"), ("distinct", "p")}


def test_consent_by_decision_else_by_default_and_segments_of_segments() -> None:
    con = store(profiles={"yes": {}, "no": {}, "silent": {}}, consents=[("yes", "mail", True), ("no", "mail", False), ("no", "ads", False)])
    everyone = All(())
    defs = definitions(
        Segment("mailed", 1, everyone, purpose="mail"),
        Segment("ads", 1, ConsentIs("ads")),
        Segment("rest", 1, Not(MemberOf("mailed"))),
        Segment("nobody", 1, AnyOf(())),
        purposes=(Purpose("mail", False), Purpose("ads", True)),
    )
    assert members(con, defs) == {("mailed", "yes"), ("ads", "yes"), ("ads", "silent"), ("rest", "no"), ("rest", "silent")}
    assert members(con, definitions()) == set()


def test_computed_traits_come_from_events_and_win() -> None:
    measures: tuple[Any, ...] = ("sum", "first", "last", "set")
    features = tuple(Feature(m, ("bought",), (), None, m, "v", None, options=(("limit", 2),)) for m in measures)
    traits = tuple(Trait(f"t_{f.key}", f.key, f.key) for f in features)
    events = [(f"m{n}", "bought", AT + n // 2, {"v": v}, None) for n, v in enumerate([None, "b", "a", 12345678901234.5, "b"])]
    con = store(events, owners=[(m, "p") for m, *_ in events], profiles={"p": {"t_sum": 1, "t_last": "plain"}, "q": {"t_last": "plain"}})
    defs = definitions(features=features, traits=traits)
    found = {t.name: con.execute(trait_sql(defs, t), {"at": AT}).fetchall() for t in traits}
    assert found["t_sum"] == [("p", "12345678901234.5"), ("q", "0")] or found["t_sum"] == [("q", "0"), ("p", "12345678901234.5")]
    assert found["t_first"] == [("p", '"b"')]
    assert found["t_last"] == [("p", '"b"')]
    assert found["t_set"] == [("p", '["b",12345678901234.5]')]
    plain = Segment("plain", 1, TraitIs("t_last", (Predicate("eq", "plain"),)))
    listed = Segment("listed", 1, TraitIs("t_set[]", (Predicate("eq", "b"),)))
    assert members(con, definitions(plain, listed, features=features, traits=traits)) == {("listed", "p")}


def test_it_reads_the_published_snapshot(tmp_path: Path) -> None:
    archive = write_archive(
        tmp_path / "archive", archived(1, "m1", {"properties": {"total": 7}}), archived(2, "m2", {"properties": {"total": 5}})
    )
    rows = FakeRows(rows={
        "attributions": [("m1", "p", 1.0), ("m2", "q", 1.0)], "profiles": [("p", 1, 2, {"plan": "pro"}, 0.95), ("q", 1, 2, {}, 1.0)],
        "consents": [("p", "mail", True, 1)],
    })  # fmt: skip
    publish(tmp_path / "skep.duckdb", archives={"shop": archive}, rows={"shop": rows}, personal=None)
    feature = Feature("k", ("order_completed",), (), None, "sum", "total", None)
    who = All((Did("k", (Predicate("gte", 5),)), TraitIs("plan", (Predicate("eq", "pro"),)), ConsentIs("mail")))
    floors = Segment("s", 1, who, confidence=0.95), Segment("sure", 1, who, confidence=0.950001)
    assert sql(tmp_path / "skep.duckdb", twin(definitions(*floors, features=(feature,))), {"at": AT})[1] == [("s", "p")]


# ── against the model ───────────────────────────────────────────────────────────────────────────────────────────────
VALUES: list[Any] = [
    None, True, False, 0, 1, 2, 2.0, 0.1 + 0.2, 0.3, 0.0000005, 0.0000025, 1e21, -1, "", "a", "b", "B", "é", "1", "2026-01-31",
    "2026-01-31T23:30:00Z",
    "2026-02-01T00:30:00+01:00", [], {}, [1, 2], ["a", None], {"a": 1}, {"a": 1.0}, [{"s": "a"}, {"s": 2}],
]  # fmt: skip
OPERANDS: list[Any] = [v for v in VALUES if v is not None and not isinstance(v, list | dict)]
NAMES = ("bought", "order_completed", "order_viewed")
VALUE_PATHS = ("x", "y", "y[]", "y[].s", "z.a", "y[0]")


def random_predicate(rng: random.Random) -> Predicate:
    one, other = rng.choice(OPERANDS), rng.choice(OPERANDS)
    number = rng.choice([0, 1, 2, 0.3, 3])
    return rng.choice([
        Predicate(rng.choice(["eq", "ne"]), rng.choice([one, [1, 2], {"a": 1}])), Predicate(rng.choice(["in", "not_in"]), [one, other]),
        Predicate(rng.choice(["gt", "gte", "lt", "lte"]), one), Predicate("between", [one, other]), Predicate("exists", rng.random() < 0.5),
        Predicate("is", rng.choice(["empty", "number", "text", "boolean", "list"])), Predicate("gt", number),
        Predicate(rng.choice(["", "not_"]) + rng.choice(["contains", "starts_with", "ends_with"]), rng.choice(["a", "2026", ""])),
    ])  # fmt: skip


def random_feature(rng: random.Random, key: str, measures: tuple[str, ...]) -> Feature:
    names = rng.choice([("bought",), ("order_*",), ("bought", "order_viewed")])
    where = tuple(Where(rng.choice([*VALUE_PATHS, "context.x"]), (random_predicate(rng),)) for _ in range(rng.choice([0, 0, 1])))
    measure: Any = rng.choice(measures)
    path = rng.choice(["x", "y", "z.a", "y[]"]) if measure not in WITHOUT_PROPERTY else None
    within, until = rng.choice([(None, 0), (None, 0), (DAY, 0), (3 * DAY, 0), (9 * DAY, DAY), (3 * DAY, 1)])
    between = rng.choice([None, (AT - 3 * DAY, AT - DAY)]) if within is None else None
    zone = rng.choice(["UTC", "Europe/Berlin"]) if measure == "distinct_days" else "UTC"
    options = (("half_life", rng.choice([1000, DAY])),
               ("at", rng.choice([1, 500_000, 950_000, 1_000_000])), ("gap_us", DAY), ("how", rng.choice(["mean", "last", "total"])),
               ("k", rng.choice([1, 2])), ("limit", rng.choice([1, 2, 9])), ("unit", rng.choice(["days", "weeks"])),
               ("weights", rng.choice([(), (("order_*", 2_500_000), ("order_viewed", 0))])))  # fmt: skip
    return Feature(key, names, where, within, measure, path, None, zone, until, between, options)


WITHOUT_PROPERTY = (
    "times", "latest", "first_time", "distinct_days", "since_first", "since_last", "interval_mean", "streak", "session_count",
    "session_length",
)  # fmt: skip


def random_condition(rng: random.Random, depth: int, features: list[str], earlier: list[str], traits: list[str]) -> Condition:
    kind = rng.randrange(7 if depth else 4)
    if kind == 0:
        return Did(rng.choice(features), (Predicate(rng.choice(["eq", "gte", "lt", "gt"]), rng.choice([0, 1, 2, 0.3])),))
    if kind == 1 and earlier:
        return MemberOf(rng.choice(earlier))
    if kind == 2:
        return ConsentIs(rng.choice(["mail", "ads"]))
    if kind <= 3:
        paths = [*VALUE_PATHS, *traits, *(f"{name}[]" for name in traits)]
        return TraitIs(rng.choice(paths), tuple(random_predicate(rng) for _ in range(rng.choice([1, 1, 2]))))
    parts = tuple(random_condition(rng, depth - 1, features, earlier, traits) for _ in range(2))
    counted = len(earlier) % 2
    every, some = (AtLeast(2, parts), AtLeast(1, parts)) if counted else (All(parts), AnyOf(parts))
    return {4: every, 5: some, 6: Not(parts[0])}[kind]


def random_definitions(rng: random.Random) -> Definitions:
    compared = ("times", "sum", "distinct", "avg", "min", "max", "distinct_days", "since_first", "since_last", "first", "last")
    features = [random_feature(rng, f"f{n}", compared) for n in range(6)]
    every = (
        "percentile",
        "list",
        "top",
        "interval_mean",
        "streak",
        "session_count",
        "session_length",
        "avg",
        "latest",
        "first_time",
        "decayed_sum",
    )
    shown = [random_feature(rng, f"c{n}", (m,)) for n, m in enumerate(("sum", "first", "last", "set", *rng.sample(every, 4)))]
    traits = tuple(Trait(f"t{n}", f.measure, f.key) for n, f in enumerate(shown))
    segments: list[Segment] = []
    for n in range(8):
        who = random_condition(rng, 2, [f.key for f in features], [s.name for s in segments], [t.name for t in traits])
        segments.append(Segment(f"s{n}", 1, who, rng.choice([None, None, "mail"]), timezone=rng.choice(["UTC", "Europe/Berlin"])))
    purposes = (Purpose("mail", True), Purpose("ads", False))
    return definitions(*segments, features=(*features, *shown), traits=traits, purposes=purposes)


def random_event(rng: random.Random, at: int) -> Event:
    kind = rng.choice(["track", "track", "identify"])
    properties = {name: rng.choice(VALUES) for name in ("x", "y", "z") if rng.random() < 0.8}
    traits = {name: rng.choice(VALUES) for name in ("x", "y", "z", "t1") if rng.random() < 0.7} if kind == "identify" else None
    context = {"x": rng.choice(VALUES)}
    consents = {rng.choice(["mail", "ads"]): rng.random() < 0.5} if rng.random() < 0.3 else None
    identifiers = rng.choice([((0, "u1"),), ((0, "u2"),), ((0, "u1"), (1, "d1")), ((1, "d1"),), ((1, "d2"),)])
    name = rng.choice(NAMES) if kind == "track" else ""
    body = {"properties": properties, "traits": traits, "context": context, "n": at}
    time = AT - rng.choice([0, 1, DAY - 1, DAY, 2 * DAY, 3 * DAY, 9 * DAY])
    return Event(at + 1, time, f"m{at}", kind, name, "", identifiers, properties, traits, consents, None, body, orjson.dumps(body))


def store_of(events: list[Event], lines: list[dict[str, Any]], computed: set[str]) -> duckdb.DuckDBPyConnection:
    people = [line for line in lines if line["kind"] == "profile"]
    return store(
        [(e.message_id, e.name, e.time_us, e.properties, e.body["context"], e.traits, e.sources) for e in events],
        owners=[(line["id"], line["profile"]) for line in lines if line["kind"] == "message"],
        profiles={line["id"]: {k: v for k, v in line["traits"].items() if k not in computed} for line in people},
        consents=[(line["id"], purpose, granted) for line in people for purpose, granted in line["consents"].items()],
        accounts={line["id"]: line["traits"] for line in lines if line["kind"] == "account"},
        identifiers=[
            (line["namespace"], line["value"], line["profile"], line["first_seen"]) for line in lines if line["kind"] == "identifier"
        ],
        stays=[(line["account"], line["profile"], *stay) for line in lines if line["kind"] == "member" for stay in line["stays"]],
    )


@pytest.mark.parametrize("seed", range(40))
def test_members_are_those_of_the_model(seed: int) -> None:
    rng = random.Random(seed)
    defs = random_definitions(rng)
    events = [random_event(rng, n) for n in range(rng.randrange(1, 25))]
    lines = [orjson.loads(line) for line in model.dump(events, [], defs, AT, hasher=Hasher("secret", "shop"))]
    expected = {(segment, line["id"]) for line in lines if line["kind"] == "profile" for segment in line["segments"]}
    con = store_of(events, lines, {t.name for t in defs.traits})
    assert members(con, defs) == expected
    for trait in defs.traits:
        found = {profile: written(json.loads(value)) for profile, value in con.execute(trait_sql(defs, trait), {"at": AT}).fetchall()}
        people = [line for line in lines if line["kind"] == "profile" and trait.name in line["traits"]]
        assert found == {line["id"]: written(line["traits"][trait.name]) for line in people}, trait
