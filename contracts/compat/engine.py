"""The search for a value of which a set of literals holds: its boolean structure, by type; the keywords are decided per type.

It first drops the disjunctions and looks for a value of the rest: without one there is none at all, and a value that satisfies the
disjunctions, too, ends the search. Only a disjunction that it violates is branched on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from contracts.compat.arrays import find_array
from contracts.compat.evaluate import Evaluator
from contracts.compat.nodes import FALSE, TRUE, Literal, Space
from contracts.compat.numeric import find_number
from contracts.compat.objects import find_object
from contracts.compat.texts import Texts
from contracts.compat.values import BOOLEAN, NULL, NUMBER, OBJECT, STRING, TYPES, Value
from contracts.compat.verdicts import IMPOSSIBLE, UNDECIDED, Clock, Found, Verdict
from contracts.patterns import Undecided as PatternUndecided

Branch = tuple[Literal, ...]


@dataclass
class _State:
    """What is assumed of a value of one type, and what is left to satisfy."""

    true: set[Literal] = field(default_factory=set)
    refuted: set[Literal] = field(default_factory=set)
    atoms: set[Literal] = field(default_factory=set)
    clauses: list[Branch] = field(default_factory=list)
    ones: list[Branch] = field(default_factory=list)
    not_ones: list[Branch] = field(default_factory=list)

    def copy(self) -> _State:
        return _State(set(self.true), set(self.refuted), set(self.atoms), list(self.clauses), list(self.ones), list(self.not_ones))


class Engine:
    """Finds values for literals of one space, until its clock runs out (OutOfTime)."""

    def __init__(self, space: Space, clock: Clock) -> None:
        self.space, self.clock = space, clock
        self.texts = Texts(clock)
        self.holds = Evaluator(space, self.texts).holds
        self.constant = space.constant
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

    def _assume(self, state: _State, literals: Iterable[Literal]) -> bool:
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
            op, kids = space.ops[node], space.kids[node]
            if op == "and":
                if literal > 0:
                    left.extend(kids)
                else:
                    state.clauses.append(tuple(-kid for kid in kids))
            elif op == "one":
                (state.ones if literal > 0 else state.not_ones).append(kids)
            else:
                state.atoms.add(literal)
        return True

    def _truth(self, state: _State, literal: Literal, depth: int = 3) -> bool | None:
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
        while True:
            self.clock.tick()
            follows: list[Literal] = []
            state.clauses, clauses = [], state.clauses
            for clause in clauses:
                open_ones = self._open(state, clause)
                if open_ones is None:
                    continue
                if not open_ones:
                    return False
                if len(open_ones) == 1:
                    follows += open_ones
                else:
                    state.clauses.append(open_ones)
            follows += [-kid for kids in state.ones + state.not_ones for kid in kids if kid in state.refuted]
            state.ones, ones = [], state.ones
            for kids in ones:
                said = [self._truth(state, kid) for kid in kids]
                open_ones = tuple(kid for kid, truth in zip(kids, said, strict=True) if truth is None)
                if said.count(True) > 1 or (not open_ones and True not in said):
                    return False
                if True in said:
                    follows += [-kid for kid in open_ones]
                elif len(open_ones) == 1:
                    follows += open_ones
                else:
                    state.ones.append(open_ones)
            state.not_ones, not_ones = [], state.not_ones
            for kids in not_ones:
                said = [self._truth(state, kid) for kid in kids]
                open_ones = tuple(kid for kid, truth in zip(kids, said, strict=True) if truth is None)
                if said.count(True) == 1:
                    if not open_ones:
                        return False
                    state.clauses.append(open_ones)
                    follows += [] if len(open_ones) > 1 else open_ones
                elif said.count(True) == 0 and open_ones:
                    if len(open_ones) == 1:
                        follows.append(-open_ones[0])
                    else:
                        state.not_ones.append(open_ones)
            if not follows:
                return True
            if not self._assume(state, follows):
                return False

    def _open(self, state: _State, clause: Branch) -> Branch | None:
        left = []
        for literal in clause:
            truth = self._truth(state, literal)
            if truth:
                return None
            if truth is None and literal not in state.refuted:
                left.append(literal)
        return tuple(left)

    def _search(self, kind: str, state: _State | None) -> Verdict:
        if state is None or not self._propagate(state):
            return IMPOSSIBLE
        values = self._few(kind, state)
        if values is not None:
            return next((Found(value) for value in values if self._satisfies(state, value, atoms=True)), IMPOSSIBLE)
        atoms = frozenset(state.atoms)
        found = self._remembered(("atoms", kind, atoms), lambda: self._decide(kind, atoms))
        if found is IMPOSSIBLE:
            return IMPOSSIBLE
        branches = self._branches(state, found)
        if branches is None:
            return found
        undecided = False
        for branch in branches:
            self.clock.tick()
            below = state.copy()
            answer = self._search(kind, below) if self._assume(below, branch) else IMPOSSIBLE
            if isinstance(answer, Found):
                return answer
            if answer is UNDECIDED:
                undecided = True
            elif len(branch) == 1:
                state.refuted.add(branch[0])
        return UNDECIDED if undecided else IMPOSSIBLE

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

    def _satisfies(self, state: _State, value: Value, *, atoms: bool = False) -> bool:
        holds = self.holds
        self.clock.tick()
        if atoms and not all(holds(one, value) for one in state.atoms):
            return False
        return next(iter(self._violated(state, value)), None) is None

    def _violated(self, state: _State, value: Value) -> Iterator[list[Branch]]:
        """For each disjunction that does not hold of the value, the ways to make it hold."""
        holds = self.holds
        for clause in state.clauses:
            if not any(holds(one, value) for one in clause):
                yield [(one,) for one in clause]
        for kids in state.ones:
            if not self._exactly_one(kids, value):
                yield [(one,) for one in kids]
        for kids in state.not_ones:
            if not self._not_one(kids, value):
                yield [tuple(-one for one in kids), *((one,) for one in kids)]

    def _exactly_one(self, kids: Branch, value: Value) -> bool:
        return any(self.holds(kid, value) for kid in kids) and sum(not self.holds(-kid, value) for kid in kids) < 2

    def _not_one(self, kids: Branch, value: Value) -> bool:
        return sum(self.holds(kid, value) for kid in kids) > 1 or all(self.holds(-kid, value) for kid in kids)

    def _branches(self, state: _State, found: Verdict) -> list[Branch] | None:
        """The shortest disjunction to branch on; None if the search is over."""
        if isinstance(found, Found):
            return min(self._violated(state, found.document), key=len, default=None)
        every: list[list[Branch]] = [[(one,) for one in clause] for clause in state.clauses + state.ones]
        every += [[tuple(-one for one in kids), *((one,) for one in kids)] for kids in state.not_ones]
        return min(every, key=len, default=None)

    def _decide(self, kind: str, atoms: frozenset[Literal]) -> Verdict:
        if kind == NUMBER:
            return find_number(self.space, atoms, self.clock)
        if kind == STRING:
            return self.texts.find(self.space, atoms)
        return find_object(self, atoms) if kind == OBJECT else find_array(self, atoms)
