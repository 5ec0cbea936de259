"""Reads ECMA-262 patterns: with the meaning of the ``u`` flag, and as tolerant as browsers are without it."""

from __future__ import annotations

from functools import lru_cache

from schemalogic.patterns import charset, escapes
from schemalogic.patterns.charset import CharSet
from schemalogic.patterns.nodes import EMPTY, Back, Boundary, Chars, Choice, End, Group, Look, Node, PatternError, Repeat, Sequence, Start

LENGTH_MAX = 100_000
"""Characters of a pattern."""
DEPTH_MAX = 60
"""Groups within groups."""
REPEAT_MAX = 100_000
"""The largest number in ``{n,m}``."""
_LOOKS = (("(?=", True, False), ("(?!", True, True), ("(?<=", False, False), ("(?<!", False, True))
_NOT_REPEATED = ("^", "$", "\\b", "\\B", "(?<=", "(?<!")


@lru_cache(maxsize=4096)
def parse(pattern: str) -> Node:
    """The tree of a pattern; PatternError if it is no ECMA-262 pattern, or beyond a limit of this module."""
    if len(pattern) > LENGTH_MAX:
        raise PatternError(f"a pattern has at most {LENGTH_MAX} characters")
    return _Parser(pattern).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.at, self.depth, self.number = text, 0, 0, 0
        self.names: dict[str, int] = {}
        self.groups, self.named = escapes.count_groups(text)
        self.waiting: list[tuple[int, str]] = []

    def whole(self) -> Node:
        node = self._choice()
        if self.at < len(self.text):
            raise PatternError("a ) without a (", self.at)
        for position, name in self.waiting:
            if name not in self.names:
                raise PatternError(f"\\k<{name}> names no group", position)
        return self._resolved(node) if self.waiting else node

    def _choice(self) -> Node:
        options = [self._sequence()]
        while self._skip("|"):
            options.append(self._sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts)) if parts else EMPTY

    def _term(self) -> Node:
        start = self.at
        node = self._atom()
        bounds = self._quantifier()
        if bounds is None:
            return node
        if self.text.startswith(_NOT_REPEATED, start):
            raise PatternError("nothing to repeat", start)
        low, high = bounds
        return Repeat(node, low, high, lazy=self._skip("?"))

    def _quantifier(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._skip(sign):
                return bounds
        found = escapes.BRACES.match(self.text, self.at)
        if found is None:
            return None
        low = int(found[1])
        high = low if found[2] is None else int(found[3]) if found[3] else None
        if high is not None and high < low:
            raise PatternError(f"{found[0]}: the numbers are out of order", self.at)
        if max(low, high or 0) > REPEAT_MAX:
            raise PatternError(f"{found[0]}: a number is at most {REPEAT_MAX}", self.at)
        self.at = found.end()
        return low, high

    def _atom(self) -> Node:
        char = self.text[self.at]
        if char == "(":
            return self._group()
        if char == "[":
            return Chars(self._class())
        if char == "\\":
            return self._escape()
        if char in "*+?" or (char == "{" and escapes.BRACES.match(self.text, self.at)):
            raise PatternError("nothing to repeat", self.at)
        self.at += 1
        if char == "^":
            return Start()
        if char == "$":
            return End()
        return Chars(charset.NO_LINE_END if char == "." else CharSet.chars(char))

    def _group(self) -> Node:
        start = self.at
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise PatternError(f"groups within groups: at most {DEPTH_MAX}", start)
        node = self._grouped(start)
        self.depth -= 1
        return node

    def _grouped(self, start: int) -> Node:
        for sign, ahead, negated in _LOOKS:
            if self._skip(sign):
                return Look(self._body(start), ahead, negated)
        if self._skip("(?:"):
            return self._body(start)
        name = None
        if self.text.startswith("(?", self.at):
            name, self.at = escapes.group_name(self.text, self.at)
            if name in self.names:
                raise PatternError(f"two groups are named {name}", start)
            self.names[name] = self.number + 1
        else:
            self.at += 1
        self.number += 1
        number = self.number
        return Group(self._body(start), number, name)

    def _body(self, start: int) -> Node:
        node = self._choice()
        if not self._skip(")"):
            raise PatternError("a ( without a )", start)
        return node

    def _escape(self) -> Node:
        start = self.at
        follows = self.text[start + 1 : start + 2]
        if follows in {"b", "B"}:
            self.at += 2
            return Boundary(follows == "B")
        found = escapes.DECIMAL.match(self.text, start)
        if found and (int(found[1]) <= self.groups):
            self.at = found.end()
            return Back(int(found[1]))
        if follows == "k" and self.named:
            name, self.at = escapes.reference_name(self.text, start)
            self.waiting.append((start, name))
            return Back(-len(self.waiting))
        chars, self.at = escapes.escape(self.text, start, in_class=False)
        return Chars(chars)

    def _class(self) -> CharSet:
        start = self.at
        self.at += 1
        negated = self._skip("^")
        ranges: list[tuple[int, int]] = []
        while not self._skip("]"):
            low, low_point = self._member(start)
            if self.text.startswith("-", self.at) and not self.text.startswith("-]", self.at):
                dash = self.at
                self.at += 1
                high, high_point = self._member(start)
                if low_point is not None and high_point is not None:
                    if high_point < low_point:
                        raise PatternError(f"{self.text[dash - 1 : self.at]}: the range is out of order", dash)
                    ranges.append((low_point, high_point))
                    continue
                ranges += (*low.ranges, (0x2D, 0x2D), *high.ranges)
            else:
                ranges += low.ranges
        found = CharSet.of(ranges)
        return ~found if negated else found

    def _member(self, start: int) -> tuple[CharSet, int | None]:
        """The characters of one member of a class, and its code point if it is one character (a lone surrogate may end a range)."""
        if self.at >= len(self.text):
            raise PatternError("a [ without a ]", start)
        if self.text[self.at] == "\\":
            point, end = escapes.code_point(self.text, self.at, in_class=True)
            if point is not None:
                self.at = end
                return CharSet.of([(point, point)]), point
            chars, self.at = escapes.escape(self.text, self.at, in_class=True)
            return chars, None
        char = self.text[self.at]
        self.at += 1
        return CharSet.chars(char), ord(char)

    def _skip(self, sign: str) -> bool:
        found = self.text.startswith(sign, self.at)
        self.at += len(sign) if found else 0
        return found

    def _resolved(self, node: Node) -> Node:
        """The node with named references in place of their numbers by order of appearance."""
        match node:
            case Back(number) if number < 0:
                return Back(self.names[self.waiting[-number - 1][1]])
            case Sequence(parts):
                return Sequence(tuple(map(self._resolved, parts)))
            case Choice(options):
                return Choice(tuple(map(self._resolved, options)))
            case Repeat(inner, low, high, lazy):
                return Repeat(self._resolved(inner), low, high, lazy)
            case Group(inner, number, name):
                return Group(self._resolved(inner), number, name)
            case Look(inner, ahead, negated):
                return Look(self._resolved(inner), ahead, negated)
            case _:
                return node
