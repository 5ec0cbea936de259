"""Where the processes of `skep run` serve their metrics: the flow at Bytewax's port, activation and the publisher at the next two."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from prometheus_client import REGISTRY, Gauge, start_http_server

from skep.project.audited import Audited
from skep.project.usage import Spent

ENABLED, PORT, CACHE = "BYTEWAX_DATAFLOW_API_ENABLED", "BYTEWAX_DATAFLOW_API_PORT", "BYTEWAX_DATAFLOW_API_CACHE_PATH"
_BYTEWAX_PORT = 3030
FLOW, ACTIVATION, PUBLISHER = range(3)
"""Whose metrics: how far its port lies behind the flow's."""

# Of no registry before the first snapshot: a page without them says nothing, a page with zeros says that the last one is of 1970.
_PUBLISHED = Gauge("skep_snapshot_published_seconds", "Unix time at which the last snapshot was published", registry=None)
_TOOK = Gauge("skep_snapshot_took_seconds", "How long the last snapshot took, in seconds", registry=None)
_BYTES = Gauge("skep_snapshot_bytes", "Size of the last snapshot", registry=None)
_DIFFER = Gauge("skep_segment_audit_differences", "People whose membership the last audit has found to differ", ["space", "segment"])
_AUDITED = Gauge("skep_segment_audit_seconds", "Unix time of the last audit of segments", ["space"])
_OVER = Gauge("skep_budget_over", "What is used of a limit of the budget that is passed", ["space", "of", "name", "measure"])


def environment_of(process: int, given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables for a process beside others: a port of its own."""
    return {PORT: str(int(given.get(PORT) or _BYTEWAX_PORT) + process)} if ENABLED in given else {}


def keep_in(data: Path) -> None:
    """Let Bytewax put its ``dataflow.json`` into the data folder, which can be written, and not where the process happens to be."""
    if ENABLED in os.environ:
        data.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault(CACHE, str(data))


def serve() -> None:
    """Serve this process's metrics, if they are asked for, at the port of its environment."""
    if ENABLED in os.environ:
        start_http_server(int(os.environ.get(PORT) or _BYTEWAX_PORT))


def published(at_seconds: float, took_seconds: float, size_bytes: int) -> None:
    """A snapshot has been published."""
    _shown()
    _PUBLISHED.set(at_seconds)
    _TOOK.set(took_seconds)
    _BYTES.set(size_bytes)


def audited(found: Mapping[str, Audited]) -> None:
    """What the last audit of each space has found."""
    for space, one in found.items():
        _AUDITED.labels(space).set(one.at)
        for segment, people in one.differences.items():
            _DIFFER.labels(space, segment).set(people)


def over_budget(found: Mapping[str, Iterable[Spent]]) -> None:
    """By space, the limits that are passed; all others are not there."""
    _OVER.clear()
    for space, limits in found.items():
        for one in limits:
            _OVER.labels(space, one.limits.of, one.limits.name, one.measure).set(one.used or 0)


@cache
def _shown() -> None:
    for gauge in (_PUBLISHED, _TOOK, _BYTES):
        REGISTRY.register(gauge)
