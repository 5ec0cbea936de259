"""Definitions compiled: which features an event touches, which segments that can move, and each segment as a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from contracts.language.exact import exact_test
from contracts.model.definitions import Definitions, Did, Feature, InOrder, Segment, TraitIs, Where, leaves
from contracts.model.event_patterns import matches
from contracts.text.numbers import MICRO, micros
from operators.records import Person
from operators.segments.cells import cell_of
from operators.segments.cells.cell import Cell
from operators.segments.facts import IDENTIFIERS, SEEN, Facts
from operators.segments.forms import FORMS, Evaluator, TurnsAlone, both, consent, evaluator, roots
from operators.segments.other_fields import asked as held
from operators.segments.other_fields import refers
from operators.segments.paths import satisfied, values
from operators.segments.predicates import compiled
from schemalogic.paths import parse_path

Matcher = Callable[[dict[str, Any], dict[str, Any]], bool]
"""(properties, event) → matches"""
Touch = tuple[int, Matcher | None, Cell]
"""Number of a feature that has a cell, what an event must satisfy beside its name (None: nothing), and how the feature folds it."""
_ROUTES_MAX = 10_000
CONFIDENCE = "confidence"
"""Among what a change has touched: how sure we are who the person is (`Person.certainty`)."""


class Route:
    """What an event of one name can touch: features to fold whatever its properties are, and those behind an equality."""

    __slots__ = ("always", "by_text", "of_context")

    def __init__(self) -> None:
        self.of_context = False
        """Whether a feature measures what stands in the context."""
        self.always: list[Touch] = []
        self.by_text: dict[str, dict[str, list[Touch]]] = {}
        """Property name → text → features that ask for exactly that text."""

    def add(self, at: int, clauses: tuple[Where, ...], cell: Cell, zone: str) -> None:
        """Fold the events that satisfy the clauses; what asks for a text is found by it."""
        key = next((where for where in clauses if _text_equality(where)), None)
        matcher = _matcher(tuple(where for where in clauses if where is not key), zone)
        if key is None:
            self.always.append((at, matcher, cell))
            return
        operand = key.predicates[0].operand
        for text in {operand} if type(operand) is str else set(operand):
            self.by_text.setdefault(key.path, {}).setdefault(text, []).append((at, matcher, cell))

    def said(self, properties: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        """What features measure of an event: its properties, and its context if that is asked for."""
        return {**properties, "context": body.get("context")} if self.of_context else properties

    def chosen(self, properties: dict[str, Any]) -> list[Touch]:
        """Those that these properties do not exclude at a glance."""
        chosen = self.always
        for path, texts in self.by_text.items():
            value = properties.get(path)
            if type(value) is str and value in texts:
                chosen = chosen + texts[value]
        return chosen


class Sent(NamedTuple):
    """Number of a feature that has a cell, the source whose calls it takes (None: all), and how it folds their traits."""

    at: int
    source: str | None
    cell: Cell


class Plan(NamedTuple):
    """Segments to evaluate, in order, emitted traits to compare, and whether consents and the confidence may have changed."""

    segments: tuple[int, ...]
    emitted: tuple[str, ...]
    consents: bool
    confidence: bool = False


class Program(Facts):
    """A project's definitions, ready to run."""

    def __init__(self, definitions: Definitions) -> None:
        super().__init__(definitions)
        self._set_critical()
        self.watched = [cell if cell.windowed and self.slots[at] == at else None for at, cell in enumerate(self.cells)]
        """By number under which people hold a cell: its functions, if what is in it changes by itself."""
        self.timed = frozenset(trait.name for trait in definitions.traits if trait.emit and self._changes_by_itself(trait.name))
        """Emitted traits of which time alone may say something else."""
        self.turns = self._turns()
        """Conditions on traits that change by themselves."""
        self.emitted = tuple(trait.name for trait in definitions.traits if trait.emit)
        self.evaluators: list[Evaluator] = [self._segment(segment) for segment in self.segments]
        self.without = [FORMS[segment.who.form].without(self, segment.who) for segment in self.segments]
        """By segment: the number of a cell without which nobody is a member, None if there is no such."""
        self._routes: dict[str, Route] = {}
        self.sent = [sent for at, feature in enumerate(self.features) if feature.sent for sent in self._sent(at, feature)]
        """What every identify call touches."""
        self.sourced = any(sent.source is not None for sent in self.sent)
        """Whether it counts where a call comes from."""
        self._index_dependencies()
        self.turning = self._turning()
        """By number under which people hold a cell: the features of which it matters to who has that when they change by themselves."""
        self._plans: dict[tuple[Any, ...], Plan] = {}
        self.all_segments = tuple(range(len(self.segments)))
        self.blank = self.members(Person(b"", [], {}), 0)
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
            if self.slots[at] != at or feature.sent:
                continue
            named = any(matches(pattern, name) for pattern in feature.events)
            if feature.session_us is not None:
                route.of_context |= is_of_context(feature)
                self._in_session(route, at, name, named=named)
                continue
            if not named:
                continue
            route.of_context |= is_of_context(feature)
            if feature.measure == "latest":
                matcher = _matcher(feature.where, feature.timezone)
                route.always.append((at, matcher, self.cells[at]))
                if matcher is not None:
                    # What does not match is an event of that name all the same.
                    route.always.append((at, _unlike(matcher), self._cell_for(at, name, matched=False)))
            elif feature.measure == "sequence":
                for number, step in enumerate(feature.option("steps")):
                    if any(matches(pattern, name) for pattern in step.events):
                        route.add(at, step.where, self._cell_for(at, name, step=number), feature.timezone)
            else:
                cell = self._cell_for(at, name) if feature.measure == "top" else self.cells[at]
                route.add(at, feature.where, cell, feature.timezone)
        return route

    def _sent(self, at: int, feature: Feature) -> list[Sent]:
        if feature.measure != "by_source":
            return [Sent(at, None, self.cells[at])]
        listed = feature.option("sources")
        return [Sent(at, source, self._cell_for(at, "identify", step=place)) for place, source in enumerate(listed)]

    def _in_session(self, route: Route, at: int, name: str, *, named: bool) -> None:
        """Whatever is done makes the session, and so does what does not match."""
        feature = self.features[at]
        matcher = _matcher(feature.where, feature.timezone)
        if named:
            route.always.append((at, matcher, self._cell_for(at, name)))
        if matcher is not None or not named:
            # The latest event is of that name, even if it does not match.
            latest = named and feature.measure == "latest"
            other = self._cell_for(at, name, matched=False, active=not latest)
            route.always.append((at, _unlike(matcher) if named and matcher is not None else None, other))

    def _cell_for(self, at: int, name: str, *, matched: bool = True, step: int = 0, active: bool = False) -> Cell:
        """The cell of a feature as it folds the events of a name that satisfy its ``where``, or do not, or that match a step."""
        cell = cell_of(self.features[at], name, matched=matched, step=step, active=active)
        known = self.cells[at]
        cell.windowed, cell.number, cell.slot, cell.needed = known.windowed, known.number, known.slot, known.needed
        return cell

    def _changes_by_itself(self, trait: str) -> bool:
        return any(type(at) is int and self.cells[at].windowed for at in self.rests_on(trait))

    def plan(self, touched: tuple[Any, ...]) -> Plan:
        """What to look at when these features (numbers), traits (names), consents (``"!purpose"``) or `CONFIDENCE` have changed."""
        found = self._plans.get(touched)
        if found is None:
            if len(self._plans) >= _ROUTES_MAX:
                self._plans.clear()
            moved = sorted({at for each in touched for at in self._dependents.get(each, ())})
            emitted = tuple(name for name in self.emitted if not self.rests_on(name).isdisjoint(touched))
            consents = any(type(each) is str and each[:1] == "!" for each in touched)
            found = self._plans[touched] = Plan(tuple(moved), emitted, consents, CONFIDENCE in touched)
        return found

    def asked(self, touched: Iterable[Any]) -> tuple[Any, ...]:
        """Those of what has changed that some segment looks at."""
        return tuple(each for each in touched if each in self._dependents)

    def _index_dependencies(self) -> None:
        self._dependents: dict[Any, set[int]] = {}
        for at, segment in enumerate(self.segments):
            need: set[Any] = {f"!{segment.purpose}"} if segment.purpose else set()
            if segment.confidence is not None:
                need.add(CONFIDENCE)
            for condition in leaves(segment.who):
                need |= FORMS[condition.form].needs(self, condition)
            self.needs[segment.name] = need
            for each in need:
                self._dependents.setdefault(each, set()).add(at)
        self.seen = SEEN in self._dependents
        """Whether a segment looks at when somebody was seen."""
        self.identifiers = IDENTIFIERS in self._dependents
        """Whether a segment looks at which identifiers somebody has."""

    def _turning(self) -> list[list[Cell]]:
        turning: list[list[Cell]] = [[] for _ in self.cells]
        told = self._features_of(self.timed) | {turn.touches for turn in self.turns}
        for at, cell in enumerate(self.cells):
            if cell.windowed:
                # Nobody is a member of a segment without the cell that it needs; where it needs none, the feature's own is enough,
                # and so it is for a trait that is told, or of which a condition changes by itself.
                needed = {self.without[segment] for segment in self._dependents.get(at, ())} | ({None} if at in told else set())
                cell.needed = tuple(sorted({cell.slot if slot is None else slot for slot in needed}))
                for slot in cell.needed:
                    turning[slot].append(cell)
        return turning

    def members(self, person: Person, now: int) -> int:
        """The memberships of a person at a time, as bits."""
        bits = 0
        for at, evaluate in enumerate(self.evaluators):
            if evaluate(person, now, bits):
                bits |= 1 << at
        return bits

    def _set_critical(self) -> None:
        """Tell the features that conditions alone look at where any of these changes its mind, so that timers fire for nothing else,
        and an event is asked about by nothing else; what nobody looks at changes without being asked."""
        read = {
            root for segment in self.segments for leaf in leaves(segment.who) if isinstance(leaf, TraitIs | Did) for root in roots(leaf)
        }
        told = self._features_of({*(trait.name for trait in self.definitions.traits if trait.emit), *(read & self.derived.keys())})
        asked: dict[int, list[TraitIs | Did | InOrder]] = {}
        for segment in self.segments:
            for condition in leaves(segment.who):
                if isinstance(condition, TraitIs | Did | InOrder):
                    for at in FORMS[condition.form].needs(self, condition):
                        if type(at) is int:
                            asked.setdefault(at, []).append(condition)
        for at, feature in enumerate(self.features):
            conditions, cell = asked.get(at, []), self.cells[at]
            if at in told:
                continue
            if not conditions and cell.is_shared:
                cell.critical(set())
            elif not conditions:
                cell.windowed = False
            elif feature.cap is not None and all(isinstance(one, Did) for one in conditions):
                cell.critical(set[int]().union(*(_turns(one, feature.cap) for one in conditions)))
            elif cell.unit == 1 and not any(refers(one.predicates) for one in conditions):
                cell.compared(set[int]().union(*map(_operands, conditions)))

    def _features_of(self, traits: Iterable[str]) -> set[Any]:
        """The numbers of the features on which traits rest."""
        return {at for name in traits for at in self.rests_on(name) if type(at) is int}

    def _turns(self) -> tuple[TurnsAlone, ...]:
        asked = {(str(leaf), segment.timezone): leaf for segment in self.segments for leaf in leaves(segment.who)}
        found = [FORMS[leaf.form].turn(self, leaf, zone) for (_, zone), leaf in asked.items()]
        return tuple(turn for turn in found if turn is not None)

    def _segment(self, segment: Segment) -> Evaluator:
        parts = [evaluator(self, segment.who, segment.timezone)]
        if segment.purpose is not None:
            parts.insert(0, consent(self, segment.purpose))
        if segment.confidence is not None:
            parts.insert(0, _floor(segment.confidence))
        return parts[0] if len(parts) == 1 else both(parts)


def _turns(condition: TraitIs | Did | InOrder, cap: int) -> set[int]:
    """The counts at which a condition changes its mind."""
    test = exact_test(condition.predicates)
    truth = [test(n * MICRO) for n in range(cap + 1)]
    return {n for n in range(1, len(truth)) if truth[n] != truth[n - 1]}


def _operands(condition: TraitIs | Did | InOrder) -> set[int]:
    """The numbers, in micros, with which a condition compares: only there it can change its mind."""
    operands = [each.operand if type(each.operand) in {list, tuple} else (each.operand,) for each in condition.predicates]
    return {exact for each in operands for exact in map(micros, each) if exact is not None}


def _floor(least: float) -> Evaluator:
    return lambda person, now, bits: person.certainty >= least


def is_of_context(feature: Feature) -> bool:
    """Whether what is measured stands in the context, not among the properties."""
    steps = parse_path(feature.property) if feature.property and not feature.sent else ()
    return len(steps) > 1 and steps[0] == "context"


def _text_equality(where: Where) -> bool:
    """Whether the clause can be looked up by the text of a top-level property."""
    if len(where.predicates) != 1 or any(sign in where.path for sign in '.["'):
        return False
    predicate = where.predicates[0]
    if predicate.ignore_case or refers(where.predicates):
        return False
    if predicate.op == "eq":
        return type(predicate.operand) is str
    return predicate.op == "in" and all(type(item) is str for item in predicate.operand)


def _unlike(matcher: Matcher) -> Matcher:
    return lambda properties, event: not matcher(properties, event)


def _matcher(clauses: tuple[Where, ...], zone: str) -> Matcher | None:
    if not clauses:
        return None
    if len(clauses) == 1 and not refers(clauses[0].predicates):
        steps = parse_path(clauses[0].path)
        if len(steps) == 1 and type(steps[0]) is str and steps[0] != "context":
            name, only = steps[0], compiled(clauses[0].predicates, zone)
            return lambda properties, event: only(properties.get(name))
    within: list[Matcher] = [_within_event(where, zone) for where in clauses if refers(where.predicates)]
    if within:
        rest = _matcher(tuple(where for where in clauses if not refers(where.predicates)), zone)
        return lambda properties, event: all(each(properties, event) for each in within) and (rest is None or rest(properties, event))
    tests: list[tuple[Callable[[Any], bool], bool]] = []
    for where in clauses:
        inside = parse_path(where.path)[0] == "context"
        tests.append((satisfied(where.path, compiled(where.predicates, zone)), inside))
    if len(tests) == 1 and not tests[0][1]:
        below = tests[0][0]
        return lambda properties, event: below(properties)
    return lambda properties, event: all(test(event if inside else properties) for test, inside in tests)


def _within_event(where: Where, zone: str) -> Matcher:
    """A clause that holds a property against another."""

    def read(path: str) -> Callable[[Any, int], Any]:
        steps = parse_path(path)
        inside = steps[0] == "context"
        return lambda root, now: values(steps, root[1] if inside else root[0])[0]

    steps, test = parse_path(where.path), held(where.predicates, zone, read)
    inside = steps[0] == "context"
    return lambda properties, event: any(test(item, (properties, event), 0) for item in values(steps, event if inside else properties))
