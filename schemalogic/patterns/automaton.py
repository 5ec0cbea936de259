"""Runs a pattern's program: a deterministic automaton, built as far as it is looked at.

A state is the set of steps that may come next. A step may owe something: a lookahead is a second automaton
that runs beside it from then on and must accept (or not) the rest of the text. What lies behind a position is known when
it is reached: the kind of the character before it, and for each lookbehind whether it has just been found.
"""

from __future__ import annotations

from schemalogic.patterns import program as p
from schemalogic.patterns.budget import Budget, Undecided
from schemalogic.patterns.charset import WORD
from schemalogic.patterns.nodes import Node
from schemalogic.patterns.partition import Alphabet, partition

NOTHING, EVERYTHING = 0, 1
"""States from which no text, or any text, is accepted; in every automaton."""
_AT_END, _WORD_NEXT = 2, 3
_FIRST, _AFTER_WORD, _AFTER_OTHER = 0, 1, 2
_UNKNOWN = -1
"""What lies behind, while that is being found out."""
_Steps = frozenset[int]
_Behind = tuple[int, tuple[_Steps, ...]]
"""What lies behind a position: the kind of character, and the steps of each lookbehind."""
_Owed = frozenset[int]
"""Each is a state times 2, plus 1 if it must not accept."""


class PatternAutomaton:
    """The texts in which a pattern is found. A step of a state is ``number of the step + number of the debts * number of steps``.

    Once the pattern is found, any characters may follow, as long as all debts are paid.
    """

    def __init__(self, node: Node, budget: Budget) -> None:
        self._program = p.program(node, budget)
        self._steps = self._program.steps
        self._count = len(self._steps)
        classes = partition(list(self._program.sets))
        self.alphabet = Alphabet([chars for chars, _ in classes])
        self._classes_of = [
            [number for number, (_, mask) in enumerate(classes) if mask >> index & 1] for index in range(len(self._program.sets))
        ]
        self._is_word = [bool(chars & WORD) for chars, _ in classes] if self._program.bounded else [False] * len(classes)
        self._all = range(len(classes))
        self._found_here = frozenset(number for number, step in enumerate(self._steps) if step.kind == p.ACCEPT)
        self._owed: list[_Owed] = [frozenset()]
        self._owed_numbers: dict[_Owed, int] = {frozenset(): 0}
        self._closures: dict[tuple[int, int], _Steps] = {}
        self._behinds: list[_Behind] = []
        self._found: list[tuple[bool | None, ...]] = []
        self._behind_numbers: dict[_Behind, int] = {}
        self._readings: dict[tuple[int, int], list[tuple[int, _Steps]]] = {}
        self._behind_rows: dict[int, list[int]] = {}
        size = len(classes)
        self._states: list[tuple[int, _Steps]] = [(0, frozenset())] * 4
        self._numbers: dict[tuple[int, _Steps], int] = {}
        self._rows: dict[int, list[int]] = {
            NOTHING: [NOTHING] * size,
            EVERYTHING: [EVERYTHING] * size,
            _AT_END: [NOTHING] * size,
            _WORD_NEXT: [EVERYTHING if word else NOTHING for word in self._is_word],
        }
        self._accepting: dict[int, bool] = {NOTHING: False, EVERYTHING: True, _AT_END: True, _WORD_NEXT: False}
        self._budget = budget
        sees_begin = self._program.anchored or self._program.bounded
        behind = self._behind(_FIRST if sees_begin else _AFTER_OTHER, [frozenset([entry]) for entry in self._program.behinds])
        self.start = self._state(behind, self._closure(self._program.entry, behind))

    def row(self, state: int, budget: Budget) -> list[int]:
        """The states that follow a state, by class of character."""
        row = self._rows.get(state)
        if row is None:
            self._budget = budget
            row = self._rows[state] = self._next(state)
        return row

    def accepts(self, state: int) -> bool:
        """Whether a text that ends here is accepted."""
        known = self._accepting.get(state)
        if known is None:
            known = self._accepting[state] = any(self._is_final(step) for step in self._states[state][1])
        return known

    def _is_final(self, step: int) -> bool:
        owed, number = divmod(step, self._count)
        return self._steps[number].kind == p.ACCEPT and all(self.accepts(one >> 1) != bool(one & 1) for one in self._owed[owed])

    def _next(self, state: int) -> list[int]:
        behind, steps = self._states[state]
        self._budget.spend(len(steps) + 1)
        behinds = self._behind_row(behind)
        found: list[set[int]] = [set() for _ in behinds]
        for one in steps:
            owed, number = divmod(one, self._count)
            for char, closure in self._reading(number, behind):
                left = self._pay(owed, char) if owed else 0
                if left == 0:
                    found[char] |= closure
                elif left is not None:
                    found[char].update(self._join(other, left) for other in closure)
        return [self._state(after, frozenset(following)) for after, following in zip(behinds, found, strict=True)]

    def _reading(self, number: int, behind: int) -> list[tuple[int, _Steps]]:
        """The classes of characters that a step reads, with the steps that may come after each; ``behind``: what lies behind before it."""
        known = self._readings.get((number, behind))
        if known is None:
            step, behinds = self._steps[number], self._behind_row(behind)
            if step.kind == p.CHARS:
                known = [(char, self._closure(step.following[0], behinds[char])) for char in self._classes_of[step.number]]
            else:
                known = [(char, frozenset([number])) for char in self._all if step.kind == p.ACCEPT]
            self._readings[number, behind] = known
        return known

    def _pay(self, owed: int, char: int) -> int | None:
        """What is owed after a character; None if it cannot be paid any more."""
        left = set()
        for one in self._owed[owed]:
            state, negated = self.row(one >> 1, self._budget)[char], one & 1
            if state == (EVERYTHING if negated else NOTHING):
                return None
            if state != (NOTHING if negated else EVERYTHING):
                left.add(state * 2 + negated)
        return self._owed_number(frozenset(left))

    def _join(self, step: int, owed: int) -> int:
        if not owed:
            return step
        before, number = divmod(step, self._count)
        return number + self._owed_number(self._owed[before] | self._owed[owed]) * self._count

    def _owed_number(self, owed: _Owed) -> int:
        number = self._owed_numbers.setdefault(owed, len(self._owed))
        if number == len(self._owed):
            self._owed.append(owed)
        return number

    def _state(self, behind: int, steps: _Steps) -> int:
        key = behind, steps
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = self._new_state(behind, steps)
        return number

    def _new_state(self, behind: int, steps: _Steps) -> int:
        """The state of some steps: a step that owes nothing stands for the same step with debts."""
        if not self._found_here.isdisjoint(steps):
            return EVERYTHING
        if not steps:
            return NOTHING
        free = {step for step in steps if step < self._count}
        least = frozenset(step for step in steps if step < self._count or step % self._count not in free)
        if len(least) < len(steps):
            return self._state(behind, least)
        self._states.append((behind, steps))
        return len(self._states) - 1

    def _closure(self, entry: int, behind: int) -> _Steps:
        """The steps that stand at a character, or at the end, reached from a step without reading."""
        known = self._closures.get((entry, behind))
        if known is None:
            kind, found = self._behinds[behind][0], self._found[behind]
            known = self._closures[entry, behind] = self._reach([entry], behind, kind, found)
        return known

    def _reach(self, todo: list[int], behind: int, kind: int, found: tuple[bool | None, ...]) -> _Steps:
        seen, reached = set(todo), set()
        while todo:
            one = todo.pop()
            self._budget.spend()
            owed, number = divmod(one, self._count)
            step = self._steps[number]
            if step.kind in {p.CHARS, p.ACCEPT, p.FOUND}:
                reached.add(one)
                continue
            for debt in self._passes(step, behind, kind, found):
                for following in step.following:
                    after = self._join(following + owed * self._count, debt)
                    if after not in seen:
                        seen.add(after)
                        todo.append(after)
        return frozenset(reached)

    def _passes(self, step: p.Step, behind: int, kind: int, found: tuple[bool | None, ...]) -> tuple[int, ...]:
        """What is owed for passing a step that reads nothing; empty if it cannot be passed here."""
        if step.kind == p.SPLIT:
            return (0,)
        if step.kind == p.START:
            return (0,) if kind == _FIRST else ()
        if step.kind == p.BEHIND:
            known = found[step.number]
            if known is None:
                raise Undecided("a lookbehind that looks ahead")
            return (0,) if known != step.negated else ()
        if step.kind == p.END:
            return self._owe(_AT_END, negated=False)
        if step.kind == p.BOUNDARY:
            return self._owe(_WORD_NEXT, negated=(kind == _AFTER_WORD) != step.negated)
        if behind == _UNKNOWN:
            raise Undecided("a lookahead within a lookbehind")
        return self._owe(self._state(behind, self._closure(step.number, behind)), step.negated)

    def _owe(self, state: int, negated: bool) -> tuple[int, ...]:
        if state in {NOTHING, EVERYTHING}:
            return (0,) if (state == EVERYTHING) != negated else ()
        return (self._owed_number(frozenset([state * 2 + negated])),)

    def _behind_row(self, behind: int) -> list[int]:
        row = self._behind_rows.get(behind)
        if row is None:
            row = self._behind_rows[behind] = [self._behind_move(behind, char) for char in self._all]
        return row

    def _behind_move(self, behind: int, char: int) -> int:
        before, lookbehinds = self._behinds[behind]
        kind = before
        if self._program.bounded or self._program.anchored:
            kind = _AFTER_WORD if self._is_word[char] else _AFTER_OTHER
        todo = []
        for steps in lookbehinds:
            after = set()
            for one in steps:
                owed, number = divmod(one, self._count)
                step = self._steps[number]
                if step.kind == p.CHARS and char in self._classes_of[step.number]:
                    left = self._pay(owed, char)
                    if left is not None:
                        after.add(step.following[0] + left * self._count)
            todo.append(frozenset(after))
        return self._behind(kind, todo)

    def _behind(self, kind: int, seeds: list[_Steps]) -> int:
        """What lies behind, from the steps of each lookbehind before they are followed; inner lookbehinds come first."""
        reached: list[_Steps] = []
        found: list[bool | None] = []
        for seed in seeds:
            steps = self._reach(list(seed), _UNKNOWN, kind, tuple(found))
            reached.append(steps)
            found.append(self._is_found(steps))
        key = kind, tuple(reached)
        number = self._behind_numbers.setdefault(key, len(self._behinds))
        if number == len(self._behinds):
            self._behinds.append(key)
            self._found.append(tuple(found))
        return number

    def _is_found(self, steps: _Steps) -> bool | None:
        """Whether a lookbehind is found here; None if that depends on what comes next."""
        owing = [step // self._count for step in steps if self._steps[step % self._count].kind == p.FOUND]
        return True if 0 in owing else None if owing else False
