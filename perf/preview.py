"""How long `skep segments preview` takes over a large snapshot, a segment of three conditions, with and without its past.

    python -m perf.preview [--events 10000000] [--people 200000] [--days 30] [--json]

The snapshot is made by SQL: events of six names over a year, each person's as often as any other's. The floor is the same DuckDB that
counts the events of one of the names, by person: what any answer has to read at least.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from perf.processes import show
from skep.answers.segments.preview import preview
from skep.project.settings import Settings
from state.snapshot.schema import ddl

SEGMENT = """\
segment: tried
purpose: marketing
who:
  all:
    - {did: order_completed, times: {gte: 3}, within: 90d}
    - {did: order_completed, sum: revenue, gte: 100, within: 180d}
    - not: {did: page_viewed, within: 3d}
"""
EVENTS = """
INSERT INTO events (message_id, type, event, event_time, space, source, properties, context, contract, definitions)
SELECT 'm' || i, 'track',
    ['order_completed', 'page_viewed', 'product_viewed', 'product_added', 'searched', 'shared'][CAST(1 + hash(i) % 6 AS INTEGER)],
    TIMESTAMP '2026-01-01' + to_microseconds(CAST(i * (365.0 * 86400000000 / $events) AS BIGINT)), 'shop', 'web',
    CASE WHEN hash(i) % 6 = 0 THEN json_object('revenue', hash(i) % 100, 'currency', 'EUR') ELSE json_object('path', '/') END,
    CASE WHEN i % 50 = 0 THEN '{"consent": {"categoryPreferences": {"marketing": true}}}'::JSON END, '', ''
FROM range($events) t(i)"""
WHOSE = """
INSERT INTO attributions (message_id, profile_id, confidence, space)
SELECT 'm' || i, 'p_' || lpad(hex(hash(i * 7 + 1) % $people), 32, '0'), 1.0, 'shop' FROM range($events) t(i)"""
PEOPLE = """
INSERT INTO profiles SELECT profile_id, 'shop', min(event_time), max(event_time), '{}', 1.0
FROM events e JOIN attributions a USING (message_id) GROUP BY profile_id"""
CONSENTS = """
INSERT INTO consents SELECT profile_id, 'marketing', true, min(event_time), 'shop'
FROM events e JOIN attributions a USING (message_id) WHERE e.context IS NOT NULL GROUP BY profile_id"""


def made(folder: Path, events: int, people: int) -> Settings:
    """A project with such a snapshot."""
    (folder / "contracts/segments").mkdir(parents=True)
    (folder / "skep.yaml").write_text("spaces: [shop]\nunknown_events: accept\n")
    (folder / "contracts/consent.yaml").write_text("purposes: [{name: marketing, default: denied}]\n")
    (folder / "contracts/segments/tried.yaml").write_text(SEGMENT)
    (folder / "data").mkdir()
    with duckdb.connect(str(folder / "data/skep.duckdb")) as con:
        for statement in ddl():
            con.execute(statement)
        con.execute(EVENTS, {"events": events})
        con.execute(WHOSE, {"events": events, "people": people})
        con.execute(PEOPLE)
        con.execute(CONSENTS)
        con.execute("INSERT INTO spaces SELECT 'shop', max(event_time), '{}' FROM events")
        con.execute("INSERT INTO purposes VALUES ('shop', 'marketing', false)")
    return Settings.load(folder)


def run(folder: Path, events: int, people: int, days: int) -> dict[str, Any]:
    """Seconds, once each in a warm process."""
    settings = made(folder, events, people)
    begun = time.perf_counter()
    with duckdb.connect(str(folder / "data/skep.duckdb"), read_only=True) as con:
        con.execute(
            "SELECT count(*) FROM (SELECT profile_id, count(*) FROM events e JOIN attributions a USING (message_id) "
            "WHERE event = 'order_completed' GROUP BY ALL)"
        ).fetchall()
    floor = time.perf_counter() - begun
    begun = time.perf_counter()
    now = preview(settings, "tried", None, 0)
    without = time.perf_counter() - begun
    begun = time.perf_counter()
    preview(settings, "tried", None, days)
    past = time.perf_counter() - begun
    return {
        "events": events, "people": people, "days": days, "members": now.members, "floor_s": round(floor, 2), "now_s": round(without, 2),
        "past_s": round(past, 2), "floor_ratio": round(floor / without, 3),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="skep-perf-") as folder:
        found = run(Path(folder) / "shop", given.events, given.people, given.days)
    show(found, as_json=given.json)


if __name__ == "__main__":
    main()
