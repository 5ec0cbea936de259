"""What a flow says while it runs: started, why it computes everybody anew, caught up, what is wrong, stopped."""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from connectors.sources.partition import peek_time
from connectors.sources.reader import Reader
from contracts.model.batches import SourceBatch
from contracts.text.durations import rough_text
from contracts.text.times import MIN_US
from operators.meta import Meta
from operators.quality.scores import source_of
from skep.answers.late import Lateness, clock_leaps
from skep.answers.status import lag_s
from skep.project import log
from skep.project.log import logger
from skep.project.settings import Settings

LOOK_SECONDS = 1.0
"""How often the line on a terminal changes, and how soon anything is told."""
PROGRESS_SECONDS = 10.0
"""How often it is told how far a flow is that has not caught up, where there is no line that changes."""
QUARANTINE_SECONDS = 60.0
"""How often it is told at most that the quarantine grows."""
SILENT_SECONDS = 600.0
"""How long a followed source says nothing before that is told."""
_RATE_LOOKS = 6


class Told:
    """A reader of whose batches a flow's telling hears; ``between`` two of them something else has its turn."""

    def __init__(self, reader: Reader, telling: Telling, between: Callable[[], None]) -> None:
        self._reader, self._telling, self._between = reader, telling, between
        self.close = reader.close

    @property
    def done(self) -> bool:
        return self._telling.ends(done=self._reader.done)

    def poll(self) -> list[SourceBatch]:
        self._telling.look(self._reader.partitions)
        self._between()
        batches = self._reader.poll()
        self._telling.hear(batches)
        return batches


class Telling:
    """``metas`` is where each space stands, in the flow's own memory; ``seconds`` a clock that never goes back."""

    def __init__(self, settings: Settings, metas: Mapping[str, Callable[[], Meta]], seconds: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._metas, self._seconds = settings, metas, seconds
        self._log = logger()
        self._lateness = Lateness(settings, self._committed())
        self._because = "an error"
        self._begun = self._looked = self._progressed = self._up = seconds()
        self._received_before = self._received
        self._rates = deque([(self._begun, self._received)], maxlen=_RATE_LOOKS)
        self._quarantine, self._quarantine_told = self._refused(), -QUARANTINE_SECONDS
        self._at_end: set[tuple[str, str]] = set()
        """Space and partition of what is read to its end."""
        self._newest = _newest(metas)
        """Until it has been looked whether the wall clock is far ahead of them: the newest event of each source."""
        self._caught_up = False
        self._heard = {(one.space, one.name): self._begun for one in settings.sources if not one.history}
        self._silent: set[tuple[str, str]] = set()

    # ---- what the flow itself says

    def started(self, definitions: str) -> None:
        """Everything is open; ``definitions`` is the digest of those by which it begins."""
        settings = self._settings
        self._log.info(
            "started",
            spaces=", ".join(settings.spaces),
            sources=", ".join(f"{one.name} ({one.place(settings.root)})" for one in settings.sources) or "none",
            definitions=definitions,
            until="it is stopped: Ctrl-C or SIGTERM" if settings.follow else "the end of the input; Ctrl-C or SIGTERM stops it before",
        )

    @contextmanager
    def computing(self, space: str, because: str) -> Iterator[None]:
        """Everybody of a space is computed anew meanwhile."""
        people, begun = self._metas[space]().people, self._seconds()
        self._log.info("recomputing", space=space, because=because, people=people)
        yield
        self._log.info("recomputed", space=space, people=self._metas[space]().people, seconds=round(self._seconds() - begun, 1))

    def asked(self, number: int) -> None:
        """A signal asks the flow to stop. Nothing is written here: a handler may interrupt who is just writing."""
        self._because = f"{signal.Signals(number).name}: everything that was read is committed"

    def ends(self, *, done: bool) -> bool:
        """Whether the input is at its end, which is then why the flow stops."""
        if done:
            self._because = "the end of the input"
        return done

    def stopped(self) -> None:
        """The process ends: why, and how far it came."""
        self._log.info("stopped", because=self._because, **self._standing(), seconds=round(self._seconds() - self._begun, 1))

    # ---- what comes by

    def hear(self, batches: list[SourceBatch]) -> None:
        """Batches are on their way; what they change is not committed yet."""
        now = self._seconds()
        for batch in batches:
            source, key = (batch.space, batch.source), (batch.space, batch.partition)
            if batch.records and source in self._heard:
                self._hear_source(source, now)
                if not self._caught_up:
                    self._newest[source] = max(self._newest.get(source, MIN_US), peek_time(batch.records[-1]))
            if batch.caught_up or batch.finished:
                self._at_end.add(key)
            elif batch.records:
                self._at_end.discard(key)

    def look(self, partitions: list[tuple[str, str]]) -> None:
        """Tell what there is to tell, at most every `LOOK_SECONDS`; ``partitions`` are the space and name of every file."""
        now = self._seconds()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        self._rates.append((now, self._received))
        if self._settings.follow:
            for said in self._lateness.look(self._committed()):
                self._log.warning("too late", **said)
            self._tell_caught_up(now, behind=not self._at_end.issuperset(partitions))
            self._tell_quarantine(now)
            self._tell_silent(now, partitions)
        if log.has_line():
            log.draw(self._line())
        elif now - self._progressed >= PROGRESS_SECONDS and not self._caught_up:
            self._progressed = now
            self._log.info("reading", **self._standing(), rate=round(self._rate()))

    # ----

    def _committed(self) -> dict[str, Meta]:
        return {space: meta() for space, meta in self._metas.items()}

    @property
    def _received(self) -> int:
        return sum(meta().received for meta in self._metas.values())

    def _refused(self) -> dict[str, int]:
        total: dict[str, int] = {}
        for meta in self._metas.values():
            for reason, count in meta().quarantine.items():
                total[reason] = total.get(reason, 0) + count
        return total

    def _clock(self) -> str | None:
        clocks = [meta().clock for meta in self._metas.values()]
        if not clocks or None in clocks:
            return None
        lowest = min(clock for clock in clocks if clock is not None)
        return datetime.fromtimestamp(lowest // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _standing(self) -> dict[str, Any]:
        metas = [meta() for meta in self._metas.values()]
        return {
            "events": self._received - self._received_before,
            "people": sum(meta.people for meta in metas),
            "quarantine": sum(self._refused().values()),
            "clock": self._clock() or "none yet",
        }

    def _rate(self) -> float:
        (begun, before), (now, received) = self._rates[0], self._rates[-1]
        return (received - before) / max(now - begun, 1e-3)

    def _line(self) -> list[str]:
        """What counts most comes first: a narrow terminal has no room for the last."""
        stands, lag = self._standing(), lag_s(self._clock())
        late = sum(sum(meta().late.values()) for meta in self._metas.values())
        parts = [f"{stands['events']:,} events", f"{self._rate():,.0f}/s"]
        if self._settings.follow and lag is not None:
            parts.append(f"{rough_text(max(0.0, lag))} behind")
        parts += [f"{stands['people']:,} people", f"{stands['quarantine']:,} quarantined", f"{late:,} late", f"clock {stands['clock']}"]
        return parts

    def _tell_caught_up(self, now: float, *, behind: bool) -> None:
        if behind:
            self._caught_up = self._caught_up and now - self._up < PROGRESS_SECONDS
            return
        self._up = now
        if not self._caught_up and all(meta().clock is not None for meta in self._metas.values()):
            self._caught_up = True
            self._log.info("caught up", **self._standing(), seconds=round(now - self._begun, 1))
            self._tell_leaps()
            self._lateness.begin(self._committed())

    def _tell_quarantine(self, now: float) -> None:
        if now - self._quarantine_told < QUARANTINE_SECONDS:
            return
        refused = self._refused()
        more = {reason: count - self._quarantine.get(reason, 0) for reason, count in refused.items()}
        self._quarantine = refused
        grown = {reason: count for reason, count in more.items() if count > 0}
        if grown:
            self._quarantine_told = now
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(grown.items()))
            self._log.warning("quarantine grows", by=reasons, records=sum(refused.values()), see="skep quarantine list")

    def _hear_source(self, source: tuple[str, str], now: float) -> None:
        self._heard[source] = now
        if source in self._silent:
            self._silent.discard(source)
            self._log.info("source is heard again", space=source[0], source=source[1])

    def _tell_silent(self, now: float, partitions: list[tuple[str, str]]) -> None:
        for source, heard in self._heard.items():
            if now - heard < SILENT_SECONDS or source in self._silent:
                continue
            self._silent.add(source)
            space, name = source
            files = sum(1 for of, partition in partitions if of == space and partition.startswith(f"{name}/"))
            path = next(one.place(self._settings.root) for one in self._settings.sources if one.name == name)
            minutes = round((now - heard) / 60)
            self._log.warning("source silent", space=space, source=name, minutes=minutes, files=files, path=path)

    def _tell_leaps(self) -> None:
        """Sources are followed whose newest event is older than anything that counts: the wall clock empties every window."""
        for (space, source), newest_us in self._newest.items():
            said = clock_leaps(self._settings, newest_us, time.time_ns() // 1000)
            if said:
                self._log.warning("clock goes on without events", space=space, source=source, **said)
        self._newest.clear()


def _newest(metas: Mapping[str, Callable[[], Meta]]) -> dict[tuple[str, str], int]:
    """By space and source: the time of the newest event that was read before."""
    found: dict[tuple[str, str], int] = {}
    for space, meta in metas.items():
        for partition, time_us in meta().clocks.items():
            key = space, source_of(partition)
            found[key] = max(time_us, found.get(key, time_us))
    return found
