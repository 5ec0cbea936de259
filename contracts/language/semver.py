"""Operators of versions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from contracts.language import operands
from contracts.language.families import Operator
from contracts.language.operands import Operand
from contracts.text.precedence import precedence


@dataclass(frozen=True, slots=True)
class SemVer(Operator):
    """A version above, below or at another one by the precedence of SemVer 2.0."""

    compare: Callable[[Any, Any], bool]

    takes: ClassVar[Operand] = operands.VERSION
    refers: ClassVar[tuple[str, ...]] = ("text",)
    of: ClassVar[tuple[str, ...]] = ("text",)

    def schema(self, _operand: Any) -> dict[str, Any]:
        return {"type": "string"}

    def kind(self, _operand: Any) -> str:
        return "text"

    def holds(self, value: Any, operand: Any) -> bool:
        found = precedence(value) if isinstance(value, str) else None
        return found is not None and self.compare(found, precedence(operand))
