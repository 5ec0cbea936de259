"""What segments cost while they are live, and which limits of the budget that is over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from time import perf_counter

import msgspec

from contracts.model.budget import SegmentLimits
from contracts.model.definitions import Definitions, Segment
from contracts.model.event_patterns import matches
from contracts.reading.budget import belonging, features_of
from operators.view.space import View
from skep.project.errors import CommandError
from skep.project.settings import Settings
from skep.project.spaces import bundles, open_view
from state.errors import NoState

PEOPLE = 2_000
"""Profiles that are measured: those with the smallest ids, which are hashes."""
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class SegmentUsage:
    """A live segment: what its features take of a profile in bytes (on average), each once, by key; how many members it has; how many
    events a second may change it, None if nobody has counted; how long it takes to evaluate, in µs."""

    segment: Segment
    features: Mapping[str, float]
    members: int
    evaluations: float | None
    evaluate_us: float


@dataclass(frozen=True, slots=True)
class Spent:
    """A limit, and what is spent of it; None if nobody has counted."""

    limits: SegmentLimits
    measure: str
    most: int
    used: float | None

    @property
    def is_over(self) -> bool:
        return self.used is not None and self.used > self.most


def usages(view: View, events: Mapping[str, int] | None) -> list[SegmentUsage]:
    """Of every segment in force; ``events``: by name, how many of the last day there were before the clock."""
    program, definitions = view.program, view.program.definitions
    traits = {one.name: one for one in definitions.traits}
    sample = list(islice(view.people(), PEOPLE))
    slots: dict[int, int] = {}
    for person in sample:
        for slot, cell in person.cells.items():
            slots[slot] = slots.get(slot, 0) + len(msgspec.msgpack.encode(cell))
    sizes, at = view.meta.sizes, view.at(None)
    found = []
    for number, one in enumerate(program.segments):
        keys = sorted(features_of(one, traits))
        held = {key: slots.get(program.slots[program.number[key]], 0) / max(len(sample), 1) for key in keys}
        evaluate, began = program.evaluators[number], perf_counter()
        for person in sample:
            evaluate(person, at, 0)
        took = (perf_counter() - began) / max(len(sample), 1) * 1e6
        found.append(SegmentUsage(one, held, sizes.get(one.name, 0), _evaluations(definitions, keys, events), took))
    return found


def _evaluations(definitions: Definitions, keys: Iterable[str], events: Mapping[str, int] | None) -> float | None:
    if events is None:
        return None
    patterns = {pattern for key in keys for pattern in definitions.features[key].events}
    return sum(count for name, count in events.items() if any(matches(pattern, name) for pattern in patterns)) / DAY_S


def spent(definitions: Definitions, found: Iterable[SegmentUsage]) -> Iterator[Spent]:
    """Every limit of the definitions, with what these segments spend of it."""
    by_name = {one.segment.name: one for one in found}
    for limits, measure, most in definitions.budget.each():
        mine = [by_name[one.name] for one in belonging(limits, definitions.segments) if one.name in by_name]
        yield Spent(limits, measure, most, _used(measure, mine))


def _used(measure: str, mine: list[SegmentUsage]) -> float | None:
    features = {key: size for one in mine for key, size in one.features.items()}
    match measure:
        case "segments":
            return len(mine)
        case "features":
            return len(features)
        case "state":
            return sum(features.values())
        case "members":
            return sum(one.members for one in mine)
    counted = [one.evaluations for one in mine]
    return None if any(one is None for one in counted) else sum(one for one in counted if one is not None)


def members_over(view: View) -> list[Spent]:
    """The limits of members that are over, by the budget in force: what can be told at any time."""
    definitions, sizes = view.program.definitions, view.meta.sizes
    if not definitions.budget.limits:
        return []
    found = [SegmentUsage(one, {}, sizes.get(one.name, 0), None, 0.0) for one in definitions.segments]
    return [one for one in spent(definitions, found) if one.measure == "members" and one.is_over]


def check_lowered(settings: Settings, space: str, before: str | None, after: Definitions) -> None:
    """Raises CommandError if what is live is over a limit of the budget in force, and new definitions neither raise that limit nor
    change anything that is over it."""
    if before is None or not after.budget.limits:
        return
    live = bundles(settings)(before)
    if not live.budget.limits:
        return
    with suppress(NoState):
        view = open_view(settings, space)
        try:
            found = usages(view, None)
        finally:
            view.close()
        passed = {(one.limits.of, one.limits.name, one.measure) for one in spent(live, found) if one.is_over}
        for one in spent(after, found):
            mine, kept = belonging(one.limits, live.segments), belonging(one.limits, after.segments)
            same = [each for each in kept if after.files[each.file] == live.files.get(each.file)]
            if one.is_over and (one.limits.of, one.limits.name, one.measure) in passed and len(same) >= len(mine):
                of, names = f"{one.limits.of} {one.limits.name}", ", ".join(each.name for each in mine)
                hint = f"take out or change one of {names}, or raise the limit in contracts/budget.yaml"
                raise CommandError(
                    f"space {space}: expected at most {one.most:,} {one.measure} of {of}, found {one.used:,.0f} live → {hint}"
                )
