"""Commands that change state: an entry of the control partition, and the flow's answer to it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from connectors import control
from contracts.text.times import iso
from operators.generations import GENERATIONS
from skep.project.process import flow_is_running
from skep.project.settings import Settings
from skep.project.spaces import control_path, open_view
from skep.project.who import who
from state.errors import NoState

WAIT_SECONDS = 30.0
POLL_SECONDS = 0.05


class Submitted(msgspec.Struct, frozen=True):
    """An entry that is durably in the control partition; ``answer`` is None while no flow has read it."""

    message_id: str = msgspec.field(name="id")
    position: int
    running: bool
    answer: dict[str, Any] | None

    def words(self) -> str:
        """What happened, for people."""
        if self.answer is not None:
            return _told(self.answer)
        if self.running:
            return f"recorded; the flow has not answered within {WAIT_SECONDS:.0f} s and will do it when it gets there"
        return "recorded; no flow is running, the next one will do it"


_COUNTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "replay": (("applied", "duplicate", "refused", "gone"), ("changed",)),
    "edit": (("edited",), ("passing", "applied", "duplicate", "refused", "changed", "gone")),
    "drop": (("dropped", "gone"), ()),
}
"""What the answer to a repair of the quarantine counts: what is always said, and what only if there is any."""


def told(submitted: Sequence[Submitted]) -> list[str]:
    """What happened to all of these, for people: answers that count are added up, and nothing is said twice."""
    counted = [one.answer for one in submitted if one.answer and one.answer.get("ok", True) and one.answer["type"] in _COUNTS]
    others = [one.words() for one in submitted if one.answer not in counted]
    if not counted:
        return list(dict.fromkeys(others))
    keys = [key for some in _COUNTS[counted[0]["type"]] for key in some]
    total = {key: sum(answer.get(key, 0) for answer in counted) for key in keys}
    return [_told({"type": counted[0]["type"], **total}), *dict.fromkeys(others)]


def _told(answer: dict[str, Any]) -> str:
    """The flow's answer in words."""
    if not answer.get("ok", True):
        return f"refused: {answer.get('error', 'the flow does not say why')}"
    if answer["type"] == "definitions":
        if "people" in answer:
            return f"in force: {answer['people']:,} people evaluated, {answer['events']:,} events read"
        how = "everybody computed anew" if answer["recomputed"] else "nothing about anybody had to be computed anew"
        return f"in force, {how}"
    if answer["type"] in _COUNTS:
        always, others = _COUNTS[answer["type"]]
        counts = [(key, answer.get(key, 0)) for key in (*always, *others)]
        return "done: " + ", ".join(f"{count:,} {key}" for key, count in counts if count or key in always)
    if answer["type"] == "lookups":
        return "in force"
    if answer["type"] == "resume":
        return f"done: {answer['source']} is read on" if answer["applied"] else f"without effect: {answer['source']} is not stopped"
    if answer["type"] in GENERATIONS:
        if not answer["applied"]:
            return f"without effect: {answer['partition']} has been begun anew already"
        return f"done: what is read of the file from now on is {answer['partition']}"
    if not answer.get("applied", True):
        return "recorded, without effect: a later entry rules this pair already"
    profiles = answer.get("profiles", [])
    if answer["type"] == "link" and not answer.get("joined", True):
        rule = answer.get("reason") or "a rule of contracts/identity.yaml"
        return f"refused, kept as evidence: {rule}; {' and '.join(profiles)} stay apart"
    return f"done: {'one profile' if len(profiles) == 1 else 'profiles'} {' and '.join(profiles)}"


def submit(settings: Settings, space: str, entry: dict[str, Any], wait_s: float = WAIT_SECONDS) -> Submitted:
    """Append ``entry`` and, if a flow runs, wait for what came of it."""
    return submit_all(settings, space, [entry], wait_s)[0]


def submit_all(settings: Settings, space: str, entries: Iterable[dict[str, Any]], wait_s: float = WAIT_SECONDS) -> list[Submitted]:
    """Append entries and, if a flow runs, wait for what came of each, at most ``wait_s`` from one to the next."""
    path = control_path(settings, space)
    path.parent.mkdir(parents=True, exist_ok=True)
    placed: list[tuple[str, int]] = []
    for entry in entries:
        message_id = f"c_{uuid.uuid4().hex}"
        stamped = {"by": who(), **entry, "messageId": message_id, "timestamp": iso(time.time_ns() // 1000)}
        placed.append((message_id, control.append(path, stamped)))
    running = flow_is_running(settings)
    found: list[Submitted] = []
    for message_id, position in placed:
        # Entries are answered in order: behind one without an answer there is none to wait for.
        waits = running and (not found or found[-1].answer is not None)
        answer = _wait(settings, space, message_id, wait_s) if waits else None
        found.append(Submitted(message_id, position, running, answer))
    return found


def _wait(settings: Settings, space: str, message_id: str, wait_s: float) -> dict[str, Any] | None:
    end = time.monotonic() + wait_s
    while time.monotonic() < end:
        with suppress(NoState):
            answer = _answer(settings, space, message_id, end)
            if answer is not None or not flow_is_running(settings):
                return answer
        time.sleep(POLL_SECONDS)
    return None


def _answer(settings: Settings, space: str, message_id: str, end: float) -> dict[str, Any] | None:
    """Look for the answer until there is one, the time is over, or the flow has ended."""
    view = open_view(settings, space)
    try:
        while True:
            view.refresh()
            answer = view.answer(message_id)
            if answer is not None or time.monotonic() >= end or not flow_is_running(settings):
                return answer
            time.sleep(POLL_SECONDS)
    finally:
        view.close()
