"""What a running flow says about itself: Prometheus metrics in the default registry, which Bytewax serves at ``/metrics``.

Updated once a batch, never for an event. Counters count since the process started; `skep status` has the totals.
"""

from __future__ import annotations

import time
from collections import Counter as Counts
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from prometheus_client import Counter, Gauge, Histogram

from operators.quality.scores import OTHER

SIZES_EVERY_S = 5.0
"""How often RocksDB is asked for its sizes at most."""
QUALITY_LABELS_MAX = 200
"""Pairs of source and event of a space that have metrics of their own; the rest count as the event `(other)`."""
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_BATCH = Histogram(
    "skep_batch_seconds", "Wall time of one batch in a stage (validate, people, archive), in seconds", ["stage"], buckets=_BUCKETS
)
_RECEIVED = Counter("skep_records_received", "Records that the people step has taken in", ["space"])
_APPLIED = Counter("skep_events_applied", "Events applied: accepted, and seen for the first time", ["space"])
_DUPLICATE = Counter("skep_events_duplicate", "Events with a message id that was there before, with the same content", ["space"])
_QUARANTINED = Counter("skep_quarantined", "Records put into quarantine, by reason; `conflict` is one of them", ["space", "reason"])
_FIRED = Counter("skep_timers_fired", "Timers taken because the clock had passed them", ["space"])
_DUE = Gauge("skep_timers_due", "Timers that the clock has passed and that wait for the next commits", ["space"])
_LAG = Gauge("skep_lag_seconds", "Wall clock less the clock of a partition, in seconds", ["space", "partition"])
_SPACE_LAG = Gauge("skep_space_lag_seconds", "Wall clock less the clock of the space, in seconds", ["space"])
_PEOPLE = Gauge("skep_people", "Profiles of the space", ["space"])
_CACHED = Gauge("skep_people_cached", "Profiles held decoded in memory; `cache_mb` bounds them", ["space"])
_CHANGES = Gauge("skep_change_sequence", "Sequence number of the last change event committed", ["space"])
_ROCKSDB = Gauge("skep_rocksdb_bytes", "Bytes of the space's shard, by kind: sst (on disk), memtables (in memory)", ["space", "kind"])
_SOURCE_EVENT = ["space", "source", "event"]
_SCORED = Counter("skep_quality_events", "Accepted events, repeats included", _SOURCE_EVENT)
_REFUSED = Counter("skep_quality_refused", "Records that went into quarantine", _SOURCE_EVENT)
_COMPLETE = Gauge("skep_quality_completeness", "Share of the optional properties that the events of the last hour carry", _SOURCE_EVENT)
_FRESHNESS = Gauge("skep_quality_freshness_seconds", "Clock of the space less the newest accepted event, in seconds", _SOURCE_EVENT)
_BROKEN = Gauge("skep_quality_broken", "Expectations of contracts/quality.yaml that do not hold", _SOURCE_EVENT)
_STOPPED = Gauge("skep_source_stopped", "1 while a source is read no further because of a broken expectation", ["space", "source"])

_COUNTED = {
    "received": _RECEIVED,
    "applied": _APPLIED,
    "duplicate": _DUPLICATE,
    "fired": _FIRED,
    "rebuilds": Counter("skep_identity_rebuilds", "Times that people were made anew since something was taken away", ["space"]),
    "rebuilt_identifiers": Counter("skep_identity_rebuild_identifiers", "Identifiers that they had", ["space"]),
}
"""By field of `Standing`."""
_REBUILT_S = Counter("skep_identity_rebuild_seconds", "Time of the processor that it took, in seconds", ["space"])

_STAGES = {stage: _BATCH.labels(stage) for stage in ("validate", "people", "archive")}


def batch_took(stage: str, began: float) -> None:
    """A batch has left a stage, which it entered at ``began`` by ``time.perf_counter``."""
    _STAGES[stage].observe(time.perf_counter() - began)


class Standing(NamedTuple):
    """Where a space stands after a commit. What it has counted: records, events, duplicates, ``reasons`` in quarantine, timers fired
    since it was opened, rebuilds. Clocks in µs (by partition, and its own), timers that are ``due``, profiles, changes, and profiles
    in the cache (None before there are definitions)."""

    received: int
    applied: int
    duplicate: int
    reasons: Mapping[str, int]
    fired: int
    rebuilds: int
    rebuilt_identifiers: int
    rebuilt_us: int
    clocks: Mapping[str, int]
    clock_us: int | None
    due: int
    people: int
    changes: int
    cached: int | None


Source = tuple[str, str]
"""A source and the name of an event from it."""


class SpaceMetrics:
    """The metrics of one space, brought up to date after each of its commits; ``opened``: where it stood when it was opened."""

    def __init__(self, space: str, opened: Standing) -> None:
        self._space = space
        self._was = opened._replace(fired=0)
        self.quality = QualityMetrics(space)
        for reason in opened.reasons:
            _QUARANTINED.labels(space, reason)
        self._counted = [(field, counter.labels(space)) for field, counter in _COUNTED.items()]
        self._rebuilt_s = _REBUILT_S.labels(space)
        self._people, self._changes = _PEOPLE.labels(space), _CHANGES.labels(space)
        self._cached: Gauge | None = None
        self._behind: tuple[Gauge, Gauge] | None = None
        """How far the space is behind, and its timers: as soon as it has a clock."""
        self._lag: dict[str, Gauge] = {}
        """By partition."""
        self._sizes_at = -SIZES_EVERY_S

    def committed(self, now: Standing) -> None:
        """Say where the space stands now; counters count what is new since the last time."""
        name, was, now_s = self._space, self._was, time.time()
        for field, counter in self._counted:
            more = getattr(now, field) - getattr(was, field)
            if more > 0:
                counter.inc(more)
        if now.rebuilt_us != was.rebuilt_us:
            self._rebuilt_s.inc((now.rebuilt_us - was.rebuilt_us) / 1e6)
        # A replay takes entries out again, so a reason may fall; the counter counts what came in.
        for reason, number in now.reasons.items():
            if number != was.reasons.get(reason):
                _QUARANTINED.labels(name, reason).inc(max(0, number - was.reasons.get(reason, 0)))
        self._was = now
        for partition, clock in now.clocks.items():
            lag = self._lag.get(partition)
            if lag is None:
                lag = self._lag[partition] = _LAG.labels(name, partition)
            lag.set(now_s - clock / 1e6)
        if now.clock_us is not None:
            if self._behind is None:
                self._behind = _SPACE_LAG.labels(name), _DUE.labels(name)
            self._behind[0].set(now_s - now.clock_us / 1e6)
            self._behind[1].set(now.due)
        self._people.set(now.people)
        self._changes.set(now.changes)
        if now.cached is not None:
            self._cached = self._cached or _CACHED.labels(name)
            self._cached.set(now.cached)

    def sizes_wanted(self) -> bool:
        """Whether sizes and scores are to be told again; who asks tells them."""
        wanted = time.monotonic() - self._sizes_at >= SIZES_EVERY_S
        if wanted:
            self._sizes_at = time.monotonic()
        return wanted

    def sizes(self, sizes: Mapping[str, int]) -> None:
        """How many bytes RocksDB holds, by kind."""
        for kind, size in sizes.items():
            _ROCKSDB.labels(self._space, kind).set(size)


class QualityMetrics:
    """The metrics of one space's quality, by source and event."""

    def __init__(self, space: str) -> None:
        self._space = space
        self._labels: dict[Source, Source] = {}
        self._counters: dict[Source, tuple[Counter, Counter]] = {}
        """Of accepted events and refused records, by source and event."""
        self._broken: dict[Source, int] = {}
        self._stopped: frozenset[str] = frozenset()

    def committed(self, scored: Mapping[Source, tuple[int, int]], broken: Iterable[Source], stopped: frozenset[str]) -> None:
        """Count accepted events and refused records that were scored since the last time; say what is ``broken``, once an expectation,
        and which sources are stopped."""
        name = self._space
        for pair, (events, refused) in scored.items():
            counters = self._counters.get(pair)
            if counters is None:
                labels = name, *self._named(pair)
                counters = self._counters[pair] = _SCORED.labels(*labels), _REFUSED.labels(*labels)
            counters[0].inc(events)
            if refused:
                counters[1].inc(refused)
        counted = Counts(map(self._named, broken))
        if counted != self._broken:
            for pair in self._broken.keys() | counted.keys():
                _BROKEN.labels(name, *pair).set(counted[pair])
        if stopped != self._stopped:
            for source in self._stopped | stopped:
                _STOPPED.labels(name, source).set(source in stopped)
        self._broken, self._stopped = counted, stopped

    def measured(self, scores: Iterable[tuple[Source, float | None, float | None]]) -> None:
        """Say what the scores are now: seconds that the newest event is behind, and completeness; None where there is nothing to say."""
        for pair, freshness_s, completeness in scores:
            labels = self._named(pair)
            if labels[1] == OTHER:
                continue
            if freshness_s is not None:
                _FRESHNESS.labels(self._space, *labels).set(freshness_s)
            if completeness is not None:
                _COMPLETE.labels(self._space, *labels).set(completeness)

    def _named(self, pair: Source) -> Source:
        """The labels of a source and event."""
        found = self._labels.get(pair)
        if found is None:
            found = self._labels[pair] = pair if len(self._labels) < QUALITY_LABELS_MAX else (pair[0], OTHER)
        return found
