"""Expressions over traits: their text read, what can come of them, and said again.

A parser of our own: what is calculated is exact to six places, as everywhere, and the same in SQL, where libraries have doubles.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from contracts.model.expressions import (
    CALCULATIONS,
    COMPARISONS,
    EQUALITIES,
    LIMIT,
    ORDERS,
    Constant,
    Expression,
    Operation,
    Presence,
    ReadTrait,
)
from contracts.text.numbers import number_text, text_micros
from contracts.text.problems import Unexpected, listed

DEPTH_MAX, LENGTH_MAX = 40, 2_000
_TOO_DEEP = f"an expression of at most {DEPTH_MAX} operations in each other"
_TOKEN = re.compile(
    r"""\s*(?: (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?) | (?P<text>"(?:[^"\\]|\\.)*"|'[^']*')
    | (?P<path>(?:[^\W\d]\w*|\["(?:[^"\\]|\\.)*"\])(?:\.\w+|\[\d+\]|\["(?:[^"\\]|\\.)*"\])*)
    | (?P<sign><=|>=|!=|==|<>|&&|\|\||[-+*/()<>=!]) )""",
    re.VERBOSE,
)
_MEANT = {"==": "=", "<>": "!=", "&&": "and", "||": "or", "!": "not"}
_WORDS = frozenset({"and", "or", "not", "true", "false", "exists"})
_WHAT = "a trait, a number, a text in quotes, true, false, not, exists(…) or ("
_RANK = {"or": 1, "and": 2, "not": 3, **dict.fromkeys(COMPARISONS, 4), "+": 5, "-": 5, "*": 6, "/": 6}

Kinds = frozenset[str]
SIMPLE: Kinds = frozenset({"number", "text", "boolean"})
"""Of what an expression can make something; lists and objects are missing to it."""


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse(text: str) -> Expression:
    """The expression that a text says. Raises `Unexpected` with what was expected and where."""
    if len(text) > LENGTH_MAX:
        raise Unexpected(f"an expression of at most {LENGTH_MAX} characters")
    return _Parser(text).whole()


class _Parser:
    """By descent: or, and, not, comparison, sum, product, value."""

    def __init__(self, text: str) -> None:
        self._tokens = [*_tokens(text), _Token("end", "its end", len(text.rstrip()))]
        self._at = self._depth = 0

    def whole(self) -> Expression:
        found = self._within(self._or)
        if self._next.kind != "end":
            self._fail("an operator, such as + or and, or the end")
        return found

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self, *words: str) -> str:
        """The next sign or word, if it is one of these."""
        kind, text, _ = self._next
        if kind in {"sign", "word"} and text in words:
            self._at += 1
            return text
        return ""

    def _fail(self, expected: str) -> NoReturn:
        _, text, at = self._next
        raise Unexpected(f"{expected} at character {at + 1}", f"there is {text}")

    def _left(self, below: Callable[[], Expression], *ops: str) -> Expression:
        found = below()
        while op := self._take(*ops):
            found = Operation(op, (found, below()))
            if _depth(found) > DEPTH_MAX:
                raise Unexpected(_TOO_DEEP)
        return found

    def _within(self, below: Callable[[], Expression]) -> Expression:
        """The whole, what stands in brackets, or what stands behind a minus."""
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise Unexpected(_TOO_DEEP)
        found = below()
        self._depth -= 1
        return found

    def _or(self) -> Expression:
        return self._left(lambda: self._left(self._not, "and"), "or")

    def _not(self) -> Expression:
        times = 0
        while self._take("not"):
            times += 1
        found = self._comparison()
        for _ in range(min(times, 2 - times % 2)):
            found = Operation("not", (found,))
        return found

    def _comparison(self) -> Expression:
        found = self._sum()
        op = self._take(*COMPARISONS)
        if not op:
            return found
        found = Operation(op, (found, self._sum()))
        if self._next.text in COMPARISONS:
            self._fail("one comparison, or `and` between two")
        return found

    def _sum(self) -> Expression:
        return self._left(lambda: self._left(self._value, "*", "/"), "+", "-")

    def _value(self) -> Expression:
        if self._take("-"):
            found = self._within(self._value)
            if isinstance(found, Constant) and type(found.value) is int:
                return Constant(-found.value)
            return Operation("-", (Constant(0), found))
        if self._take("("):
            found = self._within(self._or)
            self._closed()
            return found
        kind, text, _ = self._next
        if kind == "word" and text in {"true", "false"}:
            self._at += 1
            return Constant(text == "true")
        if kind == "word" and text == "exists":
            return self._exists()
        if kind not in {"number", "text", "path"}:
            self._fail(_WHAT)
        self._at += 1
        if kind == "number":
            return Constant(_number(text))
        return Constant(_unquoted(text)) if kind == "text" else ReadTrait(text)

    def _exists(self) -> Expression:
        self._at += 1
        if not self._take("("):
            self._fail("( behind exists")
        kind, text, _ = self._next
        if kind != "path":
            self._fail("a trait in exists(…)")
        self._at += 1
        self._closed()
        return Presence(text)

    def _closed(self) -> None:
        if not self._take(")"):
            self._fail("an operator or )")


def _tokens(text: str) -> list[_Token]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            place = at + len(text[at:]) - len(text[at:].lstrip())
            raise Unexpected(f"{_WHAT} at character {place + 1}", f"there is {text[place]}")
        kind, said = match.lastgroup, match[match.lastgroup]
        word = said.lower() if kind == "path" and said.lower() in _WORDS else _MEANT.get(said, "")
        kind = "word" if word in _WORDS else kind
        found.append(_Token(kind, word or said, match.start(match.lastgroup)))
        at = match.end()
    return found


def _number(text: str) -> int:
    number = text_micros(text)
    if number is None or number >= LIMIT:
        raise Unexpected("a number below 10^24", f"there is {text}")
    return number


def _unquoted(text: str) -> str:
    return text[1:-1] if text[0] == "'" else re.sub(r"\\(.)", r"\1", text[1:-1])


def _depth(expression: Expression) -> int:
    return 1 + max(map(_depth, expression.parts)) if isinstance(expression, Operation) else 1


def check(expression: Expression, kinds_of: Callable[[str], Kinds | None]) -> Kinds:
    """Of which kinds what comes of it can be. ``kinds_of``: what a path can be, None is anything.

    Raises `Unexpected` where an operation can never be made.
    """
    match expression:
        case Constant(value):
            return frozenset({"boolean" if type(value) is bool else "text" if type(value) is str else "number"})
        case Presence():
            return frozenset({"boolean"})
        case ReadTrait(path):
            kinds = kinds_of(path)
            return SIMPLE if kinds is None else kinds & SIMPLE
        case Operation(op, parts):
            found = [check(part, kinds_of) for part in parts]
            if op in COMPARISONS:
                _check_compared(op, parts, found)
                return frozenset({"boolean"})
            wanted = "number" if op in CALCULATIONS else "boolean"
            for part, kinds in zip(parts, found, strict=True):
                if wanted not in kinds:
                    raise Unexpected(f"a {wanted} beside `{op}`", f"{words(part)} is {_said(kinds)}")
            return frozenset({wanted})


def _check_compared(op: str, parts: tuple[Expression, ...], found: list[Kinds]) -> None:
    both = found[0] & found[1]
    for part, kinds in zip(parts, found, strict=True):
        if not kinds:
            raise Unexpected(f"numbers, texts or booleans beside `{op}`", f"{words(part)} is {_said(kinds)}")
    if not both or (op in ORDERS and both == {"boolean"}):
        sides = " and ".join(f"{words(part)} is {_said(kinds)}" for part, kinds in zip(parts, found, strict=True))
        what = "two of one kind" if op in EQUALITIES else "two numbers, or two texts"
        raise Unexpected(f"{what} beside `{op}`", sides)


def _said(kinds: Kinds) -> str:
    return listed(sorted(kinds)) if kinds else "a list or an object"


def words(expression: Expression) -> str:
    """The expression as people write it, with no more brackets than it needs."""
    match expression:
        case Constant(value):
            text = value if type(value) is str else ""
            quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
            return str(value).lower() if type(value) is bool else number_text(value) if type(value) is int else quoted
        case ReadTrait(path):
            return path
        case Presence(path):
            return f"exists({path})"
        case Operation(op, parts):
            if op == "not":
                return f"not {_inside(parts[0], _RANK[op])}"
            strict = op in {*COMPARISONS, "-", "/"}
            return f"{_inside(parts[0], _RANK[op] + (op in COMPARISONS))} {op} {_inside(parts[1], _RANK[op] + strict)}"


def _inside(part: Expression, least: int) -> str:
    said = words(part)
    return f"({said})" if isinstance(part, Operation) and _RANK[part.op] < least else said
