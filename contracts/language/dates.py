"""Operators of dates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from contracts.language import operands
from contracts.language.families import Limit, Operator
from contracts.language.operands import Operand


@dataclass(frozen=True, slots=True)
class Dated(Operator):
    """A date that lies before, after or in another; a date alone is its whole day. ``above``, ``below``: what limits it on which side."""

    below: bool
    above: bool

    takes: ClassVar[Operand] = operands.DATE
    of: ClassVar[tuple[str, ...]] = ("text",)
    sure: ClassVar[bool] = False

    def schema(self, _operand: Any) -> dict[str, Any]:
        return {"type": "string"}

    def kind(self, _operand: Any) -> str:
        return "text"

    def holds(self, value: Any, _operand: Any) -> bool:
        return isinstance(value, str)

    def limits(self, operand: Any) -> tuple[Limit, Limit]:
        limit = (operand, not (self.below and self.above))
        return limit if self.below else None, limit if self.above else None
