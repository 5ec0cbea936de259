"""From a graph of parsed schema places to nodes: places that say the same, also through references and recursion, become one node."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from schemalogic.compare.nodes import FALSE, TRUE, Literal, Space

_ROUNDS = 12
"""How far the colour of a place in a cycle looks ahead; colours only sort candidates, the comparison itself is exact."""
_UNORDERED = frozenset({"and", "one"})


class EndlessReference(Exception):  # noqa: N818 - said of a schema
    """A reference that leads to itself and says nothing."""


@dataclass
class Graph:
    """Places of schemas. A kid is the number of a place, negative for its negation; numbers count from 2 so that ±1 are TRUE and FALSE."""

    ops: list[str] = field(default_factory=lambda: ["", ""])
    payloads: list[Any] = field(default_factory=lambda: [None, None])
    kids: list[tuple[int, ...]] = field(default_factory=lambda: [(), ()])

    def add(self, op: str, payload: Any = None, kids: tuple[int, ...] = ()) -> int:
        """A new place; its content may follow through ``fill``."""
        self.ops.append(op)
        self.payloads.append(payload)
        self.kids.append(kids)
        return len(self.ops) - 1

    def fill(self, place: int, op: str, kids: tuple[int, ...]) -> None:
        self.ops[place], self.kids[place] = op, kids

    def disj(self, kids: Iterator[int] | list[int]) -> int:
        """Some of them."""
        return -self.add("and", None, tuple(-one for one in kids))


class Merger:
    """Gives every place of a graph its literal in a space."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._cyclic: dict[int, list[int]] = defaultdict(list)
        self._colour_of: dict[int, int] = {}

    def literals(self, graph: Graph, roots: list[int]) -> list[Literal]:
        """The literals of the places ``roots``."""
        self._graph = graph
        self._known: dict[int, Literal] = {}
        kids = self._follow_aliases()
        self._edges = kids
        for component in _components([abs(one) for one in roots if abs(one) > 1], kids):
            first = component[0]
            if len(component) == 1 and all(abs(kid) != first for kid in kids[first]):
                self._known[first] = self._space.build(graph.ops[first], graph.payloads[first], self._signed(first))
            else:
                self._merge(component)
        return [self._literal(self._target(one)) for one in roots]

    def _follow_aliases(self) -> list[tuple[int, ...]]:
        graph = self._graph
        return [tuple(self._target(kid) for kid in kids) if op != "alias" else kids for op, kids in zip(graph.ops, graph.kids, strict=True)]

    def _target(self, place: int) -> int:
        seen = set()
        while abs(place) > 1 and self._graph.ops[abs(place)] == "alias":
            if abs(place) in seen:
                raise EndlessReference
            seen.add(abs(place))
            (kid,) = self._graph.kids[abs(place)]
            place = kid if place > 0 else -kid
        return place

    def _literal(self, kid: int) -> Literal:
        if abs(kid) == TRUE:
            return kid
        found = self._known[abs(kid)]
        return found if kid > 0 else -found

    def _signed(self, place: int) -> tuple[Literal, ...]:
        return tuple(map(self._literal, self._edges[place]))

    def _merge(self, component: list[int]) -> None:
        inside = set(component)
        colours = self._colours(component, inside)
        classes = self._classes(component, inside)
        first = min(component, key=lambda place: (colours[place], place))
        for candidate in self._cyclic[colours[first]]:
            pairs = self._same(first, candidate, inside, colours)
            numbers = {name: pairs[place] for name, places in classes.items() for place in places if place in pairs} if pairs else {}
            if len(numbers) == len(classes):
                self._number(classes, numbers)
                return
        graph, space = self._graph, self._space
        numbers = {name: space.allocate(graph.ops[places[0]], graph.payloads[places[0]]) for name, places in classes.items()}
        self._number(classes, numbers)
        for name, places in classes.items():
            kids = self._signed(places[0])
            if graph.ops[places[0]] in _UNORDERED:
                kids = tuple(sorted(set(kids) - {TRUE} if graph.ops[places[0]] == "and" else kids))
            space.kids[numbers[name]] = kids
            self._cyclic[colours[places[0]]].append(numbers[name])
            self._colour_of[numbers[name]] = colours[places[0]]

    def _number(self, classes: dict[int, list[int]], numbers: dict[int, int]) -> None:
        self._known.update((place, numbers[name]) for name, places in classes.items() for place in places)

    def _colours(self, component: list[int], inside: set[int]) -> dict[int, int]:
        graph = self._graph
        colour: dict[int, int] = {place: hash((graph.ops[place], graph.payloads[place])) for place in component}
        for _ in range(_ROUNDS):
            colour = {place: hash((graph.ops[place], graph.payloads[place], self._shades(place, colour, inside))) for place in component}
        return colour

    def _shades(self, place: int, colour: dict[int, int], inside: set[int]) -> tuple[Any, ...]:
        kids = self._edges[place]
        shades = [(int(kid > 0), colour[abs(kid)]) if abs(kid) in inside else (2, self._literal(kid)) for kid in kids]
        if self._graph.ops[place] == "and":
            return tuple(sorted(set(shades)))
        return tuple(sorted(shades)) if self._graph.ops[place] == "one" else tuple(shades)

    def _classes(self, component: list[int], inside: set[int]) -> dict[int, list[int]]:
        """The coarsest partition whose members cannot be told apart."""
        graph = self._graph
        part = dict.fromkeys(component, 0)
        count = 1
        while True:
            names: dict[Any, int] = {}
            finer = {}
            for place in component:
                signature = (part[place], graph.ops[place], graph.payloads[place], self._shades(place, part, inside))
                finer[place] = names.setdefault(signature, len(names))
            part = finer
            if len(names) == count:
                break
            count = len(names)
        classes: dict[int, list[int]] = defaultdict(list)
        for place, name in part.items():
            classes[name].append(place)
        return classes

    def _same(self, place: int, node: int, inside: set[int], colours: dict[int, int]) -> dict[int, int] | None:
        """Each place with the existing node that says the same, if the place and the node do, else None."""
        space, graph = self._space, self._graph
        pairs: dict[int, int] = {}
        left = [(place, node)]
        while left:
            one, other = left.pop()
            if one in pairs:
                if pairs[one] != other:
                    return None
                continue
            if graph.ops[one] != space.ops[other] or graph.payloads[one] != space.payloads[other]:
                return None
            pairs[one] = other
            if not self._pair_kids(one, other, inside, colours, left):
                return None
        return pairs

    def _pair_kids(self, one: int, other: int, inside: set[int], colours: dict[int, int], left: list[tuple[int, int]]) -> bool:
        theirs, ours = list(self._space.kids[other]), list(self._edges[one])
        if self._graph.ops[one] in _UNORDERED:
            outer = sorted(self._literal(kid) for kid in ours if abs(kid) not in inside)
            ours = [kid for kid in ours if abs(kid) in inside]
            if self._graph.ops[one] == "and":
                outer = sorted(set(outer) - {TRUE})
                ours = list({(kid > 0, colours[abs(kid)]): kid for kid in ours}.values())
            for literal in outer:
                if literal not in theirs:
                    return False
                theirs.remove(literal)
            by_colour = {(kid > 0, self._colour_of.get(abs(kid))): kid for kid in theirs}
            if len(by_colour) != len(theirs) or len(ours) != len(theirs):
                return False
            matched = [(kid, by_colour.get((kid > 0, colours[abs(kid)]))) for kid in ours]
        else:
            matched = list(zip(ours, theirs, strict=True))
        for kid, their in matched:
            if their is None:
                return False
            if abs(kid) not in inside:
                if self._literal(kid) != their:
                    return False
            elif (kid > 0) != (their > 0):
                return False
            else:
                left.append((abs(kid), abs(their)))
        return True


def _components(roots: list[int], edges: list[tuple[int, ...]]) -> Iterator[list[int]]:
    """Strongly connected components, kids first (Tarjan, without recursion)."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    for root in roots:
        if root in index:
            continue
        work = [(root, 0)]
        while work:
            place, at = work.pop()
            if at == 0:
                index[place] = low[place] = len(index)
                stack.append(place)
                on_stack.add(place)
            descended = False
            kids = edges[place]
            for number in range(at, len(kids)):
                kid = abs(kids[number])
                if kid <= TRUE or kid == abs(FALSE):
                    continue
                if kid not in index:
                    work += [(place, number + 1), (kid, 0)]
                    descended = True
                    break
                if kid in on_stack:
                    low[place] = min(low[place], index[kid])
            if descended:
                continue
            if low[place] == index[place]:
                component = []
                while True:
                    one = stack.pop()
                    on_stack.discard(one)
                    component.append(one)
                    if one == place:
                        break
                yield component
            if work:
                above = work[-1][0]
                low[above] = min(low[above], low[place])
