"""The query of one segment as people read it and any DuckDB runs it: over a snapshot's tables, of one space, at one moment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from contracts.language.forms import say
from contracts.model.definitions import Definitions, Segment
from contracts.reading.segments import named_segments
from contracts.text.times import iso
from operators.segments.sql.forms import people_sql
from operators.segments.sql.layout import laid_out
from operators.segments.sql.plan import Hidden, Plan
from operators.segments.sql.twin import base, segment_sql
from operators.segments.words import feature_words
from state.snapshot.literals import quote
from state.snapshot.schema import TABLES

_SAID = {
    "clock": "the moment that is asked",
    "moments": "what was done, and by whom",
    "sent": "what identify calls say",
    "people": "everybody, with what the conditions ask for",
}


def segment_query(definitions: Definitions, name: str, space: str, at_us: int | None, hidden: Hidden | None = None) -> str:
    """The query that gives the ``profile_id`` of every member of a segment, by name.

    At a moment (µs), or at the clock of the snapshot; ``hidden``: which identifiers that has as hashes. Raises StopIteration for a segment
    that there is not, and `HiddenValuesError`.
    """
    segments = list(needed({one.name: one for one in definitions.segments}, name))
    plan = Plan(replace(definitions, segments=tuple(segments)), hidden=hidden)
    bodies = {f"s_{at}": segment_sql(plan, one) for at, one in enumerate(segments)}
    named = {**dict(base()), "clock": _clock(space, at_us), **plan.facts, "people": people_sql(plan.facts), **bodies}
    said = _SAID | _facts(plan) | {f"s_{at}": _titled(one) for at, one in enumerate(segments)}
    resting = used(named)
    tables = {table: f"SELECT * FROM {table} WHERE space = {quote(space)}" for table in _tables(resting.values())}
    parts = ",\n".join(_part(key, body, said.get(key)) for key, body in {**tables, **resting}.items())
    heading = f"-- {_titled(segments[-1])}\n-- {' '.join(say(segments[-1], definitions.features).split())}"
    return f"{heading}\nWITH\n{parts}\nSELECT profile_id FROM s_{len(segments) - 1} ORDER BY profile_id;\n"


def needed(known: Mapping[str, Segment], name: str) -> Iterator[Segment]:
    """A segment behind those that it names, each once."""
    seen: dict[str, Segment] = {}

    def visit(one: Segment) -> None:
        for inner in named_segments(one.who):
            if inner not in seen:
                visit(known[inner])
        seen.setdefault(one.name, one)

    visit(known[name])
    yield from seen.values()


def _clock(space: str, at_us: int | None) -> str:
    if at_us is None:
        return f"SELECT epoch_us(clock) AS at_us FROM spaces WHERE space = {quote(space)}"
    return f"SELECT epoch_us(TIMESTAMP {quote(iso(at_us).removesuffix('Z').replace('T', ' '))}) AS at_us"


def _facts(plan: Plan) -> dict[str, str]:
    features = plan.definitions.features
    return {name: feature_words(features[key]) if key in features else key for name, key in plan.keys.items()}


def used(named: Mapping[str, str]) -> dict[str, str]:
    """Those that the last one rests on, in their order."""
    wanted, found = {list(named)[-1]}, {}
    for key, body in reversed(list(named.items())):
        if key in wanted:
            found[key] = body
            wanted |= {word for word in re.findall(r"[a-z_0-9]+", body) if word in named}
    return dict(reversed(found.items()))


def _tables(bodies: Iterable[str]) -> list[str]:
    """The tables of a snapshot that queries read; ``spaces`` is asked for the one itself."""
    words = {word for body in bodies for word in re.findall(r"(?:FROM|JOIN) ([a-z_]+)", body)}
    return [table.name for table in TABLES if table.name in words and table.name != "spaces"]


def _part(name: str, body: str, said: str | None) -> str:
    comment = "" if said is None else f"-- {' '.join(said.split())}\n"
    return f"{comment}{name} AS (\n{_indented(laid_out(body))}\n)"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _titled(segment: Segment) -> str:
    title = f", {segment.title}" if segment.title else ""
    return " ".join(f"{segment.name}, version {segment.version}{title}".split())
