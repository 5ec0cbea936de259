"""What the operators of one family have in common: equality, order, presence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor
from typing import Any, ClassVar

from contracts.language import operands
from contracts.language.operands import Operand
from contracts.text.numbers import MICRO, micros
from contracts.text.times import parse_time
from schemalogic.typed import kind_of, same

Limit = tuple[Any, bool] | None
"""An operand that values lie above, or below, and whether it is outside itself."""
TYPES = {"number": "number", "text": "string", "boolean": "boolean", "list": "array", "object": "object"}
_EMPTY = {"anyOf": [{"enum": ["", None]}, {"type": "array", "maxItems": 0}, {"type": "object", "maxProperties": 0}]}


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator of a predicate. ``means``: to editors; ``says``, ``sign``: before its operand, in a sentence and in the catalog."""

    name: str
    means: str
    says: str
    sign: str

    takes: ClassVar[Operand]
    of: ClassVar[tuple[str, ...]] = ("number", "text", "boolean")
    """The kinds of properties for which editors offer it."""
    numeric: ClassVar[bool] = False
    """Whether it may stand beside a measure."""
    orders: ClassVar[bool] = False
    sure: ClassVar[bool] = True
    """Whether `holds` is certain; else it is taken to be possible of whatever may be such a value."""
    refers: ClassVar[tuple[str, ...]] = ()
    """The kinds of which another field can be that is its operand; none if there can be no such."""
    moves: ClassVar[bool] = False
    """Whether the answer changes by itself."""
    zoned: ClassVar[bool] = False
    """Whether the time zone makes a difference whatever the operand is."""
    cased: ClassVar[bool] = False
    """Whether `ignore_case` may stand beside it."""

    def sentence(self, operand: Any, show: Callable[[Any], str]) -> str:
        """``at least 5``."""
        return f"{self.says} {show(operand)}"

    def formula(self, operand: Any, show: Callable[[Any], str]) -> str:
        """``≥ 5``."""
        return f"{self.sign} {show(operand)}"

    def schema(self, operand: Any) -> dict[str, Any]:
        """A JSON Schema that every value which satisfies it satisfies; dates are any text."""
        raise NotImplementedError

    def kind(self, _operand: Any) -> str:
        """The only kind of value of which it can hold; empty if there are several."""
        return ""

    def holds(self, value: Any, operand: Any) -> bool:
        """Whether a value, None if it is missing, satisfies it; of dates it is taken to be possible."""
        raise NotImplementedError

    def exact(self, _operand: Any) -> Callable[[int], bool]:
        """As a test of a number that is given in micros."""
        return lambda _value: False

    def cap(self, _operand: Any) -> int:
        """How far a count has to be exact for it."""
        raise NotImplementedError

    def values(self, _operand: Any) -> list[Any] | None:
        """All values that satisfy it, None if these are not to be counted. Missing is None."""
        return None

    def limits(self, _operand: Any) -> tuple[Limit, Limit]:
        """Between what it keeps a value."""
        return None, None


@dataclass(frozen=True, slots=True)
class OfText(Operator):
    """What holds of texts alone, as far as it is known of any of them."""

    of: ClassVar[tuple[str, ...]] = ("text",)

    def schema(self, _operand: Any) -> dict[str, Any]:
        return {"type": "string"}

    def kind(self, _operand: Any) -> str:
        return "text"

    def holds(self, value: Any, _operand: Any) -> bool:
        return isinstance(value, str)


@dataclass(frozen=True, slots=True)
class Equality(Operator):
    """Kind and value; ``negative``: every present value that is not equal."""

    negative: bool = False

    takes: ClassVar[Operand] = operands.VALUE
    refers: ClassVar[tuple[str, ...]] = operands.KINDS
    numeric: ClassVar[bool] = True
    cased: ClassVar[bool] = True

    def listed(self, operand: Any) -> list[Any]:
        return [operand]

    def schema(self, operand: Any) -> dict[str, Any]:
        if not self.negative:
            return {"anyOf": [equal_schema(value) for value in self.listed(operand)]}
        # Numbers that differ in what is beyond 10⁻⁶ are equal.
        return {"not": {"enum": [None, *(value for value in self.listed(operand) if kind_of(value) != "number")]}}

    def kind(self, operand: Any) -> str:
        return "" if self.negative else _only(self.listed(operand))

    def holds(self, value: Any, operand: Any) -> bool:
        return value is not None and any(equals(value, one) for one in self.listed(operand)) is not self.negative

    def exact(self, operand: Any) -> Callable[[int], bool]:
        bounds = {micros(item) for item in self.listed(operand)}
        return (lambda value: value not in bounds) if self.negative else (lambda value: value in bounds)

    def cap(self, operand: Any) -> int:
        return _next(self.listed(operand))

    def values(self, operand: Any) -> list[Any] | None:
        return None if self.negative else self.listed(operand)


@dataclass(frozen=True, slots=True)
class OneOf(Equality):
    """Equality with one of several."""

    takes: ClassVar[Operand] = operands.VALUES
    refers: ClassVar[tuple[str, ...]] = ("list",)

    def sentence(self, operand: Any, show: Callable[[Any], str]) -> str:
        return f"{self.says} {', '.join(map(show, operand))}"

    def listed(self, operand: Any) -> list[Any]:
        return list(operand)


@dataclass(frozen=True, slots=True)
class Order(Operator):
    """Above or below a number, a text or a date."""

    compare: Callable[[Any, Any], bool]
    above: bool
    strict: bool

    takes: ClassVar[Operand] = operands.ORDERED
    refers: ClassVar[tuple[str, ...]] = ("number", "text")
    numeric: ClassVar[bool] = True
    orders: ClassVar[bool] = True
    of: ClassVar[tuple[str, ...]] = ("number", "text")

    def schema(self, operand: Any) -> dict[str, Any]:
        return _beyond(operand, above=self.above, strict=self.strict)

    def kind(self, operand: Any) -> str:
        return kind_of(operand)

    def holds(self, value: Any, operand: Any) -> bool:
        if value is None or kind_of(value) != kind_of(operand):
            return False
        number = kind_of(value) == "number"
        one, other = (micros(value), micros(operand)) if number else (value, operand)
        possible = one is None or other is None or (isinstance(operand, str) and parse_time(operand) is not None)
        return possible or self.compare(one, other)

    def exact(self, operand: Any) -> Callable[[int], bool]:
        bound, compare = micros(operand), self.compare
        return lambda value: bound is not None and compare(value, bound)

    def cap(self, operand: Any) -> int:
        return _next([operand]) if self.above is self.strict else ceil(operand)

    def limits(self, operand: Any) -> tuple[Limit, Limit]:
        limit = (operand, self.strict)
        return (limit, None) if self.above else (None, limit)


@dataclass(frozen=True, slots=True)
class Between(Operator):
    """Both ends belong."""

    least: Order
    most: Order

    takes: ClassVar[Operand] = operands.PAIR
    numeric: ClassVar[bool] = True
    orders: ClassVar[bool] = True
    of: ClassVar[tuple[str, ...]] = ("number", "text")

    def sentence(self, operand: Any, show: Callable[[Any], str]) -> str:
        return f"{self.says} {show(operand[0])} to {show(operand[1])}"

    def schema(self, operand: Any) -> dict[str, Any]:
        return {"allOf": [self.least.schema(operand[0]), self.most.schema(operand[1])]}

    def kind(self, operand: Any) -> str:
        return _only(operand)

    def holds(self, value: Any, operand: Any) -> bool:
        return self.least.holds(value, operand[0]) and self.most.holds(value, operand[1])

    def exact(self, operand: Any) -> Callable[[int], bool]:
        low, high = micros(operand[0]), micros(operand[1])
        return lambda value: low is not None and high is not None and low <= value <= high

    def cap(self, operand: Any) -> int:
        return _next(operand)

    def limits(self, operand: Any) -> tuple[Limit, Limit]:
        return (operand[0], False), (operand[1], False)


@dataclass(frozen=True, slots=True)
class Exists(Operator):
    """Whether there is a value."""

    takes: ClassVar[Operand] = operands.TRUTH

    def sentence(self, operand: Any, _show: Callable[[Any], str]) -> str:
        return "is there" if operand else "is missing"

    def formula(self, operand: Any, show: Callable[[Any], str]) -> str:
        return self.sentence(operand, show)

    def schema(self, _operand: Any) -> dict[str, Any]:
        return {"not": {"const": None}}

    def holds(self, value: Any, operand: Any) -> bool:
        return (value is not None) is operand

    def exact(self, operand: Any) -> Callable[[int], bool]:
        return lambda _value: operand is True

    def values(self, operand: Any) -> list[Any] | None:
        return None if operand else [None]


@dataclass(frozen=True, slots=True)
class Is(Operator):
    """Of which kind a value is, or that it is empty."""

    takes: ClassVar[Operand] = operands.KIND

    def schema(self, operand: Any) -> dict[str, Any]:
        return _EMPTY if operand == "empty" else {"type": TYPES[operand]}

    def kind(self, operand: Any) -> str:
        return str(operand)

    def holds(self, value: Any, operand: Any) -> bool:
        if operand == "empty":
            return value is None or (isinstance(value, (str, list, dict)) and not value)
        return value is not None and kind_of(value) == operand

    def exact(self, operand: Any) -> Callable[[int], bool]:
        return lambda _value: operand == "number"

    def values(self, operand: Any) -> list[Any] | None:
        return [None, "", [], {}] if operand == "empty" else None


def _next(values: list[float]) -> int:
    return floor(max(values)) + 1


def _only(values: list[Any]) -> str:
    kinds = {kind_of(value) for value in values}
    return kinds.pop() if len(kinds) == 1 else ""


def equals(value: Any, operand: Any) -> bool:
    """Whether two values are equal, numbers to six places."""
    if kind_of(value) == kind_of(operand) == "number":
        return micros(value) == micros(operand)
    return same(value, operand)


def equal_schema(value: Any) -> dict[str, Any]:
    """A JSON Schema that whatever equals the value satisfies."""
    if kind_of(value) != "number":
        return {"const": value}
    return {**_beyond(value, above=True, strict=False), **_beyond(value, above=False, strict=False)}


def _beyond(operand: Any, *, above: bool, strict: bool) -> dict[str, Any]:
    """Numbers are compared in 10⁻⁶, so half of that is left on both sides."""
    exact = micros(operand)
    if exact is None:
        return {"type": "string"}
    half = Decimal(1) / 2 if above is strict else -Decimal(1) / 2
    limit = float((Decimal(exact) + half) / MICRO) if abs(exact) < 2**50 else operand
    return {"type": "number", "minimum" if above else "maximum": limit}
