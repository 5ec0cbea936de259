"""Each measure as a column of ``people``, made of the events that match."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from contracts.model.definitions import Feature, OtherField, Where
from operators.segments.sql.operators import all_hold
from operators.segments.sql.plan import Plan
from operators.segments.sql.values import Value, extract, json_path, quote, some_value
from schemalogic.paths import Step, parse_path

ZERO = "CAST(0 AS DECIMAL(38,6))"
AT = "(SELECT at_us FROM clock)"
_EXACT_SPREAD = 10**19
"""How many numbers times how far they lie apart, in 10⁻⁶, a standard deviation is exact for."""


def feature_value(plan: Plan, feature: Feature) -> Value:
    """What is measured, a number or JSON."""
    return MEASURES[feature.measure](plan, feature)


def _column(plan: Plan, feature: Feature, body: str) -> Value:
    """JSON, missing where the query has no row."""
    return Value(plan.column("t", feature.key, body))


def micro_column(plan: Plan, feature: Feature, body: str) -> Value:
    """A number in 10⁻⁶, missing where the query has no row."""
    return Value(computed=plan.column("f", feature.key, f"SELECT profile_id, {number_of('value')} AS value FROM ({body})"))


def _counted(total: Callable[[Value], str]) -> Callable[[Plan, Feature], Value]:
    """A count or a sum, counted to the end; of nothing it is 0."""

    def value(plan: Plan, feature: Feature) -> Value:
        each = _measured(feature) if feature.property else Value()
        return _count_column(plan, feature, f"SELECT profile_id, {total(each)} AS value FROM {_rows(feature)} {_of(feature)}")

    return value


def _count_column(plan: Plan, feature: Feature, body: str) -> Value:
    counted = f"SELECT profile_id, CAST(value AS DECIMAL(38,6)) AS value FROM ({body})"
    return Value(computed=f"coalesce({plan.column('f', feature.key, counted)}, {ZERO})")


def _end(pick: str) -> Callable[[Plan, Feature], Value]:
    """The property of the earliest or latest event that has it."""

    def value(plan: Plan, feature: Feature) -> Value:
        chosen = f"{pick}({_measured(feature).json}, (time_us, message_id, {_place(feature)})) AS value"
        return _column(plan, feature, f"SELECT profile_id, {chosen} FROM {_rows(feature)} WHERE {_having(feature)} GROUP BY profile_id")

    return value


def _by_source(plan: Plan, feature: Feature) -> Value:
    """The latest of the first source that has one; a call that several have handed over counts as the first's."""
    places = " ".join(f"WHEN list_contains(sources, {quote(name)}) THEN {at}" for at, name in enumerate(feature.option("sources")))
    ranked = f"(SELECT *, CASE {places} END AS rank FROM {_rows(feature)})"
    chosen = f"arg_max({_measured(feature).json}, (-rank, time_us, message_id)) AS value"
    having = f"{_having(feature)} AND rank IS NOT NULL"
    return _column(plan, feature, f"SELECT profile_id, {chosen} FROM {ranked} WHERE {having} GROUP BY profile_id")


def _latest(plan: Plan, feature: Feature) -> Value:
    such = " AND ".join(where_sql(where, feature.timezone) for where in feature.where) or "true"
    chosen = f"to_json(arg_max(coalesce({such}, false), (time_us, message_id))) AS value"
    return _column(plan, feature, f"SELECT profile_id, {chosen} FROM moments {_of(replace(feature, where=()))}")


def _first_time(plan: Plan, feature: Feature) -> Value:
    ever = replace(feature, within_us=None, between=None)
    inside = " AND ".join(_window_sql(feature, "min(time_us)")) or "true"
    found = _column(plan, feature, f"SELECT profile_id, to_json({inside}) AS value FROM moments {_of(ever)}")
    return Value(f"coalesce({found.json}, to_json(false))")


def _since(pick: str) -> Callable[[Plan, Feature], Value]:
    def value(plan: Plan, feature: Feature) -> Value:
        passed = f"CAST({AT} - {pick}(time_us) AS HUGEINT) AS value"
        return micro_column(plan, feature, f"SELECT profile_id, {passed} FROM moments {_of(feature, f'time_us <= {AT}')}")

    return value


def _mean(plan: Plan, feature: Feature) -> Value:
    number = _measured(feature).number
    both = f"CAST(sum({number}) * 1000000 AS HUGEINT) AS total, count({number}) AS number"
    total = f"SELECT profile_id, {both} FROM {_rows(feature)} {_of(feature)}"
    return micro_column(plan, feature, f"SELECT profile_id, {divided('total', 'number')} AS value FROM ({total}) WHERE number > 0")


def _extreme(pick: str) -> Callable[[Plan, Feature], Value]:
    def value(plan: Plan, feature: Feature) -> Value:
        body = f"SELECT profile_id, {pick}({_measured(feature).number}) AS value FROM {_rows(feature)} {_of(feature)}"
        return Value(computed=plan.column("f", feature.key, body))

    return value


def _stddev(plan: Plan, feature: Feature) -> Value:
    """Of whole numbers, each less the least of them; the root is near in double precision, and what is left is compared exactly.

    Where that does not fit into 128 bits (see `_EXACT_SPREAD`) it is what double precision says.
    """
    found = f"SELECT profile_id, {_micros(feature)} AS n FROM {_rows(feature)} WHERE {matching_sql(feature)}"
    least, most = "min(n) OVER (PARTITION BY profile_id)", "max(n) OVER (PARTITION BY profile_id)"
    fits = f"count(*) OVER (PARTITION BY profile_id) * ({most} - {least}) <= {_EXACT_SPREAD} AS fits"
    found = f"SELECT *, {least} AS least, {fits} FROM ({found})"
    apart = f"SELECT profile_id, n, CASE WHEN fits THEN n - least ELSE 0 END AS d, fits FROM ({found}) WHERE n IS NOT NULL"
    spread = "count(*) * CAST(sum(d * d) AS HUGEINT) - CAST(sum(d) AS HUGEINT) * CAST(sum(d) AS HUGEINT)"
    large = "stddev_pop(CAST(n AS DOUBLE)) AS large, bool_and(fits) AS fits"
    number = "CAST(count(*) AS HUGEINT) AS number"
    spread = f"SELECT profile_id, {number}, {spread} AS spread, {large} FROM ({apart}) GROUP BY profile_id"
    near = f"SELECT *, CAST(floor(sqrt(CAST(spread AS DOUBLE)) / number) AS HUGEINT) AS near FROM ({spread})"
    reached = "number * (near + {0}) * number * (near + {0}) <= spread"
    whole = f"near + CASE WHEN {reached.format(1)} THEN 1 WHEN {reached.format(0)} THEN 0 ELSE -1 END"
    past = "4 * spread - number * (2 * whole + 1) * number * (2 * whole + 1)"
    parts = f"SELECT *, {past} AS past FROM (SELECT *, {whole} AS whole FROM ({near}))"
    exact = "whole + CASE WHEN past > 0 OR (past = 0 AND whole % 2 = 1) THEN 1 ELSE 0 END"
    return micro_column(
        plan, feature, f"SELECT profile_id, CASE WHEN fits THEN {exact} ELSE CAST(large AS HUGEINT) END AS value FROM ({parts})"
    )


def _percentile(plan: Plan, feature: Feature) -> Value:
    """The number to three digits up to which the share of all of them lies."""
    found = f"SELECT profile_id, {_micros(feature)} AS n FROM {_rows(feature)} WHERE {matching_sql(feature)}"
    step = "CAST('1' || repeat('0', greatest(0, length(CAST(abs(n) AS VARCHAR)) - 3)) AS HUGEINT)"
    coarse = f"SELECT profile_id, {divided('n', step)} * {step} AS value FROM ({found}) WHERE n IS NOT NULL"
    place, every = "row_number() OVER (PARTITION BY profile_id ORDER BY value)", "count(*) OVER (PARTITION BY profile_id)"
    ranked = f"SELECT *, {place} AS place, {every} AS every FROM ({coarse})"
    wanted = f"place = (every * {feature.option('at')} + 999999) // 1000000"
    return micro_column(plan, feature, f"SELECT profile_id, value FROM ({ranked}) WHERE {wanted}")


def _decayed(plan: Plan, feature: Feature) -> Value:
    """Each event in double precision, rounded to six places; nothing that is still to come."""
    number = _micros(feature) if feature.property else "1000000"
    weight = f"pow(2.0, CAST(time_us - {AT} AS DOUBLE) / {feature.option('half_life')}.0)"
    past = f"FROM {_rows(feature)} WHERE {matching_sql(feature)} AND time_us <= {AT}"
    each = f"SELECT profile_id, CAST({number} AS DOUBLE) * {weight} AS x {past}"
    up = "x - floor(x) > 0.5 OR (x - floor(x) = 0.5 AND floor(x) % 2 <> 0)"
    total = f"sum(CAST(floor(x) + CASE WHEN {up} THEN 1 ELSE 0 END AS HUGEINT))"
    body = f"SELECT profile_id, coalesce({total}, 0) AS value FROM ({each}) GROUP BY profile_id"
    return Value(computed=f"coalesce({micro_column(plan, feature, body).computed}, {ZERO})")


def _days(plan: Plan, feature: Feature) -> Value:
    return _count_column(
        plan, feature, f"SELECT profile_id, count(DISTINCT {_day('time_us', feature.timezone)}) AS value FROM moments {_of(feature)}"
    )


def _periods(plan: Plan, feature: Feature) -> Value:
    period = f"(({AT} - time_us) // {feature.option('each')})"
    return _count_column(plan, feature, f"SELECT profile_id, count(DISTINCT {period}) AS value FROM moments {_of(feature)}")


def _streak(plan: Plan, feature: Feature) -> Value:
    """Of the runs of days, or weeks, without a gap the last, if it reaches this one or the one before."""
    weeks = feature.option("unit") == "weeks"

    def number(time: str) -> str:
        day = f"date_diff('day', DATE '1970-01-01', {_day(time, 'UTC')})"
        return f"CAST(floor(({day} + 3) / 7.0) AS BIGINT)" if weeks else day

    found = f"SELECT DISTINCT profile_id, {number('time_us')} AS day FROM moments WHERE {matching_sql(feature)}"
    past = f"SELECT * FROM ({found}) WHERE day <= {number(AT)}"
    run, newest = "day - row_number() OVER (PARTITION BY profile_id ORDER BY day)", "max(day) OVER (PARTITION BY profile_id)"
    runs = f"SELECT *, {run} AS run, {newest} AS newest FROM ({past})"
    lasting = f"HAVING max(day) = newest AND newest >= {number(AT)} - 1"
    return _count_column(plan, feature, f"SELECT profile_id, count(*) AS value FROM ({runs}) GROUP BY profile_id, run, newest {lasting}")


def _interval(plan: Plan, feature: Feature) -> Value:
    spans = f"SELECT profile_id, CAST(max(time_us) - min(time_us) AS HUGEINT) AS total, count(*) - 1 AS number FROM moments {_of(feature)}"
    return micro_column(plan, feature, f"SELECT profile_id, {divided('total', 'number')} AS value FROM ({spans}) WHERE number > 0")


def _sessions(feature: Feature) -> str:
    """One row a session: a silence that is longer than the gap parts two."""
    before = "lag(time_us) OVER (PARTITION BY profile_id ORDER BY time_us)"
    begins = f"coalesce(time_us - {before} > {feature.option('gap_us')}, true) AS begins"
    begins = f"SELECT profile_id, time_us, {begins} FROM moments WHERE {matching_sql(feature)}"
    numbered = f"SELECT *, sum(CAST(begins AS INTEGER)) OVER (PARTITION BY profile_id ORDER BY time_us) AS session FROM ({begins})"
    return (
        f"SELECT profile_id, session, CAST(max(time_us) - min(time_us) AS HUGEINT) AS length FROM ({numbered}) GROUP BY profile_id, session"
    )


def _session_count(plan: Plan, feature: Feature) -> Value:
    return _count_column(plan, feature, f"SELECT profile_id, count(*) AS value FROM ({_sessions(feature)}) GROUP BY profile_id")


def _session_length(plan: Plan, feature: Feature) -> Value:
    total = "CAST(sum(length) AS HUGEINT)"
    how = {"total": total, "mean": divided(total, "count(*)"), "last": "arg_max(length, session)"}[feature.option("how")]
    return micro_column(plan, feature, f"SELECT profile_id, {how} AS value FROM ({_sessions(feature)}) GROUP BY profile_id")


def _set(plan: Plan, feature: Feature) -> Value:
    """The newest different values by (time, key), listed by key."""
    newest = "profile_id, key, max(time_us) AS time_us, arg_max(value, (time_us, message_id)) AS value"
    return _column(plan, feature, f"""SELECT profile_id, to_json(list(value ORDER BY key)) AS value FROM (
        SELECT {newest} FROM ({_found(feature)}) GROUP BY profile_id, key
        QUALIFY row_number() OVER (PARTITION BY profile_id ORDER BY max(time_us) DESC, key DESC) <= {feature.option("limit")}
    ) GROUP BY profile_id""")  # fmt: skip


def _list(plan: Plan, feature: Feature) -> Value:
    return _column(plan, feature, f"""SELECT profile_id, to_json(list(value ORDER BY time_us, message_id, place)) AS value FROM (
        SELECT * FROM ({_found(feature)})
        QUALIFY row_number() OVER (PARTITION BY profile_id ORDER BY time_us DESC, message_id DESC, place DESC) <= {feature.option("limit")}
    ) GROUP BY profile_id""")  # fmt: skip


def _top(plan: Plan, feature: Feature) -> Value:
    """By weight, then by key; of an event the longest pattern that means it says how much it counts."""
    patterns = sorted(feature.option("weights"), key=lambda one: -len(one[0]))
    weights = " ".join(f"WHEN {_named_sql((name,))} THEN {weight}" for name, weight in patterns)
    weight = f"sum(CASE {weights} ELSE 1000000 END)" if weights else "count(*)"
    kept = f"profile_id, key, any_value(value) AS value, {weight} AS weight"
    kept = f"SELECT {kept} FROM ({_found(feature)}) GROUP BY profile_id, key"
    heavy = f"SELECT *, row_number() OVER (PARTITION BY profile_id ORDER BY weight DESC, key) AS place FROM ({kept}) WHERE weight > 0"
    shown = "any_value(value)" if feature.option("k") == 1 else "to_json(list(value ORDER BY place))"
    return _column(
        plan, feature, f"SELECT profile_id, {shown} AS value FROM ({heavy}) WHERE place <= {feature.option('k')} GROUP BY profile_id"
    )


MEASURES: dict[str, Callable[[Plan, Feature], Value]] = {
    "times": _counted(lambda _each: "count(*)"),
    "sum": _counted(lambda each: f"coalesce(sum({each.number}), 0)"),
    "distinct": _counted(lambda each: f"count(DISTINCT CASE WHEN {each.present} THEN {each.key} END)"),
    "avg": _mean,
    "min": _extreme("min"),
    "max": _extreme("max"),
    "stddev": _stddev,
    "percentile": _percentile,
    "decayed_sum": _decayed,
    "first": _end("arg_min"),
    "last": _end("arg_max"),
    "by_source": _by_source,
    "latest": _latest,
    "first_time": _first_time,
    "since_first": _since("min"),
    "since_last": _since("max"),
    "set": _set,
    "list": _list,
    "top": _top,
    "distinct_days": _days,
    "active_periods": _periods,
    "streak": _streak,
    "interval_mean": _interval,
    "session_count": _session_count,
    "session_length": _session_length,
}


def divided(total: str, number: str) -> str:
    """A whole number divided by a positive one, rounded half to even."""
    whole, rest = f"(abs({total}) // {number})", f"(abs({total}) % {number})"
    up = f"2 * {rest} > {number} OR (2 * {rest} = {number} AND {whole} % 2 = 1)"
    return f"(CASE WHEN {total} < 0 THEN -1 ELSE 1 END * ({whole} + CASE WHEN {up} THEN 1 ELSE 0 END))"


def number_of(micros: str) -> str:
    """DECIMAL(38,6) of a whole number of 10⁻⁶."""
    return f"CAST({micros} AS DECIMAL(32,0)) * CAST(0.000001 AS DECIMAL(6,6))"


def _day(time: str, timezone: str) -> str:
    moment = f"make_timestamp({time})"
    return f"CAST({moment} AS DATE)" if timezone == "UTC" else f"CAST(timezone({quote(timezone)}, timezone('UTC', {moment})) AS DATE)"


def _of(feature: Feature, more: str = "true") -> str:
    """The matching events of each person."""
    return f"WHERE {matching_sql(feature)} AND {more} GROUP BY profile_id"


def _found(feature: Feature) -> str:
    """The values of the property, each with what makes it different: lists and objects in their place among keys."""
    each = _measured(feature)
    value = f"{each.json} AS value, {value_key(each)} AS key"
    place = f"{_place(feature)} AS place"
    return f"SELECT profile_id, event, time_us, message_id, {value}, {place} FROM {_rows(feature)} WHERE {_having(feature)}"


def value_key(value: Value) -> str:
    """What makes a value different from all others, lists and objects too."""
    kind = f"CASE WHEN {value.has_kind('list')} THEN '[' WHEN {value.has_kind('object')} THEN '{{' ELSE '' END"
    return f"{kind} || {value.key}"


def _measured(feature: Feature) -> Value:
    root, steps = property_place(feature)
    return Value("item" if None in steps else extract(root, steps))


def property_place(feature: Feature) -> tuple[str, tuple[Step, ...]]:
    """The column in which the property is, and its path there; of an identify call's traits all are in one."""
    return ("properties", parse_path(feature.property or "")) if feature.sent else _where_root(feature.property or "")


def _micros(feature: Feature) -> str:
    """The number that is measured as a whole one of 10⁻⁶."""
    return f"CAST({_measured(feature).number} * 1000000 AS HUGEINT)"


def _rows(feature: Feature) -> str:
    """The relation that a measure of a property reads: of a path with ``[]`` a row an item, with its place in the event."""
    moments = "sent" if feature.sent else "moments"
    root, steps = property_place(feature) if feature.property else ("", ())
    if None not in steps:
        return moments
    items = f"json_extract({root}, {quote(json_path(steps))})"
    if feature.sent:
        found = extract(root, steps[:-1])
        items = f"CASE WHEN json_type({found}) = 'ARRAY' THEN {items} ELSE [{found}] END"
    items = f"SELECT *, {items} AS items FROM {moments}"
    return f"(SELECT *, unnest(items) AS item, unnest(range(len(items))) AS place FROM ({items}))"


def _place(feature: Feature) -> str:
    return "place" if "[]" in (feature.property or "") else "0"


def _having(feature: Feature) -> str:
    """The events that match and have the property."""
    return f"{matching_sql(feature)} AND coalesce({_measured(feature).present}, false)"


def matching_sql(feature: Feature) -> str:
    """Which of ``moments`` a feature looks at."""
    return " AND ".join(
        [_named_sql(feature.events), *_window_sql(feature), *(where_sql(where, feature.timezone) for where in feature.where)]
    )


def _named_sql(events: tuple[str, ...]) -> str:
    named = [f"starts_with(event, {quote(e[:-1])})" if e.endswith("*") else f"event = {quote(e)}" for e in events]
    return f"({' OR '.join(named) or 'false'})"


def _window_sql(feature: Feature, time: str = "time_us") -> Iterator[str]:
    if feature.within_us is not None:
        yield f"{time} > {AT} - {feature.within_us} AND {time} <= {AT} - {feature.until_us}"
    if feature.session_us is not None:
        yield f"message_id IN ({_session(feature)})"
    if feature.between is not None:
        yield f"{time} BETWEEN {feature.between[0]} AND {feature.between[1]}"


def _session(feature: Feature) -> str:
    """What was done in the current session of each person, of whatever kind."""
    gap, window = feature.session_us, next(_window_sql(replace(feature, session_us=None)))
    before = "lag(time_us) OVER (PARTITION BY profile_id ORDER BY time_us)"
    begins = f"CAST(coalesce(time_us - {before} > {gap}, true) AS INTEGER) AS begins"
    done = f"SELECT profile_id, message_id, time_us, {begins} FROM moments WHERE {window}"
    session = "sum(begins) OVER (PARTITION BY profile_id ORDER BY time_us) AS session"
    numbered = f"SELECT *, {session}, max(time_us) OVER (PARTITION BY profile_id) AS newest FROM ({done})"
    latest = "QUALIFY session = max(session) OVER (PARTITION BY profile_id)"
    return f"SELECT message_id FROM ({numbered}) WHERE newest >= {AT} - {gap} {latest}"


def where_sql(where: Where, timezone: str) -> str:
    """A ``where``; dates alone are days of the feature's zone."""
    root, steps = _where_root(where.path)
    joined = any(isinstance(one.operand, OtherField) for one in where.predicates)
    return some_value(root, steps, lambda value: all_hold(value, where.predicates, timezone, _property), joined=joined)


def _property(field: OtherField) -> Value:
    return Value(extract(*_where_root(field.path)))


def _where_root(path: str) -> tuple[str, tuple[Step, ...]]:
    steps = parse_path(path)
    return ("context", steps[1:]) if steps[0] == "context" and len(steps) > 1 else ("properties", steps)
