"""The report at the end of `skep run --once`."""

from __future__ import annotations

import shlex

from operators.epochs import CONTROL
from skep.answers.status import Status
from skep.cli.console import err, headline, out, table
from skep.cli.layout import number
from skep.cli.show.snapshot import tell_missing
from skep.cli.show.status import tell_files, tell_late, tell_standing, tell_stopped
from skep.project.exits import Exit
from skep.project.settings import Settings
from skep.runtime.report import Done, Ran, Standing


def show(ran: Ran, settings: Settings) -> None:
    """What a run has made, or how far it came, and loudly what is not done."""
    if ran.code == Exit.INTERRUPTED:
        _interrupted(ran.status, ran.before)
    if ran.done is None or ran.status is None:
        return
    tell_missing(ran.done.snapshot.problems)
    _done(ran.status, ran.before, ran.done)
    tell_late(ran.status, settings)
    tell_standing(ran.status.contracts)
    tell_files(ran.status.files)
    if ran.status.stopped:
        tell_stopped(ran.status.broken)
    for name, changes in ran.done.pending.items():
        err.print(f"DESTINATION {name} HAS NOT BEEN TOLD {changes:,} changes", style="bold red")
    if ran.done.pending:
        err.print("They wait in the change log. Repair what was said above; `skep run --once` tells them, with the same ids")


def _done(found: Status, before: Standing, done: Done) -> None:
    """People, merges, segments, changes, quarantine, what it has done that people had decided, and how fast."""
    events = found.received - before.received
    speed = f" in {done.seconds:,.1f} s ({events / done.seconds:,.0f} events/s)" if events and done.seconds > 0 else ", nothing new to read"
    out.print()
    headline(f"{events:,} events", f"{speed}; the clock stands at {found.clock or 'nothing'}")
    for said, words in done.decisions:
        out.print(f"{said}: {words}")
    table(
        ("", number("")),
        [
            ("people", found.people),
            ("merges", found.merges),
            ("changes told", found.changes),
            ("duplicates dropped", found.duplicate),
            ("in quarantine", found.quarantined),
        ],
    )
    out.print()
    table(("segment", number("members")), found.segments.items())
    if found.quarantine:
        out.print()
        table(("quarantine", number("records")), found.quarantine.items())
    out.print(f"\nsnapshot: {done.snapshot.target}")
    who = shlex.quote(done.example or "user_id:42")
    out.print(f"\nTry next:  skep profile show {who}   ·   skep quarantine list   ·   skep sql 'from profiles limit 5'")


def _interrupted(found: Status | None, before: Standing) -> None:
    """How far it came, by files, and how it goes on."""
    if found is None:
        err.print("INTERRUPTED before anything was read", style="bold yellow")
        return
    events = found.received - before.received
    err.print(f"INTERRUPTED after {events:,} events; the clock stands at {found.clock or 'nothing'}", style="bold yellow")
    for name, one in found.partitions.items():
        if name.rpartition("/")[2] != CONTROL:
            err.print(f"  {name}: {one.position:,} records read{', to its end' if one.finished else ''}")
    err.print("All of that is committed; destinations and the snapshot are behind. `skep run --once` goes on from there")
