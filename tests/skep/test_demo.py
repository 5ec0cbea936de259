"""The demo is deterministic, its lines pass the shop's contracts, and its truth is what the links say."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import jsonschema_rs
import pytest

from contracts import load, read_files
from contracts.text.names import event_name
from contracts.text.times import parse_time
from operators.extract import Identifiers
from skep.project.errors import CommandError
from skep.tools.demo.events import Shop, everybody_of, make_demo, write_demo
from skep.tools.demo.live import Visitors, found, live

ROOT = Path(__file__).resolve().parents[2]
DEFINITIONS = load(read_files(ROOT / "contracts"))


def _records(lines: list[bytes]) -> list[dict[str, Any]]:
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def _clusters(lines: list[bytes]) -> set[frozenset[tuple[str, str]]]:
    """Connected components of the identifiers of all lines, without an engine."""
    identifiers = Identifiers(DEFINITIONS.identity)
    names = [namespace.name for namespace in DEFINITIONS.identity.namespaces]
    parent: dict[tuple[str, str], tuple[str, str]] = {}

    def root(of: tuple[str, str]) -> tuple[str, str]:
        parent.setdefault(of, of)
        while parent[of] != of:
            of = parent[of]
        return of

    for record in _records(lines):
        carried = [(names[at], value) for at, value in identifiers.read(record)]
        for one in carried:
            parent[root(one)] = root(carried[0])
    groups = defaultdict(set)
    for one in parent:
        groups[root(one)].add(one)
    return {frozenset(group) for group in groups.values()}


@pytest.mark.parametrize(("people", "events", "seed"), [(200, 10_000, 1), (200, 10_000, 2), (50, 60, 3), (10, 4, 4), (1, 1000, 5)])
def test_truth_is_what_the_links_say(people: int, events: int, seed: int) -> None:
    """Without conflicts the components of the identifiers are the people."""
    demo = make_demo(people, events, seed)
    true = defaultdict(set)
    for namespace, value, person in demo.truth:
        true[person].add((namespace, value))
    assert _clusters(demo.lines) == {frozenset(group) for group in true.values()}


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    paths = [write_demo(tmp_path / name, 30, 2_000, 9) for name in ("a", "b")]
    assert [path.read_bytes() for path in paths[0]] == [path.read_bytes() for path in paths[1]]
    assert make_demo(30, 2_000, 10).lines != make_demo(30, 2_000, 9).lines


@pytest.mark.parametrize("events", [0, 1, 999, 10_000])
def test_as_many_lines_as_asked_in_order_of_arrival(events: int) -> None:
    demo = make_demo(100, events, 1)
    received = [record["receivedAt"] for record in _records(demo.lines) if "receivedAt" in record]
    assert len(demo.lines) == events
    # A broken line that was weeks under way is stamped up to a second before its place.
    assert sum(earlier > later for earlier, later in pairwise(received)) <= len(received) // 500


def test_nearly_all_lines_pass_their_contracts() -> None:
    """About 0.3 % are broken, each in a way that the contracts or the envelope catch."""
    judges = {name: jsonschema_rs.validator_for(versions[-1].schema) for name, versions in DEFINITIONS.contracts.items()}
    demo = make_demo(300, 30_000, 3)
    refused = len(demo.lines) - len(_records(demo.lines))
    for record in _records(demo.lines):
        name = event_name(record["event"]) if record["type"] == "track" else {"page": "page_viewed"}.get(record["type"], record["type"])
        body = record["traits"] if name == "identify" else record.get("properties", {})
        refused += name not in judges or not judges[name].is_valid(body)
    assert 20 <= refused <= 100


def test_duplicates_differ_only_in_when_they_were_sent() -> None:
    by_id = defaultdict(set)
    for record in _records(make_demo(100, 10_000, 1).lines):
        content = {key: value for key, value in record.items() if key not in {"sentAt", "receivedAt"}}
        by_id[record.get("messageId")].add(json.dumps(content, sort_keys=True))
    by_id.pop(None, None)
    assert {len(contents) for contents in by_id.values()} == {1}


def test_conflicts_share_devices_or_addresses() -> None:
    clusters = _clusters(make_demo(200, 10_000, 1, conflicts=0.2).lines)
    logins = [sum(namespace == "user_id" for namespace, _ in cluster) for cluster in clusters]
    assert sum(count > 1 for count in logins) >= 10


_TIME = re.compile(rb"\d{4}-\d\d-\d\dT[0-9:.]+Z")


def test_another_end_moves_everybody_and_everything_by_the_difference() -> None:
    here, there = (make_demo(50, 2_000, 4, noise=0.2, end_ms=end) for end in (1_782_864_000_000, 1_800_000_123_456))
    shift_us = (1_800_000_123_456 - 1_782_864_000_000) * 1000
    assert here.truth == there.truth
    for one, other in zip(here.lines, there.lines, strict=True):
        assert _TIME.sub(b"", one) == _TIME.sub(b"", other)
        moved = [parse_time(time.decode()) for time in _TIME.findall(other)]
        assert [parse_time(time.decode()) + shift_us for time in _TIME.findall(one)] == moved  # type: ignore[operator]


def test_nothing_happens_or_arrives_after_the_end() -> None:
    """But for the events whose time is wrong, which are to be refused."""
    end_us = 1_782_864_000_000_000
    for record in _records(make_demo(300, 30_000, 3).lines):
        received = parse_time(record["receivedAt"]) if "receivedAt" in record else None
        assert received is None or received <= end_us


SHOP = Shop(50, 2_000, 6, 0.0, 0.0, 1_782_864_000_000)


def test_live_events_are_of_now_and_of_the_people_of_the_demo() -> None:
    now_ms = SHOP.end_ms + 3_600_000
    visitors = Visitors(Random(1), everybody_of(SHOP), 10)
    arrivals = [now_ms + number * 100 for number in range(5_000)]
    lines = [visitors.line(arrival) for arrival in arrivals]
    for arrival, line in zip(arrivals, lines, strict=True):
        for record in _records([line]):
            received = parse_time(record.get("receivedAt"))
            assert received is None or arrival - 3_000 <= received // 1000 <= arrival
    records = _records(lines)
    # Who belongs together is what the demo alone says: the same people, nobody joined and nobody parted.
    known, both = _clusters(make_demo(50, 2_000, 6).lines), _clusters(make_demo(50, 2_000, 6).lines + lines)
    assert all(sum(bool(cluster & one) for one in known) <= 1 for cluster in both)
    assert all(sum(bool(cluster & one) for one in both) == 1 for cluster in known)
    assert len({json.dumps(record.get("userId")) for record in records}) > 20
    assert len(lines) - len(_records(lines)) > 0


def test_live_appends_whole_lines_to_the_demo_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="skep demo --out"):
        found(tmp_path)
    events, _ = write_demo(tmp_path, 50, 2_000, 6)
    before = events.read_bytes()
    looks = iter([False, False, False, True])
    written = live(tmp_path, found(tmp_path), 100, lambda: next(looks))
    after = events.read_bytes()
    assert found(tmp_path) == SHOP
    assert after.startswith(before)
    assert after.endswith(b"\n")
    assert (written > 0, after.count(b"\n")) == (True, 2_000 + written)
