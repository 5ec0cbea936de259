"""The smallest changes after which somebody enters or leaves a segment: found by trying them on a copy of the person.

Whatever is named here was tried with the functions of the stream, so that it is so. What is not found is not said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any

import orjson

from contracts.model.definitions import (
    DAY_US,
    All,
    AnyOf,
    AtLeast,
    Condition,
    ConsentIs,
    Did,
    Feature,
    InactiveFor,
    InOrder,
    MemberOf,
    Not,
    Segment,
    TraitIs,
    leaves,
)
from contracts.model.event import Event
from contracts.model.event_patterns import matches
from contracts.model.versions import newest
from operators.profile import fold, next_change
from operators.records import Person, decode_person, encode
from operators.segments.compile import Program
from operators.segments.fitting import fitting, measured, put, saying
from operators.segments.forms import evaluator
from schemalogic.paths import parse_path
from schemalogic.validation import Validator, compile_schema

MOST = 3
"""Ways that are named."""
WAYS_MAX = 200
"""Ways that are tried."""
TIMES_MAX = 100
"""How often more somebody would have to do something, at most."""
LATER_MAX = 50
"""Moments ahead at which it is tried, if nothing does it now."""
MOMENTS_MAX = 300
"""Moments ahead that are looked at for the one from which a way is too late."""
_FAR = tuple(days * DAY_US for days in (1, 7, 30, 90, 366, 3_660))


@dataclass(frozen=True, slots=True)
class Act:
    """Something that happens. ``kind``: ``event``, done so many ``times``, which says ``said`` (properties, perhaps a context);
    ``trait``, which identify sets to a value; ``consent``, a purpose that is granted or not."""

    kind: str
    name: str
    times: int = 1
    said: Any = None


@dataclass(frozen=True, slots=True)
class Way:
    """Acts, one behind the other, after which the membership is another; ``before_us``: from when on they are too late, None: never,
    as far as can be seen. ``after_us``: only from then on, if nothing else happens until then; None: at once."""

    acts: tuple[Act, ...]
    before_us: int | None = None
    after_us: int | None = None


def ways(person: Person, program: Program, name: str, at_us: int, times: Iterable[int] = ()) -> list[Way]:
    """The fewest acts first; at most `MOST`. At a time (µs), not before the clock; if nothing does it then, at a moment behind it.

    ``times`` are those of the person's events: with them it is known when a window that one of them lies in ends.
    """
    probes = _probes(person, program, at_us, times)
    tried = _Tried(person, program, name, at_us, probes)
    found = list(tried.found())
    for moment in [] if found else probes[:LATER_MAX]:
        later = _Tried(person, program, name, moment, [each for each in probes if each > moment])
        if later.wanted is not tried.wanted:
            break
        found = [replace(way, after_us=moment) for way in later.found()]
        if found:
            break
    return found


def _probes(person: Person, program: Program, at: int, times: Iterable[int]) -> list[int]:
    """Moments to come, in order: those at which some window may have let go of an event, and some far ones."""
    lengths = {length for feature in program.features for length in _lengths(feature)}
    lengths |= {getattr(leaf, "within_us", getattr(leaf, "for_us", 0)) for one in program.segments for leaf in leaves(one.who)}
    found = {time + length for time in times for length in lengths}
    found |= {one.between[1] + 1 for one in program.features if one.between is not None}
    found |= {at + far for far in _FAR}
    moment = next_change(person, program, at)
    for _ in range(LATER_MAX):
        if moment is None:
            break
        found.add(moment)
        moment = next_change(person, program, moment)
    return sorted(each for each in found if each > at)[:MOMENTS_MAX]


def _lengths(feature: Feature) -> Iterator[int]:
    options = dict(feature.options)
    yield from (each for each in (feature.within_us, feature.until_us, feature.session_us, options.get("span_us")) if each)
    yield from options.get("bounds_us", ())
    yield from (options["each"] * number for number in range(1, options.get("of", 0) + 1) if "each" in options)
    if feature.measure == "sequence":
        yield from (step.within_us for step in options["steps"] if step.within_us)


class _Tried:
    """One person and segment."""

    def __init__(self, person: Person, program: Program, name: str, at: int, probes: Sequence[int]) -> None:
        self._person, self._program, self._at, self._probes = person, program, at, probes
        self._segment = next(one for one in program.segments if one.name == name)
        self._bits = program.members(person, at)
        self._bit = program.bit(name)
        self.wanted = not self._bits & self._bit
        self._validators: dict[str, Validator] = {}

    def found(self) -> Iterator[Way]:
        every = [acts for acts in islice(self._of_segment(self._segment, wanted=self.wanted), WAYS_MAX) if acts]
        told: set[frozenset[tuple[str, str]]] = set()
        for acts in sorted(every, key=_size):
            named = frozenset((act.kind, act.name) for act in acts)
            if not any(known <= named for known in told) and all(map(self._may_be, acts)) and self._does(acts, self._at + 1):
                told.add(named)
                yield Way(acts, self._too_late(acts))
            if len(told) == MOST:
                return

    def _may_be(self, act: Act) -> bool:
        """Whether the newest contract takes what is said, whatever else it asks for."""
        versions = self._program.definitions.contracts.get("identify" if act.kind == "trait" else act.name, ())
        if act.kind == "consent" or not versions:
            return True
        contract = newest(versions)
        if contract.name not in self._validators:
            self._validators[contract.name] = compile_schema(contract.schema, self._program.definitions.types)
        said = {act.name: act.said} if act.kind == "trait" else (act.said or {}).get("properties", {})
        return all("required" in map(str, error.schema_path) for error in self._validators[contract.name].errors(said))

    def _does(self, acts: tuple[Act, ...], begin: int) -> bool:
        """Whether the membership is another right behind the acts."""
        person, now = self._after(acts, begin)
        return bool(self._program.members(person, now) & self._bit) is self.wanted

    def _after(self, acts: tuple[Act, ...], begin: int) -> tuple[Person, int]:
        """The person behind the acts, and the moment of the last of them."""
        person, now = _copied(self._person), begin
        for number, act in enumerate(acts):
            now = begin + number
            for time in range(act.times):
                _perform(person, self._program, act, now, f"~{number}.{time}")
        return person, now

    def _too_late(self, acts: tuple[Act, ...]) -> int | None:
        """The moment from which on the acts no longer do it, to the microsecond: it lies before the first probe at which they do not."""
        good = self._at + 1
        for probe in self._probes:
            if self._does(acts, probe):
                good = probe
                continue
            bad = probe
            while bad - good > 1:
                middle = (good + bad) // 2
                good, bad = (middle, bad) if self._does(acts, middle) else (good, middle)
            return bad
        return None

    # ---- what would have to happen, condition by condition

    def _of_segment(self, segment: Segment, *, wanted: bool) -> Iterator[tuple[Act, ...]]:
        granted = True
        if segment.purpose is not None:
            granted = self._person.granted.get(segment.purpose, self._program.defaults.get(segment.purpose, False))
        sure = segment.confidence is None or self._person.certainty >= segment.confidence
        if not sure:
            return
        consent = Act("consent", segment.purpose or "", said=wanted)
        if wanted:
            for acts in self._of(segment.who, segment.timezone, wanted=True):
                yield acts if granted else (*acts, consent)
            return
        yield from self._of(segment.who, segment.timezone, wanted=False)
        if segment.purpose is not None:
            yield (consent,)

    def _of(self, condition: Condition, zone: str, *, wanted: bool) -> Iterator[tuple[Act, ...]]:
        """Acts after which a condition perhaps holds, or does not; none at all if that is so already."""
        if self._holds(condition, zone) is wanted:
            yield ()
            return
        match condition:
            case Not(of):
                yield from self._of(of, zone, wanted=not wanted)
            case All() | AnyOf() | AtLeast():
                yield from self._of_several(condition, zone, wanted=wanted)
            case MemberOf(name):
                yield from self._of_segment(next(one for one in self._program.segments if one.name == name), wanted=wanted)
            case ConsentIs(purpose):
                yield (Act("consent", purpose, said=wanted),)
            case Did():
                yield from self._of_measure(condition, zone)
            case InOrder():
                yield from self._of_sequence(condition)
            case TraitIs():
                yield from self._of_trait(condition, zone)
            case InactiveFor() if not wanted:
                yield (Act("event", self._known_event("*")),)
            case _:
                return

    def _of_several(self, condition: All | AnyOf | AtLeast, zone: str, *, wanted: bool) -> Iterator[tuple[Act, ...]]:
        """So many parts have to turn: every one, any one, or as many as are missing."""
        turning = [part for part in condition.of if self._holds(part, zone) is not wanted]
        least = {"all": len(condition.of), "any": 1}.get(condition.form, getattr(condition, "n", 1))
        right = len(condition.of) - len(turning)
        missing = least - right if wanted else len(condition.of) - least + 1 - right
        each = [list(islice(self._of(part, zone, wanted=wanted), MOST * 2)) for part in turning]
        possible = sorted((ways for ways in each if ways), key=lambda ways: min(map(_size, ways)))
        if missing == 1:
            for ways in possible:
                yield from ways
        elif len(possible) >= missing:
            for chosen in product(*possible[:missing]):
                yield tuple(dict.fromkeys(act for acts in chosen for act in acts)) if _hashable(chosen) else sum(chosen, ())

    def _holds(self, condition: Condition, zone: str, person: Person | None = None, now: int | None = None) -> bool:
        who, at = person or self._person, now or self._at
        bits = self._bits if person is None else self._program.members(who, at)
        return evaluator(self._program, condition, zone)(who, at, bits)

    def _of_measure(self, condition: Did, zone: str) -> Iterator[tuple[Act, ...]]:
        """The fewest events, each of the same, after which the condition turns."""
        program = self._program
        feature, before = program.definitions.features[condition.feature], self._holds(condition, zone)
        body = saying(feature.where, feature.timezone, self._at)
        if body is None:
            return
        event = self._known_event(feature.events[0])
        values: Iterable[Any] = (None,)
        if feature.property is not None:
            number = program.number[condition.feature]
            cell = program.cells[number]
            had = cell.value(program.cell(self._person, number), self._at) if cell.unit == 1 else None
            values = measured(feature, condition.predicates, had, self._at)
        for value, by in product(islice(values, WAYS_MAX), self._told_apart(feature)):
            said = deepcopy(body)
            if feature.property is not None:
                put(said, feature.property, value)
            if feature.by is not None:
                put(said, feature.by, by)
            person = _copied(self._person)
            for times in range(1, TIMES_MAX + 1 if feature.property is None else 2):
                _perform(person, program, Act("event", event, said=said), self._at + 1, f"~{times}")
                if self._holds(condition, zone, person, self._at + 1) is not before:
                    yield (Act("event", event, times, said),)
                    if feature.property is None and feature.by is None:
                        return
                    break

    def _told_apart(self, feature: Feature) -> list[Any]:
        """The values that each count alone, and one more; nothing where all count together."""
        if feature.by is None:
            return [None]
        known: Iterable[str] = self._program.cell(self._person, self._program.number[feature.key]) or ()
        return [*_decoded(known), f"other-{self._at}"]

    def _of_sequence(self, condition: InOrder) -> Iterator[tuple[Act, ...]]:
        """The last steps, from each of them on."""
        feature = self._program.definitions.features[condition.feature]
        steps = [step for step in feature.option("steps") if not step.never]
        values: list[Any] = [None]
        if feature.property is not None:
            held = self._program.cell(self._person, self._program.number[condition.feature])
            values = [*_shared(held[1] if held else []), f"other-{self._at}"]
        for first in range(len(steps) - 1, -1, -1):
            for value in values:
                acts = []
                for step in steps[first:]:
                    body = saying(step.where, feature.timezone, self._at)
                    if body is None:
                        return
                    if feature.property is not None:
                        put(body, feature.property, value)
                    acts.append(Act("event", self._known_event(step.events[0]), said=body))
                yield tuple(acts)

    def _of_trait(self, condition: TraitIs, zone: str) -> Iterator[tuple[Act, ...]]:
        """A value that identify calls write, or, of one that is computed, an event."""
        program = self._program
        name, *below = parse_path(condition.path)
        number = program.computed.get(str(name))
        if number is not None and not below and not program.features[number].sent:
            measure = Did(program.features[number].key, condition.predicates)
            yield from self._of_measure(measure, zone)
        if str(name) in program.made or any(step is None or isinstance(step, int) for step in below):
            return
        fit = fitting(condition.predicates, zone, self._at)
        for value in (*islice(fit, MOST), None, "other", 0) if not self._holds(condition, zone) else (None, "other", 0, -1, "", False):
            said: dict[str, Any] = {"properties": {}}
            put(said, condition.path, value)
            yield (Act("trait", str(name), said=said["properties"].get(str(name))),)

    def _known_event(self, pattern: str) -> str:
        """An event that a name or a prefix means."""
        known = sorted(name for name in self._program.definitions.contracts if name not in {"identify", "group"} and matches(pattern, name))
        return pattern if not pattern.endswith("*") else next(iter(known), f"{pattern.removesuffix('*')}other")


def _shared(entries: Iterable[Any]) -> Iterator[Any]:
    """The values that events of a sequence share, the newest first, as far as these are texts and numbers."""
    yield from _decoded(dict.fromkeys(entry[3] for entry in reversed(list(entries))))


def _decoded(keys: Iterable[str]) -> Iterator[Any]:
    """The values of keys, the first of them."""
    for key in islice(keys, MOST):
        with suppress(orjson.JSONDecodeError):
            yield orjson.loads(key)


def _hashable(chosen: Iterable[tuple[Act, ...]]) -> bool:
    """Whether acts can be told apart by their values: none says more than its name."""
    return all(act.said is None or isinstance(act.said, bool | str) for acts in chosen for act in acts)


def _size(acts: tuple[Act, ...]) -> tuple[int, int]:
    """Fewer acts are smaller, then fewer times."""
    return len(acts), sum(act.times for act in acts)


def _copied(person: Person) -> Person:
    """Through its row, which is many times faster than object by object."""
    return decode_person(encode(person))


def _perform(person: Person, program: Program, act: Act, now: int, message: str) -> None:
    """Let it happen to a person at a time, as the people step does."""
    if act.kind == "consent":
        person.granted[act.name] = act.said
        event = Event(now, now, message, "track", "", "", (), {}, None, None, None, {}, b"")
    elif act.kind == "trait":
        sources = tuple(sent.source for sent in program.sent if sent.source is not None)
        event = Event(now, now, message, "identify", "", "", (), {}, {act.name: act.said}, None, None, {}, b"", sources=sources)
    else:
        body = act.said or {"properties": {}}
        event = Event(now, now, message, "track", act.name, "", (), body["properties"], None, None, None, body, b"")
    fold(person, event, b"", program, now)
