"""A pattern as a program of small steps: what an automaton runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from schemalogic.patterns.budget import Budget, Undecided
from schemalogic.patterns.charset import ANYTHING, WORD, CharSet
from schemalogic.patterns.nodes import EMPTY, Back, Boundary, Chars, Choice, End, Group, Look, Node, Repeat, Sequence, Start

CHARS, SPLIT, START, END, BOUNDARY, AHEAD, BEHIND, ACCEPT, FOUND = range(9)


@dataclass(slots=True)
class Step:
    """One step and where it goes on. ``number``: of the set of characters, of the lookbehind, or where a lookahead begins."""

    kind: int
    following: list[int]
    number: int = 0
    negated: bool = False


@dataclass(slots=True)
class Program:
    """``entry`` searches the pattern from any position; ``behinds`` are the entries of its lookbehinds, inner ones first."""

    steps: list[Step] = field(default_factory=list)
    sets: dict[CharSet, int] = field(default_factory=dict)
    behinds: list[int] = field(default_factory=list)
    entry: int = 0
    anchored: bool = False
    bounded: bool = False


def program(node: Node, budget: Budget) -> Program:
    """The program of a pattern; `Undecided` if it has backreferences that mean more than one text, or is too big."""
    writer = _Writer(budget)
    writer.found.entry = writer.searched(_without_references(node, {}, set()), writer.step(ACCEPT))
    return writer.found


class _Writer:
    """Writes from the end to the begin: each node knows where it goes on."""

    def __init__(self, budget: Budget) -> None:
        self.found, self._budget = Program(), budget

    def step(self, kind: int, *following: int, number: int = 0, negated: bool = False) -> int:
        self._budget.spend()
        self.found.steps.append(Step(kind, list(following), number, negated))
        return len(self.found.steps) - 1

    def searched(self, node: Node, after: int) -> int:
        """The node after any text."""
        loop = self.step(SPLIT)
        skip = self.step(CHARS, loop, number=self._set(ANYTHING))
        self.found.steps[loop].following = [self.write(node, after), skip]
        return loop

    def write(self, node: Node, after: int) -> int:
        match node:
            case Chars(chars):
                return self.step(CHARS, after, number=self._set(chars))
            case Sequence(parts):
                for part in reversed(parts):
                    after = self.write(part, after)
                return after
            case Choice(options):
                return self.step(SPLIT, *(self.write(option, after) for option in options))
            case Group(inner):
                return self.write(inner, after)
            case Repeat(inner, low, high):
                return self._repeat(inner, low, high, after)
            case Start():
                self.found.anchored = True
                return self.step(START, after)
            case End():
                return self.step(END, after)
            case Boundary(negated):
                self.found.bounded = True
                self._set(WORD)
                return self.step(BOUNDARY, after, negated=negated)
            case Look():
                return self._look(node, after)
            case Back():
                raise Undecided("a backreference")

    def _repeat(self, node: Node, low: int, high: int | None, after: int) -> int:
        if high is None:
            loop = self.step(SPLIT)
            self.found.steps[loop].following = [self.write(node, loop), after]
            after = loop
        else:
            exit_ = after
            for _ in range(high - low):
                after = self.step(SPLIT, self.write(node, after), exit_)
        for _ in range(low):
            after = self.write(node, after)
        return after

    def _look(self, node: Look, after: int) -> int:
        if node.ahead:
            body = self.write(node.node, self.step(ACCEPT))
            return self.step(AHEAD, after, number=body, negated=node.negated)
        entry = self.searched(node.node, self.step(FOUND))
        self.found.behinds.append(entry)
        return self.step(BEHIND, after, number=len(self.found.behinds) - 1, negated=node.negated)

    def _set(self, chars: CharSet) -> int:
        return self.found.sets.setdefault(chars, len(self.found.sets))


def _without_references(node: Node, known: dict[int, Node | None], opened: set[int]) -> Node:
    """The node with texts in place of backreferences. ``known``: groups that have surely matched, and what; ``opened``: met so far."""
    match node:
        case Back(number):
            if number not in known:
                if number in opened:
                    raise Undecided("a backreference to a group that may have matched, or not")
                return EMPTY  # the group comes later, so it has matched nothing yet
            text = known[number]
            if text is None:
                raise Undecided("a backreference to a group that matches more than one text")
            return text
        case Sequence(parts):
            inside, done = dict(known), []
            for part in parts:
                done.append(_without_references(part, inside, opened))
                inside.update(_surely(done[-1]))
            return Sequence(tuple(done))
        case Choice(options):
            return Choice(tuple(_without_references(option, known, opened) for option in options))
        case Repeat(inner, low, high, lazy):
            return Repeat(_without_references(inner, known, opened), low, high, lazy)
        case Group(inner, number, name):
            if number in opened:
                return node
            done_inner = _without_references(inner, known, opened)
            opened.add(number)
            return Group(done_inner, number, name)
        case Look(inner, ahead, negated):
            if not ahead and _has_reference(inner):
                raise Undecided("a backreference within a lookbehind")
            return Look(_without_references(inner, known, opened), ahead, negated)
        case _:
            return node


def _surely(node: Node) -> dict[int, Node | None]:
    """The groups that have matched whenever the node has, and their one text; None if they have several."""
    match node:
        case Group(inner, number):
            return {**_surely(inner), number: inner if _literal(inner) else None}
        case Sequence(parts):
            return {number: text for part in parts for number, text in _surely(part).items()}
        case _:
            return {}


def _literal(node: Node) -> bool:
    match node:
        case Chars(chars):
            return len(chars) == 1
        case Sequence(parts):
            return all(map(_literal, parts))
        case Group(inner):
            return _literal(inner)
        case _:
            return False


def _has_reference(node: Node) -> bool:
    match node:
        case Back():
            return True
        case Sequence(parts) | Choice(parts):
            return any(map(_has_reference, parts))
        case Repeat(inner) | Group(inner) | Look(inner):
            return _has_reference(inner)
        case _:
            return False
