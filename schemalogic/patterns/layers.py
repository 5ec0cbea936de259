"""Which states an automaton can be in after so many characters: from some length on this repeats itself."""

from __future__ import annotations

from collections.abc import Iterator

from schemalogic.patterns.automaton import NOTHING
from schemalogic.patterns.product import Product

_Layer = frozenset[int]


class Layers:
    """The states after 0, 1, 2… characters, for texts of ``shortest`` to ``longest`` characters (None: without end)."""

    def __init__(self, product: Product, shortest: int, longest: int | None) -> None:
        self._product, self._budget = product, product.budget
        self.shortest, self.longest = shortest, longest
        first: _Layer = frozenset() if product.start == NOTHING else frozenset([product.start])
        self._layers = [first]
        self._places = {first: 0}
        self._cycle: tuple[int, int] | None = None
        self._counts: dict[frozenset[tuple[int, int]], dict[int, int]] = {}
        self._backward: dict[tuple[_Layer, _Layer], _Layer] = {}

    def is_empty(self) -> bool:
        """Whether no text is accepted."""
        if self.shortest == 0:
            nearest = self._nearest()
            return nearest is None or (self.longest is not None and nearest > self.longest)
        return next(self.lengths(), None) is None

    def lengths(self) -> Iterator[int]:
        """The lengths of accepted texts, ascending."""
        length, silent = self.shortest, 0
        while self.longest is None or length <= self.longest:
            self._budget.spend()
            layer = self._at(length)
            if any(map(self._product.accepts, layer)):
                silent = 0
                yield length
            elif not layer:
                return
            elif self._cycle and length >= self._cycle[0]:
                silent += 1
                if silent > self._cycle[1]:
                    return
            length += 1

    def texts(self, length: int) -> Iterator[str]:
        """The accepted texts of a length, the most readable first."""
        useful: list[_Layer] = [frozenset(filter(self._product.accepts, self._at(length)))]
        for place in range(length - 1, -1, -1):
            useful.append(self._before(self._at(place), useful[-1]))
        useful.reverse()
        if not useful[0]:
            return
        if length == 0:
            yield ""
            return
        text = [""] * length
        ways = [self._product.edges(self._product.start, useful[1])]
        while ways:
            self._budget.spend()
            char, state = next(ways[-1], ("", NOTHING))
            if char == "":
                ways.pop()
                continue
            text[len(ways) - 1] = char
            if len(ways) == length:
                yield "".join(text)
            else:
                ways.append(self._product.edges(state, useful[len(ways) + 1]))

    def count(self, enough: int) -> int:
        """How many texts are accepted; it stops counting at ``enough``."""
        sizes = [len(chars) for chars in self._product.alphabet.classes]
        counts, total, length = {self._product.start: 1}, 0, 0
        for accepted in self.lengths():
            while length < accepted:
                counts = self._counted(counts, sizes, enough)
                length += 1
            total += sum(number for state, number in counts.items() if self._product.accepts(state))
            if total >= enough or (self.longest is None and self._cycle and accepted > sum(self._cycle)):
                return enough
        return total

    def _counted(self, counts: dict[int, int], sizes: list[int], enough: int) -> dict[int, int]:
        """How many texts lead to each state, one character later; more than enough count as enough."""
        key = frozenset(counts.items())
        found = self._counts.get(key)
        if found is None:
            found = self._counts[key] = {}
            for state, number in counts.items():
                self._budget.spend(len(sizes))
                for following, size in zip(self._product.row(state), sizes, strict=True):
                    if following != NOTHING:
                        found[following] = min(enough, found.get(following, 0) + number * size)
        return found

    def _nearest(self) -> int | None:
        """The length of the shortest accepted text."""
        seen = set(self._layers[0])
        layer, length = set(seen), 0
        while layer:
            if any(map(self._product.accepts, layer)):
                return length
            layer = {following for state in layer for following in self._product.followers(state)} - seen
            seen |= layer
            length += 1
        return None

    def _at(self, length: int) -> _Layer:
        while length >= len(self._layers) and self._cycle is None:
            layer = self._layers[-1]
            self._budget.spend(1 + len(layer))
            following = frozenset().union(*map(self._product.followers, layer))
            place = self._places.setdefault(following, len(self._layers))
            if place < len(self._layers):
                self._cycle = place, len(self._layers) - place
            else:
                self._layers.append(following)
        if length < len(self._layers):
            return self._layers[length]
        start, period = self._cycle or (0, 1)
        return self._layers[start + (length - start) % period]

    def _before(self, layer: _Layer, useful: _Layer) -> _Layer:
        """The states of a layer that lead to a useful one."""
        key = layer, useful
        found = self._backward.get(key)
        if found is None:
            self._budget.spend(1 + len(layer))
            found = frozenset(state for state in layer if not useful.isdisjoint(self._product.followers(state)))
            self._backward[key] = found
        return found
