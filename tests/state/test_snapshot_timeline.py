"""What analysts start from: the timeline with its sessions, purposes, and segments that macros know by name."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from state.snapshot.defined import Defined
from state.snapshot.publish import publish, sql
from tests.state.test_snapshot import FakeRows, archived, change, utc, write_archive

GAP = 30
"""Seconds of silence that a session bears."""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two spaces with the same people and ids, calls without a name, somebody unknown; times that touch the gap and each other."""
    folder = tmp_path_factory.mktemp("timeline")
    chance = random.Random(4)
    rows: dict[str, FakeRows] = {}
    archives: dict[str, Path] = {}
    for space in ("a", "b"):
        events, owners = [], []
        for at in range(1, 400):
            kind = chance.choice(
                [{"event": "viewed"}, {"event": "ordered"}, {"type": "identify", "event": ""}, {"type": "alias", "event": ""}]
            )
            moment = chance.randrange(0, 3_000, 10)
            events.append(archived(at, f"m{at:03}", {"properties": {"n": at}, "context": {"c": at}}, at=moment, **kind))
            if chance.random() < 0.9:
                owners.append((f"m{at:03}", chance.choice(["p_1", "p_2", "p_3"]), 1.0))
        owners.append(("not archived yet", "p_1", 1.0))
        archives[space] = write_archive(folder / space, *events, name="web~1-999")
        changes = [change(1, "segment.entered", "gone", "2026-01-01T00:00:00.000000Z")]
        rows[space] = FakeRows(applied_to={"web": 999}, rows={"attributions": owners, "changes": changes}, space=space)
    defined = Defined(
        session_gap_us=GAP * 1_000_000,
        purposes={"marketing": False, "analytics": True},
        segments=[("vips", 2, "The best", "crm", "marketing"), ("empty", 1, None, None, None)],
    )
    publish(folder / "skep.duckdb", archives=archives, rows=rows, personal=None, defined=defined)
    return folder / "skep.duckdb"


def ask(target: Path, query: str) -> list[tuple[Any, ...]]:
    return sql(target, query)[1]


def test_the_timeline_is_what_has_a_name_and_belongs_to_somebody(target: Path) -> None:
    names, rows = sql(target, "from timeline")
    assert names == ["space", "profile_id", "event_time", "message_id", "event", "properties", "context", "session"]
    by_hand = ask(
        target,
        """select e.space, a.profile_id, e.event_time, e.message_id, e.event, e.properties, e.context from events e, attributions a
           where e.message_id = a.message_id and e.space = a.space and e.type not in ('identify', 'group', 'alias')""",
    )
    assert sorted(row[:7] for row in rows) == sorted(by_hand)
    assert len(rows) > 200


def test_a_silence_longer_than_the_gap_begins_a_session(target: Path) -> None:
    """Numbered from 1 in the life of a person of a space; a silence of exactly the gap begins none."""
    people: dict[tuple[str, str], list[tuple[Any, str, int]]] = {}
    for space, profile, moment, message, session in ask(target, "select space, profile_id, event_time, message_id, session from timeline"):
        people.setdefault((space, profile), []).append((moment, message, session))
    silences = set()
    for events in people.values():
        expected = 1
        events.sort()
        assert events[0][2] == 1
        for (before, _, _), (moment, _, session) in pairwise(events):
            silences.add((moment - before).total_seconds())
            expected += (moment - before).total_seconds() > GAP
            assert session == expected
    assert len(people) == 6
    assert {0, GAP, GAP + 10} <= silences


def test_calls_without_a_name_have_no_session(target: Path) -> None:
    counted = "select count(*) from attributions a join events e using (message_id, space) where (e.event is null) <> (a.session is null)"
    assert ask(target, counted) == [(0,)]
    assert ask(target, "select space, session from attributions where message_id = 'not archived yet' order by 1") == [
        ("a", None),
        ("b", None),
    ]


def test_every_space_has_the_purposes_with_their_defaults(target: Path) -> None:
    assert ask(target, "from purposes order by all") == [
        ("a", "analytics", True), ("a", "marketing", False), ("b", "analytics", True), ("b", "marketing", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        "from members('vip')", "select count(*) from members('vip')", "select 1 from members('vip') limit 1", "from members(NULL)",
        "from members_at('vip', '2026-01-01')", "from segment_overlap('vip', 'vips')", "from segment_overlap('vips', 'vip')",
        "from known_segment('vip')",
    ],
)  # fmt: skip
def test_a_segment_of_no_such_name_is_an_error_that_lists_them(target: Path, query: str) -> None:
    with pytest.raises(duckdb.Error, match=r"expected the name of a segment, found ('vip'|NULL); they are: empty, gone, vips"):
        ask(target, query)


def test_a_segment_that_is_defined_or_was_has_members_or_none(target: Path) -> None:
    assert ask(target, "from members('empty')") == ask(target, "from members_at('vips', '2026-01-01')") == []
    assert ask(target, "select profile_id, entered_at, space from members('gone') order by space") == [
        ("p_1", utc(2026, 1, 1), "a"), ("p_1", utc(2026, 1, 1), "b"),
    ]  # fmt: skip
    assert ask(target, "from segment_overlap('gone', 'vips')") == [(2, 0, 0)]


def test_without_any_segment_every_name_is_an_error(tmp_path: Path) -> None:
    publish(tmp_path / "skep.duckdb", archives={}, rows={"shop": FakeRows()}, personal=None)
    for query in ("from members('vips')", "from segment_overlap('vips', 'news')", "from members_at('vips', '2026-01-01')"):
        with pytest.raises(duckdb.Error, match="found 'vips'; there are none"):
            ask(tmp_path / "skep.duckdb", query)
