"""Runs the people step over a file in a sandbox, and tells what became of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import contracts
from contracts import ContractErrors
from contracts.model.definitions import Definitions
from contracts.model.hashing import DEFAULT_SECRET, Hasher
from contracts.reading import identity
from operators import blocked_check
from operators.judge import Judge
from operators.match.model import UnusableModel, model_of
from operators.sandbox import Sandbox
from skep.answers.simulation.lines import Lines, Ruling, Unread, new_judge, read_lines, steps
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
    definitions = rules_of(rules)
    judge = new_judge(definitions)
    lines = read_lines(events, judge, lambda done, of: progress("reading", done, of))
    with store(definitions, judge) as box:
        feeding = Feeding(box, lines, progress)
        feeding.feed(lines)
        return tell(box.view, box.space, definitions.identity, lines, feeding.unread())


@contextmanager
def store(definitions: Definitions, judge: Judge) -> Iterator[Sandbox]:
    """A space that has these definitions in force, and is thrown away."""
    with tempfile.TemporaryDirectory(prefix="skep-simulate-") as folder, closing(Shard(Path(folder) / "shard")) as shard:
        box = Sandbox(SPACE, shard, Hasher(DEFAULT_SECRET, SPACE), load=lambda _: definitions, judge=lambda _: judge)
        box.space.start([PARTITION])
        box.enter({"type": "definitions", "digest": definitions.digest, "from": {}, "messageId": "definitions"})
        yield box


class Feeding:
    """Feeds a store with lines, in order of time, and knows those that were not taken in."""

    def __init__(self, box: Sandbox, lines: Lines, progress: Progress) -> None:
        """``lines``: all of them, of which parts are fed."""
        self._box, self._lines, self._progress = box, lines, progress
        self._where = [event.position for event in lines.events]
        self._unread = list(lines.unread)

    def feed(self, part: Lines) -> None:
        """Feed a part of the lines, which comes behind those that were fed before."""
        box = self._box
        for step in steps(part, BATCH):
            if isinstance(step, Ruling):
                answer = box.answer(step.entry)
                if not answer["ok"]:
                    self._unread.append(Unread(step.line, step.message_id, step.entry["type"], str(answer["error"]), ruling=True))
                continue
            for position, event in enumerate(step, box.following(PARTITION)):
                event.position = position
            box.feed(PARTITION, step)
            self._progress("resolving", step[-1].position, len(self._where))

    def unread(self) -> list[Unread]:
        """The lines that were not taken in, by number."""
        found = list(self._unread)
        for row in self._box.view.quarantine.entries():
            event = self._lines.events[row.position - 1]
            found.append(Unread(self._where[row.position - 1], event.message_id, row.reason, row.detail))
        return sorted(found)


def rules_of(rules: Path) -> Definitions:
    """The definitions whose identity rules are in this file, with the model that these name; everything else is as in an empty project."""
    return _with_model(rules, read_rules(rules))


def read_rules(path: Path) -> Definitions:
    """The same without the model."""
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
