"""`skep state compact`: what a space took before, and takes now."""

from __future__ import annotations

from skep.answers.state_compact import Compacted
from skep.cli.console import headline, out
from skep.cli.show.state import mb


def show(found: Compacted) -> None:
    """What has become of a space."""
    who = "compacted by the flow that runs" if found.by_flow else "compacted; no flow is running"
    headline(found.space, f"  {who}, {found.seconds:,.1f} s")
    out.print(f"shard: {mb(found.shard_bytes)} before, {mb(found.shard_bytes_now)} now")
    before = f"{found.archive_files:,} files and {mb(found.archive_bytes)} before"
    out.print(f"archive: {before}, {found.archive_files_now:,} files and {mb(found.archive_bytes_now)} now")
