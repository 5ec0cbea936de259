"""Definitions as plain sentences: ``those who did order_completed at least 3 times in the last 30 days``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from contracts.language.claims import sentence
from contracts.model.definitions import Condition, Feature, Predicate, Segment, Where
from contracts.text.durations import UNITS_US
from contracts.text.problems import listed
from contracts.text.times import DAY_US, iso

_UNITS = {"w": "week", "d": "day", "h": "hour", "m": "minute", "s": "second"}
_NEGATIVES = {"not contains": "does not contain", "not starts": "does not start", "not ends": "does not end"}
_VERBS = ("is ", "contains ", "starts ", "ends ", "matches ", "includes ", "has ", "does ")
_DURATIONS = {"within": "is in the last", "in_next": "is in the next", "anniversary_in_next": "has its day in the next"}
_PARTS = ("month", "day of the month", "day of the week", "hour")


class Plainly:
    """Tells conditions. ``clause`` tells one that stands in another, by its form; ``features`` are those that `did` names."""

    def __init__(self, features: dict[str, Feature], clause: Callable[[Condition, Plainly], str]) -> None:
        self.features = features
        self._clause = clause

    def clause(self, condition: Condition) -> str:
        """``who …`` or ``whose …``, to stand behind ``those``."""
        return self._clause(condition, self)

    def inside(self, condition: Condition) -> str:
        """The same in parentheses, where a condition has parts that would mix with those around it."""
        return self.apart(condition, self.clause(condition))

    def apart(self, condition: Condition, said: str) -> str:
        """The same of a condition of which it is ``said`` already."""
        return f"({said})" if condition.parts and condition.form != "not" else said


def said_of(predicates: Iterable[Predicate], *, passing: bool = False) -> str:
    """What a value does or is, with its verb: ``is at least 3 and is less than 5``, ``does not contain tea``.

    ``passing``: it is a time that has passed, in seconds.
    """
    show = _passed if passing else shown
    return " and ".join(_one(one, show) for one in predicates)


def _passed(seconds: Any) -> str:
    return long_duration(int(Decimal(str(seconds)) * 1_000_000)) if isinstance(seconds, int | float | Decimal) else shown(seconds)


def _one(predicate: Predicate, show: Callable[[Any], str]) -> str:
    words = sentence([predicate], show)
    beginning = next((one for one in _NEGATIVES if words.startswith(one)), None)
    if beginning is not None:
        return words.replace(beginning, _NEGATIVES[beginning], 1)
    if predicate.op == "older_than":
        return f"is at least {long_duration(predicate.operand)} ago"
    if predicate.op in _DURATIONS:
        return re.sub(r" (last|next) 1 ", r" \1 ", f"{_DURATIONS[predicate.op]} {long_duration(predicate.operand)}")
    part = next((one for one in _PARTS if predicate.op == one.replace(" the ", " ").replace(" ", "_")), None)
    if part is not None:
        return f"has {'an' if part == 'hour' else 'a'} {part} that {said_of(predicate.operand)}"
    return words if words.startswith(_VERBS) else f"is {words}"


def shown(value: Any) -> str:
    """A text as it is, in quotes if it is empty or has blanks at an end; all else as JSON."""
    if isinstance(value, str) and value and value == value.strip():
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def long_duration(total_us: int) -> str:
    """``30 days``, ``1 hour``, ``90 minutes``."""
    unit = next((unit for unit in ("d", "h", "m") if total_us % UNITS_US[unit] == 0), "s")
    number = (Decimal(total_us) / UNITS_US[unit]).normalize()
    return f"{number:f} {_UNITS[unit]}{'' if number == 1 else 's'}"


def window_phrase(feature: Feature) -> str:
    """`` in the last 30 days``; empty if events ever count."""
    if feature.between is not None:
        first, last = _moment(feature.between[0]), _moment(feature.between[1] + 1, last=True)
        return f" on {first}" if first == last else f" from {first} to {last}"
    if feature.session_us is not None:
        return " in the current session"
    if feature.within_us is None:
        return ""
    if feature.until_us:
        return f" between {long_duration(feature.within_us)} and {long_duration(feature.until_us)} ago"
    return f" in the last {long_duration(feature.within_us)}".replace(" the last 1 ", " the last ")


def _moment(time_us: int, *, last: bool = False) -> str:
    """A day if a day begins there (``last``: ends there), else the moment."""
    if time_us % DAY_US == 0:
        return iso(time_us - DAY_US if last else time_us)[:10]
    return re.sub(r"\.?0+Z$", "Z", iso(time_us - 1 if last else time_us)) if time_us % 1_000_000 else iso(time_us - last)


def where_phrase(where: Iterable[Where]) -> str:
    """``, with currency that is EUR,``; empty where all events count."""
    said = [f"{one.path} that {said_of(one.predicates)}" for one in where]
    return f", with {listed(said, 'and')}," if said else ""


def names(events: Iterable[str]) -> str:
    """``page_viewed or anything``; a prefix with what may follow."""
    return listed("anything" if one == "*" else f"anything that begins with {one[:-1]}" if one.endswith("*") else one for one in events)


def parts(said: list[str], word: str) -> str:
    """``a, b and c``."""
    return listed([one.removesuffix(",") if at == len(said) - 1 else one for at, one in enumerate(said)], word)


def told(segment: Segment, features: dict[str, Feature], clause: Callable[[Condition, Plainly], str]) -> str:
    """A segment as one sentence."""
    said = Plainly(features, clause).clause(segment.who).removesuffix(",").replace(",,", ",")
    sure = "" if segment.confidence is None else f", of whom it is at least {segment.confidence * 100:g} % sure who they are"
    agreed = "" if segment.purpose is None else f", as long as they consent to {segment.purpose}"
    zone = "" if segment.timezone == "UTC" else f" Days are those of {segment.timezone}."
    return f"Members of {segment.name} are those {said}{sure}{agreed}.{zone}"
