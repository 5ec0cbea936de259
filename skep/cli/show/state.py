"""`skep state info`: how each space is stored, what it takes, and what it needs."""

from __future__ import annotations

from msgspec import UNSET

from operators.people.meaning import MEANING
from skep.answers.state_info import StateInfo, Taken
from skep.cli.console import headline, out, table
from skep.cli.layout import number, prose
from skep.project.migration import OURS
from state.sizes import Stalls

LARGEST = 6
"""Families that are listed one by one; the others are added up."""


def show(found: list[StateInfo]) -> None:
    """The standing of each space for people, then what it takes."""
    rows = [(one.space, one.format, one.meaning if one.format == OURS else None, one.events, one.needs) for one in found]
    table(("space", number("format"), number("meaning"), number("events"), prose("needs")), rows)
    out.print(f"\nThis version of Skep writes format {OURS}, meaning {MEANING}.")
    if any(one.steps for one in found):
        out.print("Next: stop the flow, `skep state migrate`; a flow that starts does the same first")
    for one in found:
        if one.stored is not UNSET:
            out.print()
            _show(one.space, one.stored)


def _show(space: str, stored: Taken) -> None:
    shard, archive = stored.shard, stored.archive
    memory = sum(one.memory for one in shard.families)
    headline(space, f"  shard {mb(shard.bytes)} in files, {mb(memory)} in memory, {mb(shard.log)} of log; archive {mb(archive.bytes)}")
    sizes = (stored.bytes_per_profile, stored.bytes_per_event, stored.archive_bytes_per_event)
    each = zip(sizes, ("a profile", "an event", "an event in the archive"), strict=True)
    out.print(" · ".join(f"{size:,.0f} B {what}" for size, what in each if size is not None) or "no events yet")
    out.print(f"{stored.profiles:,} profiles, {stored.changes:,} changes, {stored.quarantine:,} records in quarantine")
    out.print(f"archive: {archive.files:,} files of {archive.days:,} days")
    levels = " · ".join(f"L{one.level} {one.files:,} files, {mb(one.bytes)}" for one in shard.levels) or "no files yet"
    out.print(f"levels: {levels}; to compact: {mb(shard.pending_compaction)}")
    out.print(f"stalls: {_stalls(stored.stalls)}")
    for told in stored.told:
        out.print(f"{told.destination}: told to {told.sequence:,}, {told.behind:,} behind")
    out.print()
    largest = sorted(shard.families, key=lambda one: (-one.bytes - one.memory, one.family))
    rows = [(one.family, f"≈ {one.rows:,}", one.files, mb(one.bytes), mb(one.memory)) for one in largest[:LARGEST]]
    rest = largest[LARGEST:]
    rows.append(
        (
            f"{len(rest)} others",
            f"≈ {sum(one.rows for one in rest):,}",
            sum(one.files for one in rest),
            mb(sum(one.bytes for one in rest)),
            mb(sum(one.memory for one in rest)),
        )
    )
    table(("family", number("rows, estimated"), number("files"), number("in files"), number("in memory")), rows)


def _stalls(stalls: Stalls | None) -> str:
    if stalls is None:
        return "only a running flow knows them"
    now = "writes are stopped" if stalls.stopped else f"writes are slowed to {mb(stalls.delayed)}/s" if stalls.delayed else "none now"
    held = f"writes were slowed {stalls.delays:,} times and stopped {stalls.stops:,} times since the flow began"
    return f"{now}; {held}; {stalls.compactions:,} compactions run, {stalls.waiting:,} parts of memory wait to be written"


def mb(size: int) -> str:
    """Bytes for people."""
    return f"{size / 1e6:,.1f} MB"
