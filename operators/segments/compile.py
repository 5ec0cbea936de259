"""Definitions compiled: which features an event touches, which segments that can move, and each segment as a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from contracts.language.exact import exact_test
from contracts.model.definitions import (
    All,
    AnyOf,
    Condition,
    ConsentIs,
    Definitions,
    Did,
    Feature,
    MemberOf,
    Not,
    Segment,
    Trait,
    TraitIs,
    Where,
)
from contracts.text.numbers import MICRO, micros, number_text
from operators.records import EXACT, Exact, Person
from operators.segments.cells import Cells
from operators.segments.paths import satisfied, values
from operators.segments.predicates import compiled
from schemalogic.paths import parse_path

Evaluator = Callable[[Person, int, int], bool]
"""(person, now, memberships so far as bits) → is a member"""
Matcher = Callable[[dict[str, Any], dict[str, Any]], bool]
"""(properties, event) → matches"""
Touch = tuple[int, Matcher | None, Cells]
"""Number of a feature, what an event must satisfy beside its name (None: nothing), and how the feature folds it."""
_ROUTES_MAX = 10_000
CONFIDENCE = "confidence"
"""Among what a change has touched: how sure we are who the person is (`Person.certainty`)."""


class Route:
    """What an event of one name can touch: features to fold whatever its properties are, and those behind an equality."""

    __slots__ = ("always", "by_text")

    def __init__(self) -> None:
        self.always: list[Touch] = []
        self.by_text: dict[str, dict[str, list[Touch]]] = {}
        """Property name → text → features that ask for exactly that text."""


class Plan(NamedTuple):
    """Segments to evaluate, in order, emitted traits to compare, and whether consents and the confidence may have changed."""

    segments: tuple[int, ...]
    emitted: tuple[str, ...]
    consents: bool
    confidence: bool = False


class Program:
    """A project's definitions, ready to run. Feature and segment numbers are positions in ``features``, ``segments``."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.features: tuple[Feature, ...] = tuple(definitions.features.values())
        self.number = {feature.key: at for at, feature in enumerate(self.features)}
        self.traits: dict[str, Trait] = {trait.name: trait for trait in definitions.traits}
        self.computed = {trait.name: self.number[trait.feature] for trait in definitions.traits if trait.feature is not None}
        limits = {self.number[t.feature]: t for t in definitions.traits if t.feature is not None}
        self.cells = [Cells(feature, limits.get(at)) for at, feature in enumerate(self.features)]
        self.windowed = tuple(at for at, cell in enumerate(self.cells) if cell.window is not None)
        self.segments: tuple[Segment, ...] = definitions.segments
        self.defaults = {purpose.name: purpose.default for purpose in definitions.purposes}
        self.emitted = tuple(trait.name for trait in definitions.traits if trait.emit)
        self._bit = {segment.name: 1 << at for at, segment in enumerate(self.segments)}
        self.evaluators: list[Evaluator] = [self._segment(segment) for segment in self.segments]
        self._set_critical()
        self._routes: dict[str, Route] = {}
        self._index_dependencies()
        self._plans: dict[tuple[Any, ...], Plan] = {}
        self.all_segments = tuple(range(len(self.segments)))
        self.blank = self.members(Person(b"", [], {}, cells=[None] * len(self.cells)), 0)
        """The memberships of somebody of whom nothing is known, as bits; no moment changes them."""

    def route(self, name: str) -> Route:
        """What an event of this name touches."""
        found = self._routes.get(name)
        if found is None:
            if len(self._routes) >= _ROUTES_MAX:
                self._routes.clear()
            found = self._routes[name] = self._new_route(name)
        return found

    def _new_route(self, name: str) -> Route:
        route = Route()
        for at, feature in enumerate(self.features):
            if not any(name == each or (each.endswith("*") and name.startswith(each[:-1])) for each in feature.events):
                continue
            key = next((where for where in feature.where if _text_equality(where)), None)
            rest = tuple(where for where in feature.where if where is not key)
            matcher = _matcher(rest, feature.timezone)
            if key is None:
                route.always.append((at, matcher, self.cells[at]))
                continue
            operand = key.predicates[0].operand
            for text in {operand} if type(operand) is str else set(operand):
                route.by_text.setdefault(key.path, {}).setdefault(text, []).append((at, matcher, self.cells[at]))
        return route

    def plan(self, touched: tuple[Any, ...]) -> Plan:
        """What to look at when these features (numbers), traits (names), consents (``"!purpose"``) or `CONFIDENCE` have changed."""
        found = self._plans.get(touched)
        if found is None:
            if len(self._plans) >= _ROUTES_MAX:
                self._plans.clear()
            moved = sorted({at for each in touched for at in self._dependents.get(each, ())})
            emitted = tuple(name for name in self.emitted if self.computed.get(name, name) in touched)
            consents = any(type(each) is str and each[:1] == "!" for each in touched)
            found = self._plans[touched] = Plan(tuple(moved), emitted, consents, CONFIDENCE in touched)
        return found

    def _index_dependencies(self) -> None:
        self._dependents: dict[Any, set[int]] = {}
        needs: list[set[Any]] = []
        for at, segment in enumerate(self.segments):
            need: set[Any] = {f"!{segment.purpose}"} if segment.purpose else set()
            if segment.confidence is not None:
                need.add(CONFIDENCE)
            for condition in _leaves(segment.who):
                if isinstance(condition, Did):
                    need.add(self.number[condition.feature])
                elif isinstance(condition, TraitIs):
                    root = parse_path(condition.path)[0]
                    need.add(self.computed.get(str(root), root))
                elif isinstance(condition, ConsentIs):
                    need.add(f"!{condition.purpose}")
                elif isinstance(condition, MemberOf):
                    need |= needs[self._bit[condition.segment].bit_length() - 1]
            needs.append(need)
            for each in need:
                self._dependents.setdefault(each, set()).add(at)

    def members(self, person: Person, now: int) -> int:
        """The memberships of a person at a time, as bits."""
        bits = 0
        for at, evaluate in enumerate(self.evaluators):
            if evaluate(person, now, bits):
                bits |= 1 << at
        return bits

    def bit(self, segment: str) -> int:
        """The bit of a segment among memberships."""
        return self._bit[segment]

    def _set_critical(self) -> None:
        """Tell the counting features at which counts any condition changes, so that timers fire for nothing else."""
        counts: dict[int, set[int]] = {at: set() for at in self.windowed if self.features[at].cap is not None}
        for segment in self.segments:
            for condition in _leaves(segment.who):
                if isinstance(condition, Did) and self.number[condition.feature] in counts:
                    at = self.number[condition.feature]
                    test = exact_test(condition.predicates)
                    truth = [test(n * MICRO) for n in range((self.features[at].cap or 0) + 1)]
                    counts[at] |= {n for n in range(1, len(truth)) if truth[n] != truth[n - 1]}
        for at, critical in counts.items():
            self.cells[at].critical(critical)

    def trait(self, person: Person, name: str, now: int) -> Any:
        """The value of a top-level trait, computed ones first; None if missing."""
        at = self.computed.get(name)
        if at is None:
            found = person.traits.get(name)
            return found[2] if found else None
        value = self.cells[at].value(person.cells[at], now)
        return _number(value) if self.features[at].measure == "sum" else value

    def _segment(self, segment: Segment) -> Evaluator:
        parts = [self.condition(segment.who, segment.timezone)]
        if segment.purpose is not None:
            parts.insert(0, self._consent(segment.purpose))
        if segment.confidence is not None:
            parts.insert(0, _floor(segment.confidence))
        return parts[0] if len(parts) == 1 else _all(parts)

    def _consent(self, purpose: str) -> Evaluator:
        default = self.defaults.get(purpose, False)
        return lambda person, now, bits: person.granted.get(purpose, default)

    def condition(self, condition: Condition, zone: str) -> Evaluator:
        """A condition as a function; dates alone are days of the zone."""
        if isinstance(condition, All):
            return _all([self.condition(each, zone) for each in condition.of])
        if isinstance(condition, AnyOf):
            return _any([self.condition(each, zone) for each in condition.of])
        if isinstance(condition, Not):
            inner = self.condition(condition.of, zone)
            return lambda person, now, bits: not inner(person, now, bits)
        if isinstance(condition, MemberOf):
            bit = self._bit[condition.segment]
            return lambda person, now, bits: bits & bit != 0
        if isinstance(condition, ConsentIs):
            return self._consent(condition.purpose)
        if isinstance(condition, Did):
            return self._did(condition)
        return self._trait_is(condition, zone)

    def _did(self, condition: Did) -> Evaluator:
        at = self.number[condition.feature]
        cell = self.cells[at]
        value = cell.value
        if len(condition.predicates) == 1 and cell.measure != "sum":
            op, operand = condition.predicates[0].op, condition.predicates[0].operand
            if op == "gte" and type(operand) is int:
                if operand == 1 and cell.measure == "times" and cell.window is None:
                    return lambda person, now, bits: bool(person.cells[at])
                return lambda person, now, bits: value(person.cells[at], now) >= operand
            if op == "eq" and operand == 0:
                return lambda person, now, bits: value(person.cells[at], now) == 0
        scale = 1 if cell.measure == "sum" else MICRO
        test = exact_test(condition.predicates)
        return lambda person, now, bits: test(value(person.cells[at], now) * scale)

    def _trait_is(self, condition: TraitIs, zone: str) -> Evaluator:
        steps = parse_path(condition.path)
        name = str(steps[0])
        test = compiled(condition.predicates, zone)
        at = self.computed.get(name)
        rest = steps[1:]
        if at is not None and self.features[at].measure == "sum" and not rest:
            exact = exact_test(condition.predicates)
            value = self.cells[at].value
            return lambda person, now, bits: exact(value(person.cells[at], now))
        if not rest:
            return lambda person, now, bits: test(self.trait(person, name, now))
        return lambda person, now, bits: any(test(item) for item in values(rest, self.trait(person, name, now)))


def _floor(least: float) -> Evaluator:
    return lambda person, now, bits: person.certainty >= least


def _number(value: int) -> Any:
    """An int or a float; where neither keeps the digits, or a row cannot, an `Exact`."""
    whole, part = divmod(value, MICRO)
    text = number_text(value)
    if not part and -(1 << 63) <= whole < 1 << 64:
        return whole
    if part and micros(float(text)) == value:
        return float(text)
    return Exact(EXACT, text.encode())


def _text_equality(where: Where) -> bool:
    """Whether the clause can be looked up by the text of a top-level property."""
    if len(where.predicates) != 1 or any(sign in where.path for sign in '.["'):
        return False
    predicate = where.predicates[0]
    if predicate.op == "eq":
        return type(predicate.operand) is str
    return predicate.op == "in" and all(type(item) is str for item in predicate.operand)


def _matcher(clauses: tuple[Where, ...], zone: str) -> Matcher | None:
    if not clauses:
        return None
    tests: list[tuple[Callable[[Any], bool], bool]] = []
    for where in clauses:
        inside = parse_path(where.path)[0] == "context"
        tests.append((satisfied(where.path, compiled(where.predicates, zone)), inside))
    if len(tests) == 1 and not tests[0][1]:
        only = tests[0][0]
        return lambda properties, event: only(properties)
    return lambda properties, event: all(test(event if inside else properties) for test, inside in tests)


def _leaves(condition: Condition) -> Iterable[Condition]:
    if isinstance(condition, All | AnyOf):
        for each in condition.of:
            yield from _leaves(each)
    elif isinstance(condition, Not):
        yield from _leaves(condition.of)
    else:
        yield condition


def _all(parts: list[Evaluator]) -> Evaluator:
    if len(parts) == 2:
        one, two = parts
        return lambda person, now, bits: one(person, now, bits) and two(person, now, bits)
    return lambda person, now, bits: all(part(person, now, bits) for part in parts)


def _any(parts: list[Evaluator]) -> Evaluator:
    return lambda person, now, bits: any(part(person, now, bits) for part in parts)
