"""Runs the people step over a file in a temporary store, and tells what became of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

import contracts
from contracts import ContractErrors
from contracts.model.batches import ControlEntry, Event, JudgedBatch
from contracts.model.definitions import Definitions
from contracts.model.hashing import DEFAULT_SECRET, Hasher
from contracts.reading import identity
from operators import blocked_check
from operators.epochs import CONTROL
from operators.judge import Judge
from operators.match.model import UnusableModel, model_of
from operators.people.space import Space
from operators.view.space import View
from skep.answers.simulation.lines import NEVER_US, Lines, Ruling, Unread, new_judge, read_lines, steps
from skep.answers.simulation.told import Told, tell
from skep.project.errors import CommandError
from state.shard import Shard

BATCH = 1_000
"""Events of one commit."""
SPACE = "simulation"
PARTITION = "events"

Progress = Callable[[str, int, int], None]
"""(what is done, how many of them, of how many)"""


def simulate(rules: Path, events: Path, progress: Progress) -> Told:
    """What the rules in one file make of the events in another. Raises CommandError for a file that cannot be used."""
    definitions = _with_model(rules, read_rules(rules))
    judge = new_judge(definitions)
    lines = read_lines(events, judge, lambda done, of: progress("reading", done, of))
    with tempfile.TemporaryDirectory(prefix="skep-simulate-") as folder:
        shard = Shard(Path(folder) / "shard")
        try:
            return _Run(shard, definitions, judge, progress).all(lines)
        finally:
            shard.close()


def read_rules(path: Path) -> Definitions:
    """The definitions whose identity rules are in this file; everything else is as in an empty project."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CommandError(f"{path}: expected the rules of identities, {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise CommandError(f"{path}: expected UTF-8, {error}") from None
    try:
        rules = contracts.load({identity.FILE: text})
        problems = blocked_check.check(rules)
    except ContractErrors as error:
        problems = error.problems
    if problems:
        raise CommandError("\n".join(str(problem).replace(problem.place, str(path), 1) for problem in problems))
    return rules


def _with_model(rules: Path, definitions: Definitions) -> Definitions:
    """The definitions with the model that the rules name, which lies beside them."""
    probabilistic = definitions.identity.probabilistic
    if probabilistic is None:
        return definitions
    file = rules.parent / probabilistic.model
    try:
        text = file.read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise CommandError(
            f"{file}: expected the model that {rules} names, {error.strerror} → `skep identity train --rules {rules} --events FILE`"
        ) from None
    found = replace(definitions, files={**definitions.files, probabilistic.model: text})
    try:
        model_of(found)
    except UnusableModel as error:
        raise CommandError(str(error)) from None
    return found


class _Run:
    """One space of its own, fed in order of time."""

    def __init__(self, shard: Shard, definitions: Definitions, judge: Judge, progress: Progress) -> None:
        hasher = Hasher(DEFAULT_SECRET, SPACE)
        self._shard = shard
        self._definitions = definitions
        self._progress = progress
        self._space = Space(SPACE, shard, hasher, load=lambda _: definitions, judge=lambda _: judge, horizon_us=NEVER_US)
        self._view = View(shard, SPACE, hasher, lambda _: definitions)
        self._fed = {PARTITION: 0, CONTROL: 0}

    def all(self, lines: Lines) -> Told:
        self._space.start([PARTITION])
        self._control({"type": "definitions", "digest": self._definitions.digest, "from": {}, "messageId": "definitions"})
        where = [event.position for event in lines.events]
        unread = list(lines.unread)
        for step in steps(lines, BATCH):
            if isinstance(step, Ruling):
                answer = self._control(step.entry)
                if not answer["ok"]:
                    unread.append(Unread(step.line, step.message_id, step.entry["type"], str(answer["error"]), ruling=True))
            else:
                self._feed(step)
                self._progress("resolving", self._fed[PARTITION], len(lines.events))
        for row in self._view.quarantine.entries():
            event = lines.events[row.position - 1]
            unread.append(Unread(where[row.position - 1], event.message_id, row.reason, row.detail))
        return tell(self._view, self._space, self._definitions.identity, lines, sorted(unread))

    def _feed(self, events: list[Event]) -> None:
        first = self._fed[PARTITION] + 1
        for position, event in enumerate(events, first):
            event.position = position
        last = self._fed[PARTITION] = first + len(events) - 1
        self._space.apply(JudgedBatch(SPACE, PARTITION, PARTITION, first, last, "", events, [], [], 0))

    def _control(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Apply a control entry; returns its answer."""
        position = self._fed[CONTROL] = self._fed[CONTROL] + 1
        self._space.apply(JudgedBatch(SPACE, CONTROL, CONTROL, position, position, "", [], [], [ControlEntry(position, entry)], 0))
        answer: dict[str, Any] = orjson.loads(self._shard.answers.get(entry["messageId"].encode()) or b"")
        return answer
