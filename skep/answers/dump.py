"""All state that the promises cover."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge

from contracts.text.times import parse_time
from skep.project.errors import CommandError
from skep.project.settings import Settings
from skep.project.spaces import open_views


def dump_lines(settings: Settings, at: str | None, space: str | None) -> Iterator[bytes]:
    """The dump of all spaces, sorted as bytes."""
    at_us = None
    if at is not None:
        at_us = parse_time(at)
        if at_us is None:
            raise CommandError(f"--at: expected a time such as 2026-07-01T00:00:00Z, found {at} → write it as ISO 8601")
    with open_views(settings, space) as views:
        yield from merge(*(view.dump(at_us) for view in views.values()))
