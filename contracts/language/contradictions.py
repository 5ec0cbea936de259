"""Conditions under one `all` that no person can meet together: of one measure, of one trait, or a condition and its `not`.

What is refused can never be; what cannot be told at a glance is taken to be possible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import permutations

from contracts.language.exact import exact_test
from contracts.language.forms import FORMS
from contracts.language.measures import MEASURES
from contracts.language.possible import operands, some_number, some_value
from contracts.language.spans import is_inside
from contracts.model.definitions import All, AnyOf, Condition, Did, Feature, Not, OtherField, Predicate, TraitIs
from contracts.model.event_patterns import matches
from contracts.text.numbers import MICRO, micros
from contracts.text.problems import listed
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import parse_path

TOGETHER_MAX = 100
"""More conditions than this under one `all` are not held against each other."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A condition, where it stands, and whether it has to hold or must not."""

    at: Tree
    condition: Condition
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class _Range:
    """What the conditions leave of a measure, in micros: ``most`` None is without end; whether it may be 0."""

    least: int
    most: int | None
    zero: bool


def check_contradictions(reader: Reader, conditions: list[Literal], features: dict[str, Feature]) -> None:
    """A problem for each `all` that nobody can meet; the ``conditions`` have to hold of one person."""
    for group in _groups(conditions):
        core = _core(group, features) if len(group) <= TOGETHER_MAX else []
        if core:
            _refuse(reader, sorted(core, key=lambda one: one.at.line), features)


def _refuse(reader: Reader, core: list[Literal], features: dict[str, Feature]) -> None:
    words = [f"{_said(one, features)} in line {one.at.line}" for one in core]
    if len(core) == 1:
        reader.refuse(core[0].at, "a comparison that can be true", _said(core[0], features))
        return
    hint = "under `all` every one of them has to hold; `any` asks for one"
    reader.refuse(core[-1].at, "conditions that can hold together", listed(words, "and"), hint)


def _groups(conditions: list[Literal]) -> Iterator[list[Literal]]:
    """What has to hold together: of all of the conditions, then of each branch of an `any` in them, and of each `all` below a `not`."""
    waiting = [conditions]
    while waiting:
        group: list[Literal] = []
        rest: list[Literal] = []
        for one in waiting.pop():
            _gather(one, group, rest)
        yield group
        waiting += [[one] for one in rest]


def _gather(one: Literal, group: list[Literal], rest: list[Literal]) -> None:
    condition, wanted = one.condition, one.wanted
    if isinstance(condition, Not):
        _gather(Literal(one.at.value["not"], condition.of, not wanted), group, rest)
    elif isinstance(condition, All | AnyOf):
        parts = [Literal(at, part, wanted) for at, part in zip(one.at.value[condition.form], condition.of, strict=True)]
        if isinstance(condition, All) is wanted:
            for part in parts:
                _gather(part, group, rest)
        else:
            rest += parts if wanted else [replace(one, wanted=True)]
    else:
        group.append(one)


def _core(group: list[Literal], features: dict[str, Feature]) -> list[Literal]:
    """The fewest of the conditions that cannot hold together; none if all of them can."""
    core = _clash(group, features)
    for one in tuple(core):
        rest = [other for other in core if other is not one]
        core = rest if _clash(rest, features) else core
    return core


def _clash(group: list[Literal], features: dict[str, Feature]) -> list[Literal]:
    """Conditions that cannot hold together, and perhaps some others; none if all of them can."""
    return _denied(group) or _of_traits(group) or _of_measures(group, features)


def _denied(group: list[Literal]) -> list[Literal]:
    """A condition that has to hold and must not."""
    seen: dict[str, Literal] = {}
    for one in group:
        other = seen.setdefault(repr(one.condition), one)
        if other.wanted is not one.wanted:
            return [other, one]
    return []


def _of_traits(group: list[Literal]) -> list[Literal]:
    # Of `[]` each condition may hold of another item.
    paths = {one.condition.path for one in group if isinstance(one.condition, TraitIs) and None not in parse_path(one.condition.path)}
    for path in sorted(paths):
        asked = [(one, one.condition) for one in group if isinstance(one.condition, TraitIs) and one.condition.path == path]
        # What has not been so for long may be so.
        mine = [(one, condition.predicates) for one, condition in asked if one.wanted or not condition.lasting]
        wanted = [predicate for one, predicates in mine if one.wanted for predicate in predicates]
        if not some_value(wanted, [predicates for one, predicates in mine if not one.wanted]):
            return [one for one, _ in mine]
    return []


def _of_measures(group: list[Literal], features: dict[str, Feature]) -> list[Literal]:
    mine: dict[str, list[tuple[Literal, tuple[Predicate, ...]]]] = {}
    for one in group:
        if (
            isinstance(one.condition, Did)
            and features[one.condition.feature].by is None
            and not any(isinstance(each.operand, OtherField) for each in one.condition.predicates)
            and MEASURES[features[one.condition.feature].measure].of_nothing == 0
        ):
            mine.setdefault(one.condition.feature, []).append((one, one.condition.predicates))
    ranges: dict[str, _Range] = {}
    for key, conditions in mine.items():
        found = _range([(one.wanted, predicates) for one, predicates in conditions], whole=MEASURES[features[key].measure].counts)
        if found is None:
            return [one for one, _ in conditions]
        ranges[key] = found
    for part, whole in permutations(mine, 2):
        if _is_part(features[part], features[whole]) and _exceeds(features[part], ranges[part], features[whole], ranges[whole]):
            return [one for key in (part, whole) for one, _ in mine[key]]
    return []


def _range(conditions: list[tuple[bool, tuple[Predicate, ...]]], *, whole: bool) -> _Range | None:
    """What is left of a measure, None if nothing; ``whole``: it is a number of events or of values."""
    step = MICRO if whole else 1
    tests: list[tuple[bool, Callable[[int], bool]]] = [(wanted, exact_test(predicates)) for wanted, predicates in conditions]
    numbers = {micros(one) or 0 for _, predicates in conditions for one in operands(predicates)} | {0}
    found = some_number(numbers, lambda value: all(test(value) is wanted for wanted, test in tests), step)
    found = [one for one in found if one >= 0 or not whole]
    if not found:
        return None
    # The tests change at the numbers alone: what holds beyond the last of them holds without end.
    return _Range(found[0], found[-1] if found[-1] <= max(numbers) else None, 0 in found)


def _exceeds(part: Feature, ours: _Range, whole: Feature, theirs: _Range) -> bool:
    """Whether a measure of some events is more than what counts them and others; of no events everything is 0."""
    if whole.measure != "times" and not (part.measure == whole.measure == "distinct" and part.property == whole.property):
        return False
    if not MEASURES[part.measure].counts:
        return theirs.most == 0 and not ours.zero
    return theirs.most is not None and ours.least > theirs.most


def _is_part(part: Feature, whole: Feature) -> bool:
    """Whether one looks at no other events than the other does."""
    named = all(any(_includes(pattern, one) for pattern in whole.events) for one in part.events)
    filters = {(one.path, repr(one.predicates)) for one in part.where}
    return (
        is_inside(part, whole)
        and named
        and part.timezone == whole.timezone
        and {(one.path, repr(one.predicates)) for one in whole.where} <= filters
    )


def _includes(pattern: str, other: str) -> bool:
    """Whether a name or prefix means all that another one means."""
    return pattern == other or (pattern.endswith("*") and matches(pattern, other.removesuffix("*")))


def _said(one: Literal, features: dict[str, Feature]) -> str:
    says = FORMS[one.condition.form].says
    assert says is not None, "only conditions that name something are held against each other"
    return ("" if one.wanted else "not ") + says(one.condition, features)
