"""Each form of a condition as a function of a person, and what it looks at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from contracts.language.claims import moves
from contracts.language.exact import exact_test
from contracts.model.definitions import (
    All,
    AnyOf,
    AtLeast,
    Condition,
    Did,
    HasIdentifier,
    InAccount,
    InactiveFor,
    InOrder,
    MemberOf,
    NewWithin,
    Not,
    OtherField,
    Predicate,
    TraitIs,
)
from contracts.model.of_accounts import of_accounts
from contracts.model.of_identifiers import InList, Sampled
from contracts.text.numbers import MICRO, micros
from operators.records import Person
from operators.segments.cells.cell import Cell
from operators.segments.cells.each_value import EachValue
from operators.segments.cells.unbroken import ALWAYS, passing
from operators.segments.derived import Derived
from operators.segments.facts import IDENTIFIERS, SEEN, Facts
from operators.segments.identified import has, in_list, sampled
from operators.segments.moving import all_timed
from operators.segments.other_fields import asked, refers
from operators.segments.paths import values
from operators.segments.predicates import compiled
from operators.stays import BELONGS, belongs
from schemalogic.paths import parse_path

_ORDERS = frozenset({"gte", "gt", "lte", "lt"})
Evaluator = Callable[[Person, int, int], bool]
"""(person, now, memberships so far as bits) → is a member"""


class TurnsAlone(NamedTuple):
    """When a condition on a trait changes by itself: what it looks at, as in `Facts.needs`, and the next moment after one, of a person."""

    touches: Any
    after: Callable[[Person, int], int | None]


class Form(NamedTuple):
    """``evaluator``: a condition compiled, dates alone are days of the zone; ``needs``: what it looks at, as in `Facts.needs`;
    ``without``: a feature without any event of which it cannot hold, None if there is no such."""

    evaluator: Callable[[Facts, Any, str], Evaluator]
    needs: Callable[[Facts, Any], set[Any]] = lambda _facts, _condition: set()
    without: Callable[[Facts, Any], int | None] = lambda _facts, _condition: None
    turn: Callable[[Facts, Any, str], TurnsAlone | None] = lambda _facts, _condition, _zone: None
    """When a trait makes it change by itself; None: it does not."""


def evaluator(facts: Facts, condition: Condition, zone: str) -> Evaluator:
    """A condition as a function; dates alone are days of the zone."""
    return FORMS[condition.form].evaluator(facts, condition, zone)


def both(parts: list[Evaluator]) -> Evaluator:
    """Whether every part holds."""
    if len(parts) == 2:
        one, two = parts
        return lambda person, now, bits: one(person, now, bits) and two(person, now, bits)
    return lambda person, now, bits: all(part(person, now, bits) for part in parts)


def consent(facts: Facts, purpose: str) -> Evaluator:
    """Whether a purpose is granted: as decided, else by its default."""
    default = facts.defaults.get(purpose, False)
    return lambda person, now, bits: person.granted.get(purpose, default)


def _all(facts: Facts, condition: All, zone: str) -> Evaluator:
    return both([evaluator(facts, each, zone) for each in condition.of])


def _any(facts: Facts, condition: AnyOf, zone: str) -> Evaluator:
    parts = [evaluator(facts, each, zone) for each in condition.of]
    return lambda person, now, bits: any(part(person, now, bits) for part in parts)


def _at_least(facts: Facts, condition: AtLeast, zone: str) -> Evaluator:
    parts, least = [evaluator(facts, each, zone) for each in condition.of], condition.n

    def holds(person: Person, now: int, bits: int) -> bool:
        found = 0
        for part in parts:
            if part(person, now, bits):
                found += 1
                if found == least:
                    return True
        return False

    return holds


def _not(facts: Facts, condition: Not, zone: str) -> Evaluator:
    inner = evaluator(facts, condition.of, zone)
    return lambda person, now, bits: not inner(person, now, bits)


def _segment(facts: Facts, condition: MemberOf, _zone: str) -> Evaluator:
    bit = facts.bit(condition.segment)
    return lambda person, now, bits: bits & bit != 0


def _did(facts: Facts, condition: Did, zone: str) -> Evaluator:
    number = facts.number[condition.feature]
    cell, slot = facts.cells[number], facts.slots[number]
    if refers(condition.predicates):
        test_of = asked(condition.predicates, zone, lambda path: _other(facts, path))
        return lambda person, now, bits: test_of(cell.plain(person.cells.get(slot), now), person, now)
    if isinstance(cell, EachValue):
        return _each(cell, slot, condition.predicates, zone)
    if cell.unit is not None:
        return _measured(cell, slot, condition.predicates)
    test = compiled(condition.predicates, zone)
    return lambda person, now, bits: test(cell.value(person.cells.get(slot), now))


def _each(cell: EachValue, slot: int, predicates: tuple[Predicate, ...], zone: str) -> Evaluator:
    """Whether the measure of one value's events satisfies the predicates."""
    plain, unit = compiled(predicates, zone), cell.unit
    if unit is None:
        return lambda person, now, bits: any(plain(found) for found in cell.values(person.cells.get(slot), now).values())
    test, missing = exact_test(predicates), plain(None)

    def holds(person: Person, now: int, _bits: int) -> bool:
        found = cell.values(person.cells.get(slot), now).values()
        return any(missing if one is None else test(one * unit) for one in found)

    return holds


def _sequence(facts: Facts, condition: InOrder, _zone: str) -> Evaluator:
    number = facts.number[condition.feature]
    cell, slot = facts.cells[number], facts.slots[number]
    return lambda person, now, bits: cell.value(person.cells.get(slot), now)


def _measured(cell: Cell, slot: int, predicates: tuple[Predicate, ...]) -> Evaluator:
    """Whether the number of a cell satisfies the predicates; what most people ask is one comparison."""
    unit = cell.unit
    assert unit is not None, "what is compared is a number"
    if cell.value(None, 0) is None:
        return _present(cell, slot, predicates)
    if len(predicates) == 1:
        op, bound = predicates[0].op, micros(predicates[0].operand)
        if bound is not None and op in _ORDERS:
            # The smallest number of units that is not below the operand, or is above it.
            least = bound // unit + 1 if op in {"gt", "lte"} else -(-bound // unit)
            if op in {"lt", "lte"}:
                return lambda person, now, bits: cell.value(person.cells.get(slot), now) < least
            if least == 1 and unit == MICRO and not cell.windowed:
                return lambda person, now, bits: bool(person.cells.get(slot))
            return lambda person, now, bits: cell.value(person.cells.get(slot), now) >= least
        if bound is not None and op == "eq" and bound % unit == 0:
            exactly = bound // unit
            return lambda person, now, bits: cell.value(person.cells.get(slot), now) == exactly
    test = exact_test(predicates)
    return lambda person, now, bits: test(cell.value(person.cells.get(slot), now) * unit)


def _present(cell: Cell, slot: int, predicates: tuple[Predicate, ...]) -> Evaluator:
    """The same of a number that is missing where there is nothing: then it satisfies what a missing value does."""
    test, missing, unit = exact_test(predicates), compiled(predicates)(None), cell.unit or 1

    def holds(person: Person, now: int, _bits: int) -> bool:
        found = cell.value(person.cells.get(slot), now)
        return missing if found is None else test(found * unit)

    return holds


def _trait(facts: Facts, condition: TraitIs, zone: str) -> Evaluator:
    if condition.feature is not None:
        return _lasting(facts, condition)
    name, *below = parse_path(condition.path)
    trait, rest = str(name), tuple(below)
    if refers(condition.predicates):
        test_of = asked(condition.predicates, zone, lambda path: _other(facts, path))
        return lambda person, now, bits: any(test_of(item, person, now) for item in values(rest, facts.trait(person, trait, now)))
    if any(map(moves, condition.predicates)):
        holds = all_timed(condition.predicates, zone).holds
        return lambda person, now, bits: any(holds(item, now) for item in values(rest, facts.trait(person, trait, now)))
    test = compiled(condition.predicates, zone)
    at = facts.computed.get(trait)
    if at is not None and facts.cells[at].unit is not None and not rest:
        return _measured(facts.cells[at], facts.slots[at], condition.predicates)
    made = facts.derived.get(trait)
    if made is not None and not rest and facts.traits[trait].gives == "number":
        return _made(made, condition.predicates)
    if not rest:
        return lambda person, now, bits: test(facts.trait(person, trait, now))
    return lambda person, now, bits: any(test(item) for item in values(rest, facts.trait(person, trait, now)))


def _lasting(facts: Facts, condition: TraitIs) -> Evaluator:
    """Whether it has been so for as long as is asked for."""
    cell, slot, test = *_unbroken(facts, condition), exact_test(condition.lasting)

    def holds(person: Person, now: int, _bits: int) -> bool:
        since = cell.value(person.cells.get(slot), now)
        if since == ALWAYS:
            since = person.first
        return since is not None and test(now - since)

    return holds


def _unbroken(facts: Facts, condition: TraitIs) -> tuple[Cell, int]:
    number = facts.number[condition.feature or ""]
    return facts.cells[number], facts.slots[number]


def _lasts_without(facts: Facts, condition: TraitIs) -> int | None:
    if condition.feature is None:
        return None
    cell, slot = _unbroken(facts, condition)
    return None if cell.value(None, 0) == ALWAYS else slot


def _made(made: Derived, predicates: tuple[Predicate, ...]) -> Evaluator:
    """Whether a number that is made of other traits satisfies the predicates; missing, what a missing value does."""
    test, missing = exact_test(predicates), compiled(predicates)(None)

    def holds(person: Person, now: int, _bits: int) -> bool:
        found = made(person, now)
        return missing if found is None else test(found)

    return holds


def _new_within(_facts: Facts, condition: NewWithin, _zone: str) -> Evaluator:
    within = condition.within_us
    return lambda person, now, bits: person.first is not None and person.first > now - within


def _inactive_for(_facts: Facts, condition: InactiveFor, _zone: str) -> Evaluator:
    silence = condition.for_us
    return lambda person, now, bits: person.last is not None and person.last <= now - silence


def _new_turn(_facts: Facts, condition: NewWithin, _zone: str) -> TurnsAlone:
    within = condition.within_us
    return TurnsAlone(SEEN, lambda person, now: _ahead(person.first, within, now))


def _inactive_turn(_facts: Facts, condition: InactiveFor, _zone: str) -> TurnsAlone:
    silence = condition.for_us
    return TurnsAlone(SEEN, lambda person, now: _ahead(person.last, silence, now))


def _ahead(seen: int | None, length: int, now: int) -> int | None:
    """The moment so long after somebody was seen, if it is still to come."""
    return seen + length if seen is not None and seen + length > now else None


def _has(facts: Facts, condition: HasIdentifier, zone: str) -> Evaluator:
    holds = has(facts.definitions, condition, zone)
    return lambda person, now, bits: holds(person)


def _in_list(facts: Facts, condition: InList, _zone: str) -> Evaluator:
    holds = in_list(facts.definitions, condition)
    return lambda person, now, bits: holds(person)


def _sample(facts: Facts, condition: Sampled, _zone: str) -> Evaluator:
    holds = sampled(facts.definitions, condition)
    return lambda person, now, bits: holds(person)


def _account(facts: Facts, condition: InAccount, zone: str) -> Evaluator:
    test = evaluator(Facts(of_accounts(facts.definitions)), condition.of, zone)

    def holds(person: Person, now: int, _bits: int) -> bool:
        for account, calls in person.accounts.items():
            found = facts.account_of(account) if belongs(calls) else None
            if found is not None and test(found, now, 0):
                return True
        return False

    return holds


def of_account(condition: InAccount) -> tuple[str, str]:
    """What a condition on accounts looks at beside who belongs to them: whether it holds of one."""
    return "account", str(condition.of)


def _account_needs(_facts: Facts, condition: InAccount) -> set[Any]:
    return {BELONGS, of_account(condition)}


def _other(facts: Facts, path: str) -> Callable[[Person, int], Any]:
    name, *below = parse_path(path)
    trait, rest = str(name), tuple(below)
    return lambda person, now: values(rest, facts.trait(person, trait, now))[0]


def _trait_turn(facts: Facts, condition: TraitIs, zone: str) -> TurnsAlone | None:
    if condition.feature is not None:
        return _lasting_turn(facts, condition)
    moving = [predicate for predicate in condition.predicates if moves(predicate)]
    if not moving or str(parse_path(condition.path)[0]) in facts.derived:
        return None
    name, *below = parse_path(condition.path)
    trait, rest, edges = str(name), tuple(below), all_timed(moving, zone).edges

    def after(person: Person, now: int) -> int | None:
        found = values(rest, facts.trait(person, trait, now))
        return min([moment for item in found for moment in edges(item, now)], default=None)

    return TurnsAlone(facts.computed.get(trait, trait), after)


def _lasting_turn(facts: Facts, condition: TraitIs) -> TurnsAlone | None:
    """Of what has been so since somebody was first seen; all else its cell knows."""
    (cell, slot), bounds = _unbroken(facts, condition), facts.features[facts.number[condition.feature or ""]].option("bounds_us")
    if cell.value(None, 0) != ALWAYS:
        return None

    def after(person: Person, now: int) -> int | None:
        always = person.first is not None and cell.value(person.cells.get(slot), now) == ALWAYS
        return passing(person.first, bounds, now) if always and person.first is not None else None

    return TurnsAlone(SEEN, after)


def _did_without(facts: Facts, condition: Did) -> int | None:
    if refers(condition.predicates):
        return None
    number = facts.number[condition.feature]
    cell = facts.cells[number]
    nothing = cell.value(None, 0)
    missing = nothing is None or cell.unit is None
    holds = compiled(condition.predicates)(nothing) if missing else exact_test(condition.predicates)(0)
    return None if holds else facts.slots[number]


def _all_without(facts: Facts, condition: All) -> int | None:
    found = (FORMS[each.form].without(facts, each) for each in condition.of)
    return next((at for at in found if at is not None), None)


def roots(condition: TraitIs | Did) -> set[str]:
    """The names of the traits that a condition compares, or holds a measure against."""
    others = [each.operand.path for each in condition.predicates if isinstance(each.operand, OtherField)]
    return {str(parse_path(path)[0]) for path in ([condition.path, *others] if isinstance(condition, TraitIs) else others)}


def _did_needs(facts: Facts, condition: Did) -> set[Any]:
    return {facts.number[condition.feature], *(each for root in roots(condition) for each in facts.rests_on(root))}


def _trait_needs(facts: Facts, condition: TraitIs) -> set[Any]:
    if condition.feature is not None:
        return {facts.number[condition.feature], *([] if _lasts_without(facts, condition) is not None else [SEEN])}
    return {each for root in roots(condition) for each in facts.rests_on(root)}


FORMS = {
    "all": Form(_all, without=_all_without),
    "any": Form(_any),
    "at_least": Form(_at_least),
    "not": Form(_not),
    "trait": Form(_trait, _trait_needs, _lasts_without, _trait_turn),
    "did": Form(_did, _did_needs, _did_without),
    "sequence": Form(
        _sequence,
        lambda facts, condition: {facts.number[condition.feature]},
        lambda facts, condition: facts.slots[facts.number[condition.feature]],
    ),
    "segment": Form(_segment, lambda facts, condition: facts.needs[condition.segment]),
    "new_within": Form(_new_within, lambda _facts, _condition: {SEEN}, turn=_new_turn),
    "inactive_for": Form(_inactive_for, lambda _facts, _condition: {SEEN}, turn=_inactive_turn),
    "has": Form(_has, lambda _facts, _condition: {IDENTIFIERS}),
    "sample": Form(_sample, lambda _facts, _condition: {IDENTIFIERS}),
    "in_list": Form(_in_list, lambda _facts, _condition: {IDENTIFIERS}),
    "account": Form(_account, _account_needs),
    "consent": Form(lambda facts, condition, _zone: consent(facts, condition.purpose), lambda _facts, condition: {f"!{condition.purpose}"}),
}
"""What has parts needs what they need."""
