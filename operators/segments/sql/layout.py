"""SQL of ours on several lines, for people to read. Only what stands between the words changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

WIDTH = 110
"""Characters that stay on one line."""
_TOKEN = re.compile(r"(?:'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[^\s()'\",])+|[(),]")
_CLAUSES = frozenset({"FROM", "WHERE", "GROUP", "ORDER", "HAVING", "UNION", "LEFT", "JOIN", "QUALIFY"})
_QUERY = frozenset({"SELECT", "WITH", "FROM"})
_LOGIC = frozenset({"AND", "OR"})
_CASES = frozenset({"WHEN", "ELSE"})
_CLOSED_BY = {"(": ")", "CASE": "END"}


@dataclass(slots=True)
class Stretch:
    """A word, or what stands from a parenthesis or CASE to its end. ``glued``: no blank is before it."""

    word: str
    glued: bool
    inner: list[Stretch] = field(default_factory=list)

    @property
    def flat(self) -> str:
        """On one line."""
        return self.word + _flat(self.inner, glued=self.word == "(")


def laid_out(query: str) -> str:
    """The same query, a clause a line; what is too wide for a line is indented part by part."""
    found = list(_TOKEN.finditer(query))
    before = [0, *(match.end() for match in found)]
    tokens = [Stretch(match[0], match.start() == end) for match, end in zip(found, before, strict=False)]
    return "\n".join(_lines(_nested(iter(tokens), ""), 0))


def _nested(tokens: Iterator[Stretch], end: str) -> list[Stretch]:
    found: list[Stretch] = []
    for token in tokens:
        found.append(token)
        if token.word in _CLOSED_BY:
            token.inner = _nested(tokens, _CLOSED_BY[token.word])
        elif token.word == end:
            break
    return found


def _flat(items: list[Stretch], *, glued: bool = True) -> str:
    """``glued``: without a blank at the beginning."""
    return "".join(("" if item.glued or (glued and not at) else " ") + item.flat for at, item in enumerate(items))


def _lines(items: list[Stretch], depth: int) -> Iterator[str]:
    """A query, or what stands in parentheses or in a CASE, part by part."""
    for part in _parts(items):
        yield from _part(part, depth)


def _parts(items: list[Stretch]) -> Iterator[list[Stretch]]:
    words = {item.word for item in items}
    breaks = _LOGIC | _CLAUSES if items[0].word in _QUERY else _CASES if words & _CASES else _LOGIC
    part: list[Stretch] = []
    between = False
    for item in items:
        if item.word == "BETWEEN":
            between = True
        elif between and item.word == "AND":
            between = False
        elif part and item.word in breaks and not (item.word == "JOIN" and part[-1].word == "LEFT"):
            yield part
            part = []
        part.append(item)
    yield part


def _part(items: list[Stretch], depth: int) -> Iterator[str]:
    """On one line if that is wide enough, else with what is wide in it on lines of its own."""
    indent = "  " * depth
    if len(indent) + len(_flat(items)) <= WIDTH:
        yield indent + _flat(items)
        return
    if items[0].word == "SELECT" and any(item.word == "," for item in items):
        yield f"{indent}SELECT"
        for column in _columns(items[1:]):
            yield from _part(column, depth + 1)
        return
    begun = ""
    for item in items:
        begun += ("" if item.glued or not begun else " ") + (item.word if item.inner else "")
        if not item.inner:
            begun += item.word
        elif len(item.flat) <= WIDTH // 2:
            begun += item.flat.removeprefix(item.word)
        else:
            yield indent + begun
            *inner, last = item.inner
            yield from _lines(inner, depth + 1)
            begun = last.word
    yield indent + begun


def _columns(items: list[Stretch]) -> Iterator[list[Stretch]]:
    column: list[Stretch] = []
    for item in items:
        column.append(item)
        if item.word == ",":
            yield column
            column = []
    yield column
