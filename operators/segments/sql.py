"""The SQL twin: who is a member of which segment at a moment, answered by DuckDB from events alone.

It is written from the description of the language and shares no code with the streaming evaluator, so that each can
be held against the other. The query reads four relations and one parameter:

- ``events(message_id, event, event_time, properties, context)``: accepted events, each once
- ``attributions(message_id, profile_id)``: whose event it is
- ``profiles(profile_id, traits, confidence)``: every profile; computed traits are not read from here, but computed
- ``consents(profile_id, purpose, granted)``: decided purposes
- ``$at``: the moment, as microseconds since 1970 or as a TIMESTAMP in UTC
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from contracts.model.definitions import (
    All,
    AnyOf,
    Condition,
    ConsentIs,
    Definitions,
    Did,
    Feature,
    MemberOf,
    Not,
    Segment,
    Trait,
    TraitIs,
    Where,
)
from operators.segments.sql_predicates import all_hold
from operators.segments.sql_values import Value, first_at, quote, some_value
from schemalogic.paths import Step, parse_path

CLOCK = """SELECT coalesce(
    TRY_CAST(CAST($at AS VARCHAR) AS BIGINT), epoch_us(TRY_CAST(CAST($at AS VARCHAR) AS TIMESTAMP))) AS at_us"""
MOMENTS = """SELECT a.profile_id, e.message_id, e.event, epoch_us(e.event_time) AS time_us, e.properties, e.context
    FROM events e JOIN attributions a ON a.message_id = e.message_id WHERE e.event <> ''"""
ZERO = "CAST(0 AS DECIMAL(38,6))"


def twin(definitions: Definitions) -> str:
    """The query that gives ``(segment, profile_id)`` of every member at ``$at``."""
    plan = Plan(definitions)
    segments = [(f"s_{at}", segment_sql(plan, segment)) for at, segment in enumerate(definitions.segments)]
    members = [f"SELECT {quote(s.name)} AS segment, profile_id FROM s_{at}" for at, s in enumerate(definitions.segments)]
    nobody = "SELECT CAST(NULL AS VARCHAR) AS segment, CAST(NULL AS VARCHAR) AS profile_id WHERE false"
    return _with([*base(), *plan.facts.items(), ("people", people_sql(plan)), *segments], "\nUNION ALL\n".join(members) or nobody)


def trait_sql(definitions: Definitions, trait: Trait) -> str:
    """The query that gives ``(profile_id, value)`` of one computed trait at ``$at``, value as JSON; nothing where it is missing."""
    plan = Plan(definitions)
    value = computed(plan, trait)
    shown = value.json
    if value.computed:
        shown = f"CAST(rtrim(rtrim(CAST({value.computed} AS VARCHAR), '0'), '.') AS JSON)"
    found = f"SELECT profile_id, {shown} AS value FROM people WHERE {value.present}"
    return _with([*base(), *plan.facts.items(), ("people", people_sql(plan))], found)


def base() -> list[tuple[str, str]]:
    """What every query begins with: the moment, and the things done, with whose they are."""
    return [("clock", CLOCK), ("moments", MOMENTS)]


def _with(named: list[tuple[str, str]], query: str) -> str:
    return "WITH " + ",\n".join(f"{name} AS ({body})" for name, body in named) + "\n" + query


@dataclass
class Plan:
    """The relations that the conditions need so far: one a feature, computed trait or purpose, each ``(profile_id, value)``."""

    definitions: Definitions
    facts: dict[str, str] = field(default_factory=dict)
    _names: dict[tuple[str, str], str] = field(default_factory=dict)

    def column(self, kind: str, key: str, body: str) -> str:
        """The column of ``people`` that holds a fact."""
        name = self._names.setdefault((kind, key), f"{kind}_{len(self._names)}")
        self.facts[name] = body
        return name


def people_sql(plan: Plan) -> str:
    """One row a profile with every fact; what has no row of its own is NULL."""
    columns = "".join(f", {name}.value AS {name}" for name in plan.facts)
    joins = "".join(f" LEFT JOIN {name} ON {name}.profile_id = p.profile_id" for name in plan.facts)
    return f"SELECT p.profile_id, p.traits, p.confidence{columns} FROM profiles p{joins}"


# ── segments ────────────────────────────────────────────────────────────────────────────────────────────────────────
def segment_sql(plan: Plan, segment: Segment) -> str:
    """The profiles of one segment."""
    allowed = consent_sql(plan, segment.purpose) if segment.purpose else "true"
    sure = "" if segment.confidence is None else f" AND confidence >= {segment.confidence!r}"
    return f"SELECT profile_id FROM people WHERE ({condition_sql(plan, segment.who, segment.timezone)}) AND {allowed}{sure}"


def condition_sql(plan: Plan, condition: Condition, timezone: str) -> str:
    """A condition as an expression over ``people`` that is never NULL."""
    match condition:
        case All(of):
            return "(" + (" AND ".join(condition_sql(plan, c, timezone) for c in of) or "true") + ")"
        case AnyOf(of):
            return "(" + (" OR ".join(condition_sql(plan, c, timezone) for c in of) or "false") + ")"
        case Not(of):
            return f"(NOT {condition_sql(plan, of, timezone)})"
        case TraitIs():
            return trait_condition_sql(plan, condition, timezone)
        case Did(feature, predicates):
            return f"({all_hold(feature_value(plan, plan.definitions.features[feature]), predicates, timezone)})"
        case MemberOf(segment):
            at = [s.name for s in plan.definitions.segments].index(segment)
            return f"(profile_id IN (SELECT profile_id FROM s_{at}))"
        case ConsentIs(purpose):
            return consent_sql(plan, purpose)


def consent_sql(plan: Plan, purpose: str) -> str:
    """Whether a purpose is granted: as decided, else by its default."""
    default = any(p.default for p in plan.definitions.purposes if p.name == purpose)
    column = plan.column("c", purpose, f"SELECT profile_id, granted AS value FROM consents WHERE purpose = {quote(purpose)}")
    return f"coalesce({column}, {str(default).lower()})"


# ── traits ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def trait_condition_sql(plan: Plan, condition: TraitIs, timezone: str) -> str:
    """A trait's value satisfies all predicates; a computed name is never read from what identify calls wrote."""
    steps = parse_path(condition.path)

    def holds(value: Value) -> str:
        return all_hold(value, condition.predicates, timezone)

    trait = next((t for t in plan.definitions.traits if t.name == steps[0] and t.kind != "plain"), None)
    if trait is None:
        return f"({some_value('traits', steps, holds)})"
    value = computed(plan, trait)
    if value.computed:
        return f"({holds(value if len(steps) == 1 else Value())})"
    return f"({some_value(value.json, steps[1:], holds)})"


def computed(plan: Plan, trait: Trait) -> Value:
    """The value of a computed trait, as a column of ``people``."""
    feature = plan.definitions.features[trait.feature or ""]
    if trait.kind in ("count", "sum"):
        return feature_value(plan, feature)
    return Value(plan.column("t", trait.name, trait_values_sql(feature, trait)))


def trait_values_sql(feature: Feature, trait: Trait) -> str:
    """``(profile_id, value)`` of a first, last or set: JSON."""
    value = first_at("properties", parse_path(feature.property or ""))
    matching = f"{matching_sql(feature)} AND coalesce({value.present}, false)"
    if trait.kind == "set":
        return set_sql(
            f"SELECT profile_id, time_us, message_id, {value.json} AS value, {value.key} AS key FROM moments WHERE {matching}", trait.limit
        )
    ends = "arg_min" if trait.kind == "first" else "arg_max"
    return f"SELECT profile_id, {ends}({value.json}, (time_us, message_id)) AS value FROM moments WHERE {matching} GROUP BY profile_id"


def set_sql(found: str, limit: int) -> str:
    """The newest different values by (time, key), listed by key."""
    newest = "profile_id, key, max(time_us) AS time_us, arg_max(value, (time_us, message_id)) AS value"
    return f"""SELECT profile_id, to_json(list(value ORDER BY key)) AS value FROM (
        SELECT {newest} FROM ({found}) GROUP BY profile_id, key
        QUALIFY row_number() OVER (PARTITION BY profile_id ORDER BY max(time_us) DESC, key DESC) <= {limit}
    ) GROUP BY profile_id"""


# ── features ────────────────────────────────────────────────────────────────────────────────────────────────────────
def feature_value(plan: Plan, feature: Feature) -> Value:
    """A count or a sum as a column of ``people``; of nothing it is 0."""
    return Value(computed=f"coalesce({plan.column('f', feature.key, feature_sql(feature))}, {ZERO})")


def feature_sql(feature: Feature) -> str:
    """``(profile_id, value)`` of times, sum or distinct over the matching events, counted to the end."""
    value = first_at("properties", parse_path(feature.property)) if feature.property else Value()
    measure = {
        "times": "count(*)",
        "sum": f"coalesce(sum({value.number}), 0)",
        "distinct": f"count(DISTINCT CASE WHEN {value.present} THEN {value.key} END)",
    }[feature.measure]
    return f"SELECT profile_id, CAST({measure} AS DECIMAL(38,6)) AS value FROM moments WHERE {matching_sql(feature)} GROUP BY profile_id"


def matching_sql(feature: Feature) -> str:
    """Which of ``moments`` a feature looks at."""
    return " AND ".join(
        [_named_sql(feature.events), *_window_sql(feature.within_us), *(where_sql(where, feature.timezone) for where in feature.where)]
    )


def _named_sql(events: tuple[str, ...]) -> str:
    named = [f"starts_with(event, {quote(e[:-1])})" if e.endswith("*") else f"event = {quote(e)}" for e in events]
    return f"({' OR '.join(named) or 'false'})"


def _window_sql(within_us: int | None) -> Iterator[str]:
    if within_us is not None:
        yield f"time_us > (SELECT at_us FROM clock) - {within_us} AND time_us <= (SELECT at_us FROM clock)"


def where_sql(where: Where, timezone: str) -> str:
    """A ``where``; dates alone are days of the feature's zone."""
    root, steps = _where_root(where.path)
    return some_value(root, steps, lambda value: all_hold(value, where.predicates, timezone))


def _where_root(path: str) -> tuple[str, tuple[Step, ...]]:
    steps = parse_path(path)
    return ("context", steps[1:]) if steps[0] == "context" and len(steps) > 1 else ("properties", steps)
