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
    who = "a flow was running" if found.by_flow else "no flow was running"
    headline(
        found.folder, f"  {found.files:,} files, {mb(found.bytes)}, of which {mb(found.shared)} are shared with the data folder; {who}"
    )
    _spaces(found.spaces)
    out.print("\nWhole: every file is on disk, and listed with its digest. Copy it to another disk; SKEP_SECRET and skep.yaml belong to it")


def show_restored(found: Restored) -> None:
    """A checkpoint that became the state."""
    instead = "in place of what was there" if found.replaced else "nothing was there before"
    headline("restored", f"  from {found.folder} of {found.made_at}, {found.files:,} files, {mb(found.bytes)}, {instead}")
    _spaces(found.spaces)
    if found.needs_migration:
        out.print("\nNext: `skep state migrate`, an older version has made it")
    else:
        out.print("\nEvery file is as the checkpoint has it. A flow goes on from there; `skep snapshot` publishes it")


def _spaces(spaces: Mapping[str, SpaceStand]) -> None:
    rows = [(name, one.events, one.profiles, one.changes, one.clock) for name, one in spaces.items()]
    table(("space", number("events"), number("profiles"), number("changes"), moment("clock")), rows)
