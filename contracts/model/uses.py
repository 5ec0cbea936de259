"""Who of the definitions reads what of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Use:
    """That a trait, also of accounts, a segment, a destination or a namespace (``kind``, ``name``) reads something, and where it says so.

    ``of``: a ``property`` (``event``, which may be a prefix, and ``path``; an empty path is the event itself, an empty event
    is what is outside of all contracts), or the ``trait`` or ``segment`` that ``path`` names. ``measured``: a trait shows the value.
    """

    kind: Literal["trait", "account trait", "segment", "destination", "namespace"]
    name: str
    of: Literal["property", "trait", "account trait", "segment"]
    event: str
    path: str
    file: str
    line: int
    key: str
    measured: bool = False
