"""The snapshot in a notebook: a DuckDB connection that can only read it."""

from __future__ import annotations

from pathlib import Path

import duckdb

from skep.project.settings import Settings
from skep.project.spaces import snapshot_path
from state.snapshot.publish import open_snapshot

FILE = ".duckdb"


def connect(project: str | Path | None = None) -> duckdb.DuckDBPyConnection:
    """The snapshot as it is now; `skep.connect` says the rest."""
    path = None if project is None else Path(project).expanduser()
    given = path is not None and (path.suffix == FILE or path.is_file())
    return open_snapshot(path if given and path is not None else snapshot_path(Settings.load(path)))
