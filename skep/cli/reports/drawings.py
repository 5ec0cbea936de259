"""Which drawing suits which answer: bars, lines, a heat map or a flow, of rows that a query over the answer gives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drawing:
    """``kind``: bar, line, heat or flow; ``query``: over table ``asked``, labels first and then numbers.

    Of a heat map the columns are row, column and share; of a flow they are step, from, to and how often.
    """

    kind: str
    query: str


def _by_day(moment: str, what: str = "count(*)") -> Drawing:
    return Drawing("line", f"SELECT CAST({moment} AS DATE) AS day, {what} AS number FROM asked GROUP BY day ORDER BY day")


DRAWINGS = {
    "funnel": Drawing("bar", "SELECT concat_ws(' ', value, step || '.', event) AS step, people FROM asked"),
    "funnel_people": Drawing(
        "bar", "SELECT concat_ws(' ', value, 'level', level) AS level, count(*) AS people FROM asked GROUP BY ALL ORDER BY 1"
    ),
    "retention": Drawing(
        "heat",
        "SELECT concat(cohort, ' (', size, ')') AS cohort, CAST(period AS VARCHAR) AS period, "
        "CASE WHEN complete OR people > 0 THEN share END AS share FROM asked",
    ),
    "sessions": _by_day("started_at"),
    "paths": Drawing("bar", "SELECT array_to_string(path, ' → ') AS path, times, people FROM asked"),
    "path_steps": Drawing("flow", "SELECT step, from_event, coalesce(to_event, '(end)') AS to_event, times FROM asked"),
    "sequences": Drawing("bar", "SELECT array_to_string(events, ' → ') AS events, times, people FROM asked"),
    "events_by_day": Drawing("line", "SELECT day, events, profiles FROM asked ORDER BY day"),
    "journey": Drawing("bar", "SELECT what, count(*) AS times FROM asked GROUP BY what ORDER BY times DESC, what"),
    "attribution": Drawing("bar", "SELECT coalesce(channel, '(none)') AS channel, conversions FROM asked"),
    "attribution_paths": Drawing(
        "bar",
        "SELECT coalesce(nullif(array_to_string(channels, ' → '), ''), '(none)') AS path, count(*) FILTER (converted) AS converted, "
        "count(*) FILTER (NOT converted) AS others FROM asked GROUP BY path ORDER BY converted DESC, others DESC, path",
    ),
    "members": _by_day("entered_at"),
    "members_at": _by_day("entered_at"),
    "segments_of": Drawing("bar", "SELECT segment, count(*) AS stays FROM asked GROUP BY segment ORDER BY segment"),
    "segment_sizes": Drawing("bar", "SELECT segment, members, members_ever FROM asked"),
    "segment_history": Drawing("line", "SELECT period, members, entered, exited FROM asked"),
    "segment_overlap": Drawing(
        "bar",
        "SELECT unnest(['one', 'other', 'both']) AS segment, "
        "unnest([members_of_one, members_of_other, members_of_both]) AS members FROM asked",
    ),
    "overlap": Drawing("heat", "SELECT one, other, jaccard FROM asked"),
    "venn": Drawing("bar", "SELECT array_to_string(segments, ' and ') AS segments, people FROM asked"),
    "compare_segments": Drawing("bar", "SELECT metric, one_mean, other_mean FROM asked"),
    "profiles_at": _by_day("first_seen"),
    "rfm": Drawing(
        "heat",
        "SELECT concat('r ', r) AS r, concat('f ', f) AS f, count(*) / sum(count(*)) OVER () AS share "
        "FROM asked GROUP BY ALL ORDER BY r, f",
    ),
    "repeat_purchases": Drawing(
        "bar",
        "SELECT concat(frequency, ' more') AS frequency, count(*) AS people FROM asked GROUP BY asked.frequency ORDER BY asked.frequency",
    ),
    "quarantine_reasons": Drawing("bar", "SELECT reason, records FROM asked"),
}
"""By macro; the others give a value, and are shown as it."""
