"""The macros of a snapshot answer what `tests/analytics.py` says, on drawn shops: ties, ends of windows, several spaces."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import duckdb
import orjson
import pytest

from state.snapshot.schema import ddl
from tests import analytics as funnels
from tests import analytics_paths as ways
from tests import analytics_segments as segments
from tests.analytics import Common, Did, Shop, Who

HOUR = timedelta(hours=1)
BEGIN = datetime(2026, 3, 26, tzinfo=UTC).replace(tzinfo=None)
"""Three days before Europe's clocks change."""
SPACES = ("de", "shop")
NAMES = ("viewed", "added", "ordered", "other")
UNITS = ("day", "week", "month")
ZONES = ("UTC", "Europe/Berlin", "America/St_Johns")
SEEDS = range(10)


def drawn(rng: Random) -> tuple[Shop, duckdb.DuckDBPyConnection]:
    """A shop of some people in two spaces, in Python and in an empty snapshot's tables."""
    con = duckdb.connect()
    for statement in ddl():
        con.execute(statement)
    shop = Shop({}, {"vips": {}, "news": {}}, {"marketing": set(), "ads": set()}, {})
    step = rng.choice((HOUR, timedelta(minutes=30), 24 * HOUR))
    for space in SPACES:
        shop.clocks[space] = BEGIN + rng.randrange(20, 60) * 12 * HOUR
        con.execute("INSERT INTO spaces VALUES (?, ?, '{}')", [space, shop.clocks[space]])
        con.execute("INSERT INTO purposes VALUES ($1, 'marketing', true), ($1, 'ads', false)", [space])
        for name in ("anna", "ben", "cleo", "dora")[: rng.randrange(1, 5)]:
            who = (space, name)
            con.execute("INSERT INTO profiles (profile_id, space, traits) VALUES (?, ?, '{}')", [name, space])
            shop.events[who] = sorted(_happened(rng, f"{space}-{name}", step) for _ in range(rng.randrange(9)))
            for one in shop.events[who]:
                _write(con, who, one)
            for purpose, default in (("marketing", True), ("ads", False)):
                decided = rng.choice((None, True, False))
                if decided is not None:
                    con.execute(
                        "INSERT INTO consents (profile_id, purpose, granted, space) VALUES (?, ?, ?, ?)", [name, purpose, decided, space]
                    )
                if default if decided is None else decided:
                    shop.grants[purpose].add(who)
            for segment in shop.stays:
                stays = _stays(rng, step)
                shop.stays[segment][who] = stays
                for since, until in stays:
                    row = [segment, name, since, until, space]
                    con.execute("INSERT INTO memberships (segment, profile_id, entered_at, exited_at, space) VALUES (?, ?, ?, ?, ?)", row)
    con.execute("INSERT INTO segments (segment, version) VALUES ('vips', 1), ('news', 1)")
    return shop, con


def _happened(rng: Random, mark: str, step: timedelta) -> Did:
    properties = {
        "device": rng.choice((None, "ios", "web", 7, True, {"os": "x"})), "a": {"b.c": 1, 'd"e': rng.choice(("x", "y"))},
        "revenue": rng.choice((10, 2.5, "12", None, 0)), "channel": rng.choice((None, None, "email")),
    }  # fmt: skip
    context = {"campaign": {"medium": rng.choice((None, "cpc", "direct", "(none)")), "source": rng.choice((None, "paper"))}}
    at = BEGIN + rng.randrange(40) * step + rng.choice((timedelta(0), timedelta(microseconds=1)))
    return Did(at, f"{mark}-{rng.randrange(10**9)}", rng.choice(NAMES), properties, context)


def _write(con: duckdb.DuckDBPyConnection, who: Who, one: Did) -> None:
    row = [one.message, one.event, one.time, who[0], orjson.dumps(one.properties).decode(), orjson.dumps(one.context).decode()]
    con.execute(
        "INSERT INTO events (message_id, type, event, event_time, space, properties, context) VALUES (?, 'track', ?, ?, ?, ?, ?)", row
    )
    con.execute("INSERT INTO attributions (message_id, profile_id, space) VALUES (?, ?, ?)", [one.message, who[1], who[0]])


def _stays(rng: Random, step: timedelta) -> list[tuple[datetime, datetime | None]]:
    marks = sorted(rng.sample(range(40), rng.choice((0, 1, 2, 3))))
    times: list[datetime | None] = [BEGIN + mark * step for mark in marks]
    return [(since, (times[at + 1 : at + 2] or [None])[0]) for at, since in enumerate(times) if since is not None and at % 2 == 0]


def common(rng: Random, shop: Shop) -> Common:
    moments = [None, None, BEGIN + rng.randrange(30) * 6 * HOUR, *(one.time for events in shop.events.values() for one in events[:1])]
    return Common(
        rng.choice(moments), rng.choice((None, None, BEGIN + rng.randrange(20, 60) * 6 * HOUR)), rng.choice((None, None, "vips")),
        rng.choice((None, None, "marketing", "ads", "undeclared")), rng.choice((None, None, *SPACES)),
    )  # fmt: skip


def literal(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    if value is None or isinstance(value, bool | int):
        return "NULL" if value is None else str(value).lower()
    if isinstance(value, timedelta):
        return f"INTERVAL {value // timedelta(microseconds=1)} MICROSECONDS"
    return "'" + str(value).replace("'", "''") + "'"


@dataclass
class Asking:
    """A drawn shop, asked in SQL and in Python."""

    shop: Shop
    con: duckdb.DuckDBPyConnection

    def same(self, said: Callable[..., list[Any]], of: Common, *arguments: Any, **options: Any) -> None:
        """The macro of the model's name gives the model's rows."""
        named = {**options, **{key: value for key, value in vars(of).items() if value is not None}}
        parts = [*map(literal, arguments), *(f"{key} := {literal(value)}" for key, value in named.items())]
        query = f"FROM {said.__name__}({', '.join(parts)})"
        found, expected = self.con.execute(query).fetchall(), said(self.shop, of, *arguments, **options)
        assert sorted(map(plain, found), key=str) == sorted(map(plain, expected), key=str), query


def plain(row: Any) -> Any:
    """A row that compares by what it says: floats to nine digits, lists as tuples."""
    if isinstance(row, list | tuple):
        return tuple(plain(one) for one in row)
    if isinstance(row, float):
        return f"{row:.9g}" if math.isfinite(row) else str(row)
    return f"{row:.9g}" if isinstance(row, int) and not isinstance(row, bool) else row


@pytest.mark.parametrize("seed", SEEDS)
def test_the_macros_answer_what_the_model_says(seed: int) -> None:
    rng = Random(seed)
    asking = Asking(*drawn(rng))
    for _ in range(4):
        of = common(rng, asking.shop)
        _funnels(rng, asking, of)
        _ways(rng, asking, of)
        _attributions(rng, asking, of)
        _segments(rng, asking, of)
        _values(rng, asking, of)


def _funnels(rng: Random, asking: Asking, of: Common) -> None:
    steps = [rng.choice((*NAMES, "viewed|added")) for _ in range(rng.randrange(1, 5))]
    split_by = rng.choice(
        (None, "properties.device", "properties.device.os", 'properties.a.d"e', "context.campaign.medium", "segment.vips")
    )
    options = {
        "within": rng.choice((2 * HOUR, 5 * HOUR, 72 * HOUR)),
        "ordering": rng.choice(("ordered", "strict", "any")),
        "split_by": split_by,
    }
    asking.same(funnels.funnel_people, of, steps, **options)
    asking.same(funnels.funnel, of, steps, **options)
    brackets = rng.choice((None, None, [0, 1, 4], [1, 3]))
    named = {
        "unit": rng.choice(UNITS), "periods": rng.randrange(1, 5), "kind": "on" if brackets else rng.choice(("on", "after")),
        "rolling": rng.random() < 0.5, "brackets": brackets, "cohort": rng.choice(("first", "each")), "tz": rng.choice(ZONES),
    }  # fmt: skip
    asking.same(funnels.retention, of, rng.choice((*NAMES, "segment.vips")), rng.choice((None, *NAMES)), **named)


def _ways(rng: Random, asking: Asking, of: Common) -> None:
    gap, collapse = rng.choice((HOUR, 2 * HOUR, 48 * HOUR)), rng.random() < 0.5
    start, end = rng.choice(((None, None), (rng.choice(NAMES), None), (None, rng.choice(NAMES))))
    options = {"depth": rng.randrange(1, 5), "start_event": start, "end_event": end, "gap": gap, "collapse": collapse}
    asking.same(ways.sessions, of, gap=gap)
    asking.same(ways.paths, of, **options)
    asking.same(ways.path_steps, of, **options)
    asking.same(ways.sequences, of, rng.randrange(1, 4), gap=gap, collapse=collapse)


def _attributions(rng: Random, asking: Asking, of: Common) -> None:
    name, half_life = rng.choice(NAMES), rng.choice((HOUR, 48 * HOUR))
    options = {
        "lookback": rng.choice((HOUR, 6 * HOUR, 240 * HOUR)),
        "amount": rng.choice((None, "revenue")),
        "collapse": rng.random() < 0.5,
    }
    asking.same(ways.attribution_paths, of, name, **options)
    for model in ("first", "last", "last_non_direct", "linear", "position", "time_decay", "shapley"):
        asking.same(ways.attribution, of, name, model=model, half_life=half_life, **options)


def _segments(rng: Random, asking: Asking, of: Common) -> None:
    moment = rng.choice((None, BEGIN + rng.randrange(40) * HOUR))
    ranged = Common(of.since, of.until, in_space=of.in_space)
    asking.same(segments.segment_history, ranged, "vips", unit=rng.choice(UNITS), tz=rng.choice(ZONES))
    asked = Common(consented_to=of.consented_to, in_space=of.in_space)
    asking.same(segments.venn, asked, ["vips", "news"], moment=moment)
    asking.same(segments.overlap, asked, ["vips", "news"], moment=moment)
    compared = Common(of.since, of.until, consented_to=of.consented_to, in_space=of.in_space)
    amount = rng.choice((None, "revenue"))
    asking.same(segments.compare_segments, compared, "vips", "news", rng.choice(NAMES), amount=amount, moment=moment)
    for who, events in asking.shop.events.items():
        for at in (BEGIN + rng.randrange(40) * HOUR, *(one.time for one in events[:1])):
            found = asking.con.execute("SELECT was_member('vips', ?, ?, ?)", [*who, at]).fetchone()
            assert found == (asking.shop.member("vips", who, at),)


def _values(rng: Random, asking: Asking, of: Common) -> None:
    ordered = Common(since=of.since, members_of=of.members_of, consented_to=of.consented_to, in_space=of.in_space)
    moment = rng.choice((None, BEGIN + rng.randrange(80) * 6 * HOUR))
    asking.same(segments.rfm, ordered, "ordered", "revenue", moment=moment, tiles=rng.randrange(1, 6))
    bought = Common(members_of=of.members_of, consented_to=of.consented_to, in_space=of.in_space)
    options = {"amount": rng.choice((None, "revenue")), "unit": rng.choice(UNITS), "tz": rng.choice(ZONES)}
    asking.same(segments.repeat_purchases, bought, "ordered", through=rng.choice((None, date(2026, 4, 1))), **options)
