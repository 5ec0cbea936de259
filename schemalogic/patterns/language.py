"""Sets of texts, described by patterns, lengths and lists: combined, compared, and with examples. Every answer is exact."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import cast

from schemalogic.patterns.automaton import PatternAutomaton
from schemalogic.patterns.budget import Budget, Undecided
from schemalogic.patterns.layers import Layers
from schemalogic.patterns.product import Automaton, Product, Term, simplify
from schemalogic.patterns.syntax import parse

__all__ = ["Budget", "Language", "Undecided"]

AUTOMATA_KEPT = 256
"""Patterns whose automata are kept for the next question."""
_kept: OrderedDict[str, PatternAutomaton] = OrderedDict()


@dataclass(frozen=True, slots=True)
class _Lengths:
    """The texts of ``shortest`` to ``longest`` code points."""

    shortest: int
    longest: int | None


_Expression = bool | Automaton | _Lengths | tuple[str, tuple["_Expression", ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """A set of texts. ``budget`` limits the questions asked of it and of what is made of it; without one, each question has its own.

    Questions raise `Undecided` when the budget is used up.
    """

    expression: _Expression
    budget: Budget | None = None

    @staticmethod
    def of_pattern(pattern: str, budget: Budget | None = None) -> Language:
        """The texts in which an ECMA-262 pattern is found. PatternError if it is none, `Undecided` if it cannot be reasoned about."""
        return Language(_automaton(pattern, budget or Budget()), budget)

    @staticmethod
    def everything(budget: Budget | None = None) -> Language:
        """All texts."""
        return Language(True, budget)

    @staticmethod
    def nothing(budget: Budget | None = None) -> Language:
        """No text."""
        return Language(False, budget)

    @staticmethod
    def length(shortest: int = 0, longest: int | None = None, budget: Budget | None = None) -> Language:
        """The texts of ``shortest`` to ``longest`` code points; None is no limit."""
        if longest is not None and longest < shortest:
            return Language.nothing(budget)
        return Language(_Lengths(shortest, longest), budget) if shortest > 0 or longest is not None else Language.everything(budget)

    def __and__(self, other: Language) -> Language:
        return self._with("and", other)

    def __or__(self, other: Language) -> Language:
        return self._with("or", other)

    def __sub__(self, other: Language) -> Language:
        return self & ~other

    def __invert__(self) -> Language:
        return Language(_simplified("not", (self.expression,)), self.budget)

    def contains(self, text: str) -> bool:
        """Whether a text is in it."""
        return _holds(self.expression, text, self._budget())

    def is_empty(self) -> bool:
        """Whether no text is in it."""
        return all(case.is_empty() for case in self._cases())

    def included_in(self, other: Language) -> bool:
        """Whether every text of it is in the other one."""
        return (self - other).is_empty()

    def witnesses(self) -> Iterator[str]:
        """All its texts, each once: the shortest first, of equal length the most readable."""
        for case in self._cases():
            for length in case.lengths():
                yield from case.texts(length)

    def finite(self, limit: int = 1000) -> list[str] | None:
        """All its texts, if there are at most ``limit``; else None."""
        if not self.size_at_least(limit + 1):
            return list(islice(self.witnesses(), limit + 1))
        return None

    def size_at_least(self, count: int) -> bool:
        """Whether at least ``count`` texts are in it."""
        total = 0
        for case in self._cases():
            if total >= count:
                break
            total += case.count(count - total)
        return total >= count

    def _with(self, word: str, other: Language) -> Language:
        return Language(_simplified(word, (self.expression, other.expression)), self.budget or other.budget)

    def _budget(self) -> Budget:
        return self.budget or Budget()

    def _cases(self) -> Iterator[Layers]:
        """The same set, taken apart by length: within a case, what is said of lengths is either true or false."""
        budget = self._budget()
        starts = sorted({0, *_starts(self.expression)})
        for start, following in pairwise([*starts, None]):
            shortest = cast(int, start)
            term = _at_length(self.expression, shortest)
            if term is not False:
                yield Layers(Product(term, budget), shortest, None if following is None else following - 1)


def _automaton(pattern: str, budget: Budget) -> PatternAutomaton:
    found = _kept.pop(pattern, None) or PatternAutomaton(parse(pattern), budget)
    _kept[pattern] = found
    if len(_kept) > AUTOMATA_KEPT:
        _kept.popitem(last=False)
    return found


def _simplified(word: str, terms: tuple[_Expression, ...]) -> _Expression:
    return cast(_Expression, simplify(word, cast(tuple[Term, ...], terms)))


def _starts(expression: _Expression) -> Iterator[int]:
    """The lengths at which something that is said of lengths changes."""
    if isinstance(expression, _Lengths):
        yield expression.shortest
        if expression.longest is not None:
            yield expression.longest + 1
    elif isinstance(expression, tuple):
        for one in expression[1]:
            yield from _starts(one)


def _at_length(expression: _Expression, length: int) -> Term:
    if isinstance(expression, _Lengths):
        return expression.shortest <= length and (expression.longest is None or length <= expression.longest)
    if isinstance(expression, tuple):
        return simplify(expression[0], tuple(_at_length(one, length) for one in expression[1]))
    return expression


def _holds(expression: _Expression, text: str, budget: Budget) -> bool:
    if isinstance(expression, bool):
        return expression
    if isinstance(expression, _Lengths):
        return expression.shortest <= len(text) and (expression.longest is None or len(text) <= expression.longest)
    if isinstance(expression, tuple):
        word, parts = expression
        found = (_holds(one, text, budget) for one in parts)
        return not next(found) if word == "not" else any(found) if word == "or" else all(found)
    state = expression.start
    for char in text:
        state = expression.row(state, budget)[expression.alphabet.class_of(ord(char))]
        if state <= 1:
            break
    return expression.accepts(state)
