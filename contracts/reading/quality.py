"""``quality.yaml``: what the events of a name must keep, and which values of theirs are usual."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from contracts.model.definitions import DAY_US, Contract
from contracts.model.event_patterns import event_pattern, matches
from contracts.model.expectations import Expectation, Range
from contracts.model.versions import newest
from contracts.text.durations import duration_us
from contracts.text.keys import Choice, Duration, Fields, Key, Own, Schema, Text, described, offered
from contracts.text.problems import Unexpected, choices
from contracts.text.scalars import meant_number, share_hint, unquoted
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.declarations import Property, declared

FILE = "quality.yaml"
HOUR_US = 3_600_000_000
WITHIN_MAX_US = 7 * DAY_US
"""The longest window: four weeks before it must be kept, too."""
BOUNDS = ("gte", "lte")
SEVERITIES = ("warn", "stop-source")
_SHARE = "a share from 0 to 1"
_WITHIN = "whole hours from 1h to 7d"


@dataclass(frozen=True, slots=True)
class Known:
    """The contracts that expectations are about, and their types; an event without versions has one that cannot be read."""

    contracts: Mapping[str, tuple[Contract, ...]]
    types: Mapping[str, Any]
    unknown_events_ok: bool

    def properties(self, pattern: str) -> dict[str, Property] | None:
        """The declared properties of the newest version of the events that are meant; None if one of them cannot be read."""
        found: dict[str, Property] = {}
        for event, versions in self.contracts.items():
            if matches(pattern, event):
                if not versions:
                    return None
                found |= {one.path: one for one in declared(newest(versions).schema, self.types).properties}
        return found

    def declares(self, reader: Reader, at: Tree, event: str, path: str, *, fits: Callable[[Property], str]) -> bool:
        """Whether the contracts of an event declare a path, a problem at ``at`` if not; ``fits`` says what is expected of the
        property, "" if it is so."""
        properties = self.properties(event)
        if properties is None or (not properties and self.unknown_events_ok):
            return True
        found = properties.get(path)
        if found is None:
            reader.refuse(at, f"a property that the contract of {event} declares", path, choices(path, properties))
            return False
        expected = fits(found)
        if expected:
            reader.refuse(at, expected, path)
        return not expected


def read_quality(reader: Reader, at: Tree, known: Known) -> tuple[tuple[Expectation, ...], tuple[Range, ...]]:
    """The expectations in the order of the file, and the usual ranges."""
    said = QUALITY.read(reader, at)
    ranges = _ranges(reader, said["ranges"], known) if said["ranges"] is not None else ()
    found: list[Expectation] = []
    for item in reader.items(said["expectations"], "a list of expectations, each with an event"):
        found += _Item(reader, item, known, ranges).expectations()
    return tuple(found), ranges


def _event(reader: Reader, at: Tree | None, known: Known) -> str:
    """The normalised name or prefix; "" (and a problem) if it means nothing."""
    text = reader.text(at, expected="the name of an event, or a prefix such as order_*")
    if at is None or not text:
        return ""
    pattern = event_pattern(text)
    if not pattern or "*" in text[:-1]:
        reader.refuse(at, "the name of an event, or a prefix with one * at its end")
        return ""
    if not known.unknown_events_ok and not any(matches(pattern, event) for event in known.contracts):
        what = "a prefix of at least one event with a contract" if pattern.endswith("*") else "an event with a contract in events/"
        reader.refuse(at, what, text, choices(pattern, known.contracts))
        return ""
    return pattern


def _ranges(reader: Reader, at: Tree, known: Known) -> tuple[Range, ...]:
    found = []
    for name, parts in reader.mapping(at, "a mapping of events to their properties").items():
        event = _event(reader, Tree(name, parts.file, parts.line, parts.key), known)
        for path, bounds in reader.mapping(parts, "a mapping of properties to gte and lte").items() if event else ():
            if known.declares(reader, bounds, event, path, fits=_is_number):
                least, most = _bounds(reader, bounds, _number)
                found.append(Range(event, path, least, most))
    return tuple(found)


class _Item:
    """One item of ``expectations``."""

    def __init__(self, reader: Reader, at: Tree, known: Known, ranges: tuple[Range, ...]) -> None:
        self._reader, self._at, self._known, self._ranges = reader, at, known, ranges
        self._parts = EXPECTATION.parts(reader, at)
        said = EXPECTATION.values(reader, at, self._parts)
        self._event = _event(reader, said["event"], known)
        self._source, self._within, self._severity = said["source"], said["within"], said["severity"]

    def expectations(self) -> list[Expectation]:
        """One for each bound value; none of an event that means nothing."""
        checks = [word for word in CHECKS if word in self._parts]
        if not checks and isinstance(self._at.value, dict):
            self._reader.refuse(self._at, f"one of {', '.join(CHECKS)} beside the event", "none")
        return [one for check in checks for one in self._check(check, self._parts[check])] if self._event else []

    def _check(self, check: str, at: Tree) -> list[Expectation]:
        if check == "freshness":
            return self._made(check, "", at, _bounds(self._reader, at, _seconds, ("lte",)))
        if check == "volume":
            return self._made(check, "", at, _bounds(self._reader, at, _times))
        if check in {"completeness", "out_of_range"} and isinstance(at.value, dict) and not at.value.keys() & set(BOUNDS):
            return [one for path, bounds in at.value.items() for one in self._narrowed(check, path, bounds)]
        return self._made(check, "", at, _bounds(self._reader, at, _share))

    def _narrowed(self, check: str, path: str, bounds: Tree) -> list[Expectation]:
        fits = _optional if check == "completeness" else self._usual
        if not self._known.declares(self._reader, bounds, self._event, path, fits=fits):
            return []
        return self._made(check, path, bounds, _bounds(self._reader, bounds, _share))

    def _usual(self, one: Property) -> str:
        ranged = any(known.property == one.path and matches(known.event, self._event) for known in self._ranges)
        return "" if ranged or one.usual else "a property with several `examples` in its contract, or with a range under `ranges:`"

    def _made(self, check: str, path: str, at: Tree, bounds: tuple[float | None, float | None]) -> list[Expectation]:
        if bounds == (None, None):
            return []
        name = ".".join(filter(None, (self._event, check, path)))
        # A silent source has nothing that could be stopped.
        severity: Any = "warn" if check == "freshness" else self._severity
        return [Expectation(name, self._event, self._source, check, path, *bounds, self._within, severity, at.file, at.line)]


def _is_number(one: Property) -> str:
    return "" if one.number else "a property that is a number"


def _optional(one: Property) -> str:
    return "a property that is not required (a required one is always there)" if one.required and len(one.steps) == 1 else ""


Bounds = tuple[float | None, float | None]


def _bounds(reader: Reader, at: Tree, how: Callable[[object], float], known: tuple[str, ...] = BOUNDS) -> Bounds:
    """The least and the most; (None, None) and a problem if there is neither."""
    before = len(reader.problems)
    if isinstance(at.value, int | float | str) and not isinstance(at.value, bool):
        which = "say whether it is the most (`lte`) or the least (`gte`)" if len(known) > 1 else ""
        number = meant_number(str(at.value))
        reader.refuse(at, f"a bound, such as {{{known[-1]}: {at.value if number is None else number}}}", None, which)
        return None, None
    parts = reader.fields(at, known)
    least, most = (reader.read(parts.get(side), None, how) for side in BOUNDS)
    if len(reader.problems) > before:
        return None, None
    if least is None and most is None:
        reader.refuse(at, f"a bound: {' or '.join(known)}", "none")
    elif least is not None and most is not None and least > most:
        reader.refuse(at, "gte to be at most lte", f"{least:g} and {most:g}")
        return None, None
    return least, most


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unexpected("a number", unquoted(value))
    return float(value)


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise Unexpected(_SHARE, share_hint(value))
    return float(value)


def _times(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise Unexpected("a number such as 0.5: how many times the usual volume", unquoted(value))
    return float(value)


def _seconds(value: object) -> float:
    found = duration_us(value)
    if not found:
        raise ValueError("a duration longer than nothing")
    return found / 1e6


def _whole_hours(value: object) -> int:
    try:
        found = duration_us(value)
    except Unexpected as error:
        raise Unexpected(_WITHIN, error.hint) from error
    if found % HOUR_US or not HOUR_US <= found <= WITHIN_MAX_US:
        raise ValueError(_WITHIN)
    return found


_SHARES: Schema = {"type": "number", "minimum": 0, "maximum": 1}


def _sides(value: Schema, **more: Any) -> Schema:
    words = {"gte": "at least", "lte": "at most"}
    properties = {side: described(value, words[side]) for side in BOUNDS}
    return {"type": "object", "properties": properties, "additionalProperties": False, **more}


_SHARE_OF_ALL = _sides(_SHARES, minProperties=1)
_NARROWED: Schema = {
    "anyOf": [
        _SHARE_OF_ALL,
        {"type": "object", "propertyNames": {"not": {"enum": list(BOUNDS)}}, "additionalProperties": _SHARE_OF_ALL},
    ]
}
_AGE = Duration().schema({}, "at most so old")
_CHECKS = (
    Key("completeness", Own(_NARROWED), "the share of optional properties that are there, or of each property by its path"),
    Key("quarantined", Own(_SHARE_OF_ALL), "the share of records that are refused"),
    Key("unknown_properties", Own(_SHARE_OF_ALL), "the share of events with a property that no contract declares"),
    Key("out_of_range", Own(_NARROWED), "the share of values outside of the examples or of the range, or of each property by its path"),
    Key("freshness", Own({"type": "object", "properties": {"lte": _AGE}, "additionalProperties": False, "required": ["lte"]}),
        "how old the newest event may be"),
    Key("volume", Own(_sides({"type": "number", "minimum": 0}, minProperties=1)), "how many times the usual number of events"),
)  # fmt: skip
CHECKS = tuple(key.name for key in _CHECKS)
EXPECTATION = Fields(
    (
        Key("event", Own(lambda names: offered(names.get("events", ()))), "the name of an event, or a prefix such as order_*",
            required="the name of an event, or a prefix such as order_*"),
        Key("source", Text("the name of a source in skep.yaml"), "only what comes from this source of skep.yaml"),
        *_CHECKS,
        Key("within", Duration(_whole_hours), "over this window: whole hours from 1h to 7d", default="1h"),
        Key("severity", Choice(SEVERITIES), "what happens when it does not hold", default="warn"),
    ),
    {"anyOf": [{"required": [check]} for check in CHECKS]},
)  # fmt: skip
_USUAL: Schema = {
    "type": "object",
    "additionalProperties": {"type": "object", "additionalProperties": _sides({"type": "number"}, minProperties=1)},
}
QUALITY = Fields((
    Key("expectations", EXPECTATION.listed(), "what the events of a name must keep"),
    Key("ranges", Own(_USUAL), "usual values: event, then property, then gte and lte"),
))  # fmt: skip
