"""What a running flow says about itself: Prometheus metrics in the default registry, which Bytewax serves at ``/metrics``.

Updated once a batch, never for an event. Counters count since the process started; `skep status` has the totals.
"""

from __future__ import annotations

import time
from collections import Counter as Counts
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

from operators.quality.measures import freshness
from operators.quality.scores import HOUR_US, OTHER, share

if TYPE_CHECKING:
    from operators.people.space import Space

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

_REBUILDS = {
    "rebuilds": Counter("skep_identity_rebuilds", "Times that people were computed anew from all their events", ["space"]),
    "identifiers": Counter("skep_identity_rebuild_identifiers", "Identifiers that were read for it", ["space"]),
    "busy_us": Counter("skep_identity_rebuild_seconds", "Time of the processor that it took, in seconds", ["space"]),
}

_STAGES = {stage: _BATCH.labels(stage) for stage in ("validate", "people", "archive")}


def batch_took(stage: str, began: float) -> None:
    """A batch has left a stage, which it entered at ``began`` by ``time.perf_counter``."""
    _STAGES[stage].observe(time.perf_counter() - began)


class SpaceMetrics:
    """The metrics of one space, brought up to date after each of its commits."""

    def __init__(self, space: Space) -> None:
        self._space = space
        name, meta = space.name, space.meta
        self._counters = {
            "received": _RECEIVED.labels(name),
            "events": _APPLIED.labels(name),
            "duplicate": _DUPLICATE.labels(name),
        }
        self._counted = {field: int(getattr(meta, field)) for field in self._counters}
        self._reasons = dict(meta.quarantine)
        self._fired = 0
        self._cost = {field: int(getattr(space.cost, field)) for field in _REBUILDS}
        self._sizes_at = -SIZES_EVERY_S
        self._quality = QualityMetrics(space)

    def committed(self) -> None:
        """Say where the space stands now."""
        space, meta, name, now_s = self._space, self._space.meta, self._space.name, time.time()
        self._count()
        for partition, clock in meta.clocks.items():
            _LAG.labels(name, partition).set(now_s - clock / 1e6)
        clock_us = meta.clock
        if clock_us is not None:
            _SPACE_LAG.labels(name).set(now_s - clock_us / 1e6)
            _DUE.labels(name).set(space.timers.overdue(clock_us))
        _PEOPLE.labels(name).set(meta.people)
        _CHANGES.labels(name).set(meta.changes)
        if space.digest:
            _CACHED.labels(name).set(space.store.cached)
        if time.monotonic() - self._sizes_at >= SIZES_EVERY_S:
            self._sizes_at = time.monotonic()
            for kind, size in space.shard.sizes().items():
                _ROCKSDB.labels(name, kind).set(size)
            self._quality.measure()
        self._quality.committed()

    def _count(self) -> None:
        meta, counted = self._space.meta, self._counted
        for field, counter in self._counters.items():
            now: int = getattr(meta, field)
            counter.inc(max(0, now - counted[field]))
            counted[field] = now
        # A replay takes entries out again, so a reason may fall; the counter counts what came in.
        for reason, number in meta.quarantine.items():
            _QUARANTINED.labels(self._space.name, reason).inc(max(0, number - self._reasons.get(reason, 0)))
        self._reasons = dict(meta.quarantine)
        for field, counter in _REBUILDS.items():
            now = getattr(self._space.cost, field)
            counter.labels(self._space.name).inc((now - self._cost[field]) / (1e6 if field == "busy_us" else 1))
            self._cost[field] = now
        _FIRED.labels(self._space.name).inc(self._space.timers.fired - self._fired)
        self._fired = self._space.timers.fired


class QualityMetrics:
    """The metrics of one space's quality, by source and event."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._labels: dict[tuple[str, str], tuple[str, str]] = {}
        self._broken: set[tuple[str, str]] = set()
        self._stopped: set[str] = set()

    def committed(self) -> None:
        """Count what the last commit has scored; say what is broken and stopped."""
        quality, name = self._space.quality, self._space.name
        for pair, (events, refused) in quality.ledger.scored.items():
            labels = name, *self._named(pair)
            _SCORED.labels(*labels).inc(events)
            _REFUSED.labels(*labels).inc(refused)
        quality.ledger.scored.clear()
        broken = Counts(self._named((one.source, one.event)) for one in self._space.meta.broken.values())
        for pair in self._broken | broken.keys():
            _BROKEN.labels(name, *pair).set(broken[pair])
        for source in self._stopped | quality.stopped:
            _STOPPED.labels(name, source).set(source in quality.stopped)
        self._broken, self._stopped = set(broken), set(quality.stopped)

    def measure(self) -> None:
        """Say what the scores are now."""
        space, clock_us = self._space, self._space.meta.clock
        if clock_us is None:
            return
        rows = space.quality.ledger.hour(clock_us // HOUR_US - 1)
        for pair, known in space.quality.ledger.names.items():
            labels = self._named(pair)
            if labels[1] == OTHER:
                continue
            behind, row = freshness(known, clock_us), rows.get(pair)
            if behind is not None:
                _FRESHNESS.labels(space.name, *labels).set(behind)
            complete = share(row.carried()) if row is not None else None
            if complete is not None:
                _COMPLETE.labels(space.name, *labels).set(complete)

    def _named(self, pair: tuple[str, str]) -> tuple[str, str]:
        """The labels of a source and event."""
        found = self._labels.get(pair)
        if found is None:
            found = self._labels[pair] = pair if len(self._labels) < QUALITY_LABELS_MAX else (pair[0], OTHER)
        return found
