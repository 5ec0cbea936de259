"""`skep state checkpoint` and `skep state restore`: what a checkpoint holds."""

from __future__ import annotations

from collections.abc import Mapping

from skep.answers.state_checkpoint import MadeCheckpoint
from skep.answers.state_restore import Restored
from skep.cli.console import headline, out, table
from skep.cli.layout import moment, number
from skep.cli.show.state import mb
from state.checkpoint import SpaceStand


def show_kept(found: MadeCheckpoint) -> None:
    """A checkpoint that was made."""
    headline(found.folder, " is a checkpoint; a flow was running" if found.by_flow else " is a checkpoint; no flow was running")
    _spaces(found.spaces)
    out.print(f"\n{found.files:,} files, {mb(found.bytes)}, of which {mb(found.shared)} are shared with the data folder")
    out.print("Every file is on disk, and listed with its digest. Copy it to another disk; SKEP_SECRET and skep.yaml belong to it")


def show_restored(found: Restored) -> None:
    """A checkpoint that became the state."""
    headline("restored", f" from {found.folder}, made at {found.made_at}")
    _spaces(found.spaces)
    instead = "in place of what was there" if found.replaced else "where nothing was before"
    out.print(f"\n{found.files:,} files, {mb(found.bytes)}, {instead}; each is as the checkpoint has it")
    if found.needs_migration:
        out.print("Next: `skep state migrate`, an older version has made it")
    else:
        out.print("Next: start the flow, which goes on from there; `skep snapshot` publishes it")


def _spaces(spaces: Mapping[str, SpaceStand]) -> None:
    rows = [(name, one.events, one.profiles, one.changes, one.clock) for name, one in spaces.items()]
    table(("space", number("events"), number("profiles"), number("changes"), moment("clock")), rows)
