"""A sequence as a column of ``people``: of each moment at which a step may have ended, the latest beginning, step by step."""

from __future__ import annotations

from dataclasses import replace

from contracts.model.definitions import Feature, SequenceStep
from operators.segments.sql.measures import AT, matching_sql, property_place, value_key
from operators.segments.sql.plan import Plan
from operators.segments.sql.values import Value, extract


def sequence_column(plan: Plan, feature: Feature) -> str:
    """Whether it has happened; NULL where it has not."""
    steps: tuple[SequenceStep, ...] = feature.option("steps")
    parts = [
        ("seen", _seen(feature, steps)),
        ("layer_0", "SELECT DISTINCT profile_id, key, time_us AS ended, time_us AS began FROM seen WHERE step_0"),
    ]
    barred: list[int] = []
    last = 0
    for number, step in enumerate(steps[1:], 1):
        if step.never:
            barred.append(number)
        if step.never and step.within_us is None:
            continue
        body = _waited(last, step, barred) if step.never else _followed(last, number, step, barred)
        parts.append((f"layer_{number}", body))
        last, barred = number, []
    span = feature.option("span_us")
    inside = "" if span is None else f" AND ended - began < {span}"
    query = f"SELECT DISTINCT profile_id, true AS value FROM layer_{last} WHERE ended <= {AT}{inside}"
    return plan.column("q", feature.key, "WITH " + ", ".join(f"{name} AS ({body})" for name, body in parts) + f" {query}")


def _seen(feature: Feature, steps: tuple[SequenceStep, ...]) -> str:
    """The newest events that match some step, with which ones, and what they share with others."""
    each = Value(extract(*property_place(feature))) if feature.property else None
    key = value_key(each) if each else "''"
    having = f"coalesce({each.present}, false)" if each else "true"
    matching = [matching_sql(replace(feature, events=step.events, where=step.where, within_us=None)) for step in steps]
    found = ", ".join(f"coalesce({one}, false) AS step_{number}" for number, one in enumerate(matching))
    window = "" if feature.within_us is None else f" AND time_us > {AT} - {feature.within_us}"
    every = f"SELECT profile_id, time_us, message_id, {key} AS key, {found} FROM moments WHERE time_us <= {AT}{window} AND {having}"
    some = " OR ".join(f"step_{number}" for number in range(len(steps)))
    newest = "row_number() OVER (PARTITION BY profile_id ORDER BY time_us DESC, message_id DESC)"
    return f"SELECT * FROM ({every}) WHERE {some} QUALIFY {newest} <= {feature.option('kept')}"


def _waited(last: int, step: SequenceStep, barred: list[int]) -> str:
    ended = f"before.ended + {step.within_us}"
    return f"SELECT profile_id, key, {ended} AS ended, began FROM layer_{last} AS before WHERE true{_unbroken(barred, ended)}"


def _followed(last: int, number: int, step: SequenceStep, barred: list[int]) -> str:
    within = "" if step.within_us is None else f" AND now.time_us < before.ended + {step.within_us}"
    return f"""SELECT now.profile_id, now.key, now.time_us AS ended, max(before.began) AS began
        FROM (SELECT DISTINCT profile_id, key, time_us FROM seen WHERE step_{number}) AS now
        JOIN layer_{last} AS before ON before.profile_id = now.profile_id AND before.key = now.key AND before.ended < now.time_us{within}
        WHERE true{_unbroken(barred, "now.time_us")} GROUP BY now.profile_id, now.key, now.time_us"""


def _unbroken(barred: list[int], until: str) -> str:
    """Nothing that must not come lies between, neither of which belongs."""
    same = "bar.profile_id = before.profile_id AND bar.key = before.key AND bar.time_us > before.ended"
    return "".join(
        f" AND NOT EXISTS (SELECT 1 FROM seen AS bar WHERE bar.step_{number} AND {same} AND bar.time_us < {until})" for number in barred
    )
