"""Objects: which names there are, and what each of their values has to satisfy.

Names are those that some atom mentions, and the others by class: which of the patterns at hand they match. All names of a class are alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

from schemalogic.compare.engine import Engine
from schemalogic.compare.nodes import FALSE, TRUE, Literal
from schemalogic.compare.values import STRING, Value
from schemalogic.compare.verdicts import IMPOSSIBLE, UNDECIDED, Found, Verdict

_FILL = 110_000
"""A larger minProperties is not filled."""

Sign = tuple[Literal, ...]
"""A class of names: the pattern atoms, each with the sign that the names of the class give it."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """Some name of these must be there, with a value of which ``value`` holds."""

    op: str
    payload: Any
    value: Literal
    name: Literal


def find_object(engine: Engine, atoms: frozenset[Literal]) -> Verdict:
    """An object of which all the atoms hold."""
    return _Object(engine, atoms).find()


class _Object:
    def __init__(self, engine: Engine, atoms: frozenset[Literal]) -> None:
        self._engine, self._space = engine, engine.space
        self._required: list[str] = []
        self._said: dict[str, list[Literal]] = defaultdict(list)
        self._matching: list[tuple[str, Literal]] = []
        self._rests: list[tuple[frozenset[str], frozenset[str], Literal]] = []
        self._names: list[Literal] = []
        self._wishes: list[_Wish] = []
        self._low, self._high = 0, cast(int | None, None)
        self._uncertain = False
        self._goals: dict[str, frozenset[Literal]] = {}
        for literal in sorted(atoms, key=abs):
            self._take(literal)
        self._known = set(self._required) | set(self._said)
        for names, _, _ in self._rests:
            self._known |= names
        for wish in self._wishes:
            self._known |= wish.payload[0] if wish.op == "rest" else {wish.payload} if wish.op == "property" else set()
        patterns = {pattern for pattern, _ in self._matching}
        patterns |= {pattern for _, some, _ in self._rests for pattern in some}
        for wish in self._wishes:
            patterns |= wish.payload[1] if wish.op == "rest" else {wish.payload} if wish.op == "matching" else set()
        self._signs: list[Literal] = [self._space.atom("pattern", one) for one in sorted(patterns)]
        self._signs += [wish.name for wish in self._wishes if wish.op == "names"]

    def _take(self, literal: Literal) -> None:
        space, node = self._space, abs(literal)
        op, payload, kids = space.ops[node], space.payloads[node], space.kids[node]
        if op == "required":
            if literal > 0:
                self._required.append(payload)
            else:
                self._said[payload].append(FALSE)
        elif op in {"min_properties", "max_properties"}:
            if (op == "min_properties") == (literal > 0):
                self._low = max(self._low, payload + (literal < 0))
            else:
                bound = payload - (literal < 0)
                self._high = bound if self._high is None else min(self._high, bound)
        elif op == "opaque":
            pass
        elif literal < 0:
            value, name = (1, -kids[0]) if op == "names" else (-kids[0], 1)
            self._wishes.append(_Wish(op, payload, value, name))
        elif op == "property":
            self._said[payload].append(kids[0])
        elif op == "matching":
            self._matching.append((payload, kids[0]))
        elif op == "rest":
            self._rests.append((*payload, kids[0]))
        else:
            self._names.append(kids[0])

    def find(self) -> Verdict:
        """The object."""
        if self._high is not None and self._high < max(self._low, len(self._required)):
            return IMPOSSIBLE
        values: dict[str, Value] = {}
        for name in sorted(self._required, key=self._is_heavy):
            found = self._value(name)
            if found is IMPOSSIBLE:
                return IMPOSSIBLE
            if isinstance(found, Found):
                values[name] = found.document
        if len(values) < len(self._required):
            self._uncertain = True
            return UNDECIDED
        for wish in self._wishes:
            if self._engine.find((wish.value,)) is IMPOSSIBLE:
                return IMPOSSIBLE
        found = self._grant(0, dict.fromkeys(self._required, ()), {})
        return UNDECIDED if found is IMPOSSIBLE and self._uncertain else found

    def _is_heavy(self, name: str) -> bool:
        """Whether the value is an object or an array: the others, among them what tells objects apart, are judged first."""
        return any(not self._space.is_scalar(one) for one in self._goal(name))

    def _goal(self, name: str) -> frozenset[Literal]:
        goal = self._goals.get(name)
        if goal is None:
            matches = self._engine.texts.matches
            said = list(self._said.get(name, ()))
            said += [value for pattern, value in self._matching if matches(pattern, name)]
            for names, patterns, value in self._rests:
                if name not in names and not any(matches(pattern, name) for pattern in patterns):
                    said.append(value)
            if not all(self._engine.holds(one, name) for one in self._names):
                said.append(FALSE)
            goal = self._goals[name] = frozenset(said)
        return goal

    def _value(self, name: str, more: tuple[Literal, ...] = ()) -> Verdict:
        return self._engine.find((*self._goal(name), *more))

    def _grant(self, number: int, chosen: dict[str, tuple[Literal, ...]], classes: dict[str, Sign]) -> Verdict:
        """Give each wish from ``number`` on a name, then fill up; ``chosen``: the names so far, and what else their values must satisfy."""
        self._engine.clock.tick()
        if number == len(self._wishes):
            return self._finish(chosen, classes)
        wish = self._wishes[number]
        for name, sign in self._options(wish, chosen, classes):
            more = chosen.get(name, ()) if wish.value == 1 else (*chosen.get(name, ()), wish.value)
            if self._high is not None and len(chosen) + (name not in chosen) > self._high:
                continue
            found = self._value(name, more)
            if found is UNDECIDED:
                self._uncertain = True
            if isinstance(found, Found):
                found = self._grant(number + 1, {**chosen, name: more}, classes if sign is None else {**classes, name: sign})
                if isinstance(found, Found):
                    return found
        return IMPOSSIBLE

    def _options(self, wish: _Wish, chosen: dict[str, Any], classes: dict[str, Sign]) -> Iterator[tuple[str, Sign | None]]:
        """The names that the wish may mean; of a new name, its class."""
        if wish.op == "property":
            yield wish.payload, None
            return
        mentioned = sorted(name for name in self._known if self._meant(wish, name))
        yield from ((name, None) for name in mentioned if name in chosen)
        for sign, name in self._fresh(self._forced(wish), set(classes), wish.value):
            yield name, sign
        yield from ((name, None) for name in mentioned if name not in chosen)
        yield from ((name, None) for name in classes if self._meant(wish, name))

    def _meant(self, wish: _Wish, name: str) -> bool:
        matches = self._engine.texts.matches
        if wish.op == "matching":
            return matches(wish.payload, name)
        if wish.op == "names":
            return self._engine.holds(wish.name, name)
        names, patterns = wish.payload
        return name not in names and not any(matches(pattern, name) for pattern in patterns)

    def _forced(self, wish: _Wish) -> list[Literal]:
        """The signs that a name must have to be meant by the wish."""
        if wish.op == "matching":
            return [self._space.atom("pattern", wish.payload)]
        if wish.op == "names":
            return [wish.name]
        return [-self._space.atom("pattern", one) for one in sorted(wish.payload[1])]

    def _fresh(self, forced: list[Literal], used: set[str], value: Literal) -> Iterator[tuple[Sign, str]]:
        """For each class of names that nothing mentions and that has these signs, its first unused name.

        Classes whose names can have no value of which ``value`` holds are left out.
        """
        left = [one for one in self._signs if one not in forced and -one not in forced]
        yield from self._refine(tuple(forced), left, self._name_goal(used), value)

    def _class_goal(self, sign: Sign) -> list[Literal]:
        """What the values of names with these signs must satisfy, as far as the signs tell."""
        patterns = {self._space.payloads[abs(one)]: one > 0 for one in sign if self._space.ops[abs(one)] == "pattern"}
        said = [value for pattern, value in self._matching if patterns.get(pattern)]
        return said + [value for _, some, value in self._rests if all(patterns.get(one) is False for one in some)]

    def _name_goal(self, used: set[str]) -> list[Literal]:
        goal = [self._space.typed({STRING}), *self._names]
        taken = self._known | used
        return [*goal, -self._space.within((STRING, name) for name in taken)] if taken else goal

    def _refine(self, sign: Sign, left: list[Literal], goal: list[Literal], value: Literal) -> Iterator[tuple[Sign, str]]:
        self._engine.clock.tick()
        if self._engine.find((value, *self._class_goal(sign))) is IMPOSSIBLE:
            return
        found = self._engine.find((*goal, *sign))
        if found is UNDECIDED and left:
            # A class may be decided where the union of several is not.
            found = Found("")
        if found is UNDECIDED:
            self._uncertain = True
        elif isinstance(found, Found) and not left:
            longer = self._engine.find((*goal, *sign, self._space.atom("min_length", 1)))
            yield sign, longer.document if isinstance(longer, Found) else found.document
        elif isinstance(found, Found):
            # The names outside a pattern come first: they are the plainest.
            yield from self._refine((*sign, -left[0]), left[1:], goal, value)
            yield from self._refine((*sign, left[0]), left[1:], goal, value)

    def _finish(self, chosen: dict[str, tuple[Literal, ...]], classes: dict[str, Sign]) -> Verdict:
        if self._low > _FILL:
            self._uncertain = True
            return IMPOSSIBLE
        values: dict[str, Value] = {}
        for name, more in chosen.items():
            found = self._value(name, more)
            if not isinstance(found, Found):
                self._uncertain = self._uncertain or found is UNDECIDED
                return IMPOSSIBLE
            values[name] = found.document
        for name in self._more(chosen, classes) if len(values) < self._low else ():
            found = self._value(name)
            if isinstance(found, Found):
                values[name] = found.document
            elif found is UNDECIDED:
                self._uncertain = True
            if len(values) >= self._low:
                break
        return Found(values) if len(values) >= self._low else IMPOSSIBLE

    def _more(self, chosen: dict[str, Any], classes: dict[str, Sign]) -> Iterator[str]:
        """Names to fill an object with: those mentioned, then those of every class until it has no more."""
        yield from (name for name in sorted(self._known) if name not in chosen)
        used = set(classes)
        if not self._signs and not self._names:
            plain = (name for name in map("a{}".format, count()) if name not in self._known and name not in used)
            first_found = self._value(next(plain))
            self._uncertain = self._uncertain or first_found is UNDECIDED
            if isinstance(first_found, Found):
                yield from plain
            return
        for sign, first in list(self._fresh([], used, TRUE)):
            name: str | None = first
            if not isinstance(self._value(first), Found):
                if self._value(first) is UNDECIDED:
                    self._uncertain = True
                continue
            while name is not None:
                yield name
                used.add(name)
                found = self._engine.find((*self._name_goal(used), *sign))
                if found is UNDECIDED:
                    self._uncertain = True
                name = found.document if isinstance(found, Found) else None
