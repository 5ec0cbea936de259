"""The SQL twin: who is a member of which segment at a moment, answered by DuckDB from events alone.

It is written from the description of the language and shares no code with the streaming evaluator but how an identifier is written, so
that each can be held against the other. The query reads seven relations and one parameter:

- ``events(message_id, type, event, event_time, properties, traits, context, sources)``: accepted events, each once
- ``attributions(message_id, profile_id)``: whose event it is
- ``profiles(profile_id, traits, confidence)``: every profile; computed traits are not read from here, but computed
- ``consents(profile_id, purpose, granted)``: decided purposes
- ``identifiers(namespace, value, profile_id, first_seen)``: whose each is; personal values are hashes where those of lists are
- ``accounts(account_id, traits)``: what group calls say; computed traits are not read from here either
- ``account_members(account_id, profile_id, since, until)``: who belongs, ``until`` is NULL while that lasts
- ``$at``: the moment, as microseconds since 1970 or as a TIMESTAMP in UTC
"""

from __future__ import annotations

from contracts.model.definitions import Definitions, Segment
from contracts.model.traits import Trait
from operators.segments.sql.forms import condition_sql, consent_sql, people_sql, trait_value
from operators.segments.sql.plan import Plan
from operators.segments.sql.values import quote

CLOCK = """SELECT coalesce(
    TRY_CAST(CAST($at AS VARCHAR) AS BIGINT), epoch_us(TRY_CAST(CAST($at AS VARCHAR) AS TIMESTAMP))) AS at_us"""
MOMENTS = """SELECT a.profile_id, e.message_id, e.event, epoch_us(e.event_time) AS time_us, e.properties, e.context
    FROM events e JOIN attributions a ON a.message_id = e.message_id WHERE e.event <> ''"""
SENT = """SELECT a.profile_id, e.message_id, e.type AS event, epoch_us(e.event_time) AS time_us, e.traits AS properties, e.sources
    FROM events e JOIN attributions a ON a.message_id = e.message_id WHERE e.type = 'identify'"""


def twin(definitions: Definitions) -> str:
    """The query that gives ``(segment, profile_id)`` of every member at ``$at``."""
    plan = Plan(definitions)
    segments = [(f"s_{at}", segment_sql(plan, segment)) for at, segment in enumerate(definitions.segments)]
    members = [f"SELECT {quote(s.name)} AS segment, profile_id FROM s_{at}" for at, s in enumerate(definitions.segments)]
    nobody = "SELECT CAST(NULL AS VARCHAR) AS segment, CAST(NULL AS VARCHAR) AS profile_id WHERE false"
    return _with([*base(), *plan.facts.items(), ("people", people_sql(plan.facts)), *segments], "\nUNION ALL\n".join(members) or nobody)


def trait_sql(definitions: Definitions, trait: Trait) -> str:
    """The query that gives ``(profile_id, value)`` of one computed trait at ``$at``, value as JSON; nothing where it is missing."""
    plan = Plan(definitions)
    value = trait_value(plan, trait)
    shown = value.json
    if value.computed:
        shown = f"CAST(rtrim(rtrim(CAST({value.computed} AS VARCHAR), '0'), '.') AS JSON)"
    found = f"SELECT profile_id, {shown} AS value FROM people WHERE {value.present}"
    return _with([*base(), *plan.facts.items(), ("people", people_sql(plan.facts))], found)


def base() -> list[tuple[str, str]]:
    """What every query begins with: the moment, the things done and what identify calls say, with whose they are."""
    return [("clock", CLOCK), ("moments", MOMENTS), ("sent", SENT)]


def _with(named: list[tuple[str, str]], query: str) -> str:
    return "WITH " + ",\n".join(f"{name} AS ({body})" for name, body in named) + "\n" + query


def segment_sql(plan: Plan, segment: Segment) -> str:
    """The profiles of one segment."""
    allowed = consent_sql(plan, segment.purpose) if segment.purpose else "true"
    sure = "" if segment.confidence is None else f" AND confidence >= {segment.confidence!r}"
    return f"SELECT profile_id FROM people WHERE ({condition_sql(plan, segment.who, segment.timezone)}) AND {allowed}{sure}"
