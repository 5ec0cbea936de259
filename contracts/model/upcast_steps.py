"""How documents of old versions are read at newer ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Example:
    """A document, or as much of one as a step needs, before and after."""

    old: dict[str, Any]
    new: dict[str, Any]
    line: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an upcast: what it does (``rename``, ``convert``, …), its operands as the file says them, and its line."""

    kind: str
    spec: Any
    line: int
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Upcast:
    """``events/<event>/<OLD>-to-<NEW>.yaml``: how a document that an old version accepted is read at a newer model."""

    event: str
    old: tuple[int, int, int]
    new: tuple[int, int, int]
    steps: tuple[Step, ...]
    file: str
    examples: tuple[Example, ...] = ()
