"""What a replay would do: records judged by the definitions in force, or by contracts/ as it is now, and nothing touched."""

from __future__ import annotations

import time

import msgspec
import orjson

from contracts.envelope import content
from contracts.model.batches import Event, Refused
from contracts.model.definitions import Definitions
from operators.judge import Judge
from operators.people.quarantine import refused_event
from operators.people.repairs import message_id
from operators.view.quarantine import Quarantined
from operators.view.space import View
from skep.answers.quarantine.causes import Cause, Causes
from skep.project.in_force import in_force
from skep.project.judging import tolerance
from skep.project.settings import Settings


class Tried(msgspec.Struct, frozen=True, rename={"passing": "pass", "failing": "fail"}):
    """How many records would pass (``duplicate`` of them as repeats of a known message), and why the others would not."""

    records: int
    passing: int
    duplicate: int
    failing: int
    causes: list[Cause]


class Trial:
    """Judges records one after the other, as a replay would: by what is in force in their space, or by these definitions.

    Repeats are known as long as their message ids are remembered.
    """

    def __init__(self, settings: Settings, definitions: Definitions | None = None) -> None:
        self._settings, self._definitions = settings, definitions
        self._judges: dict[str, Judge] = {}
        self._now_us = time.time_ns() // 1000
        self._before: dict[tuple[str, str], bytes] = {}
        """By space and message id: the bytes of what has passed in this trial."""
        self._records, self._passing, self._duplicate = 0, 0, 0
        self._causes = Causes()

    @property
    def tried(self) -> Tried:
        """What has become of the records so far."""
        failing = self._records - self._passing
        return Tried(self._records, self._passing, self._duplicate, failing, self._causes.sorted())

    def add(self, space: str, view: View, row: Quarantined, raw: bytes | None = None) -> Event | Refused:
        """What would become of a record, or of these bytes in its place; counted."""
        outcome, repeated = self._outcome(space, view, row, row.raw if raw is None else raw)
        self._records += 1
        if isinstance(outcome, Event):
            self._passing += 1
            self._duplicate += repeated
        else:
            self._causes.add(space, row, outcome)
        return outcome

    def _judge(self, space: str) -> Judge:
        if space not in self._judges:
            self._judges[space] = Judge(self._definitions or in_force(self._settings, space), **tolerance(self._settings))
        return self._judges[space]

    def _outcome(self, space: str, view: View, row: Quarantined, raw: bytes) -> tuple[Event | Refused, bool]:
        received_us = self._now_us if row.received_at_us is None else row.received_at_us
        found = self._judge(space).judge(raw, row.position, received_us)
        if row.reason == "conflict" and (raw == row.raw or message_id(raw) == message_id(row.raw)):
            return Refused(row.position, row.reason, row.detail, row.schema_path, None, raw, row.event, row.contract), False
        if not isinstance(found, Event):
            return found, False
        key = space, found.message_id
        known = self._before.get(key) or view.events.message(found.message_id)
        if known is None:
            self._before[key] = raw
            return found, False
        if known == raw or content(orjson.loads(known)) == content(found.body):
            return found, True
        detail = f"message {found.message_id} came before with another content; the first one stands"
        return refused_event(found, "conflict", detail), False
