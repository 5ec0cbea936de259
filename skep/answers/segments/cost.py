"""`skep segments cost`: what each live segment costs, and how that stands to the budget."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import msgspec

from operators.view.space import View
from skep.answers.segments.asked import SNAPSHOT, hears, rows, snapshot
from skep.project.settings import Settings
from skep.project.spaces import open_views
from skep.project.usage import SegmentUsage, spent, usages
from state.errors import NoSnapshot


class SegmentCost(msgspec.Struct, frozen=True):
    """A live segment. ``features``: that its conditions ask for; ``state``: bytes that these take of a profile, on average, ``shared`` as
    many of them by other segments too; ``evaluations``: events a second that may change it, and ``calls``: entries and exits that
    destinations were told, of the last day before the clock, None before the first snapshot; ``evaluate_us``: to ask one person."""

    segment: str
    tier: str
    owner: str
    features: int
    state: float
    shared: float
    members: int
    evaluations: float | None
    evaluate_us: float
    calls: int | None


class Charge(msgspec.Struct, frozen=True):
    """What the segments of an owner cost together; a feature that several owners ask for is charged in equal parts."""

    owner: str
    segments: int
    features: float
    state: float
    members: int
    evaluations: float | None
    calls: int | None


class AgainstLimit(msgspec.Struct, frozen=True):
    """A limit of contracts/budget.yaml as it is in force, of a ``tier`` or an ``owner``: the most, what is used, None if it is not known
    yet, and whether that is over it."""

    of: str
    name: str
    measure: str
    most: int
    used: float | None
    over: bool


class SegmentCosts(msgspec.Struct, frozen=True):
    """A space."""

    space: str
    segments: list[SegmentCost]
    owners: list[Charge]
    limits: list[AgainstLimit]


def costs(settings: Settings, space: str | None) -> list[SegmentCosts]:
    """The answer for each space. Raises `NoState` before the first run."""
    with open_views(settings, space) as views:
        return [_of_space(settings, view) for view in views.values()]


def _of_space(settings: Settings, view: View) -> SegmentCosts:
    definitions = view.program.definitions
    events, moves = _last_day(settings, view.space)
    found = usages(view, events)
    shared = _askers(found)
    heard = [hears(one, definitions.segments) for one in definitions.destinations]
    told = {one.name: sum(hear(one) for hear in heard) for one in definitions.segments}
    segments = [_cost(one, shared, None if moves is None else moves.get(one.segment.name, 0) * told[one.segment.name]) for one in found]
    limits = [
        AgainstLimit(one.limits.of, one.limits.name, one.measure, one.most, _rounded(one.used), one.is_over)
        for one in spent(definitions, found)
    ]
    return SegmentCosts(view.space, segments, _charged(found, segments), limits)


def _last_day(settings: Settings, space: str) -> tuple[dict[str, int] | None, dict[str, int] | None]:
    """Of the last day before the clock of the snapshot: events by name, and entries and exits by segment."""
    with suppress(NoSnapshot), snapshot(settings) as con:
        since = f"(SELECT clock - INTERVAL 1 DAY FROM {SNAPSHOT}.spaces WHERE space = $1)"
        counted = (
            f"SELECT event, count(*) FROM {SNAPSHOT}.events WHERE space = $1 AND event IS NOT NULL AND event_time > {since} GROUP BY event"
        )
        moved = f"""SELECT segment, count(*) FILTER (entered_at > {since}) + count(*) FILTER (exited_at > {since})
            FROM {SNAPSHOT}.memberships WHERE space = $1 GROUP BY segment"""
        return dict(rows(con, counted, space)), dict(rows(con, moved, space))
    return None, None


def _askers(found: Iterable[SegmentUsage]) -> dict[str, list[str]]:
    """By feature the owners of the segments that ask for it, one for each."""
    askers: dict[str, list[str]] = {}
    for one in found:
        for key in one.features:
            askers.setdefault(key, []).append(one.segment.owner)
    return askers


def _cost(one: SegmentUsage, askers: dict[str, list[str]], calls: int | None) -> SegmentCost:
    shared = sum(size for key, size in one.features.items() if len(askers[key]) > 1)
    return SegmentCost(
        one.segment.name, one.segment.tier, one.segment.owner, len(one.features), round(sum(one.features.values()), 1), round(shared, 1),
        one.members, _rounded(one.evaluations), round(one.evaluate_us, 2), calls,
    )  # fmt: skip


def _charged(found: list[SegmentUsage], costs_of: list[SegmentCost]) -> list[Charge]:
    charges = []
    askers = _askers(found)
    for owner in sorted({one.segment.owner for one in found}):
        mine = [(one, cost) for one, cost in zip(found, costs_of, strict=True) if one.segment.owner == owner]
        parts = {key: askers[key].count(owner) / len(askers[key]) for one, _ in mine for key in one.features}
        sizes = {key: size for one, _ in mine for key, size in one.features.items()}
        evaluations = [one.evaluations for one, _ in mine]
        calls = [cost.calls for _, cost in mine]
        charges.append(
            Charge(
                owner, len(mine), round(sum(parts.values()), 2), round(sum(sizes[key] * part for key, part in parts.items()), 1),
                sum(one.members for one, _ in mine),
                None if None in evaluations else _rounded(sum(each for each in evaluations if each is not None)),
                None if None in calls else sum(each for each in calls if each is not None),
            )
        )  # fmt: skip
    return charges


def _rounded(value: float | None) -> float | None:
    """Six digits."""
    return None if value is None else float(f"{value:.6g}")
