"""Drafts a contract from events: what was seen of each value, and how sure that makes us.

One pass, in bounded memory: `Seen.add` for each document, then `draft`. A document that was seen is always valid under
the draft, except where a map's keys were taken for data.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

from contracts.drafting.guesses import FORMATS, Guess, guess_by_name, guess_by_value

VALUES_MAX = 500
"""Different values of a property that are counted; more is no enumeration."""
ENUM_MAX = 20
SURE = 20
"""Seen fewer times than this, a property is called uncertain, and nothing is concluded from what did not happen."""
NEW_VALUE_MAX = 0.01
"""An enumeration is drafted if the next event brings a new value with at most this chance (Good and Turing: the share of
events whose value was seen once)."""
KEYS_MAX = 50
"""An object with more keys than this, none of them in most objects, is a map: its keys are data."""
SAMPLE = 1_000
"""Numbers of a property that are kept."""
FAR = 10
"""So many times as far from the middle half of the numbers as that is wide is far from the others."""
LEVELS_MAX = 20
_KINDS: dict[type, str] = {str: "string", bool: "boolean", list: "array", dict: "object", type(None): "null"}


@dataclass(slots=True)
class Seen:
    """What was seen of the values at one place."""

    count: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)
    """Texts and numbers as JSON, until there are too many."""
    overflowed: bool = False
    numbers: list[float] = field(default_factory=list)
    """Every so many-th of the numbers, `SAMPLE` at most, to tell which of them are far from the others."""
    every: int = 1
    least: float | None = None
    most: float | None = None
    longest: int = 0
    formats: set[str] | None = None
    guesses: Counter[str] = field(default_factory=Counter)
    properties: dict[str, Seen] = field(default_factory=dict)
    items: Seen | None = None

    def add(self, value: Any, level: int = 0) -> None:
        """One more value."""
        self.count += 1
        kind = kind_of(value)
        self.kinds[kind] += 1
        if level >= LEVELS_MAX:
            return
        if kind == "object":
            for name, part in value.items():
                known = self.properties.get(name)
                if known is None:
                    known = self.properties[name] = Seen()
                known.add(part, level + 1)
        elif kind == "array":
            self.items = self.items or Seen()
            for item in value:
                self.items.add(item, level + 1)
        elif kind in {"integer", "number"}:
            self.least = value if self.least is None else min(self.least, value)
            self.most = value if self.most is None else max(self.most, value)
            self._sample(value)
            self._count(value)
        elif kind == "string":
            self._text(value)

    def _sample(self, value: float) -> None:
        if (self.kinds["integer"] + self.kinds["number"]) % self.every == 0:
            self.numbers.append(float(value))
        if len(self.numbers) > SAMPLE:
            self.numbers, self.every = self.numbers[1::2], self.every * 2

    def _count(self, value: Any) -> None:
        if self.overflowed:
            return
        whole = int(value) if type(value) is float and value.is_integer() else value
        self.values[json.dumps(whole, ensure_ascii=False)] += 1
        if len(self.values) > VALUES_MAX:
            self.overflowed = True
            self.values = Counter(dict(self.values.most_common(10)))

    def _text(self, text: str) -> None:
        self.longest = max(self.longest, len(text))
        if self.formats is None:
            self.formats = {name for name, fits in FORMATS.items() if fits(text)}
        else:
            self.formats -= {name for name in self.formats if not FORMATS[name](text)}
        guess = guess_by_value(text)
        if guess is not None:
            self.guesses[guess.what] += 1
        self._count(text)


def kind_of(value: Any) -> str:
    """The narrowest type of JSON Schema for a value."""
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    return "integer" if type(value) is int else _KINDS[type(value)]


def draft(event: str, seen: Seen) -> dict[str, Any]:
    """The contract of an event whose documents were seen; `$comment` says of each property how sure that is."""
    few = "" if seen.count >= SURE else f"; that is few: below {SURE}, nothing is concluded from what did not happen"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": event.replace("_", " ").capitalize(),
        "$comment": f"Drafted from {_events(seen.count)}{few}. Closed, so that a later property is an addition. Review it, make it live.",
        "status": "draft",
        **_object(seen),
    }


def _events(count: int) -> str:
    return f"{count:,} event{'' if count == 1 else 's'}"


def _object(seen: Seen) -> dict[str, Any]:
    objects = seen.kinds["object"]
    if _is_map(seen, objects):
        together = Seen()
        for part in seen.properties.values():
            _join(together, part)
        return {
            "type": "object",
            "$comment": f"{len(seen.properties):,} different names in {objects:,} objects, so that the names seem to be data",
            "additionalProperties": schema_of("", together, together.count),
        }
    required = [name for name, part in seen.properties.items() if objects >= SURE and part.count == objects and not part.kinds["null"]]
    found: dict[str, Any] = {
        "type": "object",
        "properties": {name: schema_of(name, part, objects) for name, part in seen.properties.items()},
    }
    if required:
        found["required"] = required
    return {**found, "additionalProperties": False}


def _is_map(seen: Seen, objects: int) -> bool:
    return len(seen.properties) > KEYS_MAX and all(part.count * 2 < objects for part in seen.properties.values())


def _join(into: Seen, other: Seen) -> None:
    """What both have seen, together."""
    into.count += other.count
    into.kinds += other.kinds
    into.values += other.values
    into.guesses += other.guesses
    into.overflowed |= other.overflowed or len(into.values) > VALUES_MAX
    for number in (other.least, other.most):
        if number is not None:
            into.least = number if into.least is None else min(into.least, number)
            into.most = number if into.most is None else max(into.most, number)
    into.longest = max(into.longest, other.longest)
    into.numbers = (into.numbers + other.numbers)[-SAMPLE:]
    if other.formats is not None:
        into.formats = set(other.formats) if into.formats is None else into.formats & other.formats
    for name, part in other.properties.items():
        _join(into.properties.setdefault(name, Seen()), part)
    if other.items is not None:
        into.items = into.items or Seen()
        _join(into.items, other.items)


def schema_of(name: str, seen: Seen, holders: int) -> dict[str, Any]:
    """The schema of one property (or of items: ``name`` is ""), seen in some of ``holders`` objects."""
    kinds = _kinds(seen)
    parts: dict[str, Any] = {"type": kinds[0] if len(kinds) == 1 else kinds} if kinds else {}
    notes = [_share(seen, holders)] if name else []
    if "object" in kinds:
        parts |= {key: value for key, value in _object(seen).items() if key not in {"type", "$comment"}}
        if _is_map(seen, seen.kinds["object"]):
            notes.append(f"{len(seen.properties):,} different names, which seem to be data")
    if "array" in kinds and seen.items is not None and seen.items.count:
        parts["items"] = schema_of("", seen.items, seen.items.count)
    guess = _guess(name, seen)
    texts_only = set(kinds) <= {"string", "null"} and "string" in kinds
    values = _enumeration(seen, kinds)
    if values is not None and guess is None:
        parts.pop("type")
        parts["enum"] = [*values, *([None] if "null" in kinds else [])]
        notes.append(f"{len(values)} different values, none of them rare" if len(values) > 1 else "only this value")
    elif texts_only and seen.formats:
        parts["format"] = next(form for form in FORMATS if form in seen.formats)
    _ranges(seen, parts, notes)
    if guess is not None:
        parts |= guess.tags()
        notes.append(guess.why(seen.guesses[guess.what], seen.kinds["string"]))
    elif values is None and (examples := _examples(seen)):
        parts["examples"] = examples
    if notes:
        parts["$comment"] = "; ".join(notes)
    return parts


def _kinds(seen: Seen) -> list[str]:
    kinds = [kind for kind, count in sorted(seen.kinds.items(), key=lambda item: (item[0] == "null", item[0])) if count]
    return [kind for kind in kinds if not (kind == "integer" and "number" in kinds)]


def _share(seen: Seen, holders: int) -> str:
    share = seen.count / holders if holders else 0
    percent = "every one" if seen.count == holders else f"{max(min(share * 100, 99.9), 0.1):.1f} %"
    note = f"in {seen.count:,} of {holders:,} ({percent})"
    rare = {kind: count for kind, count in sorted(seen.kinds.items()) if kind == "null" or count * 20 < seen.count}
    note += "".join(f", {count:,} times {kind}" for kind, count in rare.items() if count)
    return note + ("; too few to be sure" if seen.count < SURE else "")


def _enumeration(seen: Seen, kinds: list[str]) -> list[str] | None:
    """The values in order of their text if they are all that there seem to be."""
    if set(kinds) - {"string", "null"} or "string" not in kinds or seen.overflowed or seen.kinds["string"] < SURE:
        return None
    once = sum(1 for count in seen.values.values() if count == 1)
    total = sum(seen.values.values())
    if len(seen.values) > ENUM_MAX or once / total > NEW_VALUE_MAX or total < 5 * len(seen.values):
        return None
    return sorted(json.loads(text) for text in seen.values)


def _ranges(seen: Seen, parts: dict[str, Any], notes: list[str]) -> None:
    if seen.least is None or seen.most is None:
        return
    notes.append(f"from {seen.least:g} to {seen.most:g}{_far(seen)}")
    if seen.least >= 0 and seen.kinds["integer"] + seen.kinds["number"] >= SURE:
        parts["minimum"] = 0


def _far(seen: Seen) -> str:
    """Which end of the numbers is far from the others: a slip of the keyboard, a placeholder, another unit."""
    if len(seen.numbers) < SURE or seen.least is None or seen.most is None:
        return ""
    low, _, high = quantiles(seen.numbers, n=4, method="inclusive")
    reach = FAR * ((high - low) or abs(high) or 1)
    ends = [f"{end:g}" for end, is_far in ((seen.least, low - seen.least > reach), (seen.most, seen.most - high > reach)) if is_far]
    return f", of which {' and '.join(ends)} is far from the others (half of them are from {low:g} to {high:g}): a mistake?" if ends else ""


def _examples(seen: Seen) -> list[Any]:
    """The three most frequent values, the first of equals by its text."""
    frequent = sorted(seen.values.items(), key=lambda item: (-item[1], item[0]))[:3]
    return [json.loads(text) for text, _ in frequent]


def _guess(name: str, seen: Seen) -> Guess | None:
    """Whether these are personal data: most values look so, or the name says so and texts or numbers are there."""
    texts = seen.kinds["string"]
    if texts:
        what, count = (seen.guesses.most_common(1) or [("", 0)])[0]
        if what and count * 10 >= texts * 9:
            return Guess.of(what, by="value")
    if texts or seen.kinds["integer"] or seen.kinds["number"]:
        return guess_by_name(name)
    return None
