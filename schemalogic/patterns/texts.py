"""The automaton of a list of texts: a tree of their characters."""

from __future__ import annotations

from collections.abc import Iterable

from schemalogic.patterns.automaton import NOTHING
from schemalogic.patterns.budget import Budget
from schemalogic.patterns.charset import CharSet
from schemalogic.patterns.partition import Alphabet


class TextsAutomaton:
    """Accepts exactly the given texts. States 0 and 1 are nothing and everything, as in every automaton."""

    def __init__(self, texts: Iterable[str], budget: Budget) -> None:
        texts = list(texts)
        chars = sorted(set().union(*texts))
        classes = [CharSet.chars(char) for char in chars]
        others = ~CharSet.chars("".join(chars))
        self.alphabet = Alphabet([*classes, others] if others else classes)
        self._numbers = {char: number for number, char in enumerate(chars)}
        self._edges: list[dict[int, int]] = [{}, {}, {}]
        self._accepting: set[int] = {1}
        self.start = 2
        for text in texts:
            budget.spend(len(text) + 1)
            self._add(text)

    def _add(self, text: str) -> None:
        state = self.start
        for char in text:
            number = self._numbers[char]
            if number not in self._edges[state]:
                self._edges.append({})
                self._edges[state][number] = len(self._edges) - 1
            state = self._edges[state][number]
        self._accepting.add(state)

    def row(self, state: int, budget: Budget) -> list[int]:
        """The states that follow a state, by class of character."""
        budget.spend()
        row = [state if state < self.start else NOTHING] * len(self.alphabet.classes)
        for number, following in self._edges[state].items():
            row[number] = following
        return row

    def accepts(self, state: int) -> bool:
        """Whether a text that ends here is accepted."""
        return state in self._accepting
