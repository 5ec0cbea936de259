"""How many people each condition of a segment holds of by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from contracts.model.definitions import Condition, Definitions, Segment
from operators.segments.sql.forms import condition_sql, people_sql
from operators.segments.sql.plan import Hidden, Plan
from operators.segments.sql.printed import needed, used
from operators.segments.sql.twin import base, segment_sql
from operators.segments.sql.values import quote
from state.snapshot.schema import TABLES


def held_by(definitions: Definitions, segment: Segment, space: str, conditions: Iterable[Condition], hidden: Hidden | None = None) -> str:
    """The query over a snapshot that gives one row: a count for each of the conditions, and one for all that the segment asks for but
    consent. It asks as of the clock of the snapshot; ``hidden``: which identifiers that has as hashes. Raises `HiddenValuesError`."""
    segments = list(needed({one.name: one for one in definitions.segments}, segment.name))
    plan = Plan(replace(definitions, segments=tuple(segments)), hidden=hidden)
    bodies = {f"s_{at}": segment_sql(plan, one) for at, one in enumerate(segments[:-1])}
    tests = [condition_sql(plan, one, segment.timezone) for one in (*conditions, segment.who)]
    counted = f"SELECT {', '.join(f'count(*) FILTER (WHERE {test})' for test in tests)} FROM people"
    clock = f"SELECT epoch_us(clock) AS at_us FROM spaces WHERE space = {quote(space)}"
    tables = {one.name: f"SELECT * FROM {one.name} WHERE space = {quote(space)}" for one in TABLES if one.name != "spaces"}
    named = {**tables, **dict(base()), "clock": clock, **plan.facts, "people": people_sql(plan.facts), **bodies, "counted": counted}
    return f"WITH {', '.join(f'{key} AS ({body})' for key, body in used(named).items() if key != 'counted')}\n{counted}"
