"""What stands behind the word of a measure, and what else a measure may be told in keys of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from contracts.model.event_patterns import event_pattern
from contracts.text.durations import duration_us
from contracts.text.keys import Duration, Schema, described, text_schema
from contracts.text.numbers import micros
from contracts.text.problems import Unexpected, choices, listed
from contracts.text.yaml_tree import Reader, Tree

Options = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Takes:
    """``read``: what the word says, as options of the measure; None, and a problem, if it is wrong. ``schema``: for editors."""

    read: Callable[[Reader, Tree], Options | None]
    schema: Schema


@dataclass(frozen=True, slots=True)
class Option:
    """A key beside the measure. ``read``: its value of the plain one, `Unexpected` says what was expected; ``default``: without it."""

    name: str
    means: str
    read: Callable[[Any], Any]
    schema: Schema
    default: Any = None
    required: bool = False
    events: bool = field(default=False)
    """Whether its keys are events of ``did``."""


def as_options(options: Options) -> tuple[tuple[str, Any], ...]:
    """As a feature has them."""
    return tuple(sorted(options.items()))


def _property(_reader: Reader, _at: Tree) -> Options | None:
    return {}


def _true(reader: Reader, at: Tree) -> Options | None:
    if at.value is True:
        return {}
    reader.refuse(at, "true")
    return None


def choice(name: str, *allowed: str) -> Takes:
    """One of a few words, kept as an option of this name."""

    def read(reader: Reader, at: Tree) -> Options | None:
        if at.value in allowed:
            return {name: at.value}
        reader.refuse(at, f"one of {listed(allowed)}", None, choices(str(at.value), allowed))
        return None

    return Takes(read, {"enum": list(allowed)})


def _periods(reader: Reader, at: Tree) -> Options | None:
    parts = reader.fields(at, ("each", "of"))
    each, of = (reader.required(at, parts, name, what) for name, what in (("each", "each: 7d"), ("of", "of: 4")))
    each_us, number = reader.duration(each, 0), reader.integer(of, 0)
    if each is not None and each.value and each_us == 0 and duration_or_none(each.value) == 0:
        reader.refuse(each, "a period longer than nothing")
    if number > PERIODS_MAX:
        reader.refuse(of or at, f"at most {PERIODS_MAX} periods", str(number))
    return {"each": each_us, "of": number} if each_us and number else None


def duration_or_none(value: object) -> int | None:
    """Microseconds; None if it is no duration."""
    try:
        return duration_us(value)
    except Unexpected:
        return None


def _integer(most: int | None = None) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if type(value) is not int or value < 1 or (most is not None and value > most):
            raise Unexpected("a whole number, at least 1" if most is None else f"a whole number from 1 to {most}")
        return value

    return read


def _share(value: Any) -> Any:
    if type(value) not in {int, float} or not 0 < value <= 1:
        raise Unexpected("a share above 0 and up to 1, such as 0.95")
    return micros(value) or 1


def _half_life(value: Any) -> int:
    half_life_us = duration_us(value)
    if half_life_us == 0:
        raise Unexpected("a half-life longer than nothing")
    return half_life_us


def _weights(value: Any) -> Any:
    if not isinstance(value, dict) or not value:
        raise Unexpected("a mapping of events to numbers, such as {order_completed: 5}")
    found = {}
    for name, weight in value.items():
        exact = micros(weight) if type(weight) in {int, float} else None
        if exact is None or not 0 <= exact < 10**15:
            raise Unexpected(f"a number from 0 to {10**9} as the weight of {name}")
        found[event_pattern(name)] = exact
    return tuple(sorted(found.items()))


PERIODS_MAX, SHOWN_MAX = 366, 1_000
PROPERTY = Takes(_property, text_schema())
TRUE = Takes(_true, {"const": True})
PROPERTY_OR_TRUE = Takes(_property, {"anyOf": [text_schema(), {"const": True}]})
PERIODS = Takes(_periods, {
    "type": "object", "additionalProperties": False, "required": ["each", "of"],
    "properties": {"each": Duration().schema({}, "how long a period is"), "of": {"type": "integer", "minimum": 1, "maximum": PERIODS_MAX}},
})  # fmt: skip
LIMIT = Option("limit", "how many of the newest values are kept", _integer(), {"type": "integer", "minimum": 1}, 100)
K = Option("k", "how many values are shown; more than 1 give a list", _integer(SHOWN_MAX), {"type": "integer", "minimum": 1}, 1)
AT = Option(
    "at", "below which share of the numbers it lies: 0.5 is the median", _share,
    {"type": "number", "exclusiveMinimum": 0, "maximum": 1}, required=True,
)  # fmt: skip
HALF_LIFE = Option(
    "half_life", "how long it takes until an event counts half", _half_life, Duration().schema({}, "how long it takes"), required=True,
)  # fmt: skip
WEIGHTS = Option(
    "weights", "how much one event of a name counts; 1 of those that are not named", _weights,
    described({"type": "object", "minProperties": 1, "additionalProperties": {"type": "number", "minimum": 0}}, ""), (), events=True,
)  # fmt: skip
