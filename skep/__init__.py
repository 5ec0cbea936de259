"""Skep, a real-time customer data platform. In a notebook: ``con = skep.connect()``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

__all__ = ["connect"]


def connect(project: str | Path | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection on a project's snapshot, which it can only read; temporary tables are its own.

    ``project``: its folder, or the path of a snapshot (``….duckdb``); None is the folder of ``SKEP_PROJECT``, else the current one.
    The connection keeps the snapshot that it has opened, however many are published after it: call this again to see the newest.
    Raises `state.snapshot.publish.NoSnapshot` if none has been published yet, `contracts.ContractErrors` for a faulty ``skep.yaml``.
    """
    from skep import notebooks  # noqa: PLC0415 - no command pays for DuckDB that does not ask it

    return notebooks.connect(project)
