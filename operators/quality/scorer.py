"""Scores a list of events and refused records: rows of `Scores` by hour and event, nothing stored."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from itertools import chain, repeat
from typing import Any

import orjson

from contracts.envelope import ALWAYS_KNOWN, judged_part, with_title
from contracts.model.batches import Event, Refused
from contracts.model.definitions import Definitions
from contracts.model.versions import newest
from contracts.text.times import parse_time
from operators.quality.scores import HOUR_US, TEXT_MAX, UNNAMED, Scores
from operators.quality.values import Values
from schemalogic.declarations import Declared, declared

LOOK_FIRST, LOOK_EVERY = 20, 32
"""In each hour the values of the first events of a name are looked at, then those of every so-manieth."""
SHAPES_MAX = 1_000
"""Shapes (which names an event carries) of one contract that are remembered; all are forgotten when there are more."""
PLANS_MAX = 2_000
"""Contracts, and names without one, whose plan is remembered."""

BatchQuality = dict[tuple[int, str], Scores]
"""``(hour since 1970, event)`` → what was counted."""
_NOT_READ = frozenset({"too_large", "undecodable"})


class _Plan:
    """How the events of one contract are scored."""

    def __init__(self, event: str, contract: Declared, values: Values, *, upcast: bool, closed: bool) -> None:
        self.event = event
        self.values = values
        self._as_sent = not upcast and judged_part(event) == "properties"
        self._names = contract.names
        self._top = [one for one in contract.properties if len(one.steps) == 1 and not one.required]
        self._nullable = any(one.nullable for one in self._top)
        self._all = tuple(contract.names) if closed and contract.names is not None and not self._nullable else None
        """The shape of a document that has as many names as the contract allows."""
        self._columns: dict[tuple[str, ...], tuple[list[int], list[str]]] = {}

    def sent(self, group: list[Event]) -> list[dict[str, Any]]:
        """What the producer sent and the contract judged, before any upcast."""
        if self._as_sent:
            return [event.properties for event in group]
        place, bodies = judged_part(self.event), [event.body for event in group]
        found: list[dict[str, Any]] = [body.get(place) or {} for body in bodies]
        return list(map(with_title, found, bodies)) if self.event in ALWAYS_KNOWN else found

    def shapes(self, sent: list[dict[str, Any]]) -> dict[tuple[str, ...], int]:
        """How many documents have which names; one that is null is not there."""
        if self._all is not None and sum(map(len, sent)) == len(sent) * len(self._all):
            return {self._all: len(sent)}
        if self._nullable:
            return Counter([tuple([name for name, value in one.items() if value is not None]) for one in sent])
        shapes = list(map(tuple, sent))
        first = shapes[0]
        # Most producers send one shape, and to compare is cheaper than to hash.
        return {first: len(shapes)} if shapes.count(first) == len(shapes) else Counter(shapes)

    def count(self, shapes: dict[tuple[str, ...], int], scores: Scores) -> None:
        """Add to ``scores`` what so many events of these shapes say."""
        present = [0] * len(self._top)
        total = 0
        for shape, times in shapes.items():
            carried, unknown = self._columns.get(shape) or self._read(shape)
            total += times
            for at in carried:
                present[at] += times
            if unknown:
                scores.unknown_events += times
                for name in unknown:
                    scores.unknown[name] = scores.unknown.get(name, 0) + times
        for one, count in zip(self._top, present, strict=True):
            scores.present[one.path] = [count, total]

    def _read(self, shape: tuple[str, ...]) -> tuple[list[int], list[str]]:
        if len(self._columns) >= SHAPES_MAX:
            self._columns.clear()
        names = set(shape)
        carried = [at for at, one in enumerate(self._top) if one.steps[0] in names]
        found = self._columns[shape] = carried, self.unknown(shape)
        return found

    def unknown(self, names: Iterable[str]) -> list[str]:
        """The names that the contract does not declare, cut to what is kept of them."""
        known = self._names
        return [] if known is None else sorted({name[:TEXT_MAX] for name in names if name not in known})


class Scorer:
    """Scores by one set of definitions."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._plans: dict[str, _Plan] = {}

    def score(
        self,
        events: Iterable[Event],
        refused: Iterable[Refused] = (),
        came_us: Iterable[int] = (),
        counted: Callable[[int, str], int] = lambda hour, event: 0,  # noqa: ARG005
    ) -> BatchQuality:
        """Count accepted events by the hour of their time, refused records by that of `refused_us`.

        ``came_us`` stands for the times of the refused records that have none (1970 if it is shorter than they are);
        ``counted(hour, event)`` is how many accepted events are counted there already, so that which values are looked at
        does not depend on where batches end.
        """
        found: BatchQuality = {}
        for hour, groups in _by_hour(events).items():
            for head, group in groups.items():
                _score(self._plans.get(head) or self._plan(head), hour, group, found, counted)
        for record, clock_us in zip(refused, chain(came_us, repeat(0)), strict=False):
            self._refused(record, clock_us, found)
        return found

    def _refused(self, record: Refused, clock_us: int, found: BatchQuality) -> None:
        body = None if record.reason in _NOT_READ else _decoded(record.raw)
        scores = _row(found, refused_us(record, body, clock_us) // HOUR_US, record.event[:TEXT_MAX] or UNNAMED)
        scores.refused[record.reason] = scores.refused.get(record.reason, 0) + 1
        if record.reason == "invalid" and body is not None:
            self._unknown(record, body, scores)

    def _plan(self, head: str) -> _Plan:
        if len(self._plans) >= PLANS_MAX:
            self._plans.clear()
        event, _, _ = head.partition("/")
        contract = next((one for one in self._definitions.contracts.get(event, ()) if one.name == head), None)
        said = Declared((), None) if contract is None else declared(contract.schema, self._definitions.types)
        values = Values(event, said.properties, self._definitions.ranges)
        closed = contract is not None and contract.schema.get("additionalProperties") is False and "$ref" not in contract.schema
        plan = self._plans[head] = _Plan(event[:TEXT_MAX], said, values, upcast=event in self._definitions.upcasts, closed=closed)
        return plan

    def _unknown(self, record: Refused, body: dict[str, Any], scores: Scores) -> None:
        """What an invalid record carries that its contract does not declare."""
        versions = self._definitions.contracts.get(record.event)
        sent = body.get(judged_part(record.event))
        if not versions or type(sent) is not dict:
            return
        head = record.contract or newest(versions).name
        unknown = (self._plans.get(head) or self._plan(head)).unknown(sent)
        scores.unknown_events += bool(unknown)
        for one in unknown:
            scores.unknown[one] = scores.unknown.get(one, 0) + 1


def _by_hour(events: Iterable[Event]) -> dict[int, dict[str, list[Event]]]:
    """The events by hour and contract. They come nearly in order of time, so that an hour is looked up when another begins."""
    hours: dict[int, dict[str, list[Event]]] = {}
    start = end = 0
    for event in events:
        time_us = event.time_us
        if not start <= time_us < end:
            hour = time_us // HOUR_US
            start, end = hour * HOUR_US, (hour + 1) * HOUR_US
            groups = hours.setdefault(hour, defaultdict(list))
        groups[event.contract or event.name or event.type].append(event)
    return hours


def _score(plan: _Plan, hour: int, group: list[Event], found: BatchQuality, counted: Callable[[int, str], int]) -> None:
    """Count events of one contract and hour."""
    scores = _row(found, hour, plan.event)
    before = scores.events + counted(hour, plan.event)
    scores.events += len(group)
    newest_us = max([event.time_us for event in group])
    scores.newest_us = newest_us if scores.newest_us is None else max(newest_us, scores.newest_us)
    more = Scores() if scores.present else scores
    sent = plan.sent(group)
    plan.count(plan.shapes(sent), more)
    if not plan.values.nothing:
        looked = _looked(sent, before)
        more.looked += len(looked)
        plan.values.look(looked, more.present, more.outside)
    if more is not scores:
        scores.add(more)


def _looked(sent: list[dict[str, Any]], before: int) -> list[dict[str, Any]]:
    """Those whose number in the hour, counted from ``before``, is among the first or a multiple."""
    first = max(0, LOOK_FIRST - before)
    return sent[:first] + sent[first - (before + first) % -LOOK_EVERY :: LOOK_EVERY]


def _row(found: BatchQuality, hour: int, event: str) -> Scores:
    scores = found.get((hour, event))
    if scores is None:
        scores = found[hour, event] = Scores()
    return scores


def refused_us(record: Refused, body: dict[str, Any] | None, clock_us: int) -> int:
    """The time under which a refused record is counted: its ``receivedAt``, else its own if that is believed, else the clock."""
    if record.received_at_us is not None:
        return record.received_at_us
    if body is None or record.reason in {"future", "too_late"}:
        return clock_us
    times = (body.get("timestamp"), body.get("originalTimestamp"))
    return next((found for found in map(parse_time, times) if found is not None), clock_us)


def _decoded(raw: bytes) -> dict[str, Any] | None:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return body if type(body) is dict else None
