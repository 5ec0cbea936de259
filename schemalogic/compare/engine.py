"""The search for a value of which a set of literals holds: its boolean structure, by type; the keywords are decided per type.

It first drops the disjunctions and looks for a value of the rest: without one there is none at all, and a value that satisfies the
disjunctions, too, ends the search. Only a disjunction that it violates is branched on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from schemalogic.compare.conclusions import Branch, Conclusions, Constraint, State
from schemalogic.compare.evaluate import Evaluator
from schemalogic.compare.nodes import FALSE, TRUE, Literal, Space
from schemalogic.compare.numeric import find_number
from schemalogic.compare.texts import Texts
from schemalogic.compare.values import ARRAY, BOOLEAN, NULL, NUMBER, OBJECT, STRING, TYPES, Value
from schemalogic.compare.verdicts import IMPOSSIBLE, UNDECIDED, Clock, Found, Verdict
from schemalogic.patterns import Undecided as PatternUndecided

Finder = Callable[["Engine", frozenset[Literal]], Verdict]
"""A value of one type of which all the atoms hold."""


class Engine:
    """Finds values for literals of one space, until its clock runs out (OutOfTime).

    ``finders``: what finds arrays and objects, whose parts it asks the engine for again.
    """

    def __init__(self, space: Space, clock: Clock, finders: Mapping[str, Finder]) -> None:
        self.space, self.clock, self._finders = space, clock, finders
        self.texts = Texts(clock)
        self.holds = Evaluator(space, self.texts).holds
        self.constant = space.constant
        self._conclusions = Conclusions(space, clock)
        self._answers: dict[Any, Verdict] = {}
        self._tentative: dict[Any, set[int]] = {}
        self._depths: dict[Any, int] = {}
        self._cuts: set[int] = set()

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
        return self._remembered(question, lambda: self._search(kind, self._conclusions.root(literals)), deep=True)

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

    def _search(self, kind: str, state: State | None) -> Verdict:
        if state is None or self._contradicts(kind, state) or not self._conclusions.propagate(state):
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
            state.unseen.append(self._conclusions.constraint(broken[0]))
            if not self._conclusions.propagate(state):
                return IMPOSSIBLE
        undecided = False
        for branch in branches:
            self.clock.tick()
            below = state.copy()
            answer = self._search(kind, below) if self._conclusions.assume(below, branch, defer=len(branch) > 1) else IMPOSSIBLE
            if isinstance(answer, Found):
                return answer
            if answer is UNDECIDED:
                undecided = True
            elif len(branch) == 1:
                state.refuted.add(branch[0])
                state.fresh.add(abs(branch[0]))
        return UNDECIDED if undecided else IMPOSSIBLE

    def _contradicts(self, kind: str, state: State) -> bool:
        """Whether the atoms alone rule each other out: of objects and arrays that is often seen at once, and spares all conclusions."""
        if kind not in {ARRAY, OBJECT}:
            return False
        atoms = frozenset(state.atoms)
        return self._remembered(("atoms", kind, atoms), lambda: self._decide(kind, atoms)) is IMPOSSIBLE

    def _few(self, kind: str, state: State) -> list[Value] | None:
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

    def _satisfies(self, state: State, value: Value) -> bool:
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

    def _branches(self, state: State, found: Verdict) -> list[Branch] | None:
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
