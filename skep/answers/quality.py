"""`skep quality`: how good what each source hands over is, and reading a stopped source on."""

from __future__ import annotations

import msgspec

from contracts.model.definitions import Contract
from contracts.model.versions import newest
from contracts.text.durations import duration_us
from contracts.text.problems import closest, listed
from contracts.text.times import iso
from operators.quality.measures import WEEK, freshness, volume
from operators.quality.scores import HOUR_US, OTHER, UNNAMED, Name, Scores, share
from operators.view.space import View
from skep.answers.status import Broken
from skep.project.entries import Submitted, submit
from skep.project.errors import CommandError
from skep.project.settings import Settings
from skep.project.spaces import open_views

HOURS_MAX = 35 * 24
"""How far back scores are kept."""
Pair = tuple[str, str]


class Row(msgspec.Struct, kw_only=True):
    """The scores of an event of a source; shares are None where there was nothing to measure.

    ``broken``: expectations that do not hold, ``missed``: promises of the contract (``sla``) that are not kept.
    """

    space: str
    source: str
    event: str
    events: int
    refused: int
    quarantined: float | None
    reasons: dict[str, int]
    completeness: float | None
    properties: dict[str, float | None]
    unknown_share: float | None
    unknown_properties: dict[str, int]
    unknown_more: int
    out_of_range: dict[str, float | None]
    looked: int
    newest: str | None
    freshness_s: float | None
    volume: float | None
    broken: list[str]
    missed: list[str] = []


class New(msgspec.Struct):
    """An event name that was used for the first time, and whether it has a contract."""

    space: str
    source: str
    event: str
    first: str
    contract: bool


class Quality(msgspec.Struct):
    """The scores of so many hours before the clock."""

    hours: int
    rows: list[Row] = []
    new: list[New] = []
    broken: list[Broken] = []


def report(settings: Settings, source: str | None, since: str, space: str | None) -> Quality:
    """Rows by space, source and event, names used for the first time, and broken expectations, of the last hours before the clock."""
    hours = _hours(since)
    if source is not None:
        _known(settings, source)
    found = Quality(hours)
    with open_views(settings, space) as views:
        for view in views.values():
            clock_us = view.meta.clock
            if clock_us is not None:
                _Space(view, clock_us, hours, source).add(found)
    return found


def resume(settings: Settings, source: str, why: str) -> Submitted:
    """Ask the flow, now or when it runs next, to read a stopped source on."""
    return submit(settings, _known(settings, source), {"type": "resume", "source": source, "why": why})


def _known(settings: Settings, source: str) -> str:
    """The space of a source."""
    spaces = {one.name: one.space for one in settings.sources}
    if source not in spaces:
        hint = closest(source, spaces) or "`skep.yaml` names them"
        raise CommandError(f"expected a source of skep.yaml, one of {listed(spaces)}, found {source} → {hint}")
    return spaces[source]


def _hours(since: str) -> int:
    try:
        hours = -(-duration_us(since) // HOUR_US)
    except ValueError as error:
        raise CommandError(f"--since: expected {error}, found {since} → --since 1d") from error
    if not 1 <= hours <= HOURS_MAX:
        raise CommandError(f"--since: expected up to {HOURS_MAX // 24}d, for which scores are kept, found {since} → --since 1d")
    return hours


class _Space:
    """The rows of one space: its last whole hours, and the one that is going on."""

    def __init__(self, view: View, clock_us: int, hours: int, source: str | None) -> None:
        self._view, self._clock_us, self._source = view, clock_us, source
        self._end = clock_us // HOUR_US
        self._start = self._end - hours
        self._names = {pair: name for pair, name in view.quality.names().items() if source in {None, pair[0]}}
        self._totals: dict[tuple[int, int], dict[Pair, Scores]] = {}

    def add(self, found: Quality) -> None:
        """Append what there is."""
        meta, space, contracts = self._view.meta, self._view.space, self._view.program.definitions.contracts
        broken: dict[Pair, list[str]] = {}
        for one in meta.broken.values():
            broken.setdefault((one.source, one.event), []).append(one.name)
            if self._source in {None, one.source}:
                told = {"space": space, **one.told(one.value), "since": iso(one.since_us), "stops": one.stops}
                found.broken.append(msgspec.convert(told, Broken))
        scores = self._sum(self._start, self._end + 1)
        for pair in sorted(self._names.keys() & (scores.keys() | broken.keys())):
            row = self._row(self._names[pair], pair, scores.get(pair) or Scores(), sorted(broken.get(pair, ())))
            row.missed = _missed(contracts.get(pair[1], ()), row)
            found.rows.append(row)
        for (source, event), name in sorted(self._names.items(), key=lambda one: (one[1].first_us, one[0])):
            if name.first_us >= self._start * HOUR_US and event not in {OTHER, UNNAMED}:
                found.new.append(New(space, source, event, iso(name.first_us), event in contracts))

    def _row(self, name: Name, pair: Pair, scores: Scores, broken: list[str]) -> Row:
        return Row(
            space=self._view.space,
            source=pair[0],
            event=pair[1],
            events=scores.events,
            refused=sum(scores.refused.values()),
            quarantined=_share_of(scores.quarantined()),
            reasons=_sorted(scores.refused),
            completeness=_share_of(scores.carried()),
            properties={path: _share_of(scores.carried(path)) for path in sorted(scores.present)},
            unknown_share=_share_of(scores.undeclared()),
            unknown_properties=_sorted(scores.unknown),
            unknown_more=scores.unknown_more,
            out_of_range={path: _share_of(scores.strayed(path)) for path in sorted(scores.outside)},
            looked=scores.looked,
            newest=None if name.newest_us is None else iso(name.newest_us),
            freshness_s=freshness(name, self._clock_us),
            volume=_rounded(volume(pair, name, (self._start, self._end), self._window)),
            broken=broken,
        )

    def _window(self, start: int, end: int) -> dict[Pair, list[Scores]]:
        # Longer windows are not kept for four weeks before.
        return {} if end - start > WEEK else {pair: [scores] for pair, scores in self._sum(start, end).items()}

    def _sum(self, start: int, end: int) -> dict[Pair, Scores]:
        found = self._totals.get((start, end))
        if found is None:
            found = self._totals[start, end] = {}
            for _, source, event, scores in self._view.quality.scores(start, end):
                found.setdefault((source, event), Scores()).add(scores)
        return found


def _missed(versions: tuple[Contract, ...], row: Row) -> list[str]:
    """What the newest version of the contract promises (``sla``) and the row does not keep."""
    if not versions:
        return []
    sla, missed = newest(versions).sla, []
    if sla.freshness_us is not None and row.freshness_s is not None and row.freshness_s * 1e6 > sla.freshness_us:
        missed.append("freshness")
    if sla.completeness is not None and row.completeness is not None and row.completeness < sla.completeness:
        missed.append("completeness")
    return missed


def _share_of(pair: list[int]) -> float | None:
    return _rounded(share(pair))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _sorted(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))
