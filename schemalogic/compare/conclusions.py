"""What follows from literals that are assumed of a value of one type, without looking for the value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from schemalogic.compare.nodes import FALSE, TRUE, Literal, Space
from schemalogic.compare.verdicts import Clock

Branch = tuple[Literal, ...]
Constraint = tuple[str, tuple[Literal, ...]]
"""``some``, ``one`` (exactly one) or ``not one`` of the literals hold."""


@dataclass
class State:
    """What is assumed of a value of one type, and what is left to satisfy."""

    true: set[Literal] = field(default_factory=set)
    refuted: set[Literal] = field(default_factory=set)
    atoms: set[Literal] = field(default_factory=set)
    fresh: set[int] = field(default_factory=set)
    """Nodes that were decided since conclusions were drawn the last time."""
    unseen: list[Constraint] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)
    required: set[str] = field(default_factory=set)
    values: dict[str, frozenset[Any]] = field(default_factory=dict)
    """By name, the only values that an object may have there."""
    told: bool = False
    """Whether something was learned about names and values since conclusions were drawn the last time."""
    deferred: list[Literal] = field(default_factory=list)
    """Assumed, but not taken apart before a value breaks them: what the other branches of a oneOf say seldom matters."""

    def copy(self) -> State:
        """For a branch, which must not change what the others assume."""
        return State(
            set(self.true), set(self.refuted), set(self.atoms), set(self.fresh),
            list(self.unseen), list(self.constraints), set(self.required), dict(self.values), self.told, list(self.deferred),
        )  # fmt: skip


_LOOK = 3
"""How deep conjunctions are looked into for whether they hold."""


class Conclusions:
    """Draws conclusions over the literals of one space, until its clock runs out (OutOfTime)."""

    def __init__(self, space: Space, clock: Clock) -> None:
        self._space, self._clock = space, clock
        self._reached: dict[Branch, frozenset[int]] = {}

    def root(self, literals: frozenset[Literal]) -> State | None:
        """What follows from these literals alone; None if they contradict each other."""
        state = State()
        return state if self.assume(state, literals) else None

    def assume(self, state: State, literals: Iterable[Literal], *, defer: bool = False) -> bool:
        """Add literals and what follows from them at once; False if they contradict each other."""
        space, left = self._space, list(literals)
        while left:
            literal = left.pop()
            if literal in state.true or literal == TRUE:
                continue
            if literal == FALSE or -literal in state.true or literal in state.refuted:
                return False
            state.true.add(literal)
            node = abs(literal)
            state.fresh.add(node)
            op, kids = space.ops[node], space.kids[node]
            if op == "and" and literal > 0:
                left.extend(kids)
            elif op not in {"and", "one"}:
                state.atoms.add(literal)
                if not self._learn(state, literal):
                    return False
            elif defer:
                state.deferred.append(literal)
            else:
                state.unseen.append(self.constraint(literal))
        return True

    def _learn(self, state: State, literal: Literal) -> bool:
        """Note what an atom tells of names and values; False if that cannot be."""
        names, values = self._space.tells(literal)
        for name in names:
            state.told = state.told or name not in state.required
            state.required.add(name)
        for name, listed in values.items():
            known = state.values.get(name)
            state.values[name] = listed if known is None else listed & known
            state.told = True
        return all(state.values.get(name) or name not in state.values or name not in state.required for name in (*names, *values))

    def _clashes(self, state: State, literal: Literal) -> bool:
        """Whether a required name would have none of its values left."""
        if literal < 0 or not state.values:
            return False
        names, values = self._space.tells(literal)
        for name, listed in values.items():
            known = state.values.get(name)
            if known is not None and (name in names or name in state.required) and known.isdisjoint(listed):
                return True
        return False

    def constraint(self, literal: Literal) -> Constraint:
        """What a conjunction that is denied, or a choice of exactly one, demands of its parts."""
        kids = self._space.kids[abs(literal)]
        if self._space.ops[abs(literal)] == "and":
            return "some", tuple(-kid for kid in kids)
        return "one" if literal > 0 else "not one", kids

    def _truth(self, state: State, literal: Literal, depth: int = _LOOK) -> bool | None:
        if literal == TRUE or literal in state.true:
            return True
        if literal == FALSE or -literal in state.true:
            return False
        node = abs(literal)
        if depth and self._space.ops[node] == "and":
            said = [self._truth(state, kid, depth - 1) for kid in self._space.kids[node]]
            whole = False if False in said else None if None in said else True
            return whole if whole is None or literal > 0 else not whole
        return None

    def propagate(self, state: State) -> bool:
        """Draw conclusions until none is left; False if they contradict each other."""
        while state.unseen or state.fresh:
            self._clock.tick()
            fresh, state.fresh = state.fresh, set()
            looked_at, state.unseen = state.unseen, []
            told, state.told = state.told, False
            untouched: list[Constraint] = []
            for one in state.constraints:
                touched = not self._reach(one[1]).isdisjoint(fresh) or (told and any(self._clashes(state, kid) for kid in one[1]))
                (looked_at if touched else untouched).append(one)
            state.constraints = untouched
            follows: list[Literal] = []
            denied: list[Literal] = []
            for constraint in looked_at:
                if not self._conclude(state, constraint, follows, denied):
                    return False
            if not self.assume(state, follows) or not self.assume(state, denied, defer=True):
                return False
        return True

    def _conclude(self, state: State, constraint: Constraint, follows: list[Literal], denied: list[Literal]) -> bool:
        """Keep what is left of a constraint, and add to ``follows`` and ``denied`` what it demands; False if it cannot be satisfied."""
        kind, kids = constraint
        if kind == "some" and any(kid in state.true for kid in kids):
            return True
        said = [self._truth(state, kid) for kid in kids]
        left = tuple(kid for kid, truth in zip(kids, said, strict=True) if truth is None)
        state.refuted.update(kid for kid in left if self._clashes(state, kid))
        held = said.count(True)
        if kind == "some":
            left = () if held else tuple(kid for kid in left if kid not in state.refuted)
            if len(left) > 1:
                state.constraints.append((kind, left))
            follows += left if len(left) == 1 else ()
            return bool(held or left)
        # Of these constraints a refuted literal is not simply left out: they hold only if it is indeed false.
        denied += [-kid for kid in left if kid in state.refuted]
        if kind == "one":
            if held > 1 or not (held or left):
                return False
            if held:
                denied += [-kid for kid in left]
            elif len(left) == 1:
                follows += left
            else:
                state.constraints.append((kind, left))
            return True
        if held == 1:
            follows += left if len(left) == 1 else ()
            if len(left) > 1:
                state.unseen.append(("some", left))
            return bool(left)
        if held == 0 and left:
            follows += [-left[0]] if len(left) == 1 else []
            if len(left) > 1:
                state.constraints.append((kind, left))
        return True

    def _reach(self, kids: Branch) -> frozenset[int]:
        """The nodes on which the truth of the literals may depend."""
        found = self._reached.get(kids)
        if found is None:
            nodes, level = set(map(abs, kids)), set(map(abs, kids))
            for _ in range(_LOOK):
                level = {abs(kid) for node in level if self._space.ops[node] == "and" for kid in self._space.kids[node]} - nodes
                nodes |= level
            found = self._reached[kids] = frozenset(nodes)
        return found
