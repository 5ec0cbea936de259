"""SQL for one JSON value of an event or a profile: its kind, its exact number, the span of time that its text says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from contracts.text.numbers import micros, number_text
from schemalogic.paths import Step

MISSING = "CAST(NULL AS JSON)"
DATE = r"\d{4}-\d\d-\d\d"
MOMENT = DATE + r"[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d([.,]\d+)?)?(Z|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?"


def quote(text: str) -> str:
    """A SQL text literal."""
    return "'" + text.replace("'", "''") + "'"


def decimal(value: object) -> str | None:
    """A SQL literal of the exact number; None if the value is no number."""
    exact = micros(value)
    return None if exact is None else f"CAST('{number_text(exact)}' AS DECIMAL(38,6))"


@dataclass(frozen=True, slots=True)
class Value:
    """A value in SQL: an expression of type JSON, or of a computed number as DECIMAL(38,6). ``small``: its texts in small letters.

    ``depth``: in how many lambdas it stands."""

    json: str = MISSING
    computed: str | None = None
    small: bool = False
    depth: int = 0

    @property
    def present(self) -> str:
        return f"{self.computed} IS NOT NULL" if self.computed else f"json_type({self.json}) <> 'NULL'"

    @property
    def text(self) -> str:
        if self.computed:
            return "CAST(NULL AS VARCHAR)"
        return f"lower({self.json} ->> '$')" if self.small else f"({self.json} ->> '$')"

    @property
    def number(self) -> str:
        """The exact number; NULL of any other kind."""
        return self.computed or json_number(self.json)

    def has_kind(self, kind: str) -> str:
        """Whether it is a number, text, boolean, list or object."""
        if self.computed:
            return f"{self.computed} IS NOT NULL" if kind == "number" else "false"
        return f"json_type({self.json}) IN ({_TYPES[kind]})"

    @property
    def key(self) -> str:
        """What makes it different from other values: its canonical JSON."""
        number = f"rtrim(rtrim(CAST({self.number} AS VARCHAR), '0'), '.')"
        return f"""CASE WHEN {self.has_kind("number")} THEN coalesce({number}, {self.text})
            WHEN {self.has_kind("text")} THEN CAST(to_json({self.text}) AS VARCHAR)
            WHEN {self.has_kind("boolean")} THEN {self.text}
            ELSE {container_key(self.json)} END"""


_TYPES = {
    "number": "'BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE'",
    "text": "'VARCHAR'",
    "boolean": "'BOOLEAN'",
    "list": "'ARRAY'",
    "object": "'OBJECT'",
}


def json_number(value: str) -> str:
    """DECIMAL(38,6) of a JSON number, from its text, so that no binary fraction comes between; half goes to even."""
    text = f"({value} ->> '$')"
    rounded = half_even(f"TRY_CAST({text} AS DECIMAL(38,26))")
    large = f"TRY_CAST({text} AS DECIMAL(38,6))"
    return f"""CASE WHEN json_type({value}) IN ('BIGINT', 'UBIGINT', 'HUGEINT') THEN {large}
        WHEN json_type({value}) = 'DOUBLE' AND abs(TRY_CAST({text} AS DOUBLE)) < 1e24 THEN coalesce({rounded}, {large}) END"""


def half_even(exact: str) -> str:
    """Six places of a DECIMAL(38,26). DuckDB rounds half away from zero; an odd last place after a tie goes one back.

    26 places hold every place that can decide: a double has 17 digits, and below 10¹² none of those before the
    seventh place is lost. From 10¹² on a double has no seventh place, and this is NULL.
    """
    away = f"CAST({exact} AS DECIMAL(38,6))"
    tie = f"abs({exact} - CAST({away} AS DECIMAL(38,26))) = CAST('0.0000005' AS DECIMAL(38,26))"
    odd = f"CAST({away} * 1000000 AS HUGEINT) % 2 <> 0"
    step = f"CASE WHEN {exact} < 0 THEN CAST('-0.000001' AS DECIMAL(38,6)) ELSE CAST('0.000001' AS DECIMAL(38,6)) END"
    return f"CASE WHEN {tie} AND {odd} THEN {away} - {step} ELSE {away} END"


def container_key(value: str) -> str:
    """One text for equal lists or objects: every part with its place, in order of place; numbers by their exact value."""
    number = f"rtrim(rtrim(CAST({json_number('part.value')} AS VARCHAR), '0'), '.')"
    begins = "WHEN part.type = 'ARRAY' THEN '[' WHEN part.type = 'OBJECT' THEN '{'"
    text = "coalesce(CAST(part.atom AS VARCHAR), 'null')"
    atom = f"CASE WHEN part.type IN ({_TYPES['number']}) THEN {number} {begins} ELSE {text} END"
    return f"""(SELECT string_agg(part.fullkey || ' ' || {atom}, chr(10) ORDER BY part.fullkey)
        FROM json_tree({value}) AS part)"""


def json_path(steps: tuple[Step, ...]) -> str:
    """DuckDB's path for keys, indexes and every item."""
    return "$" + "".join(
        "[*]" if step is None else f"[{step}]" if isinstance(step, int) else "." + json.dumps(step, ensure_ascii=False) for step in steps
    )


def extract(root: str, steps: tuple[Step, ...]) -> str:
    """The JSON expression at a path without ``[]``."""
    return f"json_extract({root}, {quote(json_path(steps))})" if steps else root


def some_value(root: str, steps: tuple[Step, ...], holds: Callable[[Value], str], depth: int = 0, *, joined: bool = False) -> str:
    """Whether one value at the path satisfies the condition; what is no list has one missing item, an empty list none.

    ``joined``: items become rows, so that the condition may be one that no lambda can hold.
    """
    if None not in steps:
        return f"coalesce({holds(Value(extract(root, steps), depth=depth))}, false)"
    at = steps.index(None)
    items, item = extract(root, steps[:at]), f"item{depth}"
    inner = some_value(item, steps[at + 1 :], holds, depth + 1, joined=joined)
    if joined:
        return f"""CASE WHEN coalesce(json_type({items}) = 'ARRAY', false)
            THEN EXISTS (SELECT 1 FROM (SELECT unnest(json_extract({items}, '$[*]')) AS {item}) WHERE {inner})
            ELSE coalesce({holds(Value())}, false) END"""
    return f"""CASE WHEN coalesce(json_type({items}) = 'ARRAY', false)
        THEN len(list_filter(json_extract({items}, '$[*]'), lambda {item}: {inner})) > 0
        ELSE coalesce({holds(Value())}, false) END"""


def some_item(value: Value, holds: Callable[[Value], str]) -> str:
    """Whether a value is a list and one of its items satisfies the condition."""
    if value.json == MISSING:
        return "false"
    item = replace(value, json=f"item{value.depth}", depth=value.depth + 1)
    found = f"list_filter(json_extract({value.json}, '$[*]'), lambda {item.json}: coalesce({holds(item)}, false))"
    return f"CASE WHEN {value.has_kind('list')} THEN len({found}) > 0 ELSE false END"


@dataclass(frozen=True, slots=True)
class Span:
    """First and last microsecond, as SQL."""

    start: str
    end: str


def span(text: str, timezone: str) -> Span:
    """What an ISO 8601 text says: a date alone its day in the timezone, a date-time one instant; NULL of other texts."""
    day = f"TRY_CAST({text} AS DATE)"
    first, last = midnight(day, timezone, 0), f"{midnight(day, timezone, 1)} - 1"
    moment = _instant(text)
    return Span(
        f"CASE WHEN {_is_date(text)} THEN {first} WHEN {_is_moment(text)} THEN {moment} END",
        f"CASE WHEN {_is_date(text)} THEN {last} WHEN {_is_moment(text)} THEN {moment} END",
    )


def _is_date(text: str) -> str:
    return f"regexp_full_match({text}, '{DATE}') AND {text} >= '0001' AND {text} < '9999-12-31'"


def _is_moment(text: str) -> str:
    return f"regexp_full_match({text}, '{MOMENT}') AND {text} >= '0001'"


def local(text: str, timezone: str) -> str:
    """An ISO 8601 text as a TIMESTAMP of the timezone; a date alone begins there; NULL of others, and beyond the years 1 to 9999."""
    moment = local_moment(_instant(text), timezone)
    inside = f"{moment} BETWEEN TIMESTAMP '0001-01-01' AND TIMESTAMP '9999-12-31 23:59:59.999999'"
    return f"""CASE WHEN {_is_date(text)} THEN CAST(TRY_CAST({text} AS DATE) AS TIMESTAMP)
        WHEN {_is_moment(text)} AND {inside} THEN {moment} END"""


def local_moment(time_us: str, timezone: str) -> str:
    """Microseconds since 1970 as a TIMESTAMP of the timezone."""
    utc = f"make_timestamp({time_us})"
    return utc if timezone == "UTC" else f"timezone({quote(timezone)}, timezone('UTC', {utc}))"


def midnight(day: str, timezone: str, days: int) -> str:
    """When a day, or one so many days later, begins in the timezone, as microseconds since 1970."""
    midnight = f"CAST({day} + {days} AS TIMESTAMP)"
    if timezone == "UTC":
        return f"epoch_us({midnight})"
    # Where clocks are set back over midnight there are two, of which DuckDB names the second.
    found = f"epoch_us(timezone({quote(timezone)}, {midnight}))"
    return f"CASE WHEN {local_moment(f'{found} - 3600000000', timezone)} = {midnight} THEN {found} - 3600000000 ELSE {found} END"


def _instant(text: str) -> str:
    clock = f"regexp_extract({text}, '^.{{11}}(\\d\\d:\\d\\d(:\\d\\d)?)', 1)"
    whole = f"epoch_us(TRY_CAST(left({text}, 10) || ' ' || {clock} || CASE WHEN length({clock}) = 5 THEN ':00' ELSE '' END AS TIMESTAMP))"
    part = f"CAST(left(regexp_extract({text}, '[.,](\\d+)', 1) || '000000', 6) AS BIGINT)"
    offset = f"regexp_extract(substr({text}, 17), '[+-]\\d\\d:?(\\d\\d)?$')"
    digits = f"replace(substr({offset}, 2), ':', '') || '00'"
    minutes = f"(CAST(left({digits}, 2) AS BIGINT) * 60 + CAST(substr({digits}, 3, 2) AS BIGINT))"
    away = f"CASE WHEN {offset} = '' THEN 0 ELSE {minutes} * CASE WHEN left({offset}, 1) = '-' THEN -60000000 ELSE 60000000 END END"
    return f"({whole} + {part} - ({away}))"


def dates(op: str, given: Span, date: Span) -> str:
    """How a date lies to another: after it, not before it, before it, not after it, in it."""
    return {
        "gt": f"{given.start} > {date.end}",
        "gte": f"{given.start} >= {date.start}",
        "lt": f"{given.end} < {date.start}",
        "lte": f"{given.end} <= {date.end}",
        "in": f"{given.start} >= {date.start} AND {given.end} <= {date.end}",
    }[op]


def degrees(value: Value, most: int) -> str:
    """A number of degrees as DOUBLE, to six places; NULL beyond ``most``."""
    whole = f"CAST({value.number} * 1000000 AS HUGEINT)"
    return f"CASE WHEN abs({value.number}) <= {most} THEN CAST({whole} AS DOUBLE) / CAST(1000000 AS DOUBLE) END"


_SEMVER_NUMBER = r"(0|[1-9]\d*)"
_SEMVER_PART = r"(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)"
SEMVER = (
    rf"{_SEMVER_NUMBER}(\.{_SEMVER_NUMBER}(\.{_SEMVER_NUMBER}"
    rf"(-{_SEMVER_PART}(\.{_SEMVER_PART})*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?)?)?"
)


def precedence(text: str) -> str:
    """What versions are ordered by: three numbers, a release after what comes before it, and the parts of that; NULL of other texts."""
    core = f"regexp_extract({text}, '^[0-9.]*')"
    numbers = ", ".join(_number_part(f"coalesce(nullif(split_part({core}, '.', {at}), ''), '0')") for at in (1, 2, 3))
    before = f"regexp_extract({text}, '^[0-9.]*-([0-9A-Za-z.-]*)', 1)"
    parts = f"list_transform(CASE WHEN {before} = '' THEN [] ELSE string_split({before}, '.') END, lambda part: {_number_part('part')})"
    return f"""CASE WHEN regexp_full_match({text}, '{SEMVER}')
        THEN struct_pack(numbers := [{numbers}], released := {before} = '', parts := {parts}) END"""


def _number_part(text: str) -> str:
    """A number before a word, by its length and then its digits."""
    word = f"NOT regexp_full_match({text}, '[0-9]+')"
    return f"struct_pack(word := {word}, length := CASE WHEN {word} THEN 0 ELSE length({text}) END, said := {text})"
