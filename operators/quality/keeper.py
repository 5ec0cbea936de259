"""The quality of one space: what it takes in is scored, and held against the expectations when the clock enters an hour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import partial

from contracts.model.batches import Event, Refused
from contracts.model.definitions import Definitions
from contracts.model.event_patterns import matches
from contracts.model.expectations import Expectation
from operators.change_log import ChangeLog
from operators.meta import Meta
from operators.quality.broken import Broken, key_of
from operators.quality.ledger import HOURS_KEPT, Ledger
from operators.quality.measures import freshness, holds, measure
from operators.quality.scorer import Scorer
from operators.quality.scores import HOUR_US, Scores, share
from state.family import Family

LOOK_US = 60_000_000
"""How often freshness is looked at by the wall clock, in a flow that has caught up."""
Windowed = dict[tuple[str, str], list[Scores]]
_ALWAYS = -(1 << 62)


class Quality:
    """Between `begin` and `score`, accepted events of one source are appended to ``accepted``, refused records told to `refuse`."""

    def __init__(self, family: Family, meta: Meta, log: ChangeLog) -> None:
        self.ledger = Ledger(family)
        self._meta = meta
        self._log = log
        self._scorer: Scorer | None = None
        self._expectations: dict[str, Expectation] = {}
        self._contracts: frozenset[str] = frozenset()
        self._source = ""
        self._read_at_us = 0
        self.accepted: list[Event] = []
        self._refused: list[Refused] = []
        self._came_us: list[int] = []
        self.next_us = _ALWAYS
        """From this clock on it stands in another hour than before."""
        self._look_us = _ALWAYS
        self.stopped: frozenset[str] = frozenset()
        """Sources that are read no further."""
        self._stops()
        if meta.clock is not None:
            self._entered(meta.clock)

    def use(self, definitions: Definitions) -> None:
        """Score and judge by these definitions from now on; what they no longer expect is restored."""
        self._scorer = Scorer(definitions)
        self._expectations = {key_of(one): one for one in definitions.expectations}
        self._contracts = frozenset(definitions.contracts)
        gone = [key for key, one in self._meta.broken.items() if one.expectation not in self._expectations]
        if gone:
            self._log.cause = {"type": "definition", "digest": definitions.digest}
        for key in gone:
            self._restored(key, None)

    # ---- scoring

    def begin(self, source: str, read_at_us: int) -> None:
        """What is appended from now on comes from this source."""
        self._source, self._read_at_us = source, read_at_us

    def refuse(self, record: Refused) -> None:
        """A record that goes into quarantine; without a time of its own it came when the clock stands there."""
        self._refused.append(record)
        self._came_us.append(self._read_at_us if self._meta.clock is None else self._meta.clock)

    def score(self) -> None:
        """Count what has come since the last time."""
        if self._scorer is None or not (self.accepted or self._refused):
            return
        counted = partial(self.ledger.counted, self._source)
        found = self._scorer.score(self.accepted, self._refused, self._came_us, counted)
        self.ledger.add(self._source, found)
        for each in (self.accepted, self._refused, self._came_us):
            each.clear()

    def scores(self) -> Iterator[tuple[tuple[str, str], float | None, float | None]]:
        """Of each source and event: how far its newest event is behind the clock in seconds, and the completeness of the last hour."""
        clock_us = self._meta.clock
        if clock_us is None:
            return
        rows = self.ledger.hour(clock_us // HOUR_US - 1)
        for pair, known in self.ledger.names.items():
            row = rows.get(pair)
            yield pair, freshness(known, clock_us), share(row.carried()) if row is not None else None

    # ---- judging

    def enter(self, clock_us: int) -> None:
        """The clock has entered another hour: judge by what came before it."""
        if self._expectations:
            # The records of this batch that came before.
            self.score()
            self._judge(clock_us, self._expectations)
        self._entered(clock_us)

    def tick(self, clock_us: int) -> None:
        """The wall clock of a flow that has caught up: who is silent is found out within the hour."""
        if clock_us >= self._look_us:
            self._look_us = clock_us + LOOK_US
            fresh = {key: one for key, one in self._expectations.items() if one.check == "freshness"}
            if fresh:
                self._judge(clock_us, fresh)

    def _entered(self, clock_us: int) -> None:
        hour = clock_us // HOUR_US
        self.next_us = (hour + 1) * HOUR_US
        self.ledger.drop(hour - HOURS_KEPT)

    def _judge(self, clock_us: int, expectations: dict[str, Expectation]) -> None:
        self._log.cause, self._log.clock = {"type": "clock"}, clock_us
        window = partial(self._window, {})
        broken, stopped = self._meta.broken, self.stopped
        for key, one in expectations.items():
            for pair in self._meant(one):
                value = measure(one, pair, self.ledger.names[pair], clock_us, window)
                at = "|".join((key, *pair))
                if value is None or pair[0] in stopped:
                    continue
                if not holds(one, value):
                    if at not in broken:
                        self._broken(at, Broken.of(one, key, pair, value, clock_us))
                elif at in broken:
                    self._restored(at, value)

    def _meant(self, one: Expectation) -> list[tuple[str, str]]:
        """The sources and events that it is about; an event without a contract is nobody's promise."""
        named = (pair for pair in self.ledger.names if one.source in {"", pair[0]} and pair[1] in self._contracts)
        return sorted(pair for pair in named if matches(one.event, pair[1]))

    def _window(self, windows: dict[tuple[int, int], Windowed], start: int, end: int) -> Windowed:
        found = windows.get((start, end))
        if found is None:
            found = windows[start, end] = defaultdict(list)
            for hour in range(start, end):
                for pair, row in self.ledger.hour(hour).items():
                    found[pair].append(row)
        return found

    def _broken(self, at: str, one: Broken) -> None:
        self._meta.broken[at] = one
        self._log.tell("quality.broken", **one.told(one.value))
        self._stops()

    def _restored(self, at: str, value: float | None) -> None:
        one = self._meta.broken.pop(at)
        self._log.tell("quality.restored", **one.told(value))
        self._stops()

    # ---- stopping

    def resume(self, source: str) -> bool:
        """Read a stopped source on, although what stopped it is as it was; False if it is not stopped."""
        if source not in self.stopped:
            return False
        for one in self._meta.broken.values():
            if one.source == source:
                one.resumed = True
        self._stops()
        return True

    def _stops(self) -> None:
        self.stopped = frozenset(one.source for one in self._meta.broken.values() if one.stops)
