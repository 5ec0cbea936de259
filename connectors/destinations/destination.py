"""The seam behind which changes leave: what a destination is handed, and how far it has been told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import orjson

from contracts.model.destinations import Destination as Definition
from state.files import replace

Change = tuple[int, bytes]
"""Sequence in the change log, and JSON."""


class Destination(Protocol):
    """Is told changes in order; when `deliver` returns they have arrived. May be told the same change again after a crash."""

    def deliver(self, changes: list[Change]) -> None:
        """Tells them."""

    def close(self) -> None:
        """Lets go of whatever is open."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The next changes for a destination, chosen and hidden as the definitions in force want it. ``last`` is the sequence of the last
    change that was looked at, which may be none of them."""

    cursor: str
    """``destination@space``"""
    to: Definition
    changes: list[Change]
    last: int


class Cursor:
    """How far a destination has been told: the sequence of the last change that arrived, 0 for none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> int:
        """The stored sequence."""
        try:
            return int(orjson.loads(self._path.read_bytes())["sequence"])
        except FileNotFoundError:
            return 0
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f'{self._path}: expected {{"sequence": NUMBER}}: {error}; delete the file to tell the destination everything again'
            ) from error

    def store(self, sequence: int) -> None:
        """Stores the sequence durably."""
        replace(self._path, orjson.dumps({"sequence": sequence}))
