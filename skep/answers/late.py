"""A source of which too much comes too late: said once, with the cause and the remedy, not record by record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contracts.text.times import iso
from operators.meta import Meta
from skep.answers.status import Late, Totals
from skep.project.settings import Settings

SHARE = 0.05
"""Of a source's records; more of them in quarantine as `too_late` is no straggler but a wrong setting."""
STRAGGLERS = 10
"""So few are not worth a word while a flow runs."""


def late_sources(found: Totals) -> list[Late]:
    """Those of a status of which too much lies in quarantine as too late."""
    return [one for one in found.late if one.too_late > SHARE * one.received]


class Lateness:
    """What of each source comes too late while a flow runs, from where ``before`` stands on; each source is told once."""

    def __init__(self, settings: Settings, before: Mapping[str, Meta]) -> None:
        self._settings = settings
        self._told: set[tuple[str, str]] = set()
        self.begin(before)

    def begin(self, before: Mapping[str, Meta]) -> None:
        """Count from here: a history that was read well says nothing of what comes behind it."""
        self._before = {space: (dict(meta.sources), dict(meta.late)) for space, meta in before.items()}

    def look(self, metas: Mapping[str, Meta]) -> Iterator[dict[str, Any]]:
        """What is to be said of sources of which too much has come too late by now."""
        for space, meta in metas.items():
            received_before, late_before = self._before[space]
            for source, late in list(meta.late.items()):
                too_late = late - late_before.get(source, 0)
                received = meta.sources.get(source, 0) - received_before.get(source, 0)
                if (space, source) not in self._told and too_late >= STRAGGLERS and too_late > SHARE * received:
                    self._told.add((space, source))
                    clock = "nowhere" if meta.clock is None else iso(meta.clock)
                    where = f"they lie more than the horizon ({horizon_words(self._settings)}) behind the clock, which stands at {clock}"
                    much = {"space": space, "source": source, "too_late": too_late, "of": received}
                    yield much | {"because": f"{where}; they are in quarantine", "remedy": remedy_of(self._settings, source)}


def clock_leaps(settings: Settings, newest_us: int, now_us: int) -> dict[str, Any]:
    """What is to be said where a followed file is read to its end, whose newest event is more than the horizon behind now; else nothing."""
    if now_us - newest_us <= settings.horizon_us:
        return {}
    because = f"all of it is read, and its newest event is of {iso(newest_us)}, longer ago than the horizon ({horizon_words(settings)})"
    goes = "a flow that follows goes on with the wall clock: what counts within a time is empty now, and events of then are too late"
    return {
        "because": f"{because}; {goes}",
        "remedy": "`skep run --once` reads what was written long ago and leaves the clock at its newest event",
    }


def remedy_of(settings: Settings, source: str) -> str:
    """What to do about a source of which too much comes too late."""
    replay = "`skep quarantine replay --reason too_late` takes them in"
    if any(one.name == source and one.history for one in settings.sources):
        return replay
    return f"If it was written down before it is read, say `history: true` for {source} in skep.yaml: none of it is late then. {replay}"


def horizon_words(settings: Settings) -> str:
    """The horizon in days, ``30d``."""
    return f"{settings.horizon_us / 86_400_000_000:g}d"
