"""What stands behind a link: the events that say so, and the reasons that people gave."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

import orjson

from operators.records import Link, moment_contract, moment_message, moment_raw
from operators.validate import Judge
from skep.identity.evidence import Evidence
from skep.settings import Settings
from skep.spaces import control_path

MOST = 20_000
"""Events that are read to count those of one link."""


class Seen(NamedTuple):
    """How many events say that two identifiers belong together; not ``complete``: at least so many. ``message``: of the first."""

    events: int
    complete: bool
    message: str | None


class Sightings:
    """Finds the events of links."""

    def __init__(self, evidence: Evidence) -> None:
        view = evidence.view
        self._evidence = evidence
        self._judge = Judge(view.program.definitions, unknown_ok=True, future_skew_us=0, max_event_bytes=0)
        self._contracts = view.meta.contracts

    def of(self, link: Link) -> Seen:
        """The events of a link that is not manual."""
        events = 0
        for read, row in enumerate(self._rows(link, link.last)):
            if read >= MOST:
                return Seen(events, complete=False, message=self._first(link))
            events += self._says(row, link)
        return Seen(events, complete=True, message=self._first(link))

    def _first(self, link: Link) -> str | None:
        found = (moment_message(row) for row in self._rows(link, link.first) if self._says(row, link))
        return min(found, default=None)

    def _rows(self, link: Link, until: int) -> Iterator[bytes]:
        for anchor in self._anchors(link):
            for _, row in self._evidence.view.moments_of(anchor, link.first, until):
                yield row

    def _anchors(self, link: Link) -> list[bytes]:
        """Where events can hang that have the link's higher end as their first identifier."""
        evidence, person = self._evidence, self._evidence.rules.person
        if person[evidence.identifiers[link.a].namespace]:
            return [link.a]
        others = {end for each in evidence.links if link.a in (each.a, each.b) and not each.manual for end in (each.a, each.b)}
        return [link.a, *sorted(end for end in others if person[evidence.identifiers[end].namespace])]

    def _says(self, row: bytes, link: Link) -> bool:
        pairs = self._judge.reread(moment_raw(row), self._contracts[moment_contract(row)]).identifiers
        a, b = (self._evidence.identifiers[end] for end in (link.a, link.b))
        return len(pairs) > 1 and pairs[0] == (a.namespace, a.value) and (b.namespace, b.value) in pairs


def whys(settings: Settings, space: str, messages: Collection[str]) -> dict[str, str]:
    """By message id of control entries: the reasons that were given with them."""
    path = control_path(settings, space)
    if not messages or not path.exists():
        return {}
    wanted = set(messages)
    found: dict[str, str] = {}
    with path.open("rb") as lines:
        for line in lines:
            # A torn line is none; `connectors.control` ends it before the next.
            try:
                entry = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if isinstance(entry, dict) and entry.get("messageId") in wanted and isinstance(entry.get("why"), str):
                found[entry["messageId"]] = entry["why"]
    return found
