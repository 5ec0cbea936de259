"""The plan of a space: which files differ from those in force, and what they would do to its people."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import IO

from connectors import control
from contracts.model.definitions import Definitions
from contracts.text.times import iso
from operators.people.meaning import is_old, says_the_same
from operators.view.space import View
from skep.answers.planning.answer import Digests, Plan, Sizes
from skep.answers.planning.compare import compare
from skep.answers.planning.meanings import meanings
from skep.answers.planning.trial import Progress, trial
from skep.project.apply import plan_name
from skep.project.definitions import kept_files
from skep.project.in_force import changed_files, differences, digest_in_force
from skep.project.settings import Settings
from skep.project.spaces import control_path, open_view


def plan(settings: Settings, space: str, definitions: Definitions, progress: Progress, dump: IO[bytes] | None = None) -> Plan:
    """What putting the definitions in force would do; ``dump`` gets the state that it would make. Raises `NoState`."""
    view = open_view(settings, space)
    try:
        # `program` says what is wrong if nothing is in force yet.
        in_force = view.program.definitions
        before, people = in_force.digest, view.meta.people
        older = is_old(view.meta) and not says_the_same(view.meta, view.program.definitions)
        clock_us = view.meta.clock
        waiting = control.count(control_path(settings, space)) - view.meta.applied.get(control.PARTITION, 0)
    finally:
        view.close()
    files = differences(kept_files(settings, before), definitions.files)
    found = Plan(
        space=space,
        plan=None,
        clock=None if clock_us is None else iso(clock_us),
        definitions=Digests(before, definitions.digest),
        files=changed_files(files),
        waiting=waiting,
        older=older,
        recomputed=False,
        people=Sizes(people, people),
        meanings=list(meanings(in_force, definitions)),
    )
    if before == definitions.digest and dump is None and not older:
        return found
    with trial(settings, space, definitions, progress) as tried:
        if tried.recomputed:
            progress("comparing, profiles", 0, people)
            found = compare(found, tried, definitions)
        if dump is not None:
            _write(tried.after, dump)
    return found


def _write(view: View, dump: IO[bytes]) -> None:
    for line in view.dump():
        dump.write(line + b"\n")


def plans(settings: Settings, spaces: tuple[str, ...], definitions: Definitions, progress: Progress, dump: Path | None) -> list[Plan]:
    """The plan of each space; ``dump`` is the file that gets the state that they would make.

    ``plan`` names what all of them together are made of; None where the files are in force.
    """
    with ExitStack() as stack:
        stream = None if dump is None else stack.enter_context(dump.open("wb"))
        found = [plan(settings, space, definitions, progress, stream) for space in spaces]
    if any(digest_in_force(settings, space) != definitions.digest for space in spaces):
        for one in found:
            one.plan = plan_name(settings, spaces, definitions.digest)
    return found
