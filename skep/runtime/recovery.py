"""Bytewax's own recovery store (`-r DIR`), made at its first use: Bytewax itself only opens one that is there."""

from __future__ import annotations

import argparse
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from bytewax.recovery import init_db_dir

from state.errors import StateError


def prepare(arguments: Sequence[str] | None = None) -> Path | None:
    """Make the recovery store that the bytewax command is asked for, if it does not exist; returns its folder.

    StateError says what is in its place, before Bytewax panics over it.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-r", "--recovery-directory", type=Path)
    folder: Path | None = parser.parse_known_args(sys.argv[1:] if arguments is None else arguments)[0].recovery_directory
    if folder is not None and not (folder.exists() and any(folder.iterdir())):
        folder.mkdir(parents=True, exist_ok=True)
        init_db_dir(folder, 1)  # type: ignore[no-untyped-call]
    for path in folder.glob("*.sqlite3") if folder else ():
        try:
            with closing(sqlite3.connect(path)) as store:
                store.execute("PRAGMA schema_version")
        except sqlite3.Error as error:
            raise StateError(
                f"{path}: expected Bytewax's recovery store, found: {error} → remove {folder}: Skep needs nothing of it"
            ) from error
    return folder
