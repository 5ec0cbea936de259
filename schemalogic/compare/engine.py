"""The search for a value of which a set of literals holds: its boolean structure, by type; the keywords are decided per type.

It first drops the disjunctions and looks for a value of the rest: without one there is none at all, and a value that satisfies the
disjunctions, too, ends the search. Only a disjunction that it violates is branched on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemalogic.compare.evaluate import Evaluator
from schemalogic.compare.nodes import FALSE, TRUE, Literal, Space
from schemalogic.compare.numeric import find_number
from schemalogic.compare.texts import Texts
from schemalogic.compare.values import ARRAY, BOOLEAN, NULL, NUMBER, OBJECT, STRING, TYPES, Value
from schemalogic.compare.verdicts import IMPOSSIBLE, UNDECIDED, Clock, Found, Verdict
from schemalogic.patterns import Undecided as PatternUndecided

Branch = tuple[Literal, ...]
Constraint = tuple[str, tuple[Literal, ...]]
"""``some``, ``one`` (exactly one) or ``not one`` of the literals hold."""


@dataclass
class _State:
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

    def copy(self) -> _State:
        return _State(
            set(self.true), set(self.refuted), set(self.atoms), set(self.fresh),
            list(self.unseen), list(self.constraints), set(self.required), dict(self.values), self.told, list(self.deferred),
        )  # fmt: skip


Finder = Callable[["Engine", frozenset[Literal]], Verdict]
"""A value of one type of which all the atoms hold."""
_LOOK = 3
"""How deep conjunctions are looked into for whether they hold."""


class Engine:
    """Finds values for literals of one space, until its clock runs out (OutOfTime).

    ``finders``: what finds arrays and objects, whose parts it asks the engine for again.
    """

    def __init__(self, space: Space, clock: Clock, finders: Mapping[str, Finder]) -> None:
        self.space, self.clock, self._finders = space, clock, finders
        self.texts = Texts(clock)
        self.holds = Evaluator(space, self.texts).holds
        self.constant = space.constant
        self._answers: dict[Any, Verdict] = {}
        self._tentative: dict[Any, set[int]] = {}
        self._depths: dict[Any, int] = {}
        self._cuts: set[int] = set()
        self._reached: dict[Branch, frozenset[int]] = {}

    def find(self, goal: Iterable[Literal]) -> Verdict:
        """A value of which all of the literals hold."""
        literals = frozenset(one for one in goal if one != TRUE)
        if FALSE in literals or any(-one in literals for one in literals):
            return IMPOSSIBLE
        return self._remembered(literals, lambda: self._by_type(literals))

    def _by_type(self, literals: frozenset[Literal]) -> Verdict:
        undecided = False
        for kind in TYPES:
            self.clock.tick()
            said = frozenset(self.space.under(one, kind) for one in literals) - {TRUE}
            if FALSE in said or any(-one in said for one in said):
                continue
            found = self._typed(kind, said)
            if isinstance(found, Found):
                return found
            undecided = undecided or found is UNDECIDED
        return UNDECIDED if undecided else IMPOSSIBLE

    def _typed(self, kind: str, literals: frozenset[Literal]) -> Verdict:
        question = (kind, literals)
        if question in self._depths:
            # The smallest value that is asked for does not contain another one: below itself the question has no answer.
            self._cuts.add(self._depths[question])
            return IMPOSSIBLE
        return self._remembered(question, lambda: self._search(kind, self._root(literals)), deep=True)

    def _remembered(self, question: Any, compute: Callable[[], Verdict], *, deep: bool = False) -> Verdict:
        """The answer; an "impossible" that relied on a question that is still open holds only as long as that is open."""
        known = self._answers.get(question)
        if known is not None:
            return known
        if question in self._tentative:
            self._cuts |= self._tentative[question]
            return IMPOSSIBLE
        above, self._cuts = self._cuts, set()
        depth = len(self._depths)
        if deep:
            self._depths[question] = depth
        try:
            found = compute()
        except PatternUndecided:
            found = UNDECIDED
        cuts, self._cuts = self._cuts, above
        if deep:
            del self._depths[question]
            cuts.discard(depth)
            self._settle(depth, cuts, impossible=found is IMPOSSIBLE)
        if found is IMPOSSIBLE and cuts:
            self._tentative[question] = cuts
            self._cuts |= cuts
        else:
            self._answers[question] = found
        return found

    def _settle(self, depth: int, cuts: set[int], *, impossible: bool) -> None:
        for question in [one for one, on in self._tentative.items() if depth in on]:
            if not impossible:
                del self._tentative[question]
                continue
            on = (self._tentative[question] - {depth}) | cuts
            if on:
                self._tentative[question] = on
            else:
                del self._tentative[question]
                self._answers[question] = IMPOSSIBLE

    def _root(self, literals: frozenset[Literal]) -> _State | None:
        state = _State()
        return state if self._assume(state, literals) else None

    def _assume(self, state: _State, literals: Iterable[Literal], *, defer: bool = False) -> bool:
        """Add literals and what follows from them at once; False if they contradict each other."""
        space, left = self.space, list(literals)
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
                state.unseen.append(self._constraint(literal))
        return True

    def _learn(self, state: _State, literal: Literal) -> bool:
        """Note what an atom tells of names and values; False if that cannot be."""
        names, values = self.space.tells(literal)
        for name in names:
            state.told = state.told or name not in state.required
            state.required.add(name)
        for name, listed in values.items():
            known = state.values.get(name)
            state.values[name] = listed if known is None else listed & known
            state.told = True
        return all(state.values.get(name) or name not in state.values or name not in state.required for name in (*names, *values))

    def _clashes(self, state: _State, literal: Literal) -> bool:
        """Whether a required name would have none of its values left."""
        if literal < 0 or not state.values:
            return False
        names, values = self.space.tells(literal)
        for name, listed in values.items():
            known = state.values.get(name)
            if known is not None and (name in names or name in state.required) and known.isdisjoint(listed):
                return True
        return False

    def _constraint(self, literal: Literal) -> Constraint:
        kids = self.space.kids[abs(literal)]
        if self.space.ops[abs(literal)] == "and":
            return "some", tuple(-kid for kid in kids)
        return "one" if literal > 0 else "not one", kids

    def _truth(self, state: _State, literal: Literal, depth: int = _LOOK) -> bool | None:
        if literal == TRUE or literal in state.true:
            return True
        if literal == FALSE or -literal in state.true:
            return False
        node = abs(literal)
        if depth and self.space.ops[node] == "and":
            said = [self._truth(state, kid, depth - 1) for kid in self.space.kids[node]]
            whole = False if False in said else None if None in said else True
            return whole if whole is None or literal > 0 else not whole
        return None

    def _propagate(self, state: _State) -> bool:
        """Draw conclusions until none is left; False if they contradict each other."""
        while state.unseen or state.fresh:
            self.clock.tick()
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
            if not self._assume(state, follows) or not self._assume(state, denied, defer=True):
                return False
        return True

    def _conclude(self, state: _State, constraint: Constraint, follows: list[Literal], denied: list[Literal]) -> bool:
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
                level = {abs(kid) for node in level if self.space.ops[node] == "and" for kid in self.space.kids[node]} - nodes
                nodes |= level
            found = self._reached[kids] = frozenset(nodes)
        return found

    def _search(self, kind: str, state: _State | None) -> Verdict:
        if state is None or self._contradicts(kind, state) or not self._propagate(state):
            return IMPOSSIBLE
        values = self._few(kind, state)
        if values is not None:
            return next((Found(value) for value in values if self._satisfies(state, value)), IMPOSSIBLE)
        while True:
            atoms = frozenset(state.atoms)
            found = self._remembered(("atoms", kind, atoms), lambda atoms=atoms: self._decide(kind, atoms))  # type: ignore[misc]
            if found is IMPOSSIBLE:
                return IMPOSSIBLE
            branches = self._branches(state, found)
            if branches is not None:
                break
            broken = [one for one in state.deferred if not (isinstance(found, Found) and self.holds(one, found.document))][:1]
            if not broken:
                return found
            state.deferred.remove(broken[0])
            state.unseen.append(self._constraint(broken[0]))
            if not self._propagate(state):
                return IMPOSSIBLE
        undecided = False
        for branch in branches:
            self.clock.tick()
            below = state.copy()
            answer = self._search(kind, below) if self._assume(below, branch, defer=len(branch) > 1) else IMPOSSIBLE
            if isinstance(answer, Found):
                return answer
            if answer is UNDECIDED:
                undecided = True
            elif len(branch) == 1:
                state.refuted.add(branch[0])
                state.fresh.add(abs(branch[0]))
        return UNDECIDED if undecided else IMPOSSIBLE

    def _contradicts(self, kind: str, state: _State) -> bool:
        """Whether the atoms alone rule each other out: of objects and arrays that is often seen at once, and spares all conclusions."""
        if kind not in {ARRAY, OBJECT}:
            return False
        atoms = frozenset(state.atoms)
        return self._remembered(("atoms", kind, atoms), lambda: self._decide(kind, atoms)) is IMPOSSIBLE

    def _few(self, kind: str, state: _State) -> list[Value] | None:
        """The only values that come into question, if they are few."""
        if kind == NULL:
            return [None]
        if kind == BOOLEAN:
            return [False, True]
        sets = [self.space.payloads[one] for one in state.atoms if one > 0 and self.space.ops[one] == "in"]
        if not sets:
            return None
        smallest = min(sets, key=len)
        return sorted((value for _, value in smallest), key=lambda value: (str(type(value)), value))

    def _satisfies(self, state: _State, value: Value) -> bool:
        self.clock.tick()
        said = all(self.holds(one, value) for one in (*state.atoms, *state.deferred))
        return said and all(self._keeps(one, value) for one in state.constraints)

    def _keeps(self, constraint: Constraint, value: Value) -> bool:
        kind, kids = constraint
        if kind == "some":
            return any(self.holds(one, value) for one in kids)
        if kind == "one":
            return any(self.holds(kid, value) for kid in kids) and not self._two(kids, value, surely=True)
        return self._two(kids, value, surely=False) or all(self.holds(-kid, value) for kid in kids)

    def _two(self, kids: Branch, value: Value, *, surely: bool) -> bool:
        """Whether two of the literals hold of the value, or may hold."""
        count = 0
        for kid in kids:
            count += not self.holds(-kid, value) if surely else self.holds(kid, value)
            if count > 1:
                return True
        return False

    def _branches(self, state: _State, found: Verdict) -> list[Branch] | None:
        """The shortest constraint that the value breaks (any, without a value), as ways to keep it; None if the search is over."""
        for kind, kids in sorted(state.constraints, key=lambda one: (len(one[1]), one[0] != "some")):
            if isinstance(found, Found) and self._keeps((kind, kids), found.document):
                continue
            others = {abs(kid) for other, some in state.constraints for kid in some if some is not kids}
            ways: list[Branch] = [(kid,) for kid in sorted(kids, key=lambda kid: abs(kid) in others)]
            return ways if kind != "not one" else [tuple(-kid for kid in kids), *ways]
        return None

    def _decide(self, kind: str, atoms: frozenset[Literal]) -> Verdict:
        if kind == NUMBER:
            return find_number(self.space, atoms, self.clock)
        if kind == STRING:
            return self.texts.find(self.space, atoms)
        return self._finders[kind](self, atoms)
