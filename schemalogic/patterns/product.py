"""Several automata run side by side, and a question about them: and, or, not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Protocol

from schemalogic.patterns.automaton import EVERYTHING, NOTHING
from schemalogic.patterns.budget import Budget
from schemalogic.patterns.charset import PREFERRED_SET, SHOWN, CharSet
from schemalogic.patterns.partition import Alphabet, partition

_Edges = list[tuple[str, int]]


class Automaton(Protocol):
    """Deterministic and complete; from state 0 nothing is accepted, from state 1 everything."""

    alphabet: Alphabet
    start: int

    def row(self, state: int, budget: Budget) -> list[int]: ...

    def accepts(self, state: int) -> bool: ...


Term = bool | Automaton | tuple[str, tuple["Term", ...]]
"""True, False, an automaton, or ("and" | "or" | "not", terms)."""


def simplify(word: str, terms: tuple[Term, ...]) -> Term:
    """A term without what does not matter in it."""
    if word == "not":
        only = terms[0]
        if isinstance(only, bool):
            return not only
        return only[1][0] if isinstance(only, tuple) and only[0] == "not" else ("not", terms)
    absorbs = word == "or"
    kept: list[Term] = []
    for term in terms:
        if term is absorbs:
            return absorbs
        if ("not", (term,)) in kept or (isinstance(term, tuple) and term[0] == "not" and term[1][0] in kept):
            return absorbs
        if term is not (not absorbs) and term not in kept:
            kept.append(term)
    return kept[0] if len(kept) == 1 else (word, tuple(kept)) if kept else not absorbs


class Product:
    """The automaton of a term. Its states 0 and 1 are nothing and everything."""

    def __init__(self, term: Term, budget: Budget) -> None:
        self._term, self.budget = term, budget
        self._automata = list(dict.fromkeys(_automata(term)))
        self._place = {automaton: place for place, automaton in enumerate(self._automata)}
        self.alphabet, self._classes = _joined(self._automata)
        self._states: list[tuple[int, ...]] = [(), ()]
        self._numbers: dict[tuple[int, ...], int] = {}
        self._rows: dict[int, list[int]] = {}
        self._followers: dict[int, frozenset[int]] = {}
        self._edges: dict[tuple[int, frozenset[int]], tuple[_Edges, list[tuple[CharSet, int]]]] = {}
        self._rare: dict[int, list[CharSet]] = {}
        self._accepting: dict[int, bool] = {NOTHING: False, EVERYTHING: True}
        self.start = self._state(tuple(automaton.start for automaton in self._automata))

    def row(self, state: int) -> list[int]:
        """The states that follow a state, by class of character."""
        row = self._rows.get(state)
        if row is None:
            row = self._rows[state] = self._next(state)
        return row

    def followers(self, state: int) -> frozenset[int]:
        """The states that follow a state, without those from which nothing is accepted."""
        found = self._followers.get(state)
        if found is None:
            found = self._followers[state] = frozenset(self.row(state)) - {NOTHING}
        return found

    def accepts(self, state: int) -> bool:
        """Whether a text that ends here is accepted."""
        found = self._accepting.get(state)
        if found is None:
            now = self._states[state]
            values = [automaton.accepts(one) for automaton, one in zip(self._automata, now, strict=True)]
            found = self._accepting[state] = bool(self._holds(self._term, values))
        return found

    def edges(self, state: int, useful: frozenset[int]) -> Iterator[tuple[str, int]]:
        """Every character that leads to a useful state, and that state; the most readable characters first."""
        key = state, useful
        if key not in self._edges:
            live = {number: following for number, following in enumerate(self.row(state)) if following in useful}
            common = [(char, live[number]) for char, number in self.alphabet.preferred if number in live]
            rare = [(chars, live[number]) for number in live for chars in self._rare_chars(number)]
            self._edges[key] = common, sorted(rare, key=lambda one: one[0].ranges[0][0] not in SHOWN)
        common, rare = self._edges[key]
        return chain(common, ((chr(point), to) for chars, to in rare for low, high in chars.ranges for point in range(low, high + 1)))

    def _rare_chars(self, number: int) -> list[CharSet]:
        """The characters of a class that are not preferred: those that can be seen, and the others."""
        if number not in self._rare:
            rest = self.alphabet.classes[number] - PREFERRED_SET
            self._rare[number] = [chars for chars in (rest & SHOWN, rest - SHOWN) if chars]
        return self._rare[number]

    def _next(self, state: int) -> list[int]:
        self.budget.spend(1 + len(self.alphabet.classes))
        if state in {NOTHING, EVERYTHING}:
            return [state] * len(self.alphabet.classes)
        rows = [automaton.row(one, self.budget) for automaton, one in zip(self._automata, self._states[state], strict=True)]
        known: dict[tuple[int, ...], int] = {}
        row = []
        for classes in self._classes:
            key = tuple([one[number] for one, number in zip(rows, classes, strict=True)])
            if key not in known:
                known[key] = self._state(key)
            row.append(known[key])
        return row

    def _state(self, key: tuple[int, ...]) -> int:
        number = self._numbers.get(key)
        if number is None:
            certain = self._holds(self._term, [None if one > EVERYTHING else one == EVERYTHING for one in key])
            if certain is not None:
                number = EVERYTHING if certain else NOTHING
            else:
                number = len(self._states)
                self._states.append(key)
            self._numbers[key] = number
        return number

    def _holds(self, term: Term, values: list[bool] | list[bool | None]) -> bool | None:
        """Whether a term holds if the automata do as ``values`` say; None if that is not known."""
        if isinstance(term, bool):
            return term
        if not isinstance(term, tuple):
            return values[self._place[term]]
        word, terms = term
        if word == "not":
            inner = self._holds(terms[0], values)
            return None if inner is None else not inner
        absorbs, known = word == "or", True
        for one in terms:
            found = self._holds(one, values)
            if found is absorbs:
                return absorbs
            known = known and found is not None
        return (not absorbs) if known else None


def _automata(term: Term) -> Iterator[Automaton]:
    if isinstance(term, tuple):
        for one in term[1]:
            yield from _automata(one)
    elif not isinstance(term, bool):
        yield term


def _joined(automata: list[Automaton]) -> tuple[Alphabet, list[tuple[int, ...]]]:
    """The classes that no automaton can tell apart, and for each of them its class in each automaton."""
    parts = partition([chars for automaton in automata for chars in automaton.alphabet.classes])
    classes: list[tuple[int, ...]] = []
    for _, mask in parts:
        numbers, rest = [], mask
        for automaton in automata:
            size = len(automaton.alphabet.classes)
            numbers.append((rest & ((1 << size) - 1)).bit_length() - 1)
            rest >>= size
        classes.append(tuple(numbers))
    return Alphabet([chars for chars, _ in parts]), classes
