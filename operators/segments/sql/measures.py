"""Each measure as a column of ``people``, made of the events that match."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from contracts.model.definitions import Feature, Where
from operators.segments.sql.operators import all_hold
from operators.segments.sql.plan import Plan
from operators.segments.sql.values import Value, first_at, quote, some_value
from schemalogic.paths import Step, parse_path

ZERO = "CAST(0 AS DECIMAL(38,6))"


def feature_value(plan: Plan, feature: Feature, limit: int = 0) -> Value:
    """What is measured, a number or JSON; ``limit`` is that of a ``set``."""
    return MEASURES[feature.measure](plan, feature, limit)


def _number(total: Callable[[Value], str]) -> Callable[[Plan, Feature, int], Value]:
    """A count or a sum, counted to the end; of nothing it is 0."""

    def value(plan: Plan, feature: Feature, _limit: int) -> Value:
        each = _measured(feature) if feature.property else Value()
        number = f"CAST({total(each)} AS DECIMAL(38,6)) AS value"
        body = f"SELECT profile_id, {number} FROM moments WHERE {matching_sql(feature)} GROUP BY profile_id"
        return Value(computed=f"coalesce({plan.column('f', feature.key, body)}, {ZERO})")

    return value


def _end(pick: str) -> Callable[[Plan, Feature, int], Value]:
    """The property of the earliest or latest event that has it."""

    def value(plan: Plan, feature: Feature, _limit: int) -> Value:
        chosen = f"{pick}({_measured(feature).json}, (time_us, message_id)) AS value"
        body = f"SELECT profile_id, {chosen} FROM moments WHERE {_having(feature)} GROUP BY profile_id"
        return Value(plan.column("t", feature.key, body))

    return value


def _set(plan: Plan, feature: Feature, limit: int) -> Value:
    each = _measured(feature)
    found = f"SELECT profile_id, time_us, message_id, {each.json} AS value, {each.key} AS key FROM moments WHERE {_having(feature)}"
    return Value(plan.column("t", feature.key, _newest(found, limit)))


def _newest(found: str, limit: int) -> str:
    """The newest different values by (time, key), listed by key."""
    newest = "profile_id, key, max(time_us) AS time_us, arg_max(value, (time_us, message_id)) AS value"
    return f"""SELECT profile_id, to_json(list(value ORDER BY key)) AS value FROM (
        SELECT {newest} FROM ({found}) GROUP BY profile_id, key
        QUALIFY row_number() OVER (PARTITION BY profile_id ORDER BY max(time_us) DESC, key DESC) <= {limit}
    ) GROUP BY profile_id"""


MEASURES: dict[str, Callable[[Plan, Feature, int], Value]] = {
    "times": _number(lambda _each: "count(*)"),
    "sum": _number(lambda each: f"coalesce(sum({each.number}), 0)"),
    "distinct": _number(lambda each: f"count(DISTINCT CASE WHEN {each.present} THEN {each.key} END)"),
    "first": _end("arg_min"),
    "last": _end("arg_max"),
    "set": _set,
}


def _measured(feature: Feature) -> Value:
    return first_at("properties", parse_path(feature.property or ""))


def _having(feature: Feature) -> str:
    """The events that match and have the property."""
    return f"{matching_sql(feature)} AND coalesce({_measured(feature).present}, false)"


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
