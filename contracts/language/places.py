"""Operators of places on the earth, which are objects ``{lat, lon}`` in degrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from contracts.language import operands
from contracts.language.families import Operator
from contracts.language.operands import Operand

_DEGREES = {"lat": 90, "lon": 180}


@dataclass(frozen=True, slots=True)
class Near(Operator):
    """Within a distance of a place."""

    takes: ClassVar[Operand] = operands.NEAR
    of: ClassVar[tuple[str, ...]] = ()
    sure: ClassVar[bool] = False

    def sentence(self, operand: Any, _show: Any) -> str:
        return f"{self.says} {operand['km']} km of {operand['lat']}, {operand['lon']}"

    def formula(self, operand: Any, show: Any) -> str:
        return self.sentence(operand, show)

    def schema(self, _operand: Any) -> dict[str, Any]:
        return {"type": "object", "required": [*_DEGREES], "properties": {name: {"type": "number"} for name in _DEGREES}}

    def kind(self, _operand: Any) -> str:
        return "object"

    def holds(self, value: Any, _operand: Any) -> bool:
        return isinstance(value, dict) and set(_DEGREES) <= set(value)
