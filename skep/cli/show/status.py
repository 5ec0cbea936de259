"""`skep status`, and what other commands say of it: stopped sources and files, what came too late, what is not in force."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.model.hashing import DEFAULT_SECRET
from contracts.text.durations import rough_text
from skep.answers.catalog.words import plural
from skep.answers.late import horizon_words, late_sources, remedy_of
from skep.answers.sources import FileRow
from skep.answers.status import Broken, Contracts, Partition, Status
from skep.cli.console import cell, err, headline, out, table
from skep.cli.layout import moment, number, prose
from skep.project.settings import Settings


def show(found: Status, settings: Settings) -> None:
    """The status for people."""
    tell_stopped(found.broken)
    tell_late(found, settings)
    tell_standing(found.contracts)
    running = "a flow is running" if found.running else "no flow is running"
    headline(settings.root.name, f"  clock {cell(found.clock)}  {running}, {found.form}")
    _counts(found)
    out.print()
    table(("segment", number("members")), found.segments.items())
    out.print()
    rows = [(name, one.position, one.clock, _state(one)) for name, one in found.partitions.items()]
    table((prose("partition"), number("position"), moment("clock"), ""), rows)
    if found.quarantine:
        out.print()
        table(("quarantine", number("records")), found.quarantine.items())
    if found.unread_consents:
        out.print()
        unread = [(one.purpose, one.source, one.decisions) for one in found.unread_consents]
        table(("consent that cannot be read", "source", number("counted as denials")), unread)
    if found.broken:
        out.print()
        columns = ("source", "event", prose("broken expectation"), number("value"), prose("expected"), moment("since"))
        broken = [(one.source, one.event, one.expectation, one.value, expected(one.expected), one.since) for one in found.broken]
        table(columns, broken)
    tell_files(found.files)
    for over in found.over_budget:
        words = f"{over.used or 0:,.0f} {over.measure} of {over.of} {over.name} in space {over.space}, and the budget has {over.most:,}"
        err.print(f"OVER BUDGET: {words}: `skep segments cost` says what costs how much", style="bold yellow")
    last = found.snapshot
    words = f"{last.published_at} ({last.bytes / 1e6:,.1f} MB)" if last else "none yet: `skep snapshot` publishes one"
    out.print(f"\nlast snapshot: {words}")
    if settings.secret == DEFAULT_SECRET:
        err.print("SKEP_SECRET is not set: hashes of personal values can be guessed", style="yellow")


def _counts(found: Status) -> None:
    sides = ("applied", "duplicate", "conflict", "quarantined", *(("dropped",) if found.dropped else ()))
    balance = " + ".join(f"{getattr(found, key):,} {key}" for key in sides)
    out.print(f"{found.received:,} received = {balance}; {found.unidentified:,} of the applied are unidentified")
    out.print(f"{found.people:,} people, {found.changes:,} changes, {found.remembered:,} message ids remembered")
    if found.large_blocks:
        out.print(f"{found.large_blocks:,} blocks of records are larger than `block_limit` and are not compared")
    if found.uncorrected:
        out.print(f"{found.uncorrected:,} events say that they were sent more than a day before they happened: their own time stands")
    cost = found.rebuilds
    if cost.rebuilds:
        words = f"{cost.rebuilds:,} rebuilds of people with {cost.identifiers:,} identifiers took {cost.seconds:,.1f} s"
        out.print(f"{words}: `skep identity doctor` names those behind it")
    if found.denials:
        out.print(f"denials of consent that count although their records were refused: {found.denials:,}")


def _state(partition: Partition) -> str:
    if partition.stopped:
        return "STOPPED"
    if partition.lag:
        return f"{plural(partition.lag, 'message')} behind"
    if partition.finished:
        return "finished"
    return "" if partition.lag_s is None else f"{rough_text(max(0.0, partition.lag_s))} behind now"


def expected(bounds: dict[str, float | int]) -> str:
    """``at least 0.5 and at most 3``."""
    words = {"gte": "at least", "lte": "at most"}
    return " and ".join(f"{words[side]} {bound:g}" for side, bound in bounds.items())


def tell_stopped(broken: Iterable[Broken]) -> None:
    """Which sources are read no further, and why."""
    stopping = [one for one in broken if one.stops]
    for one in stopping:
        where = f"{one.event} breaks {one.expectation}: {one.value:g}, expected {expected(one.expected)}"
        err.print(f"SOURCE {one.source} IS STOPPED since {one.since}: {where}", style="bold red")
    for name in sorted({one.source for one in stopping}):
        err.print(f'Nothing of it is lost. Repair it, or read it on: skep quality resume {name} --why "…"')


def tell_late(found: Status, settings: Settings) -> None:
    """Of each source of which too much came too late: why, and what to do."""
    for one in late_sources(found):
        much = f"{one.too_late:,} of {one.received:,} records of source {one.source} came TOO LATE"
        where = f"more than the horizon ({horizon_words(settings)}) behind the clock, which the newest event moves"
        why = "Either the source is not in order of time, or events with a wrong date have moved the clock."
        err.print(f"{much}: {where}. {why}", style="bold yellow")
        err.print(f"Nothing of it is lost. {remedy_of(settings, one.source)}")


def tell_standing(contracts: Contracts) -> None:
    """Which files below contracts/ are not in force, and what to do; nothing if all are."""
    for line in contracts.lines:
        err.print(line, style="bold yellow")


def tell_files(rows: Iterable[FileRow]) -> None:
    """Which files are read no further, and which end in the middle of a record."""
    for row in rows:
        if row.state == "stopped":
            err.print(f"{'PARTITION' if row.topic else 'FILE'} {row.partition} IS STOPPED: {row.reason}", style="bold red")
        if row.changed and row.topic:
            err.print(f"What to do: go on from an offset: skep sources skip-to {row.partition} OFFSET; "
                      f"or read all that is there anew: skep sources reread {row.partition}")  # fmt: skip
        elif row.changed:
            err.print(f"What to do: restore the file; or read all of it: skep sources reread {row.partition}; "
                      f"or only what is appended from now on: skep sources skip {row.partition}")  # fmt: skip
        elif row.unfinished_bytes:
            err.print(f"1 unfinished record at the end of {row.file} ({row.unfinished_bytes:,} bytes): it is read when it is whole",
                      style="yellow")  # fmt: skip
