"""The SQL twin at a moment that has gone by: by what had happened up to it, and whose that is now.

What a moment is asked of again and again is made once, in tables of the connection (`prepared`); the query (`as_of`) reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from contracts.model.definitions import Definitions, Feature
from contracts.reading.budget import features_of
from operators.segments.sql.forms import people_sql
from operators.segments.sql.plan import Hidden, Plan
from operators.segments.sql.printed import needed, used
from operators.segments.sql.twin import MOMENTS, SENT, segment_sql
from operators.segments.sql.values import quote

DECIDED = "then_decided"
"""Table ``(profile_id, purpose, time_us, message_id, granted)``: what each event decides. Whoever asks fills it, if the query reads it."""
_AT = "(SELECT at_us FROM clock)"


def as_of(definitions: Definitions, name: str, space: str, snapshot: str, hidden: Hidden | None = None) -> str:
    """The query that gives the ``profile_id`` of everybody who was in a segment at ``$at`` (µs), had the segment been there.

    It reads the tables of `prepared` and those of the database ``snapshot``; ``hidden``: which identifiers that has as hashes. Raises
    `HiddenValuesError`.
    """
    segments = list(needed({one.name: one for one in definitions.segments}, name))
    plan = Plan(replace(definitions, segments=tuple(segments)), hidden=hidden)
    bodies = {f"s_{at}": segment_sql(plan, one) for at, one in enumerate(segments)}
    written = any(re.search(r"\btraits\b", body) for body in (*bodies.values(), *plan.facts.values()))
    named = {**dict(_then(space, snapshot, traits=written)), **plan.facts, "people": people_sql(plan.facts), **bodies}
    parts = ",\n".join(f"{key} AS ({body})" for key, body in used(named).items())
    return f"WITH {parts}\nSELECT profile_id FROM s_{len(segments) - 1}"


def _then(space: str, snapshot: str, *, traits: bool) -> Iterator[tuple[str, str]]:
    """The relations that the twin reads, as they were."""
    here = f"space = {quote(space)}"
    yield "clock", "SELECT CAST($at AS BIGINT) AS at_us"
    yield "moments", f"SELECT * FROM then_moments WHERE time_us <= {_AT}"
    yield "sent", f"SELECT * FROM then_sent WHERE time_us <= {_AT}"
    yield "events", f"SELECT * FROM {snapshot}.events WHERE {here} AND epoch_us(event_time) <= {_AT}"
    yield "identifiers", f"SELECT * FROM {snapshot}.identifiers WHERE {here} AND epoch_us(first_seen) <= {_AT}"
    yield "attributions", f"SELECT * FROM {snapshot}.attributions WHERE {here}"
    standing = f"set_us <= {_AT} AND (until_us IS NULL OR until_us > {_AT}) AND json_type(value) <> 'NULL'"
    known = f"SELECT profile_id, json_group_object(trait, value) AS traits FROM then_said WHERE {standing} GROUP BY profile_id"
    people = f"{snapshot}.profiles p WHERE p.{here} AND epoch_us(p.first_seen) <= {_AT}"
    if traits:
        yield "known", known
        shown = "coalesce(k.traits, CAST('{}' AS JSON)) AS traits"
        people = people.replace(" WHERE", " LEFT JOIN known k ON k.profile_id = p.profile_id WHERE")
    else:
        shown = "CAST('{}' AS JSON) AS traits"
    yield "profiles", f"SELECT p.profile_id, {shown}, p.confidence FROM {people}"
    settled = f"SELECT profile_id, purpose, granted FROM {snapshot}.consents WHERE {here} AND epoch_us(decided_at) <= {_AT}"
    said = (
        f"SELECT profile_id, purpose, arg_max(granted, (time_us, message_id)) AS granted FROM {DECIDED} WHERE time_us <= {_AT} GROUP BY ALL"
    )
    other = f"({said}) s WHERE NOT EXISTS (FROM ({settled}) c WHERE c.profile_id = s.profile_id AND c.purpose = s.purpose)"
    yield "consents", f"{settled} UNION ALL SELECT * FROM {other}"


def prepared(definitions: Definitions, name: str, space: str, snapshot: str, query: str) -> Iterator[tuple[str, str]]:
    """The tables that a query of `as_of` about a segment reads, each with what it holds; of `DECIDED` the caller knows."""
    here = f"WHERE space = {quote(space)}"
    read = f"WITH events AS (FROM {snapshot}.events {here}), attributions AS (FROM {snapshot}.attributions {here})"
    if re.search(r"\bthen_moments\b", query):
        yield "then_moments", f"{read} {MOMENTS} AND ({_named(definitions, name)})"
    if re.search(r"\bthen_sent\b", query):
        yield "then_sent", f"{read} {SENT}"
    if re.search(r"\bthen_said\b", query):
        later = "lead(set_at) OVER (PARTITION BY profile_id, trait ORDER BY set_at, message_id)"
        columns = f"profile_id, trait, value, epoch_us(set_at) AS set_us, epoch_us({later}) AS until_us"
        yield "then_said", f"SELECT {columns} FROM {snapshot}.trait_history {here}"


def _named(definitions: Definitions, segment: str) -> str:
    """That an event is one at which some measure looks; of a session everything that was done counts."""
    traits = {trait.name: trait for trait in definitions.traits}
    segments = needed({one.name: one for one in definitions.segments}, segment)
    features = [definitions.features[key] for one in segments for key in features_of(one, traits)]
    if any(one.session_us is not None for one in features):
        return "e.event <> ''"
    names = {name for one in features for name in _events(one)}
    whole = ", ".join(quote(name) for name in sorted(names) if not name.endswith("*"))
    begun = [f"starts_with(e.event, {quote(name.removesuffix('*'))})" for name in sorted(names) if name.endswith("*")]
    return " OR ".join([*([f"e.event IN ({whole})"] if whole else []), *begun]) or "false"


def _events(feature: Feature) -> Iterator[str]:
    yield from feature.events
    if feature.measure == "sequence":
        yield from (name for step in feature.option("steps") for name in step.events)
