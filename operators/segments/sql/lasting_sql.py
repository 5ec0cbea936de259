"""How long what identify calls write of a trait has satisfied predicates, as a column of ``people``."""

from __future__ import annotations

from contracts.model.definitions import Feature, Predicate
from operators.segments.sql.measures import AT, micro_column
from operators.segments.sql.operators import all_hold
from operators.segments.sql.plan import Plan
from operators.segments.sql.values import Value, extract, some_value
from schemalogic.paths import parse_path


def unbroken_value(plan: Plan, feature: Feature) -> Value:
    """Seconds; missing where the last write does not satisfy them. Of what nothing has ended, and what is not there satisfies it, too,
    since the profile was first seen."""
    (where,) = feature.where
    steps = parse_path(where.path)
    such = some_value("properties", steps, lambda value: all_hold(value, where.predicates, feature.timezone))
    at_first = str(all(_holds_of_nothing(each) for each in where.predicates)).lower()
    newest = "ORDER BY time_us DESC, message_id DESC"
    kept = f"row_number() OVER (PARTITION BY profile_id {newest}) <= {feature.option('kept')}"
    writes = f"""SELECT profile_id, time_us, message_id, {such} AS such FROM sent
        WHERE {extract("properties", steps[:1])} IS NOT NULL QUALIFY {kept}"""
    behind = f"sum(CASE WHEN such THEN 0 ELSE 1 END) OVER (PARTITION BY profile_id {newest} ROWS UNBOUNDED PRECEDING)"
    began = f"""SELECT profile_id, min(time_us) FILTER (breaks = 0) AS since, max(breaks) AS breaks
        FROM (SELECT *, {behind} AS breaks FROM ({writes})) GROUP BY profile_id"""
    seen = "SELECT a.profile_id, min(epoch_us(e.event_time)) AS first FROM events e JOIN attributions a ON a.message_id = e.message_id"
    since = f"CASE WHEN {at_first} AND coalesce(b.breaks, 0) = 0 THEN s.first ELSE b.since END"
    each = (
        f"SELECT s.profile_id, {since} AS since FROM ({seen} GROUP BY a.profile_id) s LEFT JOIN ({began}) b ON b.profile_id = s.profile_id"
    )
    return micro_column(plan, feature, f"SELECT profile_id, CAST({AT} - since AS HUGEINT) AS value FROM ({each}) WHERE since IS NOT NULL")


def _holds_of_nothing(predicate: Predicate) -> bool:
    """Whether nothing satisfies it."""
    return (predicate.op, predicate.operand) in [("exists", False), ("is", "empty")]
