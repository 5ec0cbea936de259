"""Operators of dates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from contracts.language import nested, operands
from contracts.language.families import Limit, OfText
from contracts.language.lists import Nested
from contracts.language.operands import Operand
from contracts.text.durations import duration_text


@dataclass(frozen=True, slots=True)
class Dated(OfText):
    """A date that lies before, after or in another; a date alone is its whole day. ``above``, ``below``: what limits it on which side."""

    below: bool
    above: bool

    takes: ClassVar[Operand] = operands.DATE
    refers: ClassVar[tuple[str, ...]] = ("text",)
    sure: ClassVar[bool] = False

    def limits(self, operand: Any) -> tuple[Limit, Limit]:
        limit = (operand, not (self.below and self.above))
        return limit if self.below else None, limit if self.above else None


@dataclass(frozen=True, slots=True)
class Relative(OfText):
    """A date that lies so far from now; of a date alone its start counts."""

    takes: ClassVar[Operand] = operands.DURATION
    of: ClassVar[tuple[str, ...]] = ()
    sure: ClassVar[bool] = False
    moves: ClassVar[bool] = True

    def sentence(self, operand: Any, _show: Callable[[Any], str]) -> str:
        return f"{self.says} {duration_text(operand)}"

    def formula(self, operand: Any, show: Callable[[Any], str]) -> str:
        return self.sentence(operand, show)


@dataclass(frozen=True, slots=True)
class Anniversary(Relative):
    """A date whose day of the year is today, or starts so soon."""

    takes: ClassVar[Operand] = operands.UP_TO_A_YEAR


@dataclass(frozen=True, slots=True)
class CalendarPart(Nested):
    """A part of a date as the calendar has it: ``month``, ``hour``. ``takes`` of a part is its own."""

    sure: ClassVar[bool] = False
    zoned: ClassVar[bool] = True
    whole: ClassVar[str] = "text"

    def around(self, _inner: dict[str, Any]) -> dict[str, Any]:
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class Month(CalendarPart):
    """1 to 12."""

    takes: ClassVar[Operand] = nested.whole_number(1, 12)


@dataclass(frozen=True, slots=True)
class DayOfMonth(CalendarPart):
    """1 to 31."""

    takes: ClassVar[Operand] = nested.whole_number(1, 31)


@dataclass(frozen=True, slots=True)
class DayOfWeek(CalendarPart):
    """1 is Monday, 7 Sunday."""

    takes: ClassVar[Operand] = nested.whole_number(1, 7)


@dataclass(frozen=True, slots=True)
class Hour(CalendarPart):
    """0 to 23; a date alone has none."""

    takes: ClassVar[Operand] = nested.whole_number(0, 23)
