"""Operators of versions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from contracts.language import operands
from contracts.language.families import OfText
from contracts.language.operands import Operand
from contracts.text.precedence import precedence


@dataclass(frozen=True, slots=True)
class SemVer(OfText):
    """A version above, below or at another one by the precedence of SemVer 2.0."""

    compare: Callable[[Any, Any], bool]

    takes: ClassVar[Operand] = operands.VERSION
    refers: ClassVar[tuple[str, ...]] = ("text",)

    def holds(self, value: Any, operand: Any) -> bool:
        found = precedence(value) if isinstance(value, str) else None
        return found is not None and self.compare(found, precedence(operand))
