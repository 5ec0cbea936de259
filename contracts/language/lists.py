"""Operators of lists: what they include, how long they are, what their items are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from contracts.language import nested, operands
from contracts.language.families import Operator, equal_schema, equals
from contracts.language.operands import Operand


@dataclass(frozen=True, slots=True)
class Includes(Operator):
    """A value among the items."""

    takes: ClassVar[Operand] = operands.VALUE
    refers: ClassVar[tuple[str, ...]] = operands.KINDS
    of: ClassVar[tuple[str, ...]] = ()
    cased: ClassVar[bool] = True

    def schema(self, operand: Any) -> dict[str, Any]:
        return {"type": "array", "contains": equal_schema(operand)}

    def kind(self, _operand: Any) -> str:
        return "list"

    def holds(self, value: Any, operand: Any) -> bool:
        return isinstance(value, list) and any(equals(item, operand) for item in value)


@dataclass(frozen=True, slots=True)
class Several(Includes):
    """How many of several values are among the items: ``every`` one, some one, or, ``negative``, none."""

    every: bool = False
    negative: bool = False

    takes: ClassVar[Operand] = operands.VALUES
    refers: ClassVar[tuple[str, ...]] = ()

    def sentence(self, operand: Any, show: Callable[[Any], str]) -> str:
        return f"{self.says} {', '.join(map(show, operand))}"

    def schema(self, operand: Any) -> dict[str, Any]:
        found = [equal_schema(one) for one in operand]
        if self.negative:
            return {"type": "array"}
        if self.every:
            return {"type": "array", "allOf": [{"contains": one} for one in found]}
        return {"type": "array", "contains": {"anyOf": found}}

    def holds(self, value: Any, operand: Any) -> bool:
        if not isinstance(value, list):
            return False
        found = [any(equals(item, one) for item in value) for one in operand]
        return all(found) if self.every else any(found) is not self.negative


@dataclass(frozen=True, slots=True)
class Nested(Operator):
    """Predicates of parts of a value: all of them of some part, or of ``every`` one, of which there has to be one."""

    every: bool = False

    of: ClassVar[tuple[str, ...]] = ()
    whole: ClassVar[str] = "list"

    def parts(self, value: Any) -> Sequence[Any]:
        """The parts of a value that is of the right kind; None is one that is missing."""
        raise NotImplementedError

    def around(self, _inner: dict[str, Any]) -> dict[str, Any]:
        """A JSON Schema that every value satisfies of which the parts satisfy the inner one."""
        raise NotImplementedError

    def kind(self, _operand: Any) -> str:
        return self.whole


@dataclass(frozen=True, slots=True)
class Size(Nested):
    """How many items a list has."""

    takes: ClassVar[Operand] = nested.SIZE

    def parts(self, value: Any) -> Sequence[Any]:
        return [len(value)]

    def around(self, _inner: dict[str, Any]) -> dict[str, Any]:
        return {"type": "array"}


@dataclass(frozen=True, slots=True)
class EachItem(Nested):
    """What some item is, or every one."""

    takes: ClassVar[Operand] = nested.ITEMS

    def parts(self, value: Any) -> Sequence[Any]:
        return list(value)

    def around(self, inner: dict[str, Any]) -> dict[str, Any]:
        return {"type": "array", "items": inner, "minItems": 1} if self.every else {"type": "array", "contains": inner}
