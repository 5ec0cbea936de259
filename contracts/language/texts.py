"""Operators of texts: a part, one of several parts, a pattern."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from contracts.language import operands
from contracts.language.families import OfText
from contracts.language.operands import Operand
from contracts.language.patterns import pattern_test

_SPECIAL = re.compile(r"[\\^$.*+?()\[\]{}|/]")


def _literal(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)


@dataclass(frozen=True, slots=True)
class Text(OfText):
    """A part of a text; ``negative``: every text that has no such part. ``pattern``: around the part, as a regular expression."""

    test: Callable[[str, str], bool]
    pattern: str
    negative: bool

    takes: ClassVar[Operand] = operands.TEXT
    refers: ClassVar[tuple[str, ...]] = ("text",)
    cased: ClassVar[bool] = True

    def schema(self, operand: Any) -> dict[str, Any]:
        found = {"pattern": self.pattern.format(_literal(operand))}
        return {"type": "string", "not": found} if self.negative else {"type": "string", **found}

    def holds(self, value: Any, operand: Any) -> bool:
        return isinstance(value, str) and self.test(value, operand) is not self.negative


@dataclass(frozen=True, slots=True)
class SomePart(OfText):
    """One of several parts of a text."""

    takes: ClassVar[Operand] = operands.TEXTS
    cased: ClassVar[bool] = True

    def sentence(self, operand: Any, show: Callable[[Any], str]) -> str:
        return f"{self.says} {', '.join(map(show, operand))}"

    def schema(self, operand: Any) -> dict[str, Any]:
        return {"type": "string", "pattern": "|".join(map(_literal, operand))}

    def holds(self, value: Any, operand: Any) -> bool:
        return isinstance(value, str) and any(part in value for part in operand)


@dataclass(frozen=True, slots=True)
class Pattern(OfText):
    """A pattern that is found somewhere in a text."""

    takes: ClassVar[Operand] = operands.PATTERN
    cased: ClassVar[bool] = True

    def holds(self, value: Any, operand: Any) -> bool:
        return isinstance(value, str) and pattern_test(operand)(value)
